//! Rows → the bytes of row groups, and what a footer must say of them.
//!
//! Offsets count from the first byte given back; whoever places the bytes shifts them.

use std::{collections::HashSet, ops::Range, sync::Arc};

use arrow::{
    array::{Array, ArrayData, ArrayRef, AsArray, RecordBatch},
    datatypes::{DataType, FieldRef, Schema, SchemaRef},
};
use bytes::Bytes;
use headgate::dataset::Compression;
use parquet::{
    arrow::{ArrowWriter, arrow_writer::ArrowWriterOptions},
    basic::{Compression as Codec, ZstdLevel},
    file::{
        metadata::{ColumnChunkMetaData, ParquetMetaData, RowGroupMetaData, SortingColumn},
        page_index::{column_index::ColumnIndexMetaData, offset_index::OffsetIndexMetaData},
        properties::{EnabledStatistics, WriterProperties, WriterVersion},
    },
    schema::types::ColumnPath,
};
use xxhash_rust::xxh3::xxh3_64;

use super::rows::internal;
use crate::changes::Refusal;

/// The magic bytes that a Parquet file begins with.
pub const MAGIC: &[u8] = b"PAR1";
/// Values of a column that are looked at to choose between a dictionary and plain values.
const SAMPLE: usize = 1024;

/// A column chunk and its page index, offsets counting from some first byte.
#[derive(Debug, Clone)]
pub struct Chunk {
    /// What the footer says of it.
    pub metadata: ColumnChunkMetaData,
    /// Its pages' statistics.
    pub column_index: Option<ColumnIndexMetaData>,
    /// Its pages' places.
    pub offset_index: Option<OffsetIndexMetaData>,
}

/// A row group: its chunks and rows.
#[derive(Debug, Clone)]
pub struct Group {
    /// One chunk a column.
    pub chunks: Vec<Chunk>,
    /// Rows.
    pub rows: i64,
}

/// Row groups as bytes.
#[derive(Debug, Clone)]
pub struct Encoded {
    /// The bytes, one chunk after the other.
    pub bytes: Vec<Bytes>,
    /// The groups.
    pub groups: Vec<Group>,
}

impl Chunk {
    /// The chunk's bytes.
    #[must_use]
    pub fn range(&self) -> Range<u64> {
        let (start, length) = self.metadata.byte_range();
        start..start + length
    }

    /// The chunk, `by` bytes further on.
    ///
    /// # Errors
    /// Where the metadata cannot be rebuilt, which is a bug.
    pub fn shifted(self, by: i64) -> Result<Self, Refusal> {
        let Self { metadata, column_index, offset_index } = self;
        let (data, dictionary) = (metadata.data_page_offset(), metadata.dictionary_page_offset());
        let metadata = metadata
            .into_builder()
            .set_data_page_offset(data + by)
            .set_dictionary_page_offset(dictionary.map(|at| at + by))
            .set_index_page_offset(None)
            .set_bloom_filter_offset(None)
            .set_bloom_filter_length(None)
            .set_column_index_offset(None)
            .set_column_index_length(None)
            .set_offset_index_offset(None)
            .set_offset_index_length(None)
            .build()
            .map_err(internal)?;
        let offset_index = offset_index.map(|mut index| {
            for page in &mut index.page_locations {
                page.offset += by;
            }
            index
        });
        Ok(Self { metadata, column_index, offset_index })
    }
}

/// The row groups that a footer describes.
#[must_use]
pub fn groups(footer: &ParquetMetaData) -> Vec<Group> {
    let index = footer.page_index();
    let group = |(at, group): (usize, &RowGroupMetaData)| Group {
        rows: group.num_rows(),
        chunks: group
            .columns()
            .iter()
            .enumerate()
            .map(|(column, metadata)| Chunk {
                metadata: metadata.clone(),
                column_index: index.and_then(|index| index.column_index(at, column)).cloned(),
                offset_index: index.and_then(|index| index.offset_index(at, column)).cloned(),
            })
            .collect(),
    };
    footer.row_groups().iter().enumerate().map(group).collect()
}

/// Encodes one column, given in pieces, as one chunk for each of these lengths, which add up to the pieces'.
///
/// Column by column, an encoder's buffers are there once and stay warm.
///
/// # Errors
/// Where parquet refuses, which is a bug.
pub fn encode(
    field: &FieldRef,
    pieces: &[ArrayRef],
    lengths: &[usize],
    compression: Compression,
) -> Result<Vec<(Bytes, Chunk)>, Refusal> {
    let schema: SchemaRef = Arc::new(Schema::new(vec![Arc::clone(field)]));
    let properties = properties(field, pieces, compression)?;
    let options = ArrowWriterOptions::new().with_properties(properties).with_skip_arrow_metadata(true);
    let bytes = pieces.iter().map(Array::get_buffer_memory_size).sum::<usize>();
    let into = Vec::with_capacity(bytes / 2 + MAGIC.len());
    let mut writer = ArrowWriter::try_new_with_options(into, Arc::clone(&schema), options).map_err(internal)?;
    let mut rest = Rest { schema: &schema, pieces, at: 0, row: 0 };
    for length in lengths {
        rest.write(&mut writer, *length)?;
        writer.flush().map_err(internal)?;
    }
    let footer = writer.finish().map_err(internal)?;
    let bytes = Bytes::from(std::mem::take(writer.inner_mut()));
    let chunks = groups(&footer).into_iter().flat_map(|group| group.chunks);
    chunks
        .map(|chunk| {
            let range = chunk.range();
            let (start, end) =
                (usize::try_from(range.start).map_err(internal)?, usize::try_from(range.end).map_err(internal)?);
            let by = -i64::try_from(range.start).map_err(internal)?;
            Ok((bytes.slice(start..end), chunk.shifted(by)?))
        })
        .collect()
}

