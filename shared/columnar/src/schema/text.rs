//! Typed values → their text, as a database writes them when a column becomes text.
//!
//! Every spelling reads back to the same value.

use std::fmt::{self, Write};

use arrow::{
    array::{Array, ArrayRef, AsArray, PrimitiveArray, StringBuilder},
    datatypes::{
        ArrowPrimitiveType, DataType, Date32Type, Decimal128Type, Decimal256Type, DecimalType, Float32Type,
        Float64Type, Int64Type, TimeUnit,
    },
};

use super::cast::{CastError, kernel};

/// Floats from here on, and the inverse down, are written with an exponent.
const EXPONENT_FROM: f64 = 1e15;

/// The text of every value of a canonical type but text and bytes: booleans `true` and `false`, decimals with all
/// digits of their scale, `YYYY-MM-DD`, `YYYY-MM-DD HH:MM:SS.ffffff` with the digits of the unit, floats with the
/// fewest digits that read back.
pub(super) fn of(array: &ArrayRef) -> Result<ArrayRef, CastError> {
    let text = match array.data_type() {
        DataType::Boolean => {
            let values = array.as_boolean();
            written(values, |out, row| out.write_str(if values.value(row) { "true" } else { "false" }))
        }
        DataType::Float32 => each(array.as_primitive::<Float32Type>(), |out, v| float(out, f64::from(v), &v)),
        DataType::Float64 => each(array.as_primitive::<Float64Type>(), |out, v| float(out, v, &v)),
        DataType::Decimal128(p, s) => each(array.as_primitive::<Decimal128Type>(), |out, v| {
            out.write_str(&Decimal128Type::format_decimal(v, *p, *s))
        }),
        DataType::Decimal256(p, s) => each(array.as_primitive::<Decimal256Type>(), |out, v| {
            out.write_str(&Decimal256Type::format_decimal(v, *p, *s))
        }),
        DataType::Date32 => each(array.as_primitive::<Date32Type>(), |out, v| write_date(out, v.into())),
        DataType::Timestamp(unit, _) => {
            let values = kernel(array, &DataType::Int64)?;
            each(values.as_primitive::<Int64Type>(), |out, v| write_moment(out, v, *unit))
        }
        DataType::Time64(unit) => {
            let values = kernel(array, &DataType::Int64)?;
            each(values.as_primitive::<Int64Type>(), |out, v| write_clock(out, v, *unit))
        }
        _ => return kernel(array, &DataType::Utf8),
    };
    text.map_err(|_| CastError::Incompatible { from: array.data_type().clone(), to: DataType::Utf8 })
}

fn each<T: ArrowPrimitiveType>(
    values: &PrimitiveArray<T>,
    write: impl Fn(&mut StringBuilder, T::Native) -> fmt::Result,
) -> Result<ArrayRef, fmt::Error> {
    written(values, |out, row| write(out, values.value(row)))
}

fn written(
    values: &dyn Array,
    write: impl Fn(&mut StringBuilder, usize) -> fmt::Result,
) -> Result<ArrayRef, fmt::Error> {
    let mut out = StringBuilder::with_capacity(values.len(), values.len() * 16);
    for row in 0..values.len() {
        if values.is_null(row) {
            out.append_null();
        } else {
            write(&mut out, row)?;
            out.append_value("");
        }
    }
    Ok(std::sync::Arc::new(out.finish()))
}

/// `shown` keeps a 32-bit float's own shortest digits, which its widened value no longer has.
fn float<F: fmt::Display + fmt::LowerExp>(out: &mut impl Write, value: f64, shown: &F) -> fmt::Result {
    let size = value.abs();
    if value.is_nan() {
        out.write_str("NaN")
    } else if size.is_finite() && size != 0.0 && !(1.0 / EXPONENT_FROM..EXPONENT_FROM).contains(&size) {
        write!(out, "{shown:e}")
    } else {
        write!(out, "{shown}")
    }
}

