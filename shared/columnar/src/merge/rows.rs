//! Batches of files → batches in the snapshot's schema.

use std::sync::Arc;

use arrow::{
    array::{Array, ArrayRef, RecordBatch, RecordBatchOptions, UInt32Array, new_null_array},
    compute::{interleave, take},
    datatypes::SchemaRef,
};
use headgate::Code;

use super::fold::Fold;
use crate::{changes::Refusal, schema::cast};

/// The key columns of a batch.
///
/// # Errors
/// Where one is missing.
pub fn key_arrays(rows: &RecordBatch, key_columns: &[String]) -> Result<Vec<ArrayRef>, Refusal> {
    let column = |name: &String| {
        rows.column_by_name(name).cloned().ok_or_else(|| Refusal {
            code: Code::MissingKeyColumn,
            column: Some(name.as_str().into()),
            reason: "the file does not have this key column".to_owned(),
        })
    };
    key_columns.iter().map(column).collect()
}

/// A batch of the file with this ordinal, in the snapshot's schema: columns by name, values that are forgotten NULL.
///
/// # Errors
/// Where a value does not fit its column's type.
fn conform(rows: &RecordBatch, ordinal: u32, fold: &Fold, schema: &SchemaRef) -> Result<RecordBatch, Refusal> {
    let columns = fold.columns().iter().zip(schema.fields()).map(|(column, field)| {
        match rows.column_by_name(&column.name).filter(|_| column.since <= ordinal) {
            Some(array) => cast(array, field.data_type()).map_err(|error| Refusal {
                code: Code::InvalidValue,
                column: Some(column.name.as_str().into()),
                reason: error.to_string(),
            }),
            None => Ok(new_null_array(field.data_type(), rows.num_rows())),
        }
    });
    batch(schema, columns.collect::<Result<_, _>>()?, rows.num_rows())
}

/// A batch of these columns.
///
/// # Errors
/// Where they do not fit the schema, which is a bug.
fn batch(schema: &SchemaRef, columns: Vec<ArrayRef>, rows: usize) -> Result<RecordBatch, Refusal> {
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options).map_err(internal)
}

/// An error of arrow that only a bug brings about.
pub fn internal(error: impl std::fmt::Display) -> Refusal {
    Refusal { code: Code::Internal, column: None, reason: error.to_string() }
}

/// These rows of a batch.
///
/// # Errors
/// Where arrow refuses, which is a bug.
pub fn take_rows(rows: &RecordBatch, picks: &UInt32Array) -> Result<RecordBatch, Refusal> {
    let columns: Result<Vec<_>, _> = rows.columns().iter().map(|column| take(column, picks, None)).collect();
    batch(&rows.schema(), columns.map_err(internal)?, picks.len())
}

/// The picked rows (batch, row) of batches with their files' ordinals, in the snapshot's schema.
///
/// # Errors
/// Where a value does not fit its column's type.
pub fn gather(
    held: impl Iterator<Item = (RecordBatch, u32)>,
    fold: &Fold,
    picks: &[(usize, usize)],
) -> Result<RecordBatch, Refusal> {
    let schema = fold.schema();
    let conformed =
        held.map(|(rows, ordinal)| conform(&rows, ordinal, fold, &schema)).collect::<Result<Vec<_>, _>>()?;
    let columns = (0..schema.fields().len()).map(|at| {
        let arrays: Vec<&dyn Array> = conformed.iter().map(|batch| batch.column(at).as_ref()).collect();
        if arrays.is_empty() {
            return Ok(new_null_array(schema.field(at).data_type(), 0));
        }
        interleave(&arrays, picks).map_err(internal)
    });
    batch(&schema, columns.collect::<Result<_, _>>()?, picks.len())
}
