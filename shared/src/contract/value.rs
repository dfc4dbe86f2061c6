//! A JSON value → a value of a column's type, or none.
//!
//! Numbers may come as text. What a type cannot hold is no value; only moments lose what is finer than their unit.

use crate::{
    dataset::{ColumnType, TimeUnit},
    literal::{
        scalar,
        time::{self, MICRO, MILLI},
    },
};

/// A value that is not null, as its column's type.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value<'a> {
    /// `boolean`
    Boolean(bool),
    /// `int32`, `int64`; `date` in days, `timestamp` in its unit, since 1970-01-01T00:00:00Z; `time` in microseconds
    /// since midnight.
    Integer(i64),
    /// `uint64`
    Unsigned(u64),
    /// `float32`, `float64`
    Float(f64),
    /// `decimal(P,S)`: the value times 10^S.
    Decimal(i128),
    /// `string`; `json` as it is written.
    Text(&'a str),
    /// `binary`
    Bytes(&'a [u8]),
}

/// A JSON value that is neither null, an object nor an array.
#[derive(Debug, Clone, Copy)]
pub(super) enum Plain<'a> {
    Boolean(bool),
    Number(&'a str),
    Text(&'a str),
}

impl<'a> Plain<'a> {
    fn text(self) -> &'a str {
        match self {
            Self::Boolean(true) => "true",
            Self::Boolean(false) => "false",
            Self::Number(text) | Self::Text(text) => text,
        }
    }
}

/// The value; `room` is for bytes.
pub(super) fn convert<'a>(r#type: &ColumnType, plain: Plain<'a>, room: &'a mut Vec<u8>) -> Option<Value<'a>> {
    let text = plain.text().as_bytes();
    Some(match r#type {
        ColumnType::String => Value::Text(plain.text()),
        ColumnType::Boolean => Value::Boolean(scalar::boolean(text)?),
        _ if matches!(plain, Plain::Boolean(_)) => return None,
        ColumnType::Int32 => Value::Integer(i32::try_from(integer(text)?).ok()?.into()),
        ColumnType::Int64 => Value::Integer(integer(text)?),
        ColumnType::Uint64 => Value::Unsigned(scalar::decimal(text, 38, 0)?.try_into().ok()?),
        ColumnType::Float32 => Value::Float(scalar::float::<f32>(text).filter(|value| value.is_finite())?.into()),
        ColumnType::Float64 => Value::Float(scalar::float(text).filter(|value: &f64| value.is_finite())?),
        ColumnType::Decimal(precision, scale) => Value::Decimal(scalar::decimal(text, *precision, *scale)?),
        ColumnType::Date => Value::Integer(date(plain)?),
        ColumnType::Timestamp(TimeUnit::Milli) => Value::Integer(moment(text, MILLI)?),
        ColumnType::Timestamp(TimeUnit::Micro) => Value::Integer(moment(text, MICRO)?),
        ColumnType::Time => Value::Integer(time::clock(text, MICRO).filter(|_| matches!(plain, Plain::Text(_)))?),
        ColumnType::Binary => return base64(plain, room),
        ColumnType::Json | ColumnType::List(_) | ColumnType::Struct(_) => return None,
    })
}

/// Nearly all integers are short and plain; others may be written as `1.0` or `1e3`.
fn integer(text: &[u8]) -> Option<i64> {
    scalar::integer(text).or_else(|| scalar::decimal(text, 38, 0)?.try_into().ok())
}

/// Text of a day or a moment, of which the day in UTC is taken; a number is days.
fn date(plain: Plain<'_>) -> Option<i64> {
    match plain {
        Plain::Number(digits) => i32::try_from(integer(digits.as_bytes())?).ok().map(i64::from),
        Plain::Text(text) if text.len() == 10 => time::date(text.as_bytes()).map(i64::from),
        Plain::Text(text) => Some(moment(text.as_bytes(), MILLI)?.div_euclid(86_400_000)),
        Plain::Boolean(_) => None,
    }
}

