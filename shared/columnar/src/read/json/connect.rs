//! Kafka Connect's embedded schema → how each column's values are written.
//!
//! The logical name decides before the plain type: an int64 may be a moment, and bytes a decimal.

use std::collections::BTreeMap;

use arrow::datatypes::{
    DECIMAL128_MAX_PRECISION, DECIMAL128_MAX_SCALE, DataType, Decimal128Type, DecimalType, TimeUnit,
};
use base64::{Engine, prelude::BASE64_STANDARD};
use headgate::literal::time::DAY;
use serde::Deserialize;

use super::object;
use crate::{
    read::column::{Column, Misfit, Scalar},
    schema::{UTC, tick},
};

/// How a column's values are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Form {
    /// As JSON says them.
    #[default]
    Plain,
    /// Ticks since 1970 of so many nanoseconds.
    Moment(i64),
    /// Ticks since midnight of so many nanoseconds.
    Clock(i64),
    /// Bytes in base64.
    Base64,
    /// An integer's big-endian bytes in base64, with this scale.
    Decimal(i32),
}

/// A column as its schema declares it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Encoded {
    pub(super) name: String,
    pub(super) data_type: DataType,
    pub(super) form: Form,
}

#[derive(Debug, Deserialize)]
struct Schema {
    r#type: String,
    field: Option<String>,
    name: Option<String>,
    #[serde(default)]
    fields: Vec<Schema>,
    #[serde(default)]
    parameters: BTreeMap<String, String>,
}

/// The columns of the rows in an envelope's schema; `None` where it is none.
pub(super) fn columns(schema: &str) -> Option<Vec<Encoded>> {
    let envelope: Schema = serde_json::from_str(schema).ok()?;
    let image = |name: &str| envelope.fields.iter().find(|part| part.field.as_deref() == Some(name));
    let row = image("after").or_else(|| image("before"))?;
    Some(row.fields.iter().filter_map(encoded).collect())
}