/// Puts encoded columns together to row groups of these lengths.
///
/// # Errors
/// Where the lengths cannot be counted, which is a bug.
pub fn assemble(columns: Vec<Vec<(Bytes, Chunk)>>, lengths: &[usize]) -> Result<Encoded, Refusal> {
    let mut columns: Vec<_> = columns.into_iter().map(Vec::into_iter).collect();
    let mut encoded = Encoded { bytes: Vec::new(), groups: Vec::with_capacity(lengths.len()) };
    let mut at = 0;
    for length in lengths {
        let mut group =
            Group { chunks: Vec::with_capacity(columns.len()), rows: i64::try_from(*length).map_err(internal)? };
        for (bytes, chunk) in columns.iter_mut().filter_map(Iterator::next) {
            group.chunks.push(chunk.shifted(at)?);
            at += i64::try_from(bytes.len()).map_err(internal)?;
            encoded.bytes.push(bytes);
        }
        encoded.groups.push(group);
    }
    Ok(encoded)
}

/// What every group of a sorted table says of its order.
#[must_use]
pub fn sorting(schema: &SchemaRef, primary_key: &[String]) -> Option<Vec<SortingColumn>> {
    let column = |name: &String| {
        let column_idx = i32::try_from(schema.index_of(name).ok()?).ok()?;
        Some(SortingColumn { column_idx, descending: false, nulls_first: true })
    };
    primary_key.iter().map(column).collect()
}

struct Rest<'a> {
    schema: &'a SchemaRef,
    pieces: &'a [ArrayRef],
    at: usize,
    row: usize,
}

impl Rest<'_> {
    fn write(&mut self, writer: &mut ArrowWriter<Vec<u8>>, mut rows: usize) -> Result<(), Refusal> {
        while rows > 0
            && let Some(piece) = self.pieces.get(self.at)
        {
            let take = rows.min(piece.len() - self.row);
            let columns = vec![piece.slice(self.row, take)];
            let batch = RecordBatch::try_new(Arc::clone(self.schema), columns).map_err(internal)?;
            writer.write(&batch).map_err(internal)?;
            self.row += take;
            rows -= take;
            if self.row == piece.len() {
                (self.at, self.row) = (self.at + 1, 0);
            }
        }
        Ok(())
    }
}

fn properties(field: &FieldRef, pieces: &[ArrayRef], compression: Compression) -> Result<WriterProperties, Refusal> {
    let codec = match compression {
        Compression::None => Codec::UNCOMPRESSED,
        Compression::Snappy => Codec::SNAPPY,
        Compression::Zstd(level) => Codec::ZSTD(ZstdLevel::try_new(level).map_err(internal)?),
    };
    let largest = pieces.iter().max_by_key(Array::len);
    Ok(WriterProperties::builder()
        .set_created_by(created_by())
        .set_writer_version(WriterVersion::PARQUET_1_0)
        .set_compression(codec)
        .set_max_row_group_row_count(None)
        .set_statistics_enabled(EnabledStatistics::Page)
        // A plain name is one path element, dots and all.
        .set_column_dictionary_enabled(ColumnPath::new(vec![field.name().clone()]), largest.is_some_and(repeats))
        .build())
}

/// What the footer says of its writer.
#[must_use]
pub fn created_by() -> String {
    format!("headgate version {}", env!("CARGO_PKG_VERSION"))
}

/// Whether a column repeats its values so much that a dictionary pays: at most half of a sample are distinct.
pub fn repeats(column: &ArrayRef) -> bool {
    let step = column.len().div_ceil(SAMPLE).max(1);
    let data = column.to_data();
    let (mut seen, mut count) = (HashSet::with_capacity(SAMPLE), 0);
    for row in (0..column.len()).step_by(step).filter(|&row| column.is_valid(row)) {
        let Some(hash) = value_hash(column, &data, row) else { return true };
        seen.insert(hash);
        count += 1;
    }
    seen.len() * 2 <= count
}

fn value_hash(column: &ArrayRef, data: &ArrayData, row: usize) -> Option<u64> {
    match column.data_type() {
        DataType::Utf8 => Some(xxh3_64(column.as_string::<i32>().value(row).as_bytes())),
        DataType::Binary => Some(xxh3_64(column.as_binary::<i32>().value(row))),
        other => {
            let width = other.primitive_width()?;
            let start = (data.offset() + row) * width;
            data.buffers().first()?.as_slice().get(start..start + width).map(xxh3_64)
        }
    }
}
