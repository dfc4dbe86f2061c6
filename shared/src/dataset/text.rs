//! The short texts of a dataset file → compression, column type, moment; and back.
//!
//! Each error says which texts are right.

use std::{fmt, str::FromStr};

use time::{Date, Month, OffsetDateTime, Time, format_description::well_known::Rfc3339};

use super::{ColumnType, Compression, TimeUnit};
use crate::clock::Timestamp;

mod nested;

/// A text that is none of those it may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// Not a compression.
    #[error("must be `none`, `snappy`, `zstd` or `zstd(LEVEL)` with a level from 1 to 22")]
    Compression,
    /// Not a column type.
    #[error(
        "must be one of string, int32, int64, uint64, float32, float64, decimal(P,S), boolean, date, timestamp(ms), \
         timestamp(us), time, binary, json, list<TYPE>, struct<NAME: TYPE, …>, nested at most 8 deep"
    )]
    ColumnType,
    /// A decimal that cannot be.
    #[error("must be decimal(P,S) with a precision P from 1 to 38 and a scale S from 0 to P")]
    Decimal,
    /// Not a moment.
    #[error("must be an RFC 3339 time such as 2024-01-15T22:30:00Z or a change file's stem such as 20240115-223000000")]
    Moment,
}

impl FromStr for Compression {
    type Err = TextError;

    fn from_str(text: &str) -> Result<Self, TextError> {
        match text {
            "none" => Ok(Self::None),
            "snappy" => Ok(Self::Snappy),
            "zstd" => Ok(Self::default()),
            _ => {
                let level = argument(text, "zstd").and_then(number).filter(|level| (1..=22).contains(level));
                level.map(|level| Self::Zstd(i32::from(level))).ok_or(TextError::Compression)
            }
        }
    }
}

impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("none"),
            Self::Snappy => f.write_str("snappy"),
            Self::Zstd(level) => write!(f, "zstd({level})"),
        }
    }
}

impl Default for Compression {
    /// Zstandard's fastest common level: a merge spends most of its time here.
    fn default() -> Self {
        Self::Zstd(1)
    }
}

impl FromStr for ColumnType {
    type Err = TextError;

    fn from_str(text: &str) -> Result<Self, TextError> {
        Ok(match text {
            "string" => Self::String,
            "int32" => Self::Int32,
            "int64" => Self::Int64,
            "uint64" => Self::Uint64,
            "float32" => Self::Float32,
            "float64" => Self::Float64,
            "boolean" => Self::Boolean,
            "date" => Self::Date,
            "timestamp(ms)" => Self::Timestamp(TimeUnit::Milli),
            "timestamp(us)" => Self::Timestamp(TimeUnit::Micro),
            "time" => Self::Time,
            "binary" => Self::Binary,
            "json" => Self::Json,
            _ => return nested::parse(text).unwrap_or_else(|| decimal(argument(text, "decimal"))),
        })
    }
}

impl fmt::Display for ColumnType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::String => "string",
            Self::Int32 => "int32",
            Self::Int64 => "int64",
            Self::Uint64 => "uint64",
            Self::Float32 => "float32",
            Self::Float64 => "float64",
            Self::Decimal(precision, scale) => return write!(f, "decimal({precision},{scale})"),
            Self::Boolean => "boolean",
            Self::Date => "date",
            Self::Timestamp(TimeUnit::Milli) => "timestamp(ms)",
            Self::Timestamp(TimeUnit::Micro) => "timestamp(us)",
            Self::Time => "time",
            Self::Binary => "binary",
            Self::Json => "json",
            Self::List(item) => return write!(f, "list<{item}>"),
            Self::Struct(members) => return nested::write(f, members),
        })
    }
}

/// What stands in the brackets of `name(…)`.
fn argument<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.strip_prefix(name)?.strip_prefix('(')?.strip_suffix(')')
}

/// One or two digits, the first not 0 unless alone.
fn number(text: &str) -> Option<u8> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    if plain { text.parse().ok() } else { None }
}

fn decimal(arguments: Option<&str>) -> Result<ColumnType, TextError> {
    precise(arguments.ok_or(TextError::ColumnType)?).ok_or(TextError::Decimal)
}

