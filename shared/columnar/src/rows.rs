//! A Parquet file → its rows as text, for people and for checks.
//!
//! Not for the merge: every value becomes a string here.

use std::sync::Arc;

use arrow::{
    array::{ArrayRef, RecordBatch, make_array},
    datatypes::DataType,
    error::ArrowError,
    util::display::{ArrayFormatter, FormatOptions},
};
use bytes::Bytes;
use headgate::{Code, Error};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

/// Rows as text; NULL is `None`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rows {
    /// The columns' names.
    pub columns: Vec<String>,
    /// One value a column.
    pub rows: Vec<Vec<Option<String>>>,
}

/// Reads the first `limit` rows, or all.
///
/// # Errors
/// Poison, `unreadable_file`: where it is no Parquet file.
pub fn read(file: Bytes, limit: Option<usize>) -> Result<Rows, Error> {
    let mut builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(unreadable)?;
    let columns = builder.schema().fields().iter().map(|field| field.name().clone()).collect();
    if let Some(limit) = limit {
        builder = builder.with_limit(limit);
    }
    let mut rows = Vec::new();
    for batch in builder.build().map_err(unreadable)? {
        append(&mut rows, &batch.map_err(unreadable)?).map_err(unreadable)?;
    }
    Ok(Rows { columns, rows })
}

fn append(rows: &mut Vec<Vec<Option<String>>>, batch: &RecordBatch) -> Result<(), ArrowError> {
    let options = FormatOptions::default();
    let columns = batch.columns().iter().map(zoneless).collect::<Result<Vec<_>, _>>()?;
    let formatters =
        columns.iter().map(|column| ArrayFormatter::try_new(column, &options)).collect::<Result<Vec<_>, _>>()?;
    for row in 0..batch.num_rows() {
        let value = |(column, formatter): (&ArrayRef, &ArrayFormatter<'_>)| {
            column.is_valid(row).then(|| formatter.value(row).to_string())
        };
        rows.push(columns.iter().zip(&formatters).map(value).collect());
    }
    Ok(())
}

/// Moments are shown in UTC, as they are stored; arrow's formatter knows no zone by its name.
fn zoneless(column: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    let DataType::Timestamp(unit, Some(_)) = column.data_type() else { return Ok(Arc::clone(column)) };
    let data = column.to_data().into_builder().data_type(DataType::Timestamp(*unit, None)).build()?;
    Ok(make_array(data))
}

fn unreadable(error: impl std::fmt::Display) -> Error {
    Error::poison(Code::UnreadableFile, error.to_string())
}

#[cfg(test)]
mod tests {
    use crate::sample::{Column, Values, parquet};

    #[test]
    fn a_sample_reads_back_as_text() {
        let file = parquet(&[
            Column::added("Op", ["I".to_owned(), "D".to_owned()]),
            Column::optional("id", Values::Int64(vec![Some(1), None])),
            Column::optional("amount", Values::Decimal(10, 2, vec![Some(1234), Some(-5)])),
            Column::optional("placed", Values::Micros(vec![Some(1_500_000), None])),
        ])
        .unwrap();
        let all = super::read(file.clone(), None).unwrap();
        let text = |value: &str| Some(value.to_owned());
        assert_eq!(all.columns, ["Op", "id", "amount", "placed"]);
        assert_eq!(all.rows[0], [text("I"), text("1"), text("12.34"), text("1970-01-01T00:00:01.500")]);
        assert_eq!(all.rows[1], [text("D"), None, text("-0.05"), None]);
        assert_eq!(super::read(file, Some(1)).unwrap().rows, all.rows[..1]);
        assert_eq!(super::read("no".into(), None).unwrap_err().code, headgate::Code::UnreadableFile);
    }
}
