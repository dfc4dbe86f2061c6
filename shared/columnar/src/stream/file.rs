//! Record batches → Parquet files.

use arrow::{
    array::{RecordBatch, UInt32Array},
    compute::take_record_batch,
};
use bytes::Bytes;
use headgate::{Code, Error, dataset::Compression};
use parquet::{
    arrow::{ArrowWriter, arrow_writer::ArrowWriterOptions},
    basic::{Compression as Codec, ZstdLevel},
    file::{
        metadata::KeyValue,
        properties::{EnabledStatistics, WriterProperties, WriterVersion},
    },
    schema::types::ColumnPath,
};

use crate::merge::encode::{created_by, repeats};

/// What a file says beside its rows.
pub type Properties<'a> = [(&'a str, &'a str)];

/// Writes these rows of the batch, all where there are `None`, as a file of one row group. `properties` go to the
/// footer.
///
/// # Errors
/// Where arrow or parquet refuse, which is a bug.
pub fn encode(
    batch: &RecordBatch,
    rows: Option<&UInt32Array>,
    compression: Compression,
    properties: &Properties<'_>,
) -> Result<Bytes, Error> {
    let taken = rows.map(|rows| take_record_batch(batch, rows)).transpose().map_err(|error| internal(&error))?;
    let batch = taken.as_ref().unwrap_or(batch);
    write(batch, compression, properties).map_err(|error| internal(&error))
}

fn write(batch: &RecordBatch, compression: Compression, properties: &Properties<'_>) -> parquet::errors::Result<Bytes> {
    let codec = match compression {
        Compression::None => Codec::UNCOMPRESSED,
        Compression::Snappy => Codec::SNAPPY,
        Compression::Zstd(level) => Codec::ZSTD(ZstdLevel::try_new(level)?),
    };
    let footer = properties.iter().map(|(key, value)| KeyValue::new((*key).to_owned(), (*value).to_owned()));
    let mut writing = WriterProperties::builder()
        .set_created_by(created_by())
        .set_writer_version(WriterVersion::PARQUET_1_0)
        // The items of a list are called `element`, as Parquet's specification has it.
        .set_coerce_types(true)
        .set_compression(codec)
        .set_max_row_group_row_count(None)
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_key_value_metadata(Some(footer.collect()));
    for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
        if !field.data_type().is_nested() {
            let path = ColumnPath::new(vec![field.name().clone()]);
            writing = writing.set_column_dictionary_enabled(path, repeats(column));
        }
    }
    let options = ArrowWriterOptions::new().with_properties(writing.build()).with_skip_arrow_metadata(true);
    let room = Vec::with_capacity(batch.get_array_memory_size() / 3);
    let mut writer = ArrowWriter::try_new_with_options(room, batch.schema(), options)?;
    writer.write(batch)?;
    writer.into_inner().map(Bytes::from)
}

/// An error that only a bug brings about.
fn internal(error: &(impl std::error::Error + ?Sized)) -> Error {
    Error::retry(Code::Internal, error.to_string())
}
