//! A record of a topic → what its line says beside the bytes, and the record again.

use std::borrow::Cow;

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::{
    clock::Timestamp,
    event::kafka::{Header, Record, SchemaMetadata, TimestampType},
    position::Position,
};

/// What a record of a Kafka topic has beside its value, in base64 where it is bytes.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Kafka {
    /// Its key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Its headers in order: names and values.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<(String, Option<String>)>,
    /// Its time in milliseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<i64>,
    /// Whether it has no value: then the line's bytes are those of its key.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub tombstone: bool,
    /// What the mapping tells of its key's schema.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_schema: Option<Schema>,
    /// What the mapping tells of its value's schema.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value_schema: Option<Schema>,
}

/// What a mapping with a schema registry tells of a key or value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schema {
    /// `AVRO`, `PROTOBUF` or `JSON`.
    pub data_format: String,
    /// A UUID of the Glue registry, or a number of a Confluent one.
    pub schema_id: String,
}

impl Schema {
    fn of(told: &SchemaMetadata<'_>) -> Self {
        Self { data_format: told.data_format.to_string(), schema_id: told.schema_id.to_string() }
    }

    fn told(&self) -> SchemaMetadata<'static> {
        SchemaMetadata {
            data_format: Cow::Owned(self.data_format.clone()),
            schema_id: Cow::Owned(self.schema_id.clone()),
        }
    }
}

impl Kafka {
    /// What this record has.
    #[must_use]
    pub fn of(record: &Record<'_>) -> Self {
        let text = |bytes: &Bytes| BASE64_STANDARD.encode(bytes);
        let headers = record.headers.iter();
        Self {
            key: record.key.as_ref().map(text),
            headers: headers.map(|header| (header.name.to_string(), header.value.as_ref().map(text))).collect(),
            timestamp: record.timestamp.map(|at| at.0),
            tombstone: record.value.is_none(),
            key_schema: record.key_schema.as_ref().map(Schema::of),
            value_schema: record.value_schema.as_ref().map(Schema::of),
        }
    }

    /// How many bytes of text that is, about.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let length = |text: &Option<String>| text.as_ref().map_or(0, String::len);
        length(&self.key) + self.headers.iter().map(|(name, value)| name.len() + length(value)).sum::<usize>()
    }

    /// The record at this place whose line has these bytes; `None` where the place is none of a topic, or something is
    /// not base64. Whose clock its time is of is forgotten.
    #[must_use]
    pub fn record(&self, position: &Position, data: &Bytes) -> Option<Record<'static>> {
        let Position::Offset { topic, partition, offset } = position else { return None };
        let bytes = |text: &String| BASE64_STANDARD.decode(text).ok().map(Bytes::from);
        let header = |(name, value): &(String, Option<String>)| {
            let value = value.as_ref().map(|value| bytes(value).ok_or(())).transpose().ok()?;
            Some(Header { name: Cow::Owned(name.clone()), value })
        };
        Some(Record {
            topic: Cow::Owned(topic.clone()),
            partition: *partition,
            offset: *offset,
            timestamp: self.timestamp.map(Timestamp),
            timestamp_type: TimestampType::Unknown,
            key: self.key.as_ref().map(|key| bytes(key).ok_or(())).transpose().ok()?,
            value: (!self.tombstone).then(|| data.clone()),
            headers: self.headers.iter().map(header).collect::<Option<_>>()?,
            key_schema: self.key_schema.as_ref().map(Schema::told),
            value_schema: self.value_schema.as_ref().map(Schema::told),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_comes_back_as_it_was() {
        let schema = |format: &'static str| Some(SchemaMetadata { data_format: format.into(), schema_id: "7".into() });
        let header = |name: &'static str, value: Option<&'static [u8]>| Header {
            name: name.into(),
            value: value.map(Bytes::from_static),
        };
        let whole = Record {
            topic: "eu-orders".into(),
            partition: 3,
            offset: 12,
            timestamp: Some(Timestamp(5)),
            timestamp_type: TimestampType::Unknown,
            key: Some(Bytes::from_static(b"\xff\0")),
            value: Some(Bytes::from_static(b"{}")),
            headers: vec![header("a", Some(b"x")), header("a", None), header("", Some(b""))],
            key_schema: schema("JSON"),
            value_schema: schema("AVRO"),
        };
        let bare = Record {
            timestamp: None,
            key: None,
            value: Some(Bytes::new()),
            headers: Vec::new(),
            key_schema: None,
            value_schema: None,
            ..whole.clone()
        };
        let gone = Record { key: Some(Bytes::from_static(b"k")), value: None, ..bare.clone() };
        for record in [whole, bare, gone] {
            let text = serde_json::to_string(&Kafka::of(&record)).unwrap();
            let data = record.value.clone().or_else(|| record.key.clone()).unwrap();
            let read: Kafka = serde_json::from_str(&text).unwrap();
            assert!(read.record(&record.position(), &data).unwrap() == record, "{text}");
        }
        let broken = Kafka { key: Some("?".to_owned()), ..Kafka::default() };
        let position = Position::Offset { topic: "a".to_owned(), partition: 0, offset: 0 };
        assert_eq!(broken.record(&position, &Bytes::new()), None);
        assert_eq!(Kafka::default().record(&Position::Row { key: "a".to_owned(), row: None }, &Bytes::new()), None);
    }
}
