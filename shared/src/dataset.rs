//! A dataset file → what to read, how to key it, where it goes.
//!
//! Everything here is resolved and checked: no `Option` that is really required.

use crate::clock::Timestamp;

mod folder;
mod json;
mod parse;
mod rules;
pub mod saas;
pub mod stream;
mod text;

#[cfg(test)]
mod tests;

pub use folder::Datasets;
pub use parse::Described;
pub use saas::Saas;
pub use stream::Stream;
pub use text::{TextError, moment};

/// A table kept up to date from change files.
#[derive(Debug, Clone, PartialEq)]
pub struct Dataset {
    /// Its name: the file's stem, the table's name in the catalog.
    pub name: String,
    /// Where its change files are and how they read.
    pub source: Source,
    /// The key columns, in order.
    pub primary_key: Vec<String>,
    /// The column whose greatest value is a row's last version, where the files' names do not say it.
    pub order_by: Option<String>,
    /// The columns, where the files do not say them by themselves.
    pub columns: Option<Vec<Column>>,
    /// How the snapshot is compressed.
    pub compression: Compression,
    /// Where the snapshot goes.
    pub target: Target,
}

/// Change files: a full load and what came after.
#[derive(Debug, Clone, PartialEq)]
pub struct Source {
    /// How a file reads.
    pub format: Format,
    /// The keys of the files begin with this; it ends in `/`.
    pub prefix: String,
    /// The column with the operation.
    pub op_column: String,
    /// The column with the commit time (CDC) or transfer time (full load), where DMS writes one.
    pub timestamp_column: Option<String>,
    /// The column with the change sequence, where the task adds one.
    pub order_column: Option<String>,
    /// The prefix of the before-image columns, such as `BI_`, where the task adds them.
    pub before_image_prefix: Option<String>,
    /// CDC files up to this moment belong to an earlier full load.
    pub reload_cutoff: Option<Timestamp>,
    /// How late a file may turn up and still be applied by itself, in hours of the files' own time.
    pub lateness_hours: u32,
    /// What it means when applied files vanish.
    pub on_truncate: OnTruncate,
}

/// How a file reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Format {
    /// DMS Parquet.
    Parquet,
    /// DMS CSV.
    Csv(Csv),
    /// One Debezium-like envelope a line.
    DebeziumJson,
}

/// How a CSV file reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Csv {
    /// Whether the first line names the columns.
    pub header: bool,
    /// The unquoted text that stands for NULL.
    pub null: String,
    /// What stands between two fields: one ASCII character.
    pub delimiter: u8,
}

/// What it means when applied files vanish.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnTruncate {
    /// They expired: the snapshot stays.
    Keep,
    /// When all of them are gone, the table was emptied.
    Follow,
}

/// Where the snapshot goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The snapshot's key, ending in `.parquet`.
    pub snapshot: String,
    /// Its shape.
    pub publish: Publish,
    /// How long superseded versions are kept, in hours (`versioned`).
    pub keep_hours: u32,
}

/// The snapshot's shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Publish {
    /// One object, replaced whole.
    Replace,
    /// Immutable versions and a symlink manifest that names the current one.
    Versioned,
}

/// How the snapshot is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// Not at all.
    None,
    /// Snappy.
    Snappy,
    /// Zstandard with this level, 1 to 22.
    Zstd(i32),
}

/// A declared column, or a member of a struct.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name, in the files and in the snapshot.
    pub name: String,
    /// Its type.
    pub r#type: ColumnType,
}

/// A column's type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ColumnType {
    /// UTF-8 text.
    String,
    /// 32 bits, signed.
    Int32,
    /// 64 bits, signed.
    Int64,
    /// 64 bits, unsigned.
    Uint64,
    /// 32 bits, IEEE 754.
    Float32,
    /// 64 bits, IEEE 754.
    Float64,
    /// Fixed-point: precision 1 to 38, scale 0 to precision.
    Decimal(u8, i8),
    /// True or false.
    Boolean,
    /// Days.
    Date,
    /// A moment without a zone, in milliseconds or microseconds.
    Timestamp(TimeUnit),
    /// A time of day in microseconds.
    Time,
    /// Bytes; in text formats as hexadecimal digits.
    Binary,
    /// JSON text.
    Json,
    /// A list of values of one type.
    List(Box<ColumnType>),
    /// Named values.
    Struct(Vec<Column>),
}

/// A timestamp's unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeUnit {
    /// Milliseconds.
    Milli,
    /// Microseconds.
    Micro,
}
