//! Rows → the bytes of row groups, and what a footer must say of them.
//!
//! Offsets count from the first byte given back; whoever places the bytes shifts them.

use std::{collections::HashSet, hash::BuildHasher, ops::Range, sync::Arc};

use arrow::{
    array::{Array, ArrayRef, AsArray, RecordBatch},
    datatypes::{DataType, SchemaRef},
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

use super::delta::internal;
use crate::changes::Refusal;

/// The magic bytes that a Parquet file begins with.
pub const MAGIC: &[u8] = b"PAR1";
/// Values of a column that are looked at to choose between a dictionary and plain values.
const SAMPLE: usize = 2048;

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
    /// The bytes, one group after the other.
    pub bytes: Bytes,
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

/// Encodes batches as row groups of these lengths, which add up to the batches' rows.
///
/// # Errors
/// Where parquet refuses, which is a bug.
pub fn encode(
    schema: &SchemaRef,
    batches: &[RecordBatch],
    lengths: impl Iterator<Item = usize>,
    compression: Compression,
) -> Result<Encoded, Refusal> {
    let properties = properties(schema, batches, compression)?;
    let options = ArrowWriterOptions::new().with_properties(properties).with_skip_arrow_metadata(true);
    let mut writer = ArrowWriter::try_new_with_options(Vec::new(), Arc::clone(schema), options).map_err(internal)?;
    let mut rest = Rest { batches, at: 0, row: 0 };
    for length in lengths {
        rest.write(&mut writer, length)?;
        writer.flush().map_err(internal)?;
    }
    let footer = writer.finish().map_err(internal)?;
    let mut groups = groups(&footer);
    let end = groups.iter().flat_map(|group| &group.chunks).map(|chunk| chunk.range().end).max().unwrap_or(4);
    for group in &mut groups {
        let chunks = std::mem::take(&mut group.chunks);
        let shift = -(MAGIC.len() as i64);
        group.chunks = chunks.into_iter().map(|chunk| chunk.shifted(shift)).collect::<Result<_, _>>()?;
    }
    let bytes = Bytes::from(std::mem::take(writer.inner_mut()));
    Ok(Encoded { bytes: bytes.slice(MAGIC.len()..usize::try_from(end).map_err(internal)?), groups })
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
    batches: &'a [RecordBatch],
    at: usize,
    row: usize,
}

impl Rest<'_> {
    fn write(&mut self, writer: &mut ArrowWriter<Vec<u8>>, mut rows: usize) -> Result<(), Refusal> {
        while rows > 0
            && let Some(batch) = self.batches.get(self.at)
        {
            let take = rows.min(batch.num_rows() - self.row);
            writer.write(&batch.slice(self.row, take)).map_err(internal)?;
            self.row += take;
            rows -= take;
            if self.row == batch.num_rows() {
                (self.at, self.row) = (self.at + 1, 0);
            }
        }
        Ok(())
    }
}

fn properties(
    schema: &SchemaRef,
    batches: &[RecordBatch],
    compression: Compression,
) -> Result<WriterProperties, Refusal> {
    let codec = match compression {
        Compression::None => Codec::UNCOMPRESSED,
        Compression::Snappy => Codec::SNAPPY,
        Compression::Zstd(level) => Codec::ZSTD(ZstdLevel::try_new(level).map_err(internal)?),
    };
    let mut properties = WriterProperties::builder()
        .set_created_by(format!("headgate {}", env!("CARGO_PKG_VERSION")))
        .set_writer_version(WriterVersion::PARQUET_1_0)
        .set_compression(codec)
        .set_max_row_group_row_count(None)
        .set_statistics_enabled(EnabledStatistics::Page);
    let largest = batches.iter().max_by_key(|batch| batch.num_rows());
    for (at, field) in schema.fields().iter().enumerate() {
        let repeats = largest.is_some_and(|batch| repeats(batch.column(at)));
        // A plain name is one path element, dots and all.
        let path = ColumnPath::new(vec![field.name().clone()]);
        properties = properties.set_column_dictionary_enabled(path, repeats);
    }
    Ok(properties.build())
}

/// Whether a column repeats its values so much that a dictionary pays: at most half of a sample are distinct.
fn repeats(column: &ArrayRef) -> bool {
    let step = column.len().div_ceil(SAMPLE).max(1);
    let rows = (0..column.len()).step_by(step).filter(|&row| column.is_valid(row));
    let (mut seen, mut count) = (HashSet::new(), 0);
    let hasher = seen.hasher().clone();
    let data = column.to_data();
    for row in rows {
        let Some(hash) = value_hash(column, &data, row, &hasher) else { return true };
        seen.insert(hash);
        count += 1;
    }
    seen.len() * 2 <= count
}

fn value_hash(column: &ArrayRef, data: &arrow::array::ArrayData, row: usize, hasher: &impl BuildHasher) -> Option<u64> {
    match column.data_type() {
        DataType::Utf8 => Some(hasher.hash_one(column.as_string::<i32>().value(row))),
        DataType::Binary => Some(hasher.hash_one(column.as_binary::<i32>().value(row))),
        other => {
            let width = other.primitive_width()?;
            let start = (data.offset() + row) * width;
            Some(hasher.hash_one(data.buffers().first()?.as_slice().get(start..start + width)?))
        }
    }
}