fn precise(arguments: &str) -> Option<ColumnType> {
    let (precision, scale) = arguments.split_once(',')?;
    let (precision, scale) = (number(precision)?, number(scale.strip_prefix(' ').unwrap_or(scale))?);
    let scaled = (1..=38).contains(&precision) && scale <= precision;
    scaled.then_some(ColumnType::Decimal(precision, scale.cast_signed()))
}

/// The moment a text names: RFC 3339, or a change file's stem (`yyyymmdd-hhmmssmmm`, UTC).
///
/// # Errors
/// [`TextError::Moment`]
pub fn moment(text: &str) -> Result<Timestamp, TextError> {
    let moment = stem(text).or_else(|| OffsetDateTime::parse(text, &Rfc3339).ok()).ok_or(TextError::Moment)?;
    let milliseconds = moment.unix_timestamp_nanos().div_euclid(1_000_000);
    i64::try_from(milliseconds).map(Timestamp).map_err(|_| TextError::Moment)
}

fn stem(text: &str) -> Option<OffsetDateTime> {
    let (day, time) = text.split_once('-')?;
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if day.len() != 8 || time.len() != 9 || !digits(day) || !digits(time) {
        return None;
    }
    let month = Month::try_from(day[4..6].parse::<u8>().ok()?).ok()?;
    let date = Date::from_calendar_date(day[..4].parse().ok()?, month, day[6..].parse().ok()?).ok()?;
    let (hour, minute) = (time[..2].parse().ok()?, time[2..4].parse().ok()?);
    let time = Time::from_hms_milli(hour, minute, time[4..6].parse().ok()?, time[6..].parse().ok()?).ok()?;
    Some(date.with_time(time).assume_utc())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compressions() {
        for (text, value) in
            [("none", Compression::None), ("snappy", Compression::Snappy), ("zstd(22)", Compression::Zstd(22))]
        {
            assert_eq!(text.parse(), Ok(value));
            assert_eq!(value.to_string(), text);
        }
        assert_eq!("zstd".parse(), Ok(Compression::Zstd(1)));
        for bad in [
            "",
            "zstd(0)",
            "zstd(23)",
            "zstd()",
            "zstd(01)",
            "zstd(+1)",
            "zstd( 1)",
            "ZSTD",
            "gzip",
            "zstd(1",
            "zstd(999)",
        ] {
            assert_eq!(bad.parse::<Compression>(), Err(TextError::Compression), "{bad}");
        }
    }

    #[test]
    fn column_types() {
        let plain =
            "string int32 int64 uint64 float32 float64 boolean date timestamp(ms) timestamp(us) time binary json";
        for text in plain.split(' ').chain(["decimal(1,0)", "decimal(38,38)", "decimal(18,4)"]) {
            assert_eq!(text.parse::<ColumnType>().map(|value| value.to_string()), Ok(text.to_owned()));
        }
        assert_eq!("decimal(10, 2)".parse(), Ok(ColumnType::Decimal(10, 2)));
        for bad in [
            "decimal(0,0)",
            "decimal(39,0)",
            "decimal(5,6)",
            "decimal(5)",
            "decimal(5,-1)",
            "decimal()",
            "decimal(300,1)",
        ] {
            assert_eq!(bad.parse::<ColumnType>(), Err(TextError::Decimal), "{bad}");
        }
        for bad in ["", "text", "Int64", "timestamp", "timestamp(ns)", "decimal", "decimal(5,2"] {
            assert_eq!(bad.parse::<ColumnType>(), Err(TextError::ColumnType), "{bad}");
        }
    }

    #[test]
    fn moments() {
        let expected = Ok(Timestamp(1_705_357_800_000));
        for text in ["2024-01-15T22:30:00Z", "2024-01-16T07:30:00+09:00", "20240115-223000000"] {
            assert_eq!(moment(text), expected, "{text}");
        }
        assert_eq!(moment("20240115-223000123"), Ok(Timestamp(1_705_357_800_123)));
        assert_eq!(
            moment("1969-12-31T23:59:59.9999Z"),
            Ok(Timestamp(-1)),
            "a part of a millisecond is cut off downwards"
        );
        for bad in [
            "",
            "2024-01-15",
            "2024-01-15 22:30",
            "20240115-2230",
            "20241315-223000000",
            "20240230-000000000",
            "20240115-240000000",
            "+0240115-223000000",
        ] {
            assert_eq!(moment(bad), Err(TextError::Moment), "{bad}");
        }
    }
}
