//! A record's value or key → the JSON text that the contract reads.
//!
//! Pure: the schemas are at hand before.

use bytes::Bytes;
use headgate::{
    Code,
    dataset::stream::RecordFormat,
    decode::{
        Refusal,
        registry::{self, SchemaId},
    },
    event::kafka::SchemaMetadata,
};
use headgate_columnar::stream::UNPACKED;

use crate::{
    avro::{self, Style},
    debezium,
    schemas::Known,
};

/// How many bytes of JSON a byte of Avro may become: the name of a field may be long.
const WIDEST: usize = 1_000;
/// What a datum may become however short it is: fields that are null by their type take no bytes. Without an end to
/// that, a batch of datums that claim a billion nulls would take all the time there is, at every delivery.
const LEAST: usize = 64 << 10;

/// What a value says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Content {
    /// JSON as it came: one object or more, maybe packed.
    Plain(Bytes),
    /// One JSON object that was under a header or in another format.
    Object(String),
    /// A message of the transport.
    Control,
}

/// The schema that it takes to read `bytes`, if any.
pub(crate) fn schema(format: RecordFormat, bytes: &[u8], told: Option<&SchemaMetadata<'_>>) -> Option<SchemaId> {
    if !format.is_avro() {
        return None;
    }
    told.map_or_else(|| registry::schema(bytes), |told| SchemaId::parse(&told.schema_id))
}

/// What `bytes` say.
pub(crate) fn read(
    format: RecordFormat,
    bytes: &Bytes,
    told: Option<&SchemaMetadata<'_>>,
    known: &Known,
) -> Result<Content, Refusal> {
    if format.is_avro() {
        let (id, datum) = datum(bytes, told)?;
        return Ok(Content::Object(decode(id, &datum, Style::Contract, known)?));
    }
    if !is_framed(bytes) {
        return Ok(Content::Plain(bytes.clone()));
    }
    // What the schema says of JSON, the contract says again: the text alone is needed.
    let payload = registry::unframe(bytes, UNPACKED)?.payload;
    let text = std::str::from_utf8(&payload);
    let text = text.map_err(|_| Refusal { code: Code::InvalidJson, reason: "not UTF-8".into() })?;
    Ok(Content::Object(text.to_owned()))
}

/// The JSON of an Avro datum.
pub(crate) fn decode(id: SchemaId, datum: &[u8], style: Style, known: &Known) -> Result<String, Refusal> {
    let cap = UNPACKED.min(LEAST + datum.len().saturating_mul(WIDEST));
    avro::decode(known.get(id)?, datum, style, cap)
}

/// No JSON text begins with one of these.
pub(crate) fn is_framed(bytes: &[u8]) -> bool {
    matches!(bytes.first(), Some(0 | 3))
}

/// The datum and its schema: as the mapping tells it where it took the header off (`EventRecordFormat` `SOURCE`), else
/// by the header.
pub(crate) fn datum(bytes: &Bytes, told: Option<&SchemaMetadata<'_>>) -> Result<(SchemaId, Bytes), Refusal> {
    let Some(told) = told else {
        let framed = registry::unframe(bytes, UNPACKED)?;
        return Ok((framed.schema, framed.payload));
    };
    if told.data_format != "AVRO" {
        let reason = "the mapping says that the value is not Avro";
        return Err(Refusal { code: Code::InvalidAvro, reason: reason.into() });
    }
    let id = SchemaId::parse(&told.schema_id);
    let id = id.ok_or(Refusal { code: Code::UnknownSchema, reason: "the mapping's schema id is none".into() })?;
    Ok((id, bytes.clone()))
}

/// The object that a tombstone's key says: `{}` where it is text, a number or nothing.
pub(crate) fn key(
    format: RecordFormat,
    key: Option<&Bytes>,
    told: Option<&SchemaMetadata<'_>>,
    known: &Known,
) -> Result<String, Refusal> {
    let object = |text: &str| text.trim_start().starts_with('{').then(|| text.to_owned());
    let Some(key) = key else { return Ok("{}".to_owned()) };
    let text = if is_framed(key) || told.is_some() {
        match read(format, key, told, known)? {
            Content::Object(text) => object(&text),
            Content::Plain(bytes) => std::str::from_utf8(&bytes).ok().and_then(object),
            Content::Control => None,
        }
    } else {
        std::str::from_utf8(key).ok().and_then(object)
    };
    let text = text.unwrap_or_else(|| "{}".to_owned());
    Ok(if format.is_debezium() { debezium::payload(&text).to_owned() } else { text })
}
