//! A batch from an MSK or self-managed Kafka event source mapping → records, and the failures → the batch's answer.
//!
//! Bytes stay as the topic holds them: registry headers and formats are not looked at here. Shapes: AWS Lambda
//! Developer Guide, "Using Lambda with Amazon MSK", "… with self-managed Apache Kafka", and their partial batch
//! responses.

mod header;
mod response;

use std::{borrow::Cow, fmt};

use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;

pub use header::Header;
pub use response::BatchResponse;

use super::{
    Read, Refused,
    destination::{self, Source},
    invalid, moment,
    wire::{self, Members, Remains, Text},
};
use crate::{clock::Timestamp, error::Error, position::Position};

/// A record as the topic holds it.
///
/// Its `Debug` leaves key, value and headers out, so that it may be logged.
#[derive(Clone, PartialEq, Eq)]
pub struct Record<'a> {
    /// The topic's name.
    pub topic: Cow<'a, str>,
    /// The partition's number.
    pub partition: i32,
    /// The place in the partition.
    pub offset: i64,
    /// When, by the clock of its type; `None` where the record has no time.
    pub timestamp: Option<Timestamp>,
    /// Whose clock the time is of.
    pub timestamp_type: TimestampType,
    /// The key, where it has one.
    pub key: Option<Bytes>,
    /// The value; `None` is a tombstone.
    pub value: Option<Bytes>,
    /// The headers in order; a name may come twice.
    pub headers: Vec<Header<'a>>,
    /// The schema of the key, where the mapping has a schema registry.
    pub key_schema: Option<SchemaMetadata<'a>>,
    /// The schema of the value, where the mapping has a schema registry.
    pub value_schema: Option<SchemaMetadata<'a>>,
}

/// Whose clock a record's time is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimestampType {
    /// `CREATE_TIME`: the producer's.
    Created,
    /// `LOG_APPEND_TIME`: the broker's.
    Appended,
    /// Neither.
    Unknown,
}

/// What a mapping with a schema registry tells of a key or value.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SchemaMetadata<'a> {
    /// `AVRO`, `PROTOBUF` or `JSON`.
    #[serde(borrow)]
    pub data_format: Cow<'a, str>,
    /// A UUID of the Glue registry, or a number of a Confluent one.
    #[serde(borrow, deserialize_with = "wire::identifier")]
    pub schema_id: Cow<'a, str>,
}

impl Record<'_> {
    /// Where it came from.
    #[must_use]
    pub fn position(&self) -> Position {
        Position::Offset { topic: self.topic.clone().into_owned(), partition: self.partition, offset: self.offset }
    }
}

impl fmt::Debug for Record<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = |bytes: &Option<Bytes>| bytes.as_ref().map(Bytes::len);
        write!(f, "{} key {:?} value {:?} bytes", self.position(), bytes(&self.key), bytes(&self.value))
    }
}

#[derive(Deserialize)]
struct Batch<'a> {
    /// By `<topic>-<partition>`.
    #[serde(borrow)]
    records: Members<'a, &'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Item<'a> {
    #[serde(borrow)]
    topic: Option<Text<'a>>,
    #[serde(borrow)]
    partition: Option<&'a RawValue>,
    #[serde(borrow)]
    offset: &'a RawValue,
    #[serde(borrow)]
    timestamp: Option<&'a RawValue>,
    #[serde(borrow)]
    timestamp_type: Option<Text<'a>>,
    #[serde(borrow)]
    key: Option<Text<'a>>,
    #[serde(borrow)]
    value: Option<Text<'a>>,
    #[serde(borrow)]
    headers: Option<Vec<Members<'a, Option<Vec<i16>>>>>,
    #[serde(borrow)]
    key_schema_metadata: Option<SchemaMetadata<'a>>,
    #[serde(borrow)]
    value_schema_metadata: Option<SchemaMetadata<'a>>,
}

