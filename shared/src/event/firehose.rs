//! A transformation request from Firehose → records, and what became of each → the answer.
//!
//! Shapes: Amazon Data Firehose Developer Guide, "Transform source data" and "Required parameters for data
//! transformation"; of MSK sources also `MskFirehoseEvent` in aws-lambda-java-events.

mod origin;
mod response;
pub(super) mod sound;

use std::{borrow::Cow, fmt};

use bytes::Bytes;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

pub use origin::{KafkaMetadata, KinesisMetadata, Origin, Source};
pub use response::{MAX_RESPONSE_BYTES, Outcome, PartitionKeys, PayloadField, RESPONSE_BUDGET, Response, id_size};

use super::{
    Refused, invalid, moment,
    wire::{self, Remains, Text},
};
use crate::{clock::Timestamp, error::Error, position::Position};

/// A batch to transform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request<'a> {
    /// The invocation's id; empty where the event has none.
    pub invocation_id: Cow<'a, str>,
    /// The ARN of the delivery stream.
    pub delivery_stream_arn: Cow<'a, str>,
    /// The region of the delivery stream; empty where the event has none.
    pub region: Cow<'a, str>,
    /// What feeds the delivery stream.
    pub source: Source<'a>,
    /// The field that holds a record's bytes, in the request and in the answer.
    pub payload: PayloadField,
    /// The records, each of which is to be answered for.
    pub records: Vec<Result<Record<'a>, Box<Unreadable<'a>>>>,
}

/// A record to transform.
///
/// Its `Debug` leaves the data out, so that it may be logged.
#[derive(Clone, PartialEq, Eq)]
pub struct Record<'a> {
    /// By which Firehose is answered.
    pub id: Cow<'a, str>,
    /// When Firehose took it in; `None` where the event does not say.
    pub arrived: Option<Timestamp>,
    /// Where it was before Firehose.
    pub origin: Origin<'a>,
    /// Where it came from; `None` where producers put it, and with MSK, which does not name the topic.
    pub position: Option<Position>,
    /// The bytes the producer put; empty for a Kafka record without a value.
    pub data: Bytes,
}

/// A record that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable<'a> {
    /// By which Firehose is answered. Without it the record cannot be answered for, and Firehose will take that for a
    /// failed transformation.
    pub id: Option<Cow<'a, str>>,
    /// What is left of it.
    pub refused: Refused<'a>,
}

impl fmt::Debug for Record<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} bytes", self.id, self.data.len())?;
        self.position.as_ref().map_or(Ok(()), |position| write!(f, " from {position}"))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Batch<'a> {
    #[serde(borrow)]
    invocation_id: Option<Text<'a>>,
    #[serde(borrow)]
    delivery_stream_arn: Text<'a>,
    #[serde(borrow)]
    region: Option<Text<'a>>,
    #[serde(borrow)]
    source_kinesis_stream_arn: Option<Text<'a>>,
    #[serde(rename = "sourceMSKArn", borrow)]
    source_msk_arn: Option<Text<'a>>,
    #[serde(borrow)]
    records: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Item<'a> {
    #[serde(borrow)]
    record_id: Text<'a>,
    #[serde(borrow)]
    approximate_arrival_timestamp: Option<&'a RawValue>,
    #[serde(borrow, default)]
    data: Payload<'a>,
    #[serde(borrow, default)]
    kafka_record_value: Payload<'a>,
    #[serde(borrow)]
    kinesis_record_metadata: Option<&'a RawValue>,
    #[serde(borrow)]
    msk_record_metadata: Option<&'a RawValue>,
}

/// A field with a record's bytes.
#[derive(Default)]
enum Payload<'a> {
    #[default]
    Missing,
    Null,
    Text(Cow<'a, str>),
}

impl<'de: 'a, 'a> Deserialize<'de> for Payload<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Option::<Text<'a>>::deserialize(deserializer)?;
        Ok(text.map_or(Self::Null, |Text(text)| Self::Text(text)))
    }
}

/// Reads `{"deliveryStreamArn", "records": [{"recordId", "data" or "kafkaRecordValue", …}], …}`.
///
/// What only accompanies a record (times, metadata) never costs it: where it cannot be read it is as if not there.
///
/// # Errors
/// Poison, `invalid_event`: where the event is not JSON with a `deliveryStreamArn` and a list of `records`. A record
/// that cannot be read does not fail the batch; it carries its own error.
pub fn read(event: &[u8]) -> Result<Request<'_>, Error> {
    // Nearly every batch; what is odd in any other is told by the careful way.
    if let Some(request) = simdutf8::basic::from_utf8(event).ok().and_then(sound::read) {
        return Ok(request);
    }
    carefully(event)
}

pub(super) fn carefully(event: &[u8]) -> Result<Request<'_>, Error> {
    let batch: Batch<'_> =
        wire::event(event, "a Firehose transformation with deliveryStreamArn and a list of records")?;
    let source = match (batch.source_kinesis_stream_arn, batch.source_msk_arn) {
        (Some(Text(arn)), _) => Source::Kinesis(arn),
        (None, Some(Text(arn))) => Source::Msk(arn),
        (None, None) => Source::DirectPut,
    };
    let read = |raw| record(raw, &source).map_err(|error| unreadable(raw, &source, error));
    Ok(Request {
        invocation_id: batch.invocation_id.unwrap_or_default().0,
        delivery_stream_arn: batch.delivery_stream_arn.0,
        region: batch.region.unwrap_or_default().0,
        payload: PayloadField::of(&source),
        records: batch.records.into_iter().map(read).collect(),
        source,
    })
}

fn record<'a>(raw: &'a RawValue, source: &Source<'_>) -> Result<Record<'a>, Error> {
    let item: Item<'_> = wire::record(raw, "a Firehose record")?;
    let data = match (item.data, item.kafka_record_value, source) {
        (Payload::Text(text), _, _) => wire::bytes("data", &text)?,
        (_, Payload::Text(text), _) => wire::bytes("kafkaRecordValue", &text)?,
        // A tombstone. Where there is no such field at all, it may go by a name that is not known here.
        (Payload::Null, _, Source::Msk(_)) | (_, Payload::Null, Source::Msk(_)) => Bytes::new(),
        _ => return Err(invalid("data is missing")),
    };
    let origin =
        Origin::of(item.kinesis_record_metadata.map(RawValue::get), item.msk_record_metadata.map(RawValue::get));
    let arrived = item.approximate_arrival_timestamp.and_then(wire::scalar);
    Ok(Record {
        id: item.record_id.0,
        arrived: arrived.and_then(|text| moment::millis(&text)),
        position: origin.position(source),
        origin,
        data,
    })
}

fn unreadable<'a>(raw: &'a RawValue, source: &Source<'_>, error: Error) -> Box<Unreadable<'a>> {
    let remains = Remains::of(raw);
    let refused = Refused::new(raw, origin::remains(remains, source), error);
    Box::new(Unreadable { id: remains.scalar(&["recordId"]), refused })
}

#[cfg(test)]
mod tests;
