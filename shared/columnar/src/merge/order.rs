//! The order column of a batch → what decides between versions of a row, where names of files do not.
//!
//! Integers alone: texts of moments do not sort as the moments do. NULL comes before everything.

use arrow::{
    array::{Array, ArrayRef, AsArray, RecordBatch},
    datatypes::{DataType, Int64Type, TimeUnit},
};
use headgate::Code;

use super::rows::internal;
use crate::{changes::Refusal, schema::cast};

/// When a version of a row was made.
pub type Version = Option<i64>;

/// The versions of the rows of a batch.
///
/// # Errors
/// Where the batch lacks the column, or its type has no order that is ours.
pub fn versions(rows: &RecordBatch, column: &str) -> Result<Vec<Version>, Refusal> {
    let array = rows.column_by_name(column).ok_or_else(|| Refusal {
        code: Code::MissingKeyColumn,
        column: Some(column.into()),
        reason: "order_by names it, but the file does not have it".to_owned(),
    })?;
    of(array).map_err(|refusal| Refusal { column: Some(column.into()), ..refusal })
}

/// The versions that a column holds: moments in microseconds, days as their midnights, integers as they are.
///
/// # Errors
/// Where its type has no order that is ours, or a moment does not fit.
pub fn of(array: &ArrayRef) -> Result<Vec<Version>, Refusal> {
    let integers = match array.data_type() {
        DataType::Timestamp(..) | DataType::Date32 => {
            let zone = match array.data_type() {
                DataType::Timestamp(_, zone) => zone.clone(),
                _ => None,
            };
            cast(array, &DataType::Timestamp(TimeUnit::Microsecond, zone)).map_err(|error| unfit(&error.to_string()))?
        }
        DataType::Int32 | DataType::Int64 => array.clone(),
        other => return Err(unfit(&format!("must be a timestamp, a date or an integer, not {other}"))),
    };
    let integers = arrow::compute::cast(&integers, &DataType::Int64).map_err(internal)?;
    Ok(integers.as_primitive::<Int64Type>().iter().collect())
}

fn unfit(reason: &str) -> Refusal {
    Refusal { code: Code::IncompatibleType, column: None, reason: format!("order_by: {reason}") }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Date32Array, Int32Array, StringArray, TimestampMicrosecondArray, TimestampMillisecondArray};

    use super::*;

    fn check(array: impl Array + 'static, want: &[Version]) {
        assert_eq!(of(&(Arc::new(array) as ArrayRef)).as_deref(), Ok(want));
    }

    #[test]
    fn units_do_not_matter() {
        check(TimestampMillisecondArray::from(vec![Some(7), None]), &[Some(7_000), None]);
        check(TimestampMillisecondArray::from(vec![7]).with_timezone("UTC"), &[Some(7_000)]);
        check(TimestampMicrosecondArray::from(vec![7_001]), &[Some(7_001)]);
        check(Date32Array::from(vec![1]), &[Some(86_400_000_000)]);
        check(Int32Array::from(vec![-1, 5]), &[Some(-1), Some(5)]);
        let text: ArrayRef = Arc::new(StringArray::from(vec!["2026"]));
        assert_eq!(of(&text).unwrap_err().code, Code::IncompatibleType);
    }
}
