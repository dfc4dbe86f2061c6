//! One column's values as a text format writes them → an arrow array.
//!
//! A value becomes the column's type exactly, or it is a misfit and nothing was appended.

use std::sync::Arc;

use arrow::{
    array::{
        ArrayRef, BinaryBuilder, BooleanBuilder, Date32Builder, Decimal128Builder, Float32Builder, Float64Builder,
        Int32Builder, Int64Builder, NullArray, PrimitiveArray, StringBuilder, UInt64Builder,
    },
    datatypes::{
        ArrowTimestampType, DataType, Int64Type, Time64MicrosecondType, Time64NanosecondType, TimeUnit,
        TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
    },
};

use headgate::literal::{
    scalar,
    time::{self, DAY},
};

use crate::schema::{tick, write_clock, write_date, write_moment};

/// What Debezium writes in the place of a value that the database did not log.
const UNAVAILABLE: &str = "__debezium_unavailable_value";

/// The same for a value that is a list.
const UNAVAILABLE_LIST: &str = r#"["__debezium_unavailable_value"]"#;

/// Why a value is none of its column's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Misfit {
    /// It cannot be read as the type.
    NotOfType,
    /// It is text but not UTF-8.
    NotUtf8,
    /// It stands for a value that the database did not log.
    Unavailable,
}

