//! A `stream` dataset: what its records must be, and where they go.
//!
//! Everything here is resolved and checked; how a record is read by it is `contract`'s business.

use std::fmt;

use serde_json::Value;

use super::{ColumnType, Compression};

pub mod compact;
mod filter;
mod parse;
mod rules;
pub mod watch;
pub mod window;

pub use compact::Compact;
pub(super) use filter::conditions;
pub use filter::{Bound, Condition};
pub(super) use parse::{fields, is_same, stream, unknown_fields};
pub(super) use rules::together;
pub use watch::Watch;
pub use window::Window;

/// Records that arrive one by one, and become rows of a table.
#[derive(Debug, Clone, PartialEq)]
pub struct Stream {
    /// Its name: the file's stem, the table's name in the catalog.
    pub name: String,
    /// What carries the records.
    pub transport: Transport,
    /// How a record reads.
    pub format: RecordFormat,
    /// The columns, in the order of the table.
    pub columns: Vec<Field>,
    /// What a row must meet to be wanted; one that does not is dropped.
    pub filter: Vec<Condition>,
    /// What is told of each window of time, where the table is made of that instead of the rows.
    pub window: Option<Window>,
    /// What becomes of fields that no column takes.
    pub unknown_fields: UnknownFields,
    /// The column that says when a record happened; where there is none, its arrival does.
    pub event_time: Option<String>,
    /// How the table is partitioned.
    pub partition_by: PartitionBy,
    /// How its files are compressed.
    pub compression: Compression,
    /// The keys of its files begin with this; it ends in `/`.
    pub prefix: String,
    /// How its small files become few; where it is not said, they do only on request.
    pub compact: Option<Compact>,
    /// What its readings are watched for, where its records are messages of devices.
    pub watch: Option<Watch>,
}

/// What carries the records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// A Kinesis data stream.
    Kinesis,
    /// A Firehose stream that has its records transformed.
    Firehose,
    /// A Kafka topic.
    Kafka,
    /// Runs of a flow of `AppFlow`.
    AppFlow,
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Kinesis => "kinesis",
            Self::Firehose => "firehose",
            Self::Kafka => "kafka",
            Self::AppFlow => "appflow",
        })
    }
}

/// How a record reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordFormat {
    /// JSON objects: one, several lines of them, or an array.
    Json,
    /// What DMS writes to a stream: `{"data": {…}, "metadata": {…}}`. Paths begin in `data`, or with `metadata.`.
    DmsJson,
    /// What a CloudWatch Logs subscription sends; each log event is a record.
    CloudWatchLogs,
    /// An Avro datum behind the header of a schema registry; Kafka alone.
    Avro,
    /// Debezium's change events as JSON; Kafka alone. Paths begin in the row, or with `envelope.` in the event.
    DebeziumJson,
    /// Debezium's change events as Avro data.
    DebeziumAvro,
}

impl RecordFormat {
    /// Whether only Kafka carries such records.
    #[must_use]
    pub fn is_of_kafka(self) -> bool {
        self.is_avro() || self.is_debezium()
    }

    /// Whether a record is an Avro datum.
    #[must_use]
    pub fn is_avro(self) -> bool {
        matches!(self, Self::Avro | Self::DebeziumAvro)
    }

    /// Whether a record is a change event of Debezium.
    #[must_use]
    pub fn is_debezium(self) -> bool {
        matches!(self, Self::DebeziumJson | Self::DebeziumAvro)
    }
}

/// A column, and what a record must say of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// Its name in the table.
    pub name: String,
    /// Its type.
    pub r#type: ColumnType,
    /// Where its value is in the record: names from the outermost object inwards.
    pub path: Vec<String>,
    /// Where it is in a record that has nothing there, or null.
    pub fallback: Option<Vec<String>>,
    /// Whether a record without it is refused.
    pub required: bool,
    /// What stands for a value that is missing or null.
    pub default: Option<Value>,
    /// What is hidden of its value.
    pub mask: Option<Mask>,
    /// What its value must be.
    pub checks: Checks,
}

/// What is hidden of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mask {
    /// All: the column is always null.
    Erase,
    /// All but equality: HMAC-SHA-256 under the lake's key, in hexadecimal digits.
    Hash,
    /// All but the last characters: the others become `*`.
    KeepLast(usize),
}

/// What a value must be, beside its type. Checked before it is masked.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Checks {
    /// The least it may be.
    pub min: Option<f64>,
    /// The most it may be.
    pub max: Option<f64>,
    /// A regular expression that must match somewhere in its text.
    pub pattern: Option<String>,
    /// The texts it may be.
    pub one_of: Option<Vec<String>>,
}

/// What becomes of fields that no column takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnknownFields {
    /// They go to the JSON column `_extra`.
    Keep,
    /// They are left out, and counted.
    Drop,
    /// The record is refused.
    Reject,
}

/// The column of what no column took.
pub const EXTRA: &str = "_extra";

/// How a table is partitioned: by time in UTC, then by columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionBy {
    /// The finest part of the time; `None`: not by time.
    pub time: Option<Granularity>,
    /// Columns, in order. They are in the path of a file and not in the file.
    pub columns: Vec<String>,
}

/// The finest part of a time partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Granularity {
    /// `year=`
    Year,
    /// `year=/month=`
    Month,
    /// `year=/month=/day=`
    Day,
    /// `year=/month=/day=/hour=`
    Hour,
}
