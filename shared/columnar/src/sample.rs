//! Plain values → a Parquet file as DMS writes one: for the demo, the benches and the tests.
//!
//! Nothing that reads change files may call this: what is read must not depend on how samples are written.

mod random;

use std::sync::Arc;

use arrow::{
    array::{
        ArrayRef, BinaryArray, BooleanArray, Decimal128Array, Int32Array, Int64Array, RecordBatch, StringArray,
        TimestampMicrosecondArray, UInt64Array,
    },
    datatypes::{Field, Schema},
};
use bytes::Bytes;
use headgate::{Code, Error};
use parquet::{
    arrow::{ArrowWriter, arrow_writer::ArrowWriterOptions},
    basic::{Compression, GzipLevel},
    file::properties::{WriterProperties, WriterVersion},
};

pub use random::Random;

/// A column of a change file.
#[derive(Debug, Clone)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its values, one a row.
    pub values: Values,
    /// Whether the file declares it `REQUIRED`, as DMS does with its own columns.
    pub required: bool,
}

/// The values of a column, by the type they have in the file.
#[derive(Debug, Clone)]
pub enum Values {
    /// BOOLEAN.
    Boolean(Vec<Option<bool>>),
    /// INT32.
    Int32(Vec<Option<i32>>),
    /// INT64.
    Int64(Vec<Option<i64>>),
    /// INT64 INT(64, unsigned).
    Unsigned(Vec<Option<u64>>),
    /// `BYTE_ARRAY`.
    Binary(Vec<Option<Vec<u8>>>),
    /// UTF8.
    Text(Vec<Option<String>>),
    /// DECIMAL(precision, scale): the unscaled digits.
    Decimal(u8, i8, Vec<Option<i128>>),
    /// `TIMESTAMP_MICROS`, adjusted to UTC as DMS always says: microseconds since 1970.
    Micros(Vec<Option<i64>>),
}

impl Column {
    /// A column of the table: `OPTIONAL`.
    pub fn optional(name: impl Into<String>, values: Values) -> Self {
        Self { name: name.into(), values, required: false }
    }

    /// A column that DMS adds, such as `Op`: text, `REQUIRED`.
    pub fn added(name: impl Into<String>, values: impl IntoIterator<Item = String>) -> Self {
        Self { name: name.into(), values: Values::Text(values.into_iter().map(Some).collect()), required: true }
    }
}

/// DMS's default `RowGroupLength`: many tiny row groups.
const ROW_GROUP_ROWS: usize = 10_000;

/// Writes a Parquet file the way DMS does: format 1.0, uncompressed, dictionaries, tiny row groups, no arrow schema.
///
/// # Errors
/// `internal`: where the columns differ in length, or a decimal does not fit its precision.
pub fn parquet(columns: &[Column]) -> Result<Bytes, Error> {
    write(columns, Compression::UNCOMPRESSED)
}

/// As [`parquet()`], where the task's endpoint says `CompressionType=gzip`.
///
/// # Errors
/// As [`parquet()`].
pub fn gzip_parquet(columns: &[Column]) -> Result<Bytes, Error> {
    write(columns, Compression::GZIP(GzipLevel::default()))
}

fn write(columns: &[Column], compression: Compression) -> Result<Bytes, Error> {
    let arrays = columns.iter().map(Column::array).collect::<Result<Vec<_>, _>>()?;
    let fields: Vec<_> = columns
        .iter()
        .zip(&arrays)
        .map(|(column, array)| Field::new(&column.name, array.data_type().clone(), !column.required))
        .collect();
    let schema = Arc::new(Schema::new(fields));
    let batch = RecordBatch::try_new(Arc::clone(&schema), arrays).map_err(internal)?;
    let properties = WriterProperties::builder()
        .set_created_by("AWS".to_owned())
        .set_compression(compression)
        .set_writer_version(WriterVersion::PARQUET_1_0)
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .build();
    let options = ArrowWriterOptions::new().with_properties(properties).with_skip_arrow_metadata(true);
    let mut file = Vec::new();
    let mut writer = ArrowWriter::try_new_with_options(&mut file, schema, options).map_err(internal)?;
    writer.write(&batch).map_err(internal)?;
    writer.close().map_err(internal)?;
    Ok(file.into())
}

impl Column {
    fn array(&self) -> Result<ArrayRef, Error> {
        Ok(match &self.values {
            Values::Boolean(values) => Arc::new(BooleanArray::from(values.clone())),
            Values::Int32(values) => Arc::new(Int32Array::from(values.clone())),
            Values::Int64(values) => Arc::new(Int64Array::from(values.clone())),
            Values::Unsigned(values) => Arc::new(UInt64Array::from(values.clone())),
            Values::Binary(values) => Arc::new(values.iter().map(Option::as_deref).collect::<BinaryArray>()),
            Values::Text(values) => Arc::new(values.iter().map(Option::as_deref).collect::<StringArray>()),
            Values::Decimal(precision, scale, digits) => {
                let array = Decimal128Array::from(digits.clone());
                Arc::new(array.with_precision_and_scale(*precision, *scale).map_err(internal)?)
            }
            Values::Micros(values) => Arc::new(TimestampMicrosecondArray::from(values.clone()).with_timezone("UTC")),
        })
    }
}

fn internal(error: impl std::fmt::Display) -> Error {
    Error { class: headgate::Class::Poison, code: Code::Internal, message: format!("sample file: {error}") }
}
