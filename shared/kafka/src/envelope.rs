//! A record's envelope → the values of the dataset's `_kafka_…` columns, as a JSON object beside the record.
//!
//! Only what the dataset asks for is looked at: most datasets ask for nothing.

use base64::{Engine, prelude::BASE64_STANDARD};
use headgate::{
    Code, Error,
    contract::ENVELOPE,
    dataset::{ColumnType, Stream},
    event::kafka::{Header, Record},
    literal::time::MILLI,
};
use serde_json::{Map, Value, json};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use crate::debezium;

/// What a column of the envelope holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Topic,
    Partition,
    Offset,
    /// As a number of milliseconds, or as text.
    Timestamp {
        number: bool,
    },
    Key,
    Headers,
    Tombstone,
}

impl Part {
    fn of(name: &str, r#type: &ColumnType) -> Option<Self> {
        use ColumnType::{Boolean, Date, Int32, Int64, Json, String, Timestamp};
        Some(match (name, r#type) {
            ("topic", String) => Self::Topic,
            ("partition", Int32 | Int64) => Self::Partition,
            ("offset", Int64) => Self::Offset,
            ("timestamp", Int64) => Self::Timestamp { number: true },
            ("timestamp", Timestamp(_) | Date) => Self::Timestamp { number: false },
            ("key", String) => Self::Key,
            ("headers", Json) => Self::Headers,
            ("tombstone", Boolean) => Self::Tombstone,
            _ => return None,
        })
    }
}

/// The columns of the envelope that a dataset has.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Envelope {
    columns: Vec<(String, Part)>,
}

impl Envelope {
    /// Finds them.
    ///
    /// # Errors
    /// Misconfigured: there is none of that name, or it is not of that type; or nothing tells Debezium's deletes.
    pub fn of(stream: &Stream) -> Result<Self, Error> {
        let has_op = stream.columns.iter().any(|field| field.path == [debezium::EVENT, "op"]);
        if stream.format.is_debezium() && !has_op {
            let what = "a column of path `envelope.op` must tell deletes from the rest";
            return Err(Error::misconfigured(Code::InvalidConfig, format!("{}: $.columns: {what}", stream.name)));
        }
        let mut columns = Vec::new();
        for (index, field) in stream.columns.iter().enumerate() {
            let [path] = &field.path[..] else { continue };
            let Some(name) = path.strip_prefix(ENVELOPE) else { continue };
            let Some(part) = Part::of(name, &field.r#type) else {
                let message = format!(
                    "{}: $.columns[{index}]: `{path}` as {} must be one of _kafka_topic string, _kafka_partition int32, \
                     _kafka_offset int64, _kafka_timestamp timestamp, _kafka_key string, _kafka_headers json, \
                     _kafka_tombstone boolean",
                    stream.name, field.r#type
                );
                return Err(Error::misconfigured(Code::InvalidConfig, message));
            };
            columns.push((path.clone(), part));
        }
        Ok(Self { columns })
    }

    /// Whether the dataset wants a row for a record without a value.
    pub(crate) fn keeps_tombstones(&self) -> bool {
        self.columns.iter().any(|(_, part)| *part == Part::Tombstone)
    }

    /// The record's values by column; `None` where the dataset has no such columns.
    pub(crate) fn members(&self, record: &Record<'_>) -> Option<String> {
        if self.columns.is_empty() {
            return None;
        }
        let members = self.columns.iter().map(|(name, part)| (name.clone(), value(*part, record)));
        Some(Value::Object(members.collect()).to_string())
    }
}

fn value(part: Part, record: &Record<'_>) -> Value {
    match part {
        Part::Topic => json!(record.topic),
        Part::Partition => json!(record.partition),
        Part::Offset => json!(record.offset),
        Part::Timestamp { number: true } => json!(record.timestamp.map(|at| at.0)),
        Part::Timestamp { number: false } => json!(record.timestamp.and_then(|at| moment(at.0))),
        Part::Key => record.key.as_deref().map_or(Value::Null, text),
        Part::Headers => headers(&record.headers),
        Part::Tombstone => json!(record.value.is_none()),
    }
}

/// Text: a small number would be taken for seconds.
fn moment(milliseconds: i64) -> Option<String> {
    let nanos = i128::from(milliseconds) * i128::from(MILLI);
    OffsetDateTime::from_unix_timestamp_nanos(nanos).ok()?.format(&Rfc3339).ok()
}

/// The bytes as text where they are UTF-8, else in base64.
fn text(bytes: &[u8]) -> Value {
    std::str::from_utf8(bytes).map_or_else(|_| BASE64_STANDARD.encode(bytes), str::to_owned).into()
}

/// Headers by name; a name that comes twice has all its values, in order.
fn headers(headers: &[Header<'_>]) -> Value {
    let mut members: Map<String, Value> = Map::new();
    for Header { name, value } in headers {
        let value = value.as_deref().map_or(Value::Null, text);
        match members.get_mut(name.as_ref()) {
            None => drop(members.insert(name.clone().into_owned(), value)),
            Some(Value::Array(values)) => values.push(value),
            Some(first) => *first = json!([first.take(), value]),
        }
    }
    Value::Object(members)
}