/// Text of a moment, or a number since 1970: up to 10^11 it is seconds (the year 5138), up to 10^14 milliseconds, up to
/// 10^17 microseconds, beyond it nanoseconds.
fn moment(text: &[u8], tick: i64) -> Option<i64> {
    if text.get(4) == Some(&b'-') {
        return time::moment_floor(text, tick);
    }
    let size = match integral_digits(text) {
        ..=11 => 1_000_000_000,
        12..=14 => 1_000_000,
        15..=17 => 1_000,
        _ => 1,
    };
    // Nine digits after the point are nanoseconds of a second; what is finer is cut off.
    let text = match text.iter().position(|byte| *byte == b'.') {
        Some(point) if text.len() > point + 10 && !text.iter().any(|b| matches!(b, b'e' | b'E')) => &text[..point + 10],
        _ => text,
    };
    let nanos = scalar::decimal(text, 38, 9)?.checked_mul(size)?.div_euclid(1_000_000_000);
    i64::try_from(nanos.div_euclid(i128::from(tick))).ok()
}

fn integral_digits(text: &[u8]) -> usize {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    digits.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(digits.len())
}

fn base64<'a>(plain: Plain<'_>, room: &'a mut Vec<u8>) -> Option<Value<'a>> {
    use base64::{Engine, prelude::BASE64_STANDARD};
    let Plain::Text(text) = plain else { return None };
    room.clear();
    BASE64_STANDARD.decode_vec(text, room).ok()?;
    Some(Value::Bytes(room))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(r#type: &str, plain: Plain<'_>, want: Option<Value<'_>>) {
        let mut room = Vec::new();
        assert_eq!(convert(&r#type.parse().unwrap(), plain, &mut room), want, "{plain:?} as {type}", type = r#type);
    }

    #[test]
    fn numbers() {
        use Plain::{Boolean, Number, Text};
        for plain in [Number("7"), Text("7"), Number("7.0"), Number("70e-1")] {
            check("int32", plain, Some(Value::Integer(7)));
            check("int64", plain, Some(Value::Integer(7)));
            check("uint64", plain, Some(Value::Unsigned(7)));
            check("float64", plain, Some(Value::Float(7.0)));
            check("decimal(5,2)", plain, Some(Value::Decimal(700)));
        }
        for plain in [Number("7.5"), Text(""), Text("x"), Number("2147483648"), Boolean(true), Text(" 7")] {
            check("int32", plain, None);
        }
        check("uint64", Number("18446744073709551615"), Some(Value::Unsigned(u64::MAX)));
        check("uint64", Number("-1"), None);
        check("float32", Number("1e39"), None);
        for text in ["NaN", "inf", "-Infinity"] {
            check("float64", Text(text), None);
        }
        check("decimal(5,2)", Number("1.005"), None);
        check("boolean", Text("TRUE"), Some(Value::Boolean(true)));
        check("boolean", Number("0"), Some(Value::Boolean(false)));
        check("boolean", Number("2"), None);
        check("string", Number("1.50"), Some(Value::Text("1.50")));
        check("string", Boolean(false), Some(Value::Text("false")));
        check("binary", Text("AAE="), Some(Value::Bytes(&[0, 1])));
        check("binary", Text("%"), None);
    }

    #[test]
    fn moments() {
        let ms = |text: Plain<'_>, want: Option<i64>| check("timestamp(ms)", text, want.map(Value::Integer));
        for text in ["1545084650.987", "1545084650987", "1545084650987000", "1545084650987000000"] {
            ms(Plain::Number(text), Some(1_545_084_650_987));
            ms(Plain::Text(text), Some(1_545_084_650_987));
        }
        ms(Plain::Number("1545084650"), Some(1_545_084_650_000));
        ms(Plain::Number("1545084650.05"), Some(1_545_084_650_050));
        ms(Plain::Number("-0.0005"), Some(-1));
        for text in ["2018-12-17T22:10:50.987Z", "2018-12-17 22:10:50.987654", "2018-12-18T07:10:50.987654321+09:00"] {
            ms(Plain::Text(text), Some(1_545_084_650_987));
        }
        check(
            "timestamp(us)",
            Plain::Text("2018-12-17T22:10:50.9876549Z"),
            Some(Value::Integer(1_545_084_650_987_654)),
        );
        for text in ["", "yesterday", "2018-13-01T00:00:00Z", "1e999", "12:00", "1545084650x"] {
            ms(Plain::Text(text), None);
        }
        let date = |text: Plain<'_>, want: Option<i64>| check("date", text, want.map(Value::Integer));
        date(Plain::Text("1970-01-03"), Some(2));
        date(Plain::Text("1970-01-03T23:59:59Z"), Some(2));
        date(Plain::Number("2"), Some(2));
        date(Plain::Text("1970-02-30"), None);
        check("time", Plain::Text("00:00:01.5"), Some(Value::Integer(1_500_000)));
        check("time", Plain::Number("1"), None);
    }
}
