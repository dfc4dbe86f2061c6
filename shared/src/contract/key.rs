//! A value → what of it decides on its file: the moment, and the partition's value.
//!
//! The value is of its column's type already.

use super::{Column, value::Value};
use crate::dataset::{ColumnType, TimeUnit};

/// Milliseconds since 1970 of a timestamp or date.
pub(super) fn milliseconds(column: &Column, value: Value<'_>) -> Option<i64> {
    let Value::Integer(value) = value else { return None };
    match column.node.r#type {
        ColumnType::Timestamp(TimeUnit::Micro) => Some(value.div_euclid(1_000)),
        ColumnType::Date => value.checked_mul(86_400_000),
        _ => Some(value),
    }
}

/// A partition column's value, as it is in the path of a file; `None` for a date outside of the years 1 to 9999.
pub(super) fn written(column: &Column, value: Value<'_>) -> Option<String> {
    Some(match value {
        Value::Text(text) => text.to_owned(),
        Value::Boolean(value) => value.to_string(),
        Value::Unsigned(value) => value.to_string(),
        Value::Integer(days) if column.node.r#type == ColumnType::Date => return date(days),
        Value::Integer(value) => value.to_string(),
        Value::Float(_) | Value::Decimal(_) | Value::Bytes(_) => String::new(),
    })
}

/// `YYYY-MM-DD`
fn date(days: i64) -> Option<String> {
    let julian = i32::try_from(days).ok()?.checked_add(2_440_588)?;
    let date = time::Date::from_julian_day(julian).ok()?;
    (1..=9999).contains(&date.year()).then(|| date.to_string())
}
