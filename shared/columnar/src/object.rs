//! A Parquet object in a store → its footer and the parts of it that are needed.
//!
//! Whole objects are never read unless they are small: what a footer does not point at is not fetched.

use std::{ops::Range, sync::Arc};

use bytes::{Buf, Bytes, buf::Reader};
use futures::{StreamExt, TryStreamExt, stream};
use headgate::{
    Code,
    store::{ObjectMeta, Store, StoreError},
};
use parquet::{
    DecodeResult,
    errors::{ParquetError, Result as ParquetResult},
    file::{
        metadata::{ColumnChunkMetaData, PageIndexPolicy, ParquetMetaData, ParquetMetaDataPushDecoder},
        reader::{ChunkReader, Length},
    },
};

use crate::changes::Refusal;

/// Objects up to this size are read with one request.
pub const SMALL: u64 = 4 << 20;
/// What is read of the end of a larger one before its footer's length is known.
const TAIL: u64 = 64 << 10;
/// Ranges closer than this are fetched as one: a request costs more than these bytes.
const GAP: u64 = 1 << 20;
/// Requests under way for one object at a time.
const AT_ONCE: usize = 8;

/// Why an object could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// The object is bad.
    Refused(Refusal),
    /// The store failed.
    Store(StoreError),
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Some parts of an object, in memory, read as if they were the object.
#[derive(Debug, Clone, Default)]
pub struct Parts {
    size: u64,
    parts: Vec<(u64, Bytes)>,
}

impl Parts {
    /// The whole object.
    #[must_use]
    pub fn whole(bytes: Bytes) -> Self {
        Self { size: bytes.len() as u64, parts: vec![(0, bytes)] }
    }

    /// These ranges of the object, which must still be the one that `meta` describes.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn fetch(
        store: &Arc<dyn Store>,
        meta: &ObjectMeta,
        ranges: impl IntoIterator<Item = Range<u64>>,
    ) -> Result<Self, StoreError> {
        let get = |range: Range<u64>| async move {
            Ok::<_, StoreError>((range.start, store.get_range(&meta.key, range, &meta.etag).await?))
        };
        let parts = stream::iter(coalesce(ranges)).map(get).buffered(AT_ONCE).try_collect().await?;
        Ok(Self { size: meta.size, parts })
    }

    /// Bytes held.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.parts.iter().map(|(_, bytes)| bytes.len() as u64).sum()
    }

    /// These bytes of the object, if they are held.
    #[must_use]
    pub fn slice(&self, range: Range<u64>) -> Option<Bytes> {
        let at = self.parts.partition_point(|(start, _)| *start <= range.start).checked_sub(1)?;
        let (start, bytes) = self.parts.get(at)?;
        let (from, to) = (usize::try_from(range.start - start).ok()?, usize::try_from(range.end - start).ok()?);
        (to <= bytes.len()).then(|| bytes.slice(from..to))
    }

    fn missing(start: u64) -> ParquetError {
        ParquetError::General(format!("the footer points at byte {start}, which belongs to no column"))
    }
}

impl Length for Parts {
    fn len(&self) -> u64 {
        self.size
    }
}

impl ChunkReader for Parts {
    type T = Reader<Bytes>;

    fn get_read(&self, start: u64) -> ParquetResult<Self::T> {
        let at = self.parts.partition_point(|(from, _)| *from <= start);
        let (from, bytes) = at.checked_sub(1).and_then(|at| self.parts.get(at)).ok_or_else(|| Self::missing(start))?;
        let skip = usize::try_from(start - from).unwrap_or(usize::MAX);
        if skip > bytes.len() {
            return Err(Self::missing(start));
        }
        Ok(bytes.slice(skip..).reader())
    }

    fn get_bytes(&self, start: u64, length: usize) -> ParquetResult<Bytes> {
        let end = start.checked_add(length as u64).ok_or_else(|| Self::missing(start))?;
        self.slice(start..end).ok_or_else(|| Self::missing(start))
    }
}

/// The ranges in order, neighbours joined.
#[must_use]
pub fn coalesce(ranges: impl IntoIterator<Item = Range<u64>>) -> Vec<Range<u64>> {
    let mut sorted: Vec<_> = ranges.into_iter().filter(|range| !range.is_empty()).collect();
    sorted.sort_unstable_by_key(|range| range.start);
    let mut joined: Vec<Range<u64>> = Vec::with_capacity(sorted.len());
    for range in sorted {
        match joined.last_mut() {
            Some(last) if range.start <= last.end.saturating_add(GAP) => last.end = last.end.max(range.end),
            _ => joined.push(range),
        }
    }
    joined
}

