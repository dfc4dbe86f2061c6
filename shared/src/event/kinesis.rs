//! A batch from a Kinesis event source mapping → records, and the first failure → the batch's answer.
//!
//! Lambda hands KPL aggregates over as they are; taking them apart is not done here. Shapes: AWS Lambda Developer
//! Guide, "Using Lambda with Kinesis" and "Configuring partial batch response with Kinesis Data Streams and Lambda".

mod response;
pub(super) mod sound;
mod window;

use std::{borrow::Cow, fmt};

use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;

pub use response::BatchResponse;
pub use window::{Window, WindowResponse, window};

use super::{
    Read, Refused,
    destination::{self, Source},
    invalid, moment,
    wire::{self, Object, Remains, Text},
};
use crate::{
    clock::Timestamp,
    error::Error,
    position::{Position, SequenceNumber},
};

/// A record as the stream holds it, perhaps an aggregate of several.
///
/// Its `Debug` leaves the data out, so that it may be logged.
#[derive(Clone, PartialEq, Eq)]
pub struct Record<'a> {
    /// The ARN of the stream, or of a consumer of it where the mapping uses enhanced fan-out.
    pub source_arn: Cow<'a, str>,
    /// The stream's name.
    pub stream: Cow<'a, str>,
    /// The shard's id, such as `shardId-000000000006`.
    pub shard: Cow<'a, str>,
    /// The place in the shard.
    pub sequence: SequenceNumber,
    /// The producer's partition key.
    pub partition_key: Cow<'a, str>,
    /// When the stream took it in, to the millisecond.
    pub arrived: Timestamp,
    /// The bytes the producer put.
    pub data: Bytes,
}

impl Record<'_> {
    /// Where it came from; `sub_sequence` tells a record of an aggregate, the first being 0.
    #[must_use]
    pub fn position(&self, sub_sequence: Option<u64>) -> Position {
        Position::Shard {
            stream: self.stream.clone().into_owned(),
            shard: self.shard.clone().into_owned(),
            sequence: self.sequence.clone(),
            sub_sequence,
        }
    }
}

impl fmt::Debug for Record<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} bytes at {}", self.position(None), self.data.len(), self.arrived.0)
    }
}

#[derive(Deserialize)]
struct Batch<'a> {
    #[serde(rename = "Records", borrow)]
    records: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
struct Envelope<'a> {
    /// `<shard id>:<sequence number>`; the shard's id is nowhere else.
    #[serde(rename = "eventID", borrow)]
    id: Text<'a>,
    #[serde(rename = "eventSourceARN", borrow)]
    arn: Text<'a>,
    #[serde(borrow)]
    kinesis: Object<Payload<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Payload<'a> {
    #[serde(borrow)]
    sequence_number: Text<'a>,
    #[serde(borrow)]
    partition_key: Text<'a>,
    #[serde(borrow)]
    data: Text<'a>,
    /// POSIX seconds as a JSON number, milliseconds in the fraction without trailing zeros.
    #[serde(borrow)]
    approximate_arrival_timestamp: &'a RawValue,
}

/// Reads `{"Records": [{"eventID", "eventSourceARN", "kinesis": {…}}]}`, in the order of the shard.
///
/// The arrival time is required, because a partition may be made of it.
///
/// # Errors
/// Poison, `invalid_event`: where the event is not JSON with a list of `Records`. A record that cannot be read does not
/// fail the batch; it carries its own error.
pub fn read(event: &[u8]) -> Result<Vec<Read<'_, Record<'_>>>, Error> {
    // Nearly every batch; what is odd in any other is told by the careful way.
    if let Some(records) = simdutf8::basic::from_utf8(event).ok().and_then(sound::read) {
        return Ok(records.into_iter().map(Ok).collect());
    }
    carefully(event)
}

pub(super) fn carefully(event: &[u8]) -> Result<Vec<Read<'_, Record<'_>>>, Error> {
    let Batch { records } = wire::event(event, "a Kinesis batch with a list of Records")?;
    let read = |raw| record(raw).map_err(|error| Box::new(Refused::new(raw, remains(raw), error)));
    Ok(records.into_iter().map(read).collect())
}

/// The text of the event that failed, out of the object that Lambda puts into an S3 destination.
///
/// # Errors
/// Poison, `invalid_event`: where `object` is no such document of a batch of a stream, or has no `payload`, as in SQS and
/// SNS, which are told of sequence numbers only.
pub fn failed_event(object: &[u8]) -> Result<Cow<'_, str>, Error> {
    destination::failed_event(object, Source::Kinesis)
}

/// The texts of the records that [`read`] reads, in the same order.
///
/// # Errors
/// As [`read`] has them.
pub fn texts(event: &[u8]) -> Result<Vec<&str>, Error> {
    let Batch { records } = wire::event(event, "a Kinesis batch with a list of Records")?;
    Ok(records.into_iter().map(RawValue::get).collect())
}

fn record(raw: &RawValue) -> Result<Record<'_>, Error> {
    let Envelope { id, arn, kinesis: Object(kinesis) } = wire::record(raw, "a Kinesis record")?;
    let shard = wire::part(id.0, shard).ok_or_else(|| invalid("eventID names no shard"))?;
    let stream = wire::part(arn.0.clone(), stream).ok_or_else(|| invalid("eventSourceARN names no stream"))?;
    let sequence =
        SequenceNumber::new(&kinesis.sequence_number.0).ok_or_else(|| invalid("sequenceNumber is no number"))?;
    let arrived = wire::scalar(kinesis.approximate_arrival_timestamp)
        .and_then(|text| moment::seconds(&text))
        .ok_or_else(|| invalid("approximateArrivalTimestamp is no time in seconds"))?;
    Ok(Record {
        stream,
        shard,
        sequence,
        arrived,
        data: wire::bytes("data", &kinesis.data.0)?,
        partition_key: kinesis.partition_key.0,
        source_arn: arn.0,
    })
}

fn remains(raw: &RawValue) -> Option<Position> {
    let remains = Remains::of(raw);
    let id = remains.scalar(&["eventID"])?;
    let sequence = remains.scalar(&["kinesis", "sequenceNumber"]);
    let in_id = || SequenceNumber::new(id.split_once(':')?.1);
    Some(Position::Shard {
        stream: stream(&remains.scalar(&["eventSourceARN"])?)?.to_owned(),
        shard: shard(&id)?.to_owned(),
        sequence: sequence.as_deref().and_then(SequenceNumber::new).or_else(in_id)?,
        sub_sequence: None,
    })
}

fn shard(id: &str) -> Option<&str> {
    id.split_once(':').map(|(shard, _)| shard).filter(|shard| !shard.is_empty())
}

/// The stream's name in its ARN, `arn:…:kinesis:…:stream/<name>`, or in a consumer's, `…/consumer/<name>:<created>`.
pub(super) fn stream(arn: &str) -> Option<&str> {
    let resource = arn.splitn(6, ':').nth(5)?.strip_prefix("stream/")?;
    resource.split('/').next().filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests;
