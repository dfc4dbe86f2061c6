//! Bytes of a change file → its rows, one format a file.
//!
//! A row is given whole and as it was written, or the file is refused: nothing is skipped, guessed or rounded. What
//! a row says is data, so a refusal names its place and never its values.

mod batch;
mod column;
mod csv;
mod input;
mod json;
pub mod parquet;

pub(crate) use csv::record::{Dialect, Field, Found};

use std::{
    fmt,
    io::{self, Read},
    sync::Arc,
};

use arrow::datatypes::SchemaRef;
use bytes::{Buf, Bytes};
use headgate::{
    Code,
    clock::Timestamp,
    dataset::{Dataset, Format},
};

use crate::changes::{Changes, FileKind, Op, Refusal};

/// The most columns that a file of text may have, in which they cost next to nothing. No database that DMS reads from has tables of more than 4,096, before-images double
/// them, and what is far beyond is no table: its columns alone would take the memory.
const MOST_COLUMNS: usize = 10_000;

/// Opens the file from its first byte; it is called again where a format needs a second look.
pub type Open<'a> = &'a dyn Fn() -> io::Result<Box<dyn Read + Send>>;

/// The rows of one change file, batch by batch.
pub trait Rows: fmt::Debug + Send {
    /// The table columns this file carries, in its order; every batch has exactly these. All may be NULL. A column of
    /// [`DataType::Null`](arrow::datatypes::DataType::Null) is there, but of a type that the file does not tell.
    fn schema(&self) -> &SchemaRef;

    /// Whether a column that is not among [`schema`](Rows::schema) is known to be gone from the table. A JSON file
    /// without an embedded schema cannot tell, since a producer may leave fields out.
    fn complete(&self) -> bool;

    /// Columns seen so far that the dataset does not declare, where it declares columns at all.
    fn undeclared(&self) -> &[String];

    /// The earliest commit or transfer time of the rows read so far, where the file tells one.
    fn earliest(&self) -> Option<Timestamp>;

    /// The next rows, in file order; `None` after the last.
    ///
    /// # Errors
    /// Where the file, a row or a value is bad; the rows before it in its batch are not given. After an error the
    /// file is not to be read on.
    fn next_batch(&mut self) -> Result<Option<Changes>, Refusal>;
}

/// Opens a change file of a text format.
///
/// # Errors
/// Where the file is empty or its beginning cannot be read, where it has no key column, and for
/// [`Format::Parquet`], which is not read as a stream.
pub fn open(format: &Format, kind: FileKind, dataset: &Dataset, open: Open<'_>) -> Result<Box<dyn Rows>, Refusal> {
    match format {
        Format::Csv(dialect) => Ok(Box::new(csv::CsvRows::open(dialect, kind, dataset, open)?)),
        Format::DebeziumJson => Ok(Box::new(json::JsonRows::open(kind, dataset, open)?)),
        Format::Parquet => Err(refuse(Code::Internal, "Parquet is read by row group, not as a stream")),
    }
}

/// Reads a file of changes through, as a merge would.
///
/// # Errors
/// As those of [`open`] and of its rows: with this file the merge would stop.
pub fn check(dataset: &Dataset, file: &Bytes) -> Result<(), Refusal> {
    let bytes = || -> io::Result<Box<dyn Read + Send>> { Ok(Box::new(file.clone().reader())) };
    let mut rows = open(&dataset.source.format, FileKind::Cdc, dataset, &bytes)?;
    while rows.next_batch()?.is_some() {}
    Ok(())
}

fn refuse(code: Code, reason: impl Into<String>) -> Refusal {
    Refusal { code, column: None, reason: reason.into() }
}

fn refuse_column(code: Code, column: &str, reason: impl Into<String>) -> Refusal {
    Refusal { code, column: Some(Arc::from(column)), reason: reason.into() }
}

/// The operation a DMS letter stands for, in any case; a full load only inserts.
fn op_of(text: &[u8], kind: FileKind) -> Option<Op> {
    match text {
        [b'I' | b'i'] => Some(Op::Insert),
        [b'U' | b'u'] if kind == FileKind::Cdc => Some(Op::Update),
        [b'D' | b'd'] if kind == FileKind::Cdc => Some(Op::Delete),
        _ => None,
    }
}

/// Where in a file, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// A record, a header not counted.
    Row(u64),
    /// A line.
    Line(u64),
}

