//! Row groups that nobody touched → the same bytes at another place, under a new footer.
//!
//! Nothing is decompressed. A column that the table got since is a chunk of NULLs; one that it lost is not mentioned.

use std::{collections::HashMap, ops::Range, sync::Arc};

use arrow::{
    array::new_null_array,
    datatypes::{DataType, SchemaRef},
};
use bytes::Bytes;
use headgate::dataset::Compression;
use parquet::{arrow::ArrowSchemaConverter, schema::types::SchemaDescriptor};

use super::{
    base::Snapshot,
    encode::{Chunk, Group, encode},
    fold::Fold,
    rows::internal,
};
use crate::{changes::Refusal, object::coalesce};

/// Where a column of the new snapshot comes from in a carried row group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum From {
    /// This chunk of the old one.
    Chunk(usize),
    /// Nowhere: it is all NULL.
    Nothing,
}

/// How row groups of the old snapshot become row groups of the new one.
#[derive(Debug)]
pub struct Carrier {
    columns: Vec<From>,
    schema: SchemaRef,
    compression: Compression,
    nulls: HashMap<(usize, i64), (Bytes, Chunk)>,
}

/// Row groups to carry: ranges of the old object, then some bytes, and the groups as they then are, as if the first
/// range began at 0.
#[derive(Debug)]
pub struct Carried {
    /// Ranges of the old object, to be put one after the other.
    pub ranges: Vec<Range<u64>>,
    /// What follows them.
    pub tail: Vec<Bytes>,
    /// The groups.
    pub groups: Vec<Group>,
}

impl Carrier {
    /// A carrier, if every column of the table that the old snapshot has is stored there as it would be now.
    ///
    /// # Errors
    /// Where a schema cannot be stored, which is a bug.
    pub fn new(
        old: &Snapshot,
        fold: &Fold,
        schema: &SchemaRef,
        compression: Compression,
    ) -> Result<Option<Self>, Refusal> {
        let now = descriptor(schema)?;
        let before = old.metadata.metadata().file_metadata().schema_descr();
        let mut columns = Vec::with_capacity(schema.fields().len());
        for (at, column) in fold.columns().iter().enumerate() {
            let chunk = old.schema().fields().iter().position(|field| *field.name() == column.name);
            columns.push(match chunk.filter(|_| column.since == 0) {
                Some(chunk) => {
                    let types = (old.schema().field(chunk).data_type(), schema.field(at).data_type());
                    if !same_bytes((before, chunk), (&now, at), types) {
                        return Ok(None);
                    }
                    From::Chunk(chunk)
                }
                None => From::Nothing,
            });
        }
        Ok(Some(Self { columns, schema: Arc::clone(schema), compression, nulls: HashMap::new() }))
    }

    /// Carries these row groups.
    ///
    /// # Errors
    /// Where parquet refuses, which is a bug.
    pub fn carry(&mut self, old: &[Group]) -> Result<Carried, Refusal> {
        let kept = self.columns.iter().filter_map(|from| match from {
            From::Chunk(at) => Some(*at),
            From::Nothing => None,
        });
        let kept: Vec<usize> = kept.collect();
        let ranges = coalesce(old.iter().flat_map(|group| kept.iter().map(|&at| group.chunks[at].range())));
        let mut starts = Vec::with_capacity(ranges.len());
        let mut end = 0;
        for range in &ranges {
            starts.push(end);
            end += range.end - range.start;
        }
        let mut carried = Carried { ranges, tail: Vec::new(), groups: Vec::with_capacity(old.len()) };
        for group in old {
            let mut chunks = Vec::with_capacity(self.columns.len());
            for (at, from) in self.columns.clone().into_iter().enumerate() {
                chunks.push(match from {
                    From::Chunk(chunk) => moved(&group.chunks[chunk], &carried.ranges, &starts)?,
                    From::Nothing => {
                        let (bytes, chunk) = self.nulls(at, group.rows)?;
                        let chunk = chunk.shifted(i64::try_from(end).map_err(internal)?)?;
                        end += bytes.len() as u64;
                        carried.tail.push(bytes);
                        chunk
                    }
                });
            }
            carried.groups.push(Group { chunks, rows: group.rows });
        }
        Ok(carried)
    }

    fn nulls(&mut self, column: usize, rows: i64) -> Result<(Bytes, Chunk), Refusal> {
        if let Some(known) = self.nulls.get(&(column, rows)) {
            return Ok(known.clone());
        }
        let length = usize::try_from(rows).map_err(internal)?;
        let field = &self.schema.fields()[column];
        let array = new_null_array(field.data_type(), length);
        let encoded = encode(field, &[array], &[length], self.compression)?.pop();
        let encoded = encoded.ok_or_else(|| internal("a chunk of NULLs came out empty"))?;
        self.nulls.insert((column, rows), encoded.clone());
        Ok(encoded)
    }
}

/// The columns as Parquet stores them.
///
/// # Errors
/// Where a type cannot be stored, which is a bug.
pub fn descriptor(schema: &SchemaRef) -> Result<SchemaDescriptor, Refusal> {
    ArrowSchemaConverter::new().convert(schema).map_err(internal)
}

fn moved(chunk: &Chunk, ranges: &[Range<u64>], starts: &[u64]) -> Result<Chunk, Refusal> {
    let at = ranges.partition_point(|range| range.start <= chunk.range().start).saturating_sub(1);
    let signed = |n: u64| i64::try_from(n).map_err(internal);
    chunk.clone().shifted(signed(starts[at])? - signed(ranges[at].start)?)
}

/// Whether the stored bytes of a column mean the same under both schemas.
fn same_bytes(
    (before, at_before): (&SchemaDescriptor, usize),
    (now, at_now): (&SchemaDescriptor, usize),
    types: (&DataType, &DataType),
) -> bool {
    let (before, now) = (before.column(at_before), now.column(at_now));
    let stored_alike = before.physical_type() == now.physical_type()
        && before.type_length() == now.type_length()
        && before.max_def_level() == now.max_def_level()
        && before.max_rep_level() == now.max_rep_level();
    let meant_alike = match types {
        (
            DataType::Decimal128(_, a) | DataType::Decimal256(_, a),
            DataType::Decimal128(_, b) | DataType::Decimal256(_, b),
        ) => a == b,
        (a, b) if a.is_signed_integer() && b.is_signed_integer() => true,
        (a, b) if a.is_unsigned_integer() && b.is_unsigned_integer() => true,
        (a, b) => a == b,
    };
    stored_alike && meant_alike
}