/// A value that is not NULL, with what its writer said of it.
#[derive(Debug, Clone, Copy)]
pub(super) enum Scalar<'a> {
    /// JSON `true` or `false`.
    Boolean(bool),
    /// A number's digits.
    Number(&'a str),
    /// Text.
    Text(&'a str),
    /// A JSON object or array.
    Json(&'a str),
    /// Bytes.
    Bytes(&'a [u8]),
    /// Ticks since 1970-01-01T00:00:00Z and a tick's nanoseconds.
    Moment(i64, i64),
    /// Ticks since midnight and a tick's nanoseconds.
    Clock(i64, i64),
}

/// A column that grows.
#[derive(Debug)]
pub(super) enum Column {
    Null(usize),
    Text(StringBuilder),
    Int32(Int32Builder),
    Int64(Int64Builder),
    UInt64(UInt64Builder),
    Float32(Float32Builder),
    Float64(Float64Builder),
    Decimal(Decimal128Builder, u8, i8),
    Boolean(BooleanBuilder),
    Date(Date32Builder),
    Moment(Int64Builder, TimeUnit, Option<Arc<str>>),
    Clock(Int64Builder, TimeUnit),
    /// The second part is room to decode into.
    Bytes(BinaryBuilder, Vec<u8>),
}

impl Column {
    /// An empty column, which takes no room yet; `None` for a type that no text format gives.
    pub(super) fn new(data_type: &DataType) -> Option<Self> {
        Some(match data_type {
            DataType::Null => Self::Null(0),
            DataType::Utf8 => Self::Text(StringBuilder::with_capacity(0, 0)),
            DataType::Int32 => Self::Int32(Int32Builder::with_capacity(0)),
            DataType::Int64 => Self::Int64(Int64Builder::with_capacity(0)),
            DataType::UInt64 => Self::UInt64(UInt64Builder::with_capacity(0)),
            DataType::Float32 => Self::Float32(Float32Builder::with_capacity(0)),
            DataType::Float64 => Self::Float64(Float64Builder::with_capacity(0)),
            DataType::Decimal128(p, s) => {
                Self::Decimal(Decimal128Builder::with_capacity(0).with_data_type(data_type.clone()), *p, *s)
            }
            DataType::Boolean => Self::Boolean(BooleanBuilder::with_capacity(0)),
            DataType::Date32 => Self::Date(Date32Builder::with_capacity(0)),
            DataType::Timestamp(TimeUnit::Second, _) => return None,
            DataType::Timestamp(unit, zone) => Self::Moment(Int64Builder::with_capacity(0), *unit, zone.clone()),
            DataType::Time64(unit) => Self::Clock(Int64Builder::with_capacity(0), *unit),
            DataType::Binary => Self::Bytes(BinaryBuilder::with_capacity(0, 0), Vec::new()),
            _ => return None,
        })
    }

    pub(super) fn append_null(&mut self) {
        match self {
            Self::Null(rows) => *rows += 1,
            Self::Text(values) => values.append_null(),
            Self::Int32(values) => values.append_null(),
            Self::Int64(values) | Self::Moment(values, ..) | Self::Clock(values, _) => values.append_null(),
            Self::UInt64(values) => values.append_null(),
            Self::Float32(values) => values.append_null(),
            Self::Float64(values) => values.append_null(),
            Self::Decimal(values, ..) => values.append_null(),
            Self::Boolean(values) => values.append_null(),
            Self::Date(values) => values.append_null(),
            Self::Bytes(values, _) => values.append_null(),
        }
    }

    /// Appends what the text says; bytes are hexadecimal digits.
    pub(super) fn append_text(&mut self, text: &[u8]) -> Result<(), Misfit> {
        match self {
            Self::Null(_) => return Err(Misfit::NotOfType),
            Self::Text(values) => values.append_value(std::str::from_utf8(text).map_err(|_| Misfit::NotUtf8)?),
            Self::Int32(values) => values.append_value(fits(scalar::integer(text))?),
            Self::Int64(values) => values.append_value(fits(scalar::integer(text))?),
            Self::UInt64(values) => values.append_value(fits(scalar::integer(text))?),
            Self::Float32(values) => values.append_value(fits(scalar::float(text))?),
            Self::Float64(values) => values.append_value(fits(scalar::float(text))?),
            Self::Decimal(values, p, s) => values.append_value(fits(scalar::decimal(text, *p, *s))?),
            Self::Boolean(values) => values.append_value(fits(scalar::boolean(text))?),
            Self::Date(values) => values.append_value(fits(time::date(text))?),
            Self::Moment(values, unit, _) => values.append_value(fits(time::moment(text, tick(*unit)))?),
            Self::Clock(values, unit) => values.append_value(fits(time::clock(text, tick(*unit)))?),
            Self::Bytes(values, room) => {
                fits(scalar::hexadecimal(text, room))?;
                values.append_value(&room[..]);
            }
        }
        Ok(())
    }

    /// Appends a JSON value. A bare number is days for a date and ticks of the column's own unit for a moment.
    pub(super) fn append(&mut self, value: Scalar<'_>) -> Result<(), Misfit> {
        match value {
            Scalar::Text(UNAVAILABLE) | Scalar::Json(UNAVAILABLE_LIST) => Err(Misfit::Unavailable),
            Scalar::Bytes(bytes) if bytes == UNAVAILABLE.as_bytes() => Err(Misfit::Unavailable),
            Scalar::Text(text) => self.append_text(text.as_bytes()),
            Scalar::Number(digits) => self.append_number(digits),
            Scalar::Boolean(truth) => match self {
                Self::Text(_) | Self::Boolean(_) => self.append_text(if truth { b"true" } else { b"false" }),
                Self::Date(_) | Self::Moment(..) | Self::Clock(..) | Self::Bytes(..) => Err(Misfit::NotOfType),
                _ => self.append_text(if truth { b"1" } else { b"0" }),
            },
            Scalar::Json(json) => match self {
                Self::Text(values) => {
                    values.append_value(json);
                    Ok(())
                }
                _ => Err(Misfit::NotOfType),
            },
            Scalar::Bytes(bytes) => match self {
                Self::Bytes(values, _) => {
                    values.append_value(bytes);
                    Ok(())
                }
                _ => Err(Misfit::NotOfType),
            },
            Scalar::Moment(ticks, size) => self.append_moment(ticks, size),
            Scalar::Clock(ticks, size) => self.append_clock(ticks, size),
        }
    }

    fn append_number(&mut self, digits: &str) -> Result<(), Misfit> {
        let text = digits.as_bytes();
        let whole = || fits(scalar::decimal(text, 38, 0));
        match self {
            Self::Int32(values) => values.append_value(fits(whole()?.try_into().ok())?),
            Self::Int64(values) | Self::Moment(values, ..) => values.append_value(fits(whole()?.try_into().ok())?),
            Self::UInt64(values) => values.append_value(fits(whole()?.try_into().ok())?),
            Self::Date(values) => values.append_value(fits(whole()?.try_into().ok())?),
            Self::Clock(values, unit) => values.append_value(fits(of_day(whole()?.try_into().ok(), *unit))?),
            Self::Bytes(..) => return Err(Misfit::NotOfType),
            _ => return self.append_text(text),
        }
        Ok(())
    }

    fn append_moment(&mut self, ticks: i64, size: i64) -> Result<(), Misfit> {
        match self {
            Self::Date(values) => {
                let days = time::rescale(ticks, size, DAY).and_then(|days| days.try_into().ok());
                values.append_value(fits(days)?);
            }
            Self::Moment(values, unit, _) => values.append_value(fits(time::rescale(ticks, size, tick(*unit)))?),
            Self::Text(values) => {
                match unit_of(size) {
                    Some(unit) => write_moment(values, ticks, unit),
                    None => write_date(values, fits(i32::try_from(ticks).ok())?.into()),
                }
                .map_err(|_| Misfit::NotOfType)?;
                values.append_value("");
            }
            _ => return self.append_number(&ticks.to_string()),
        }
        Ok(())
    }

    fn append_clock(&mut self, ticks: i64, size: i64) -> Result<(), Misfit> {
        match self {
            Self::Clock(values, unit) => {
                values.append_value(fits(of_day(time::rescale(ticks, size, tick(*unit)), *unit))?);
            }
            Self::Text(values) => {
                write_clock(values, ticks, fits(unit_of(size))?).map_err(|_| Misfit::NotOfType)?;
                values.append_value("");
            }
            _ => return self.append_number(&ticks.to_string()),
        }
        Ok(())
    }

    /// The rows so far; the column begins anew.
    pub(super) fn finish(&mut self) -> ArrayRef {
        match self {
            Self::Null(rows) => Arc::new(NullArray::new(std::mem::take(rows))),
            Self::Text(values) => Arc::new(values.finish()),
            Self::Int32(values) => Arc::new(values.finish()),
            Self::Int64(values) => Arc::new(values.finish()),
            Self::UInt64(values) => Arc::new(values.finish()),
            Self::Float32(values) => Arc::new(values.finish()),
            Self::Float64(values) => Arc::new(values.finish()),
            Self::Decimal(values, ..) => Arc::new(values.finish()),
            Self::Boolean(values) => Arc::new(values.finish()),
            Self::Date(values) => Arc::new(values.finish()),
            Self::Bytes(values, _) => Arc::new(values.finish()),
            Self::Clock(values, TimeUnit::Nanosecond) => {
                Arc::new(values.finish().reinterpret_cast::<Time64NanosecondType>())
            }
            Self::Clock(values, _) => Arc::new(values.finish().reinterpret_cast::<Time64MicrosecondType>()),
            Self::Moment(values, unit, zone) => match unit {
                TimeUnit::Second | TimeUnit::Millisecond => {
                    stamped::<TimestampMillisecondType>(&values.finish(), zone.as_ref())
                }
                TimeUnit::Microsecond => stamped::<TimestampMicrosecondType>(&values.finish(), zone.as_ref()),
                TimeUnit::Nanosecond => stamped::<TimestampNanosecondType>(&values.finish(), zone.as_ref()),
            },
        }
    }
}

fn stamped<T: ArrowTimestampType>(ticks: &PrimitiveArray<Int64Type>, zone: Option<&Arc<str>>) -> ArrayRef {
    Arc::new(ticks.reinterpret_cast::<T>().with_timezone_opt(zone.cloned()))
}

fn fits<T>(value: Option<T>) -> Result<T, Misfit> {
    value.ok_or(Misfit::NotOfType)
}

/// Ticks that are a time of day: a span of time, which `MySQL` keeps under the same type, is none.
fn of_day(ticks: Option<i64>, unit: TimeUnit) -> Option<i64> {
    ticks.filter(|ticks| (0..DAY / tick(unit)).contains(ticks))
}

fn unit_of(size: i64) -> Option<TimeUnit> {
    [TimeUnit::Second, TimeUnit::Millisecond, TimeUnit::Microsecond, TimeUnit::Nanosecond]
        .into_iter()
        .find(|unit| tick(*unit) == size)
}
