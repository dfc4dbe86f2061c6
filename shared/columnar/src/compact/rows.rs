//! Rows of files → what they are sorted by.
//!
//! No two rows are equal: after the columns comes the place of a row, its file's rank and its number in it. So the order
//! does not depend on how the rows were cut on the way.

use std::{cmp::Ordering, sync::Arc};

use arrow::{
    array::{ArrayRef, RecordBatch},
    datatypes::{DataType, SchemaRef},
    error::ArrowError,
    row::{RowConverter, Rows, SortField},
};

/// The bytes of a key that are compared at once.
const HEAD: usize = 16;

/// What rows are sorted by.
#[derive(Debug)]
pub(super) struct Order {
    columns: Vec<usize>,
    converter: Option<RowConverter>,
    /// Whether the head of a key is all of it.
    short: bool,
}

/// Some rows of a file or of several, and their keys.
#[derive(Debug)]
pub(super) struct Chunk {
    pub(super) rows: RecordBatch,
    /// Of each row.
    pub(super) places: Vec<u64>,
    pub(super) heads: Vec<u128>,
    keys: Option<Rows>,
}

/// A row of a chunk.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    pub(super) head: u128,
    pub(super) place: u64,
    pub(super) chunk: u32,
    pub(super) row: u32,
}

impl Order {
    /// By these columns of the schema, those that it has.
    pub(super) fn new(schema: &SchemaRef, columns: &[String]) -> Result<Self, ArrowError> {
        let columns: Vec<usize> = columns.iter().filter_map(|name| schema.index_of(name).ok()).collect();
        let types: Vec<&DataType> = columns.iter().map(|at| schema.field(*at).data_type()).collect();
        let widths = types.iter().map(|of| of.primitive_width().map(|width| width + 1));
        let short = widths.sum::<Option<usize>>().is_some_and(|bytes| bytes <= HEAD);
        let fields = types.into_iter().map(|of| SortField::new(of.clone())).collect::<Vec<_>>();
        let converter = if fields.is_empty() { None } else { Some(RowConverter::new(fields)?) };
        Ok(Self { columns, converter, short })
    }

    /// The columns' places in the schema.
    pub(super) fn columns(&self) -> &[usize] {
        &self.columns
    }

    /// The rows with their keys; `places` has one for each.
    pub(super) fn keyed(&self, rows: RecordBatch, places: Vec<u64>) -> Result<Chunk, ArrowError> {
        let Some(converter) = &self.converter else {
            return Ok(Chunk { heads: vec![0; rows.num_rows()], rows, places, keys: None });
        };
        let columns: Vec<ArrayRef> = self.columns.iter().map(|at| Arc::clone(rows.column(*at))).collect();
        let keys = converter.convert_columns(&columns)?;
        let heads = keys.iter().map(|key| head(key.as_ref())).collect();
        Ok(Chunk { rows, places, heads, keys: (!self.short).then_some(keys) })
    }
}

/// The first bytes of a key; one that ends earlier is filled up with zeros, and sorts as it did.
pub(super) fn head(key: &[u8]) -> u128 {
    let mut bytes = [0; HEAD];
    let length = key.len().min(HEAD);
    bytes[..length].copy_from_slice(&key[..length]);
    u128::from_be_bytes(bytes)
}

impl Chunk {
    /// Bytes that it takes.
    pub(super) fn memory(&self) -> usize {
        let keys = self.keys.as_ref().map_or(0, Rows::size);
        self.rows.get_array_memory_size() + keys + self.places.len() * (size_of::<Entry>() + 24)
    }

    /// A row of it, as the chunk of this number.
    pub(super) fn entry(&self, chunk: u32, row: usize) -> Entry {
        Entry { head: self.heads[row], place: self.places[row], chunk, row: row as u32 }
    }
}

/// How two rows of these chunks sort.
pub(super) fn compare(chunks: &[Chunk], a: &Entry, b: &Entry) -> Ordering {
    let keys = |entry: &Entry| chunks[entry.chunk as usize].keys.as_ref();
    a.head
        .cmp(&b.head)
        .then_with(|| match (keys(a), keys(b)) {
            (Some(left), Some(right)) => left.row(a.row as usize).cmp(&right.row(b.row as usize)),
            _ => Ordering::Equal,
        })
        .then(a.place.cmp(&b.place))
}