/// Reads `{"records": {"<topic>-<partition>": [{"topic", "partition", "offset", "key", "value", …}]}}`, partition by
/// partition as the event has them, each in order.
///
/// # Errors
/// Poison, `invalid_event`: where the event is not JSON with `records` by partition. A record that cannot be read does
/// not fail the batch; it carries its own error, and so does a partition whose list cannot be read, as one.
pub fn read(event: &[u8]) -> Result<Vec<Read<'_, Record<'_>>>, Error> {
    let Batch { records: Members(partitions) } = wire::event(event, "a Kafka batch with records by partition")?;
    let mut records = Vec::new();
    for (name, list) in partitions {
        let refused = |raw, error| Box::new(Refused::new(raw, remains(&name, raw), error));
        match serde_json::from_str::<Option<Vec<&RawValue>>>(list.get()) {
            Ok(items) => {
                let read = |raw| record(&name, raw).map_err(|error| refused(raw, error));
                records.extend(items.unwrap_or_default().into_iter().map(read));
            }
            Err(_) => records.push(Err(refused(list, invalid("a partition's records are no list")))),
        }
    }
    Ok(records)
}

/// The texts of the records that [`read`] reads, in the same order.
///
/// # Errors
/// As [`read`] has them.
pub fn texts(event: &[u8]) -> Result<Vec<&str>, Error> {
    let Batch { records: Members(partitions) } = wire::event(event, "a Kafka batch with records by partition")?;
    let mut texts = Vec::new();
    for (_, list) in partitions {
        match serde_json::from_str::<Option<Vec<&RawValue>>>(list.get()) {
            Ok(items) => texts.extend(items.unwrap_or_default().into_iter().map(RawValue::get)),
            Err(_) => texts.push(list.get()),
        }
    }
    Ok(texts)
}

/// The text of the event that failed, out of the object that Lambda puts into an S3 destination.
///
/// # Errors
/// Poison, `invalid_event`: where `object` is no such document of a batch of topics, or has no `payload`, as in SQS and
/// SNS, which are told of offsets only.
pub fn failed_event(object: &[u8]) -> Result<Cow<'_, str>, Error> {
    destination::failed_event(object, Source::Kafka)
}

fn record<'a>(name: &Cow<'a, str>, raw: &'a RawValue) -> Result<Record<'a>, Error> {
    let item: Item<'_> = wire::record(raw, "a Kafka record")?;
    let topic = item.topic.map(|Text(topic)| topic).or_else(|| wire::part(name.clone(), topic));
    let partition = item.partition.map_or_else(|| partition(name), wire::number);
    let millis = |raw| wire::scalar(raw).and_then(|text| moment::millis(&text));
    let timestamp = item.timestamp.map(|raw| millis(raw).ok_or_else(|| invalid("timestamp is no time in ms")));
    let bytes = |name, text: Option<Text<'_>>| text.map(|Text(text)| wire::bytes(name, &text)).transpose();
    Ok(Record {
        topic: topic.ok_or_else(|| invalid("the record has no topic"))?,
        partition: partition.ok_or_else(|| invalid("partition is no number"))?,
        offset: wire::number(item.offset).ok_or_else(|| invalid("offset is no number"))?,
        // Kafka's own word for no time is -1.
        timestamp: timestamp.transpose()?.filter(|at| at.0 >= 0),
        timestamp_type: item.timestamp_type.map_or(TimestampType::Unknown, |Text(name)| TimestampType::of(&name)),
        key: bytes("key", item.key)?,
        value: bytes("value", item.value)?,
        headers: header::read(item.headers.unwrap_or_default())?,
        key_schema: item.key_schema_metadata,
        value_schema: item.value_schema_metadata,
    })
}

impl TimestampType {
    fn of(name: &str) -> Self {
        match name {
            "CREATE_TIME" => Self::Created,
            "LOG_APPEND_TIME" => Self::Appended,
            _ => Self::Unknown,
        }
    }
}

fn remains(name: &str, raw: &RawValue) -> Option<Position> {
    let remains = Remains::of(raw);
    Some(Position::Offset {
        topic: remains
            .scalar(&["topic"])
            .map_or_else(|| topic(name).map(str::to_owned), |topic| Some(topic.into_owned()))?,
        partition: remains.number(&["partition"]).or_else(|| partition(name))?,
        offset: remains.number(&["offset"])?,
    })
}

/// A topic's own name may have `-` in it; its partition's number has not.
fn topic(name: &str) -> Option<&str> {
    name.rsplit_once('-').map(|(topic, _)| topic)
}

fn partition(name: &str) -> Option<i32> {
    name.rsplit_once('-')?.1.parse().ok()
}

#[cfg(test)]
mod tests;