impl Place {
    fn refuse(self, code: Code, reason: &str) -> Refusal {
        refuse(code, reason).at(self)
    }

    /// The refusal of an operation; its first characters are shown, since it is no data.
    fn unknown_op(self, text: &str) -> Refusal {
        let shown: String = text.chars().take(16).collect();
        self.refuse(Code::UnknownOp, &format!("the operation is {shown:?}"))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Row(row) => write!(f, "row {row}"),
            Self::Line(line) => write!(f, "line {line}"),
        }
    }
}

impl Refusal {
    /// The same refusal with its place in front.
    fn at(self, place: Place) -> Self {
        Self { reason: format!("{place}: {}", self.reason), ..self }
    }
}

#[cfg(test)]
mod tests {
    use headgate::dataset::{Column, ColumnType, Compression, Csv, OnTruncate, Publish, Source, Target, TimeUnit};

    use super::*;

    /// A headerless CSV dataset keyed by its first column, from `name type, …`.
    pub(super) fn dataset(columns: &str) -> Dataset {
        let columns: Vec<_> = columns.split(", ").map(column).collect();
        Dataset {
            order_by: None,
            name: "orders".to_owned(),
            source: Source {
                format: Format::Csv(Csv { header: false, null: "NULL".to_owned(), delimiter: b',' }),
                prefix: "cdc/orders/".to_owned(),
                op_column: "Op".to_owned(),
                timestamp_column: Some("ts".to_owned()),
                order_column: None,
                before_image_prefix: None,
                reload_cutoff: None,
                lateness_hours: 72,
                on_truncate: OnTruncate::Keep,
            },
            primary_key: vec![columns[0].name.clone()],
            columns: Some(columns),
            compression: Compression::None,
            target: Target { snapshot: "orders.parquet".to_owned(), publish: Publish::Replace, keep_hours: 1 },
        }
    }

    fn column(declaration: &str) -> Column {
        let (name, column_type) = declaration.split_once(' ').unwrap();
        let r#type = match column_type {
            "string" => ColumnType::String,
            "int32" => ColumnType::Int32,
            "int64" => ColumnType::Int64,
            "uint64" => ColumnType::Uint64,
            "float32" => ColumnType::Float32,
            "float64" => ColumnType::Float64,
            "decimal" => ColumnType::Decimal(18, 4),
            "boolean" => ColumnType::Boolean,
            "date" => ColumnType::Date,
            "ms" => ColumnType::Timestamp(TimeUnit::Milli),
            "us" => ColumnType::Timestamp(TimeUnit::Micro),
            "time" => ColumnType::Time,
            "binary" => ColumnType::Binary,
            other => panic!("{other}"),
        };
        Column { name: name.to_owned(), r#type }
    }

    /// Every row as `I id=1 name=NULL | old 2`, then what the file told of itself.
    pub(super) fn dump(rows: &mut dyn Rows) -> Result<Vec<String>, Refusal> {
        let mut lines = Vec::new();
        while let Some(changes) = rows.next_batch()? {
            assert_eq!(changes.rows.schema_ref(), rows.schema());
            lines.extend((0..changes.ops.len()).map(|row| line(&changes, row)));
        }
        Ok(lines)
    }

    fn line(changes: &Changes, row: usize) -> String {
        let schema = changes.rows.schema();
        let values = changes.rows.columns().iter().zip(schema.fields());
        let values: Vec<_> = values.map(|(array, f)| format!("{}={}", f.name(), shown(array, row))).collect();
        let old = changes.old_keys.as_ref().map(|keys| keys.iter().map(|key| shown(key, row)).collect::<Vec<_>>());
        let old = old.map_or(String::new(), |old| format!(" | old {}", old.join(" ")));
        format!("{:?} {}{old}", changes.ops[row], values.join(" "))
    }

    fn shown(array: &arrow::array::ArrayRef, row: usize) -> String {
        use arrow::array::{Array, AsArray};
        match array.data_type() {
            _ if array.is_null(row) => "NULL".to_owned(),
            arrow::datatypes::DataType::Null => "NULL".to_owned(),
            arrow::datatypes::DataType::Binary => format!("{:02x?}", array.as_binary::<i32>().value(row)),
            _ => {
                let text = crate::schema::cast(array, &arrow::datatypes::DataType::Utf8).unwrap();
                text.as_string::<i32>().value(row).to_owned()
            }
        }
    }
}
