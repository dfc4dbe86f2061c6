//! Row groups, placed one after the other → a whole Parquet object with its footer.

use std::{
    io::{self, Write},
    sync::Arc,
};

use arrow::datatypes::SchemaRef;
use bytes::Bytes;
use headgate::store::{Condition, ETag, StoreError, Upload};
use parquet::file::{
    metadata::{
        FileMetaData, KeyValue, ParquetMetaDataBuilder, ParquetMetaDataWriter, RowGroupMetaData, SortingColumn,
        page_index::PageIndexProvider,
    },
    page_index::{column_index::ColumnIndexMetaData, offset_index::OffsetIndexMetaData},
    writer::TrackedWrite,
};

use super::{
    base::BaseFile,
    carry::{Carried, descriptor},
    encode::{Encoded, Group, MAGIC, created_by},
    rows::internal,
};
use crate::{changes::Refusal, object::Failure};

/// A snapshot being written.
pub struct Output {
    upload: Box<dyn Upload>,
    at: u64,
    groups: Vec<Group>,
    /// Bytes carried.
    pub copied: u64,
}

impl Output {
    /// Begins.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn begin(mut upload: Box<dyn Upload>) -> Result<Self, StoreError> {
        upload.append(Bytes::from_static(MAGIC)).await?;
        Ok(Self { upload, at: MAGIC.len() as u64, groups: Vec::new(), copied: 0 })
    }

    /// Rows and row groups so far.
    #[must_use]
    pub fn rows(&self) -> (u64, u64) {
        let rows = self.groups.iter().map(|group| group.rows.cast_unsigned()).sum();
        (rows, self.groups.len() as u64)
    }

    /// Adds encoded row groups.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn write(&mut self, encoded: Encoded) -> Result<(), Failure> {
        self.place(encoded.groups, self.at)?;
        for bytes in encoded.bytes {
            self.append(bytes).await?;
        }
        Ok(())
    }

    /// Adds carried row groups of the old snapshot.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn carry(&mut self, carried: Carried, from: &BaseFile) -> Result<(), Failure> {
        self.place(carried.groups, self.at)?;
        for range in carried.ranges {
            self.at += range.end - range.start;
            self.copied += range.end - range.start;
            self.upload.copy(&from.meta.key, range, &from.meta.etag).await?;
        }
        for bytes in carried.tail {
            self.append(bytes).await?;
        }
        Ok(())
    }

    /// Ends with the footer and makes the snapshot visible.
    ///
    /// # Errors
    /// [`StoreError::Changed`] where the condition no longer holds.
    pub async fn finish(
        mut self,
        schema: &SchemaRef,
        sorting: Option<Vec<SortingColumn>>,
        texts: Vec<KeyValue>,
        condition: Condition,
    ) -> Result<(ETag, u64), Failure> {
        let footer = footer(schema, std::mem::take(&mut self.groups), sorting.as_ref(), texts, self.at)?;
        self.append(footer).await?;
        let size = self.at;
        Ok((self.upload.complete(condition).await?, size))
    }

    /// Gives up.
    pub async fn abandon(self) {
        if let Err(error) = self.upload.abort().await {
            tracing::warn!(%error, "an unfinished snapshot could not be removed; the lifecycle rule will");
        }
    }

    async fn append(&mut self, bytes: Bytes) -> Result<(), Failure> {
        self.at += bytes.len() as u64;
        Ok(self.upload.append(bytes).await?)
    }

    fn place(&mut self, groups: Vec<Group>, at: u64) -> Result<(), Refusal> {
        let by = i64::try_from(at).map_err(internal)?;
        for group in groups {
            let chunks = group.chunks.into_iter().map(|chunk| chunk.shifted(by)).collect::<Result<_, _>>()?;
            self.groups.push(Group { chunks, rows: group.rows });
        }
        Ok(())
    }
}

fn footer(
    schema: &SchemaRef,
    groups: Vec<Group>,
    sorting: Option<&Vec<SortingColumn>>,
    texts: Vec<KeyValue>,
    at: u64,
) -> Result<Bytes, Refusal> {
    let descriptor = Arc::new(descriptor(schema)?);
    let mut index = Index::default();
    let mut row_groups = Vec::with_capacity(groups.len());
    for (ordinal, group) in groups.into_iter().enumerate() {
        let (mut chunks, mut columns, mut offsets) = (Vec::new(), Vec::new(), Vec::new());
        for chunk in group.chunks {
            chunks.push(chunk.metadata);
            columns.push(chunk.column_index);
            offsets.push(chunk.offset_index);
        }
        index.0.push(columns.into_iter().zip(offsets).collect());
        let bytes = chunks.iter().map(parquet::file::metadata::ColumnChunkMetaData::uncompressed_size).sum();
        let mut builder = RowGroupMetaData::builder(Arc::clone(&descriptor))
            .set_num_rows(group.rows)
            .set_total_byte_size(bytes)
            .set_column_metadata(chunks)
            .set_sorting_columns(sorting.cloned());
        // The format counts row groups in 16 bits, and needs no count.
        if let Ok(ordinal) = i16::try_from(ordinal) {
            builder = builder.set_ordinal(ordinal.into());
        }
        row_groups.push(builder.build().map_err(internal)?);
    }
    let rows = row_groups.iter().map(RowGroupMetaData::num_rows).sum();
    let file = FileMetaData::new(1, rows, Some(created_by()), Some(texts), descriptor, None);
    let metadata =
        ParquetMetaDataBuilder::new(file).set_row_groups(row_groups).set_page_index(Some(Arc::new(index))).build();
    let mut bytes = Vec::new();
    let mut tracked = TrackedWrite::new(After { skip: at, into: &mut bytes });
    skip(&mut tracked, at).map_err(internal)?;
    ParquetMetaDataWriter::new_with_tracked(tracked, &metadata).finish().map_err(internal)?;
    Ok(Bytes::from(bytes))
}

/// Counts `bytes` as written: the footer's offsets begin there.
fn skip(tracked: &mut impl Write, bytes: u64) -> io::Result<()> {
    let zeros = vec![0; 1 << 20];
    let mut left = bytes;
    while left > 0 {
        let step = left.min(zeros.len() as u64);
        tracked.write_all(&zeros[..usize::try_from(step).unwrap_or(0)])?;
        left -= step;
    }
    Ok(())
}

/// Keeps only what comes after the first `skip` bytes.
struct After<'a> {
    skip: u64,
    into: &'a mut Vec<u8>,
}

impl Write for After<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let skipped = bytes.len().min(usize::try_from(self.skip).unwrap_or(usize::MAX));
        self.skip -= skipped as u64;
        self.into.extend_from_slice(&bytes[skipped..]);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The page index of every chunk, by row group and column.
#[derive(Debug, Default)]
struct Index(Vec<Vec<(Option<ColumnIndexMetaData>, Option<OffsetIndexMetaData>)>>);

impl PageIndexProvider for Index {
    fn has_offset_indexes(&self) -> bool {
        true
    }

    fn has_column_indexes(&self) -> bool {
        true
    }

    fn column_index(&self, group: usize, column: usize) -> Option<&ColumnIndexMetaData> {
        self.0.get(group)?.get(column)?.0.as_ref()
    }

    fn offset_index(&self, group: usize, column: usize) -> Option<&OffsetIndexMetaData> {
        self.0.get(group)?.get(column)?.1.as_ref()
    }

    fn as_any(&self) -> &dyn std::any::Any {
        self
    }
}
