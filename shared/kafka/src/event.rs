//! A record → Debezium's event in it, as JSON on one line.
//!
//! Whether a value is JSON or Avro, it says itself. Numbers and texts stay as they are written.

use bytes::Bytes;
use headgate::{
    Code,
    decode::{
        Refusal,
        registry::{self, SchemaId},
    },
    event::kafka::{Record, SchemaMetadata},
};
use headgate_columnar::stream::UNPACKED;
use serde::{Deserialize, Deserializer, de::IgnoredAny};
use serde_json::value::RawValue;

use crate::{avro::Style, content, schemas::Known};

/// What a record of a change topic is.
#[derive(Debug)]
pub(crate) enum Event {
    Change(Told),
    /// Its key is gone, which the delete before it said.
    Tombstone,
    /// A message of the connector or of the database's log.
    Control,
}

/// A change.
#[derive(Debug)]
pub(crate) struct Told {
    /// The event, with what is around it where it came as JSON.
    pub(crate) text: String,
    /// What it was written with, where that was Avro.
    pub(crate) schema: Option<SchemaId>,
    /// When the connector handled it, in milliseconds since 1970.
    pub(crate) at: Option<i64>,
    /// Whether it says that the table was emptied.
    pub(crate) truncates: bool,
}

/// A value without the header of a registry.
enum Value {
    Json(Bytes),
    Avro(SchemaId, Bytes),
}

/// The members of a document that say what it is.
#[derive(Deserialize)]
struct Members<'a> {
    #[serde(borrow)]
    op: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "there")]
    payload: Option<&'a RawValue>,
    #[serde(borrow)]
    ts_ms: Option<&'a RawValue>,
    // Of a transaction's begin or end.
    #[serde(borrow)]
    status: Option<&'a RawValue>,
    id: Option<IgnoredAny>,
    // Of a change of the database's schema.
    #[serde(rename = "databaseName")]
    database: Option<IgnoredAny>,
    #[serde(rename = "tableChanges")]
    tables: Option<IgnoredAny>,
}

/// A member that is there, though it be `null`.
fn there<'de, D: Deserializer<'de>>(member: D) -> Result<Option<&'de RawValue>, D::Error> {
    Deserialize::deserialize(member).map(Some)
}

impl Event {
    /// Reads the record.
    ///
    /// # Errors
    /// Where it is none of Debezium's.
    pub(crate) fn of(record: &Record<'_>, known: &Known) -> Result<Self, Refusal> {
        let Some(bytes) = &record.value else { return Ok(Self::Tombstone) };
        match Value::of(bytes, record.value_schema.as_ref())? {
            Value::Avro(id, datum) => Self::told(content::decode(id, &datum, Style::Connect, known)?, Some(id)),
            Value::Json(bytes) => {
                let text = String::from_utf8(bytes.into()).map_err(|_| refuse(Code::InvalidJson, "not UTF-8"))?;
                Self::told(text, None)
            }
        }
    }

    fn told(mut text: String, schema: Option<SchemaId>) -> Result<Self, Refusal> {
        if text.trim_ascii() == "null" {
            return Ok(Self::Tombstone);
        }
        let mut members = Members::of(&text)?;
        if let Some(payload) = members.payload.filter(|_| members.op.is_none()) {
            if payload.get() == "null" {
                return Ok(Self::Tombstone);
            }
            members = Members::of(payload.get())?;
        }
        match members.op.map(RawValue::get) {
            Some(r#""m""#) => return Ok(Self::Control),
            Some(_) => {}
            None if members.is_control() => return Ok(Self::Control),
            None => return Err(refuse(Code::UnknownOp, "no change event: there is no `op`")),
        }
        let truncates = matches!(members.op.map(RawValue::get), Some(r#""t""# | r#""T""#));
        let at = members.ts_ms.and_then(|at| at.get().parse().ok());
        // In JSON a line break is but white space between tokens.
        if text.contains('\n') || text.contains('\r') {
            text.retain(|sign| !matches!(sign, '\n' | '\r'));
        }
        Ok(Self::Change(Told { text, schema, at, truncates }))
    }
}

impl<'a> Members<'a> {
    fn of(text: &'a str) -> Result<Self, Refusal> {
        let is_object = text.trim_start().starts_with('{');
        let members = serde_json::from_str(text).ok().filter(|_| is_object);
        members.ok_or_else(|| refuse(Code::InvalidJson, "no change event: not a JSON object"))
    }

    fn is_control(&self) -> bool {
        let of_transaction = matches!(self.status.map(RawValue::get), Some(r#""BEGIN""# | r#""END""#));
        of_transaction && self.id.is_some() || self.database.is_some() && self.tables.is_some()
    }
}

impl Value {
    /// An event begins with a union or a record in Avro, never with what a JSON object begins with.
    fn of(bytes: &Bytes, told: Option<&SchemaMetadata<'_>>) -> Result<Self, Refusal> {
        if is_object(bytes) {
            return Ok(Self::Json(bytes.clone()));
        }
        if told.is_some_and(|told| told.data_format == "AVRO") {
            return content::datum(bytes, told).map(|(id, datum)| Self::Avro(id, datum));
        }
        if !content::is_framed(bytes) {
            return Ok(Self::Json(bytes.clone()));
        }
        let framed = registry::unframe(bytes, UNPACKED)?;
        Ok(if is_object(&framed.payload) {
            Self::Json(framed.payload)
        } else {
            Self::Avro(framed.schema, framed.payload)
        })
    }
}

/// The schema that it takes to read the record, if any.
pub(crate) fn schema(record: &Record<'_>) -> Option<SchemaId> {
    match Value::of(record.value.as_ref()?, record.value_schema.as_ref()) {
        Ok(Value::Avro(id, _)) => Some(id),
        _ => None,
    }
}

fn is_object(bytes: &[u8]) -> bool {
    bytes.trim_ascii_start().first() == Some(&b'{')
}

fn refuse(code: Code, reason: &'static str) -> Refusal {
    Refusal { code, reason: reason.into() }
}
