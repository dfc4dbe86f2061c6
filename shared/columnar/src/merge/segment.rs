//! A segment's old pieces and new rows → encoded row groups.
//!
//! One column after the other: of a segment's columns only one is in memory in full.

use std::sync::Arc;

use arrow::{
    array::{Array, ArrayRef, RecordBatch, UInt32Array},
    compute::take,
    datatypes::{FieldRef, SchemaRef},
};
use headgate::dataset::Compression;

use super::{
    apply::Trouble,
    base::{self, BaseFile, Content, Piece},
    encode::{Encoded, assemble, encode},
    fold::Fold,
    patch::{Edit, Splice},
    rows::internal,
    shape,
};
use crate::object::Parts;

/// What an encoder makes rows of.
pub enum Part {
    /// These rows of the delta.
    New(Vec<u32>),
    Old {
        piece: Piece,
        edits: Vec<Edit>,
        read: Option<Vec<RecordBatch>>,
    },
}

/// A segment to be decoded, patched and encoded.
pub struct Encoding {
    /// What it is made of.
    pub parts: Vec<Part>,
    /// For each part what was fetched of its file.
    pub fetched: Vec<Parts>,
    /// The files.
    pub base: Arc<Vec<BaseFile>>,
    /// The table's columns.
    pub fold: Arc<Fold>,
    /// The same as a schema.
    pub schema: SchemaRef,
    /// How chunks are compressed.
    pub compression: Compression,
}

impl Encoding {
    /// Decodes, patches with rows of `delta`, and encodes `rows` rows in row groups that aim at `aim`.
    ///
    /// # Errors
    /// Where a base file is bad.
    pub fn run(self, delta: &RecordBatch, rows: usize, aim: usize) -> Result<Encoded, Trouble> {
        let lengths: Vec<usize> = shape::cuts(rows, aim).collect();
        let splices: Vec<Splice> = self.parts.iter().map(Part::splice).collect();
        let mut columns = Vec::with_capacity(self.schema.fields().len());
        for (at, field) in self.schema.fields().iter().enumerate() {
            let mut pieces = Vec::with_capacity(self.parts.len());
            for ((part, fetched), splice) in self.parts.iter().zip(&self.fetched).zip(&splices) {
                pieces.push(self.column(part, fetched, splice, (at, field), delta)?);
            }
            let found: usize = pieces.iter().map(Array::len).sum();
            if found != rows {
                return Err(internal(format!("{rows} rows planned, {found} made")).into());
            }
            columns.push(encode(field, &pieces, &lengths, self.compression)?);
        }
        Ok(assemble(columns, &lengths)?)
    }

    fn column(
        &self,
        part: &Part,
        fetched: &Parts,
        splice: &Splice,
        (at, field): (usize, &FieldRef),
        delta: &RecordBatch,
    ) -> Result<ArrayRef, Trouble> {
        let changed = delta.column(at);
        let (piece, old) = match part {
            Part::New(rows) => return Ok(take(changed, &UInt32Array::from(rows.clone()), None).map_err(internal)?),
            Part::Old { piece, read: Some(batches), .. } => {
                let ordinal = self.base[piece.file].ordinal;
                (piece, base::text_column(batches, ordinal, &self.fold, (at, field)))
            }
            Part::Old { piece, read: None, .. } => {
                let file = &self.base[piece.file];
                (piece, base::column(file, piece, fetched.clone(), &self.fold, (at, field)))
            }
        };
        let old = old.map_err(|refusal| match self.base[piece.file].content {
            Content::Snapshot(_) => refusal.into(),
            Content::Load(_) | Content::Text => Trouble::Bad(piece.file, refusal),
        })?;
        Ok(splice.column(old, changed)?)
    }
}

impl Part {
    fn splice(&self) -> Splice {
        match self {
            Self::New(_) => Splice::new(0, &[]),
            Self::Old { piece, edits, .. } => Splice::new(piece.rows, edits),
        }
    }
}
