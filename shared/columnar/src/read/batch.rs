//! Rows one by one → batches of bounded size.
//!
//! A key is never NULL, and a row's old key is whole or not there.

use std::sync::Arc;

use arrow::{
    array::{ArrayRef, RecordBatch, RecordBatchOptions},
    datatypes::{DataType, Field, Schema, SchemaRef},
};
use headgate::Code;

use super::{
    Place,
    column::{Column, Misfit},
    refuse, refuse_column,
};
use crate::changes::{Changes, Op, Refusal};

const MOST_ROWS: usize = 16_384;
const MOST_BYTES: usize = 8 << 20;
/// What a row takes at least for each column, NULL or not.
const VALUE_BYTES: usize = 8;

/// The batch that grows: one value a column, then the operation.
#[derive(Debug)]
pub(super) struct Batch {
    schema: SchemaRef,
    columns: Vec<Column>,
    /// The key columns' places among the columns; empty where the file has none, which only a file without keyed rows
    /// may.
    keys: Vec<usize>,
    old_keys: Vec<Column>,
    old_keys_told: bool,
    ops: Vec<Op>,
    bytes: usize,
}

impl Batch {
    /// An empty batch of the file's table columns.
    pub(super) fn new(columns: &[(String, DataType)], primary_key: &[String]) -> Result<Self, Refusal> {
        let fields: Vec<_> = columns.iter().map(|(name, t)| Field::new(name, t.clone(), true)).collect();
        let keys = primary_key.iter().map_while(|key| columns.iter().position(|(name, _)| name == key));
        let keys: Vec<_> = if keys.clone().count() == primary_key.len() { keys.collect() } else { Vec::new() };
        Ok(Self {
            schema: Arc::new(Schema::new(fields)),
            columns: columns.iter().map(growing).collect::<Result<_, _>>()?,
            old_keys: keys.iter().map(|key| growing(&columns[*key])).collect::<Result<_, _>>()?,
            keys,
            old_keys_told: false,
            ops: Vec::new(),
            bytes: 0,
        })
    }

    pub(super) fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// The key columns' places among the columns, in key order.
    pub(super) fn keys(&self) -> &[usize] {
        &self.keys
    }

    pub(super) fn is_key(&self, column: usize) -> bool {
        self.keys.contains(&column)
    }

    pub(super) fn columns(&mut self) -> &mut [Column] {
        &mut self.columns
    }

    /// The columns of the old keys, in key order: all of them take a value, then [`tell_old_key`](Self::tell_old_key).
    pub(super) fn old_keys(&mut self) -> &mut [Column] {
        &mut self.old_keys
    }

    /// The row's old key is in.
    pub(super) fn tell_old_key(&mut self) {
        self.old_keys_told = true;
    }

    /// The row tells no old key.
    pub(super) fn skip_old_key(&mut self) {
        self.old_keys.iter_mut().for_each(Column::append_null);
    }

    /// Ends a row that took `bytes` of text.
    pub(super) fn end_row(&mut self, op: Op, bytes: usize) {
        self.ops.push(op);
        self.bytes += bytes.max(self.columns.len() * VALUE_BYTES);
    }

    pub(super) fn is_full(&self) -> bool {
        self.ops.len() >= MOST_ROWS || self.bytes >= MOST_BYTES
    }

    /// The rows so far, or `None` where there are none; the batch begins anew.
    pub(super) fn finish(&mut self) -> Result<Option<Changes>, Refusal> {
        if self.ops.is_empty() {
            return Ok(None);
        }
        let ops = std::mem::take(&mut self.ops);
        let columns: Vec<ArrayRef> = self.columns.iter_mut().map(Column::finish).collect();
        let old_keys: Vec<ArrayRef> = self.old_keys.iter_mut().map(Column::finish).collect();
        let told = std::mem::take(&mut self.old_keys_told);
        self.bytes = 0;
        // Without columns a batch does not know its length by itself.
        let options = RecordBatchOptions::new().with_row_count(Some(ops.len()));
        let rows = RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options)
            .map_err(|error| refuse(Code::Internal, error.to_string()))?;
        Ok(Some(Changes { ops, rows, old_keys: told.then_some(old_keys) }))
    }

    /// The refusal of a value in a column.
    pub(super) fn misfit(&self, place: Place, column: usize, misfit: Misfit) -> Refusal {
        let field = self.schema.field(column);
        let reason = match misfit {
            Misfit::NotOfType => format!("the value cannot be read as {}", field.data_type()),
            Misfit::NotUtf8 => "the text is not UTF-8".to_owned(),
            Misfit::Unavailable => "an unavailable TOAST value: set REPLICA IDENTITY FULL".to_owned(),
        };
        refuse_column(Code::InvalidValue, field.name(), reason).at(place)
    }

    /// The refusal of a row without a key.
    pub(super) fn null_key(&self, place: Place, column: usize) -> Refusal {
        refuse_column(Code::NullKey, self.schema.field(column).name(), "the key is NULL").at(place)
    }
}

fn growing((name, data_type): &(String, DataType)) -> Result<Column, Refusal> {
    Column::new(data_type).ok_or_else(|| {
        refuse_column(Code::IncompatibleType, name, format!("{data_type} is not a type that a text format gives"))
    })
}
