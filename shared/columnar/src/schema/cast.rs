//! A column of one type → the same values in a type that holds them.
//!
//! Only along [`unify`]: what would lose a digit has no way through here.

use std::sync::Arc;

use arrow::{
    array::{Array, ArrayRef, AsArray, Float64Array, PrimitiveArray, new_null_array},
    compute::{CastOptions, cast_with_options},
    datatypes::{
        ArrowTimestampType, DataType, Date64Type, Decimal128Type, Decimal256Type, DecimalType, Int64Type, TimeUnit,
        TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType,
    },
};

use super::{canonical, text, unify};

const MILLIS_PER_DAY: i64 = 86_400_000;

/// Why a column cannot take a type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CastError {
    /// The type cannot hold the column's values.
    #[error("{to} cannot hold {from}")]
    Incompatible {
        /// The column's type.
        from: DataType,
        /// The type asked for.
        to: DataType,
    },
    /// A value does not fit, though its type might.
    #[error("a value does not fit {to}: {reason}")]
    OutOfRange {
        /// The type asked for.
        to: DataType,
        /// Which value, as far as it is known.
        reason: String,
    },
}

/// The same values as `to`, which is canonical and holds the column's type as [`unify`] says; integers may also
/// become narrower where every value fits.
///
/// # Errors
/// Where `to` does not hold the type, or one value does not fit.
pub fn cast(array: &ArrayRef, to: &DataType) -> Result<ArrayRef, CastError> {
    if array.data_type() == to {
        return Ok(Arc::clone(array));
    }
    let incompatible = || CastError::Incompatible { from: array.data_type().clone(), to: to.clone() };
    let from = canonical(array.data_type()).ok_or_else(incompatible)?;
    let narrower = from.is_integer() && to.is_integer();
    if !narrower && unify(&from, to).as_ref() != Some(to) {
        return Err(incompatible());
    }
    let array = normal(array, &from)?;
    match (&from, to) {
        _ if from == *to => Ok(array),
        (DataType::Null, _) => Ok(new_null_array(to, array.len())),
        (_, DataType::Utf8) => text::of(&array),
        (DataType::Decimal128(..) | DataType::Decimal256(..), DataType::Float64) => Ok(nearest(&array)),
        (DataType::Boolean, DataType::Decimal128(..) | DataType::Decimal256(..)) => {
            kernel(&kernel(&array, &DataType::Int8)?, to)
        }
        (_, DataType::Timestamp(..)) => moments(&array, to),
        _ => kernel(&array, to),
    }
}

/// A file's own form of a type → the canonical one.
fn normal(array: &ArrayRef, to: &DataType) -> Result<ArrayRef, CastError> {
    match array.data_type() {
        from if from == to => Ok(Arc::clone(array)),
        DataType::Dictionary(_, values) => normal(&kernel(array, values)?, to),
        DataType::Timestamp(..) => moments(array, to),
        DataType::Date64 => {
            let has_time = |millis: i64| millis.rem_euclid(MILLIS_PER_DAY) != 0;
            match array.as_primitive::<Date64Type>().iter().flatten().find(|millis| has_time(*millis)) {
                Some(millis) => Err(CastError::OutOfRange { to: to.clone(), reason: format!("{millis} ms is no day") }),
                None => kernel(array, to),
            }
        }
        _ => kernel(array, to),
    }
}

/// Arrow's own conversion, where it is exact; what overflows is an error.
pub(super) fn kernel(array: &ArrayRef, to: &DataType) -> Result<ArrayRef, CastError> {
    let strict = CastOptions { safe: false, ..CastOptions::default() };
    cast_with_options(array, to, &strict)
        .map_err(|error| CastError::OutOfRange { to: to.clone(), reason: error.to_string() })
}

/// Days or moments → moments of a finer unit, as instants: arrow's conversion would read a zone-less moment in the
/// zone's local time.
fn moments(array: &ArrayRef, to: &DataType) -> Result<ArrayRef, CastError> {
    let DataType::Timestamp(unit, zone) = to else {
        return Err(CastError::Incompatible { from: array.data_type().clone(), to: to.clone() });
    };
    let ratio = match array.data_type() {
        DataType::Timestamp(from, _) => text::per_second(*unit) / text::per_second(*from),
        _ => text::per_second(*unit) * 86_400,
    };
    let ticks = kernel(array, &DataType::Int64)?;
    let overflow = |tick: i64| CastError::OutOfRange { to: to.clone(), reason: format!("{tick} times {ratio}") };
    let ticks: PrimitiveArray<Int64Type> =
        ticks.as_primitive::<Int64Type>().try_unary(|tick| tick.checked_mul(ratio).ok_or_else(|| overflow(tick)))?;
    Ok(match unit {
        TimeUnit::Second => stamped::<TimestampSecondType>(&ticks, zone.clone()),
        TimeUnit::Millisecond => stamped::<TimestampMillisecondType>(&ticks, zone.clone()),
        TimeUnit::Microsecond => stamped::<TimestampMicrosecondType>(&ticks, zone.clone()),
        TimeUnit::Nanosecond => stamped::<TimestampNanosecondType>(&ticks, zone.clone()),
    })
}

fn stamped<T: ArrowTimestampType>(ticks: &PrimitiveArray<Int64Type>, zone: Option<Arc<str>>) -> ArrayRef {
    Arc::new(ticks.reinterpret_cast::<T>().with_timezone_opt(zone))
}