/// The footer of a Parquet object, with its page index where `page_index` asks for it, and what was read on the way.
///
/// # Errors
/// Where the store fails, or the object is not Parquet.
pub async fn footer(
    store: &Arc<dyn Store>,
    meta: &ObjectMeta,
    page_index: PageIndexPolicy,
) -> Result<(ParquetMetaData, Parts), Failure> {
    footer_of(store, meta, page_index, SMALL).await
}

/// The same for a reader that needs no more of an object than its footer, unless it is at most `small` bytes.
///
/// # Errors
/// As [`footer`].
pub async fn footer_of(
    store: &Arc<dyn Store>,
    meta: &ObjectMeta,
    page_index: PageIndexPolicy,
    small: u64,
) -> Result<(ParquetMetaData, Parts), Failure> {
    if meta.size == 0 {
        return Err(unreadable("the file is empty (0 bytes)").into());
    }
    let mut decoder =
        ParquetMetaDataPushDecoder::try_new(meta.size).map_err(unreadable)?.with_page_index_policy(page_index);
    let tail = if meta.size <= small { 0 } else { meta.size.saturating_sub(TAIL) };
    let mut parts = Parts::fetch(store, meta, std::iter::once(tail..meta.size)).await?;
    push(&mut decoder, &parts).map_err(unreadable)?;
    loop {
        match decoder.try_decode().map_err(unreadable)? {
            DecodeResult::Data(metadata) => {
                within(&metadata, meta.size)?;
                return Ok((metadata, parts));
            }
            DecodeResult::Finished => return Err(unreadable("the footer ends early").into()),
            DecodeResult::NeedsData(ranges) => {
                if ranges.iter().any(|range| range.end > meta.size || range.start >= range.end) {
                    return Err(unreadable("the footer points beyond the file").into());
                }
                let more = Parts::fetch(store, meta, ranges).await?;
                push(&mut decoder, &more).map_err(unreadable)?;
                parts.parts.extend(more.parts);
                parts.parts.sort_by_key(|(start, _)| *start);
            }
        }
    }
}

fn push(decoder: &mut ParquetMetaDataPushDecoder, parts: &Parts) -> ParquetResult<()> {
    let ranges = parts.parts.iter().map(|(start, bytes)| *start..start + bytes.len() as u64).collect();
    decoder.push_ranges(ranges, parts.parts.iter().map(|(_, bytes)| bytes.clone()).collect())
}

/// Every chunk lies within the file: what reads it may rely on that.
fn within(footer: &ParquetMetaData, size: u64) -> Result<(), Refusal> {
    let inside = |chunk: &ColumnChunkMetaData| {
        let start = chunk.dictionary_page_offset().unwrap_or(chunk.data_page_offset());
        let end = start.checked_add(chunk.compressed_size()).and_then(|end| u64::try_from(end).ok());
        start >= 0 && chunk.compressed_size() >= 0 && end.is_some_and(|end| end <= size)
    };
    if footer.row_groups().iter().all(|group| group.num_rows() >= 0 && group.columns().iter().all(inside)) {
        return Ok(());
    }
    Err(unreadable("the footer points beyond the file"))
}

/// A file that is not what its name says.
pub fn unreadable(reason: impl std::fmt::Display) -> Refusal {
    Refusal { code: Code::UnreadableFile, column: None, reason: format!("not a readable Parquet file: {reason}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_are_fetched_together() {
        let far = GAP + 100;
        assert_eq!(coalesce([50..60, 0..10, 10..20]), vec![std::ops::Range { start: 0, end: 60 }]);
        assert_eq!(coalesce([0..10, far + 10..far + 20, 5..5]), [0..10, far + 10..far + 20]);
    }

    #[test]
    fn parts_give_what_they_hold_and_nothing_else() {
        let parts =
            Parts { size: 100, parts: vec![(10, Bytes::from_static(b"abcd")), (50, Bytes::from_static(b"xy"))] };
        assert_eq!(parts.slice(11..13).as_deref(), Some(&b"bc"[..]));
        assert_eq!(parts.slice(50..52).as_deref(), Some(&b"xy"[..]));
        assert_eq!((parts.slice(0..2), parts.slice(13..15), parts.slice(51..53)), (None, None, None));
        assert!(parts.get_bytes(u64::MAX, 2).is_err());
    }
}