fn encoded(column: &Schema) -> Option<Encoded> {
    let (data_type, form) = match column.name.as_deref().and_then(|name| logical(name, &column.parameters)) {
        Some(known) => known,
        None => plain(&column.r#type),
    };
    Some(Encoded { name: column.field.clone()?, data_type, form })
}

fn logical(name: &str, parameters: &BTreeMap<String, String>) -> Option<(DataType, Form)> {
    let (milli, micro, nano) = (TimeUnit::Millisecond, TimeUnit::Microsecond, TimeUnit::Nanosecond);
    let moment = |unit| (DataType::Timestamp(unit, None), Form::Moment(tick(unit)));
    let name = name.strip_prefix("io.debezium.").or_else(|| name.strip_prefix("org.apache.kafka.connect."))?;
    Some(match name {
        "time.Date" | "data.Date" => (DataType::Date32, Form::Moment(DAY)),
        "time.Time" | "data.Time" => (DataType::Time64(micro), Form::Clock(tick(milli))),
        "time.MicroTime" => (DataType::Time64(micro), Form::Clock(tick(micro))),
        "time.NanoTime" => (DataType::Time64(nano), Form::Clock(tick(nano))),
        "time.Timestamp" | "data.Timestamp" => moment(milli),
        "time.MicroTimestamp" => moment(micro),
        "time.NanoTimestamp" => moment(nano),
        "time.ZonedTimestamp" => (DataType::Timestamp(micro, Some(UTC.into())), Form::Plain),
        "time.IsoDate" => (DataType::Date32, Form::Plain),
        "data.VariableScaleDecimal" => (DataType::Utf8, Form::Plain),
        "data.Decimal" => decimal(parameters),
        _ => return None,
    })
}

/// A decimal of the declared scale, and of the declared precision where the source told it.
fn decimal(parameters: &BTreeMap<String, String>) -> (DataType, Form) {
    let told = |name: &str| parameters.get(name).and_then(|text| text.parse::<i32>().ok());
    let scale = told("scale").unwrap_or(0);
    let precision = told("connect.decimal.precision").and_then(|p| u8::try_from(p).ok()).filter(|p| *p > 0);
    let precision = precision.unwrap_or(DECIMAL128_MAX_PRECISION).min(DECIMAL128_MAX_PRECISION);
    let data_type = match i8::try_from(scale) {
        Ok(scale @ 0..=DECIMAL128_MAX_SCALE) => DataType::Decimal128(precision.max(scale.unsigned_abs()), scale),
        _ => DataType::Utf8,
    };
    (data_type, Form::Decimal(scale))
}

fn plain(connect_type: &str) -> (DataType, Form) {
    let data_type = match connect_type {
        "int8" | "int16" | "int32" => DataType::Int32,
        "int64" => DataType::Int64,
        "float" | "float32" => DataType::Float32,
        "double" | "float64" => DataType::Float64,
        "boolean" => DataType::Boolean,
        "bytes" => return (DataType::Binary, Form::Base64),
        _ => DataType::Utf8,
    };
    (data_type, Form::Plain)
}

/// Appends a JSON value that is not `null`.
pub(super) fn append(column: &mut Column, form: Form, value: &str) -> Result<(), Misfit> {
    let first = value.bytes().next().unwrap_or_default();
    let ticks = || value.parse().map_err(|_| Misfit::NotOfType);
    match (form, first) {
        (Form::Moment(size), b'-' | b'0'..=b'9') => column.append(Scalar::Moment(ticks()?, size)),
        (Form::Clock(size), b'-' | b'0'..=b'9') => column.append(Scalar::Clock(ticks()?, size)),
        (Form::Decimal(scale), b'"') => {
            let text = object::text(value).ok_or(Misfit::NotUtf8)?;
            column.append(Scalar::Number(&unscaled(&text, scale)?))
        }
        // Into a text column go bytes as they are written.
        (Form::Base64, b'"') if matches!(column, Column::Bytes(..)) => {
            let text = object::text(value).ok_or(Misfit::NotUtf8)?;
            column.append(Scalar::Bytes(&BASE64_STANDARD.decode(&*text).map_err(|_| Misfit::NotOfType)?))
        }
        (_, b'"') => column.append(Scalar::Text(&object::text(value).ok_or(Misfit::NotUtf8)?)),
        (_, b't' | b'f') => column.append(Scalar::Boolean(first == b't')),
        (_, b'{' | b'[') => match variable_scale(value) {
            Some(digits) => column.append(Scalar::Number(&digits?)),
            None => column.append(Scalar::Json(value)),
        },
        _ => column.append(Scalar::Number(value)),
    }
}

/// The number in `{"scale": 2, "value": "base64"}`; `None` where the object is something else.
fn variable_scale(object: &str) -> Option<Result<String, Misfit>> {
    let (mut scale, mut value, mut others) = (None, None, 0);
    let each = |name: &str, field: &str| match name {
        "scale" => scale = field.parse().ok(),
        "value" => value = object::text(field).filter(|_| field.starts_with('"')).map(std::borrow::Cow::into_owned),
        _ => others += 1,
    };
    object::fields(object, each).ok()?;
    (others == 0).then_some(())?;
    Some(unscaled(&value?, scale?))
}

/// Big-endian two's-complement bytes in base64 → decimal text.
fn unscaled(base64: &str, scale: i32) -> Result<String, Misfit> {
    let bytes = BASE64_STANDARD.decode(base64).map_err(|_| Misfit::NotOfType)?;
    let first = *bytes.first().ok_or(Misfit::NotOfType)?;
    let mut wide = if first >= 0x80 { [0xff; 16] } else { [0; 16] };
    let start = wide.len().checked_sub(bytes.len()).ok_or(Misfit::NotOfType)?;
    wide[start..].copy_from_slice(&bytes);
    let value = i128::from_be_bytes(wide);
    Ok(match i8::try_from(scale) {
        Ok(scale @ 0..) => Decimal128Type::format_decimal(value, DECIMAL128_MAX_PRECISION, scale),
        _ => format!("{value}E{}", -i64::from(scale)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(base64: &str, scale: i32, want: Result<&str, Misfit>) {
        assert_eq!(unscaled(base64, scale), want.map(str::to_owned), "{base64}");
    }

    #[test]
    fn reads_unscaled_decimals() {
        check("AN3H", 2, Ok("567.75"));
        check("/w==", 2, Ok("-0.01"));
        check("AA==", 0, Ok("0"));
        check("AQ==", -3, Ok("1E3"));
        check("f////////////////////w==", 0, Ok("170141183460469231731687303715884105727"));
        check("AP////////////////////8=", 0, Err(Misfit::NotOfType));
        check("", 2, Err(Misfit::NotOfType));
        check("?", 2, Err(Misfit::NotOfType));
    }

    #[test]
    fn logical_names_decide() {
        let schema = r#"{"type":"struct","fields":[{"field":"before","type":"struct","fields":[]},
            {"field":"after","type":"struct","fields":[
            {"field":"id","type":"int64","optional":false},
            {"field":"d","type":"bytes","name":"org.apache.kafka.connect.data.Decimal",
             "parameters":{"scale":"2","connect.decimal.precision":"10"}},
            {"field":"t","type":"int64","name":"io.debezium.time.MicroTimestamp","default":0},
            {"field":"e","type":"string","name":"io.debezium.data.Enum"},
            {"field":"b","type":"bytes","name":"io.debezium.data.Bits","parameters":{"length":"2"}},
            {"field":"a","type":"array","items":{"type":"string"}}]},
            {"field":"op","type":"string"}]}"#;
        let got = columns(schema).unwrap();
        let told: Vec<_> = got.iter().map(|c| format!("{} {} {:?}", c.name, c.data_type, c.form)).collect();
        assert_eq!(
            told,
            [
                "id Int64 Plain",
                "d Decimal128(10, 2) Decimal(2)",
                "t Timestamp(µs) Moment(1000)",
                "e Utf8 Plain",
                "b Binary Base64",
                "a Utf8 Plain"
            ]
        );
        assert_eq!(columns(r#"{"type":"string"}"#), None);
        assert_eq!(columns("7"), None);
    }
}