/// Decimals → the nearest floats. Arrow divides, which rounds twice; the text is rounded once.
fn nearest(array: &ArrayRef) -> ArrayRef {
    let parse = |text: String| text.parse().unwrap_or(f64::NAN);
    let floats: Float64Array = match array.data_type() {
        DataType::Decimal128(p, s) => {
            array.as_primitive::<Decimal128Type>().unary(|v| parse(Decimal128Type::format_decimal(v, *p, *s)))
        }
        DataType::Decimal256(p, s) => {
            array.as_primitive::<Decimal256Type>().unary(|v| parse(Decimal256Type::format_decimal(v, *p, *s)))
        }
        _ => Float64Array::new_null(array.len()),
    };
    Arc::new(floats)
}

#[cfg(test)]
mod tests {
    use arrow::array::*;
    use arrow::datatypes::i256;

    use super::*;
    use crate::schema::UTC;

    fn check(array: impl Array + 'static, to: &DataType, want: impl Array + 'static) {
        let array: ArrayRef = Arc::new(array);
        let got = cast(&array, to).unwrap();
        assert_eq!(&got, &(Arc::new(want) as ArrayRef));
        assert_eq!(got.data_type(), to);
    }

    fn refuse(array: impl Array + 'static, to: &DataType) -> CastError {
        cast(&(Arc::new(array) as ArrayRef), to).unwrap_err()
    }

    #[test]
    fn numbers_keep_their_value() {
        let max = Some(u64::MAX);
        check(Int32Array::from(vec![Some(-1), None]), &DataType::Int64, Int64Array::from(vec![Some(-1), None]));
        let decimal = |v: Vec<Option<i128>>, p, s| Decimal128Array::from(v).with_precision_and_scale(p, s).unwrap();
        check(
            UInt64Array::from(vec![max, None]),
            &DataType::Decimal128(20, 0),
            decimal(vec![max.map(i128::from), None], 20, 0),
        );
        check(Int32Array::from(vec![7]), &DataType::Decimal128(12, 2), decimal(vec![Some(700)], 12, 2));
        check(BooleanArray::from(vec![true]), &DataType::Decimal128(12, 2), decimal(vec![Some(100)], 12, 2));
        check(decimal(vec![Some(150)], 5, 2), &DataType::Decimal128(8, 4), decimal(vec![Some(15_000)], 8, 4));
        check(decimal(vec![Some(15)], 5, 1), &DataType::Float64, Float64Array::from(vec![1.5]));
        let wide = Decimal256Array::from(vec![i256::from(100)]).with_precision_and_scale(50, 12).unwrap();
        check(decimal(vec![Some(1)], 38, 10), &DataType::Decimal256(50, 12), wide);
        check(Int64Array::from(vec![5]), &DataType::Int32, Int32Array::from(vec![5]));
        assert!(matches!(refuse(Int64Array::from(vec![1 << 40]), &DataType::Int32), CastError::OutOfRange { .. }));
    }

    #[test]
    fn moments_are_instants() {
        let utc = || DataType::Timestamp(TimeUnit::Microsecond, Some(UTC.into()));
        let want = |v| TimestampMicrosecondArray::from(vec![v]).with_timezone(UTC);
        check(TimestampMillisecondArray::from(vec![5]), &utc(), want(5_000));
        check(TimestampMillisecondArray::from(vec![5]).with_timezone("+09:00"), &utc(), want(5_000));
        check(Date32Array::from(vec![-1]), &utc(), want(-86_400_000_000));
        let nanos = DataType::Timestamp(TimeUnit::Nanosecond, None);
        let year_9999 = TimestampMicrosecondArray::from(vec![253_402_300_799_999_999]);
        assert!(matches!(refuse(year_9999, &nanos), CastError::OutOfRange { .. }));
        check(Date64Array::from(vec![MILLIS_PER_DAY]), &DataType::Date32, Date32Array::from(vec![1]));
        assert!(matches!(refuse(Date64Array::from(vec![1]), &DataType::Date32), CastError::OutOfRange { .. }));
    }

    #[test]
    fn anything_but_bytes_becomes_text() {
        let text = |v: &str| StringArray::from(vec![Some(v), None]);
        check(Int64Array::from(vec![Some(i64::MIN), None]), &DataType::Utf8, text("-9223372036854775808"));
        check(BooleanArray::from(vec![Some(true), None]), &DataType::Utf8, text("true"));
        let decimal = Decimal128Array::from(vec![Some(-5), None]).with_precision_and_scale(5, 2).unwrap();
        check(decimal, &DataType::Utf8, text("-0.05"));
        check(Date32Array::from(vec![Some(0), None]), &DataType::Utf8, text("1970-01-01"));
        let moment = TimestampMillisecondArray::from(vec![Some(1), None]).with_timezone("UTC");
        check(moment, &DataType::Utf8, text("1970-01-01 00:00:00.001"));
        check(Time32SecondArray::from(vec![Some(61), None]), &DataType::Utf8, text("00:01:01.000000"));
        check(Float32Array::from(vec![Some(0.1), None]), &DataType::Utf8, text("0.1"));
        check(LargeStringArray::from(vec![Some("a"), None]), &DataType::Utf8, text("a"));
        check(DictionaryArray::<arrow::datatypes::Int8Type>::from_iter([Some("a"), None]), &DataType::Utf8, text("a"));
        check(NullArray::new(1), &DataType::Utf8, StringArray::new_null(1));
        let bytes = BinaryArray::from(vec![b"a".as_slice()]);
        assert!(matches!(refuse(bytes, &DataType::Utf8), CastError::Incompatible { .. }));
    }
}