pub(crate) fn write_date(out: &mut impl Write, days: i64) -> fmt::Result {
    let (year, month, day) = civil(days);
    let sign = if year < 0 { "-" } else { "" };
    write!(out, "{sign}{:04}-{month:02}-{day:02}", year.unsigned_abs())
}

pub(crate) fn write_moment(out: &mut impl Write, value: i64, unit: TimeUnit) -> fmt::Result {
    let day = per_second(unit) * 86_400;
    write_date(out, value.div_euclid(day))?;
    out.write_char(' ')?;
    write_clock(out, value.rem_euclid(day), unit)
}

pub(crate) fn write_clock(out: &mut impl Write, value: i64, unit: TimeUnit) -> fmt::Result {
    let (sign, scale) = (if value < 0 { "-" } else { "" }, per_second(unit));
    let (size, scale) = (value.unsigned_abs(), scale.unsigned_abs());
    let (seconds, fraction) = (size / scale, size % scale);
    write!(out, "{sign}{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)?;
    match unit {
        TimeUnit::Second => Ok(()),
        TimeUnit::Millisecond => write!(out, ".{fraction:03}"),
        TimeUnit::Microsecond => write!(out, ".{fraction:06}"),
        TimeUnit::Nanosecond => write!(out, ".{fraction:09}"),
    }
}

/// The size of a unit's tick in nanoseconds.
pub(crate) fn tick(unit: TimeUnit) -> i64 {
    1_000_000_000 / per_second(unit)
}

/// Ticks of a unit in a second.
pub(super) fn per_second(unit: TimeUnit) -> i64 {
    match unit {
        TimeUnit::Second => 1,
        TimeUnit::Millisecond => 1_000,
        TimeUnit::Microsecond => 1_000_000,
        TimeUnit::Nanosecond => 1_000_000_000,
    }
}

/// Year, month and day of a day counted from 1970-01-01, in the proleptic Gregorian calendar.
///
/// Years begin in March here, so that the leap day is the last of its year; an era is 400 of them, 146,097 days.
fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    (era * 400 + year_of_era + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(write: impl Fn(&mut String) -> fmt::Result, want: &str) {
        let mut out = String::new();
        write(&mut out).unwrap();
        assert_eq!(out, want);
    }

    #[test]
    fn writes_days_of_every_era() {
        check(|out| write_date(out, 0), "1970-01-01");
        check(|out| write_date(out, -1), "1969-12-31");
        check(|out| write_date(out, 19_782), "2024-02-29");
        check(|out| write_date(out, -354_285), "1000-01-01");
        check(|out| write_date(out, 2_932_896), "9999-12-31");
        check(|out| write_date(out, 2_932_897), "10000-01-01");
        check(|out| write_date(out, -719_529), "-0001-12-31");
    }

    #[test]
    fn writes_moments_with_their_unit() {
        check(|out| write_moment(out, -1, TimeUnit::Microsecond), "1969-12-31 23:59:59.999999");
        check(|out| write_moment(out, 1_705_357_827_270, TimeUnit::Millisecond), "2024-01-15 22:30:27.270");
        check(|out| write_clock(out, 86_399_999_999, TimeUnit::Microsecond), "23:59:59.999999");
        check(|out| write_clock(out, -3_020_399_000, TimeUnit::Millisecond), "-838:59:59.000");
        check(|out| write_clock(out, -1, TimeUnit::Millisecond), "-00:00:00.001");
    }

    #[test]
    fn writes_floats_shortest() {
        for (value, want) in [
            (0.1, "0.1"),
            (1.0, "1"),
            (-0.0, "-0"),
            (1e14, "100000000000000"),
            (1e15, "1e15"),
            (f64::MAX, "1.7976931348623157e308"),
            (f64::INFINITY, "inf"),
            (f64::NAN, "NaN"),
            (5e-324, "5e-324"),
        ] {
            check(|out| float(out, value, &value), want);
        }
        check(|out| float(out, f64::from(0.1f32), &0.1f32), "0.1");
    }
}
