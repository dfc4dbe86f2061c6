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

/// A value that is not null, as its column's type. Values of one column have an order, which is theirs in SQL.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
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
        ColumnType::Timestamp(TimeUnit::Milli) => Value::Integer(moment(plain, MILLI)?),
        ColumnType::Timestamp(TimeUnit::Micro) => Value::Integer(moment(plain, MICRO)?),
        ColumnType::Time => Value::Integer(time::clock(text, MICRO).filter(|_| matches!(plain, Plain::Text(_)))?),
        ColumnType::Binary => return base64(plain, room),
        ColumnType::Json | ColumnType::List(_) | ColumnType::Struct(_) => return None,
    })
}

/// Nearly all integers are short and plain; others may be written as `1.0` or `1e3`.
fn integer(text: &[u8]) -> Option<i64> {
    scalar::integer(text).or_else(|| scalar::decimal(text, 38, 0)?.try_into().ok())
}

/// Text of a day or a moment, of which the day in UTC is taken; a number is days. A text of eight digits is a day too, as
/// `20261128`: as many days would be the year 27000 and more.
fn date(plain: Plain<'_>) -> Option<i64> {
    let day = |text| Some(time::moment_floor(text, MILLI)?.div_euclid(86_400_000));
    match (calendar(plain), plain) {
        (Some(text), _) => day(text),
        (None, Plain::Text(text)) if text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_digit()) => {
            day(format!("{}-{}-{}", &text[..4], &text[4..6], &text[6..]).as_bytes())
        }
        (None, _) => i32::try_from(integer(plain.text().as_bytes())?).ok().map(i64::from),
    }
}

/// Text of a moment, or a number since 1970: below 10^11 it is seconds (the year 5138), below 10^14 milliseconds, below
/// 10^17 microseconds, beyond it nanoseconds.
fn moment(plain: Plain<'_>, tick: i64) -> Option<i64> {
    const ONE: i128 = 10_i128.pow(18);
    if let Some(text) = calendar(plain) {
        return time::moment_floor(text, tick);
    }
    let value = scalar::decimal(cut(plain.text().as_bytes()), 38, 18)?;
    // Below each bound the product stays within 10^38, which i128 holds.
    let nanos = match value.abs() / ONE {
        0..100_000_000_000 => value * 1_000_000_000,
        100_000_000_000..100_000_000_000_000 => value * 1_000_000,
        100_000_000_000_000..100_000_000_000_000_000 => value * 1_000,
        _ => value,
    };
    i64::try_from(nanos.div_euclid(ONE).div_euclid(i128::from(tick))).ok()
}

/// The text, if it begins with a year: `2024-…` is no number.
fn calendar(plain: Plain<'_>) -> Option<&[u8]> {
    let Plain::Text(text) = plain else { return None };
    let (year, rest) = text.as_bytes().split_at_checked(4)?;
    (rest.first() == Some(&b'-') && year.iter().all(u8::is_ascii_digit)).then_some(text.as_bytes())
}

/// A number without what is finer than 18 digits after the point.
fn cut(text: &[u8]) -> &[u8] {
    let point = text.iter().position(|byte| *byte == b'.').filter(|point| text.len() > point + 19);
    match point {
        Some(point) if text[point + 1..].iter().all(u8::is_ascii_digit) => &text[..point + 19],
        _ => text,
    }
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
        assert_eq!(convert(&r#type.parse().unwrap(), plain, &mut room), want, "{plain:?} as {type}");
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
        let written = ["1.545084650987E9", "1.545084650987e12", "1545084650987.000000000000000000000001"];
        for text in
            ["1545084650.987", "1545084650987", "1545084650987000", "1545084650987000000"].iter().chain(&written)
        {
            ms(Plain::Number(text), Some(1_545_084_650_987));
            ms(Plain::Text(text), Some(1_545_084_650_987));
        }
        ms(Plain::Number("1545084650"), Some(1_545_084_650_000));
        ms(Plain::Number("1545084650.05"), Some(1_545_084_650_050));
        ms(Plain::Number("-0.0005"), Some(-1));
        ms(Plain::Number("99999999999"), Some(99_999_999_999_000));
        ms(Plain::Number("100000000000"), Some(100_000_000_000));
        ms(Plain::Number("100000000000000"), Some(100_000_000_000));
        ms(Plain::Number("100000000000000000"), Some(100_000_000_000));
        ms(Plain::Number("-9223372036854775808"), Some(-9_223_372_036_855));
        ms(Plain::Number("1.5e-3"), Some(1));
        ms(Plain::Number("99999999999999999999"), Some(99_999_999_999_999));
        ms(Plain::Number("100000000000000000000"), None);
        for text in ["2018-12-17T22:10:50.987Z", "2018-12-17 22:10:50.987654", "2018-12-18T07:10:50.987654321+09:00"] {
            ms(Plain::Text(text), Some(1_545_084_650_987));
        }
        check(
            "timestamp(us)",
            Plain::Text("2018-12-17T22:10:50.9876549Z"),
            Some(Value::Integer(1_545_084_650_987_654)),
        );
        for text in ["", "yesterday", "2018-13-01T00:00:00Z", "1e999", "12:00", "1545084650x", "é-é-"] {
            ms(Plain::Text(text), None);
        }
        let date = |text: Plain<'_>, want: Option<i64>| check("date", text, want.map(Value::Integer));
        date(Plain::Text("1970-01-03"), Some(2));
        date(Plain::Text("1970-01-03T23:59:59Z"), Some(2));
        date(Plain::Number("2"), Some(2));
        date(Plain::Text("1969-12-31T23:59:59.999Z"), Some(-1));
        for (text, days) in [("2", 2), ("2.0", 2), ("-2147483648", -2_147_483_648), ("1545084650", 1_545_084_650)] {
            date(Plain::Text(text), Some(days));
        }
        date(Plain::Text("19700103"), Some(2));
        date(Plain::Number("19700103"), Some(19_700_103));
        for text in ["1970-02-30", "19700230", "2147483648", "1.5", "", "1970-01-03x"] {
            date(Plain::Text(text), None);
        }
        check("time", Plain::Text("00:00:01.5"), Some(Value::Integer(1_500_000)));
        check("time", Plain::Number("1"), None);
    }
}
