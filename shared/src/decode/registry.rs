//! A value with a schema registry's header → the schema's id and the payload.
//!
//! - Confluent (docs.confluent.io, "Wire format"): `00 | id, u32 big-endian | payload`; a protobuf payload begins with
//!   the path to its message type.
//! - AWS Glue (awslabs/aws-glue-schema-registry, `AWSSchemaRegistryConstants`, `SerializationDataEncoder`):
//!   `03 | 00 plain or 05 zlib | schema version id, 16 bytes of UUID, big-endian | payload`; only the payload is packed.
//!
//! Nothing here asks a registry.

use std::fmt;

use bytes::Bytes;

use super::{Refusal, compression, refuse};
use crate::error::Code;

#[cfg(test)]
mod tests;

const CONFLUENT: u8 = 0x00;
const GLUE: u8 = 0x03;
const GLUE_PLAIN: u8 = 0x00;
const GLUE_ZLIB: u8 = 0x05;
/// A path through nested message types is not longer: protobuf's parsers nest no deeper.
const LONGEST_PATH: u64 = 100;

/// Which schema a value was written with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SchemaId {
    /// The number that a Confluent registry gave it.
    Confluent(u32),
    /// The UUID of the schema version in a Glue registry, most significant byte first.
    Glue([u8; 16]),
}

impl SchemaId {
    /// Reads it as registries and event source mappings write it: a decimal number, or a UUID with its hyphens.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() != 36 {
            return text.parse().ok().filter(|_| !text.starts_with('+')).map(Self::Confluent);
        }
        let hyphens = text.bytes().enumerate().all(|(at, byte)| (byte == b'-') == matches!(at, 8 | 13 | 18 | 23));
        let digits = text.replace('-', "");
        let plain = hyphens && digits.len() == 32 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        let number = u128::from_str_radix(&digits, 16).ok().filter(|_| plain)?;
        Some(Self::Glue(number.to_be_bytes()))
    }
}

impl fmt::Display for SchemaId {
    /// A decimal number, or a UUID in hyphenated lower case: as the registries' own interfaces take it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Confluent(id) => write!(f, "{id}"),
            Self::Glue(uuid) => uuid.iter().enumerate().try_for_each(|(at, byte)| {
                let hyphen = if matches!(at, 4 | 6 | 8 | 10) { "-" } else { "" };
                write!(f, "{hyphen}{byte:02x}")
            }),
        }
    }
}

/// A value and the schema it was written with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Framed {
    /// The schema.
    pub schema: SchemaId,
    /// What follows the header: a slice of the value, or unpacked from it.
    pub payload: Bytes,
}

/// Takes the header off `value`, whose first byte says whose it is. A packed payload unpacks to at most `cap` bytes.
///
/// # Errors
/// [`Code::InvalidFraming`] where there is no known header, or not all of one; those of [`compression::unpack_zlib`].
pub fn unframe(value: &Bytes, cap: usize) -> Result<Framed, Refusal> {
    match value.first() {
        Some(&CONFLUENT) => confluent(value),
        Some(&GLUE) => glue(value, cap),
        Some(_) => Err(framing("begins with no header of a schema registry (00 or 03)")),
        None => Err(framing("is empty: no header of a schema registry")),
    }
}

/// The schema that the header of `value` names, with nothing unpacked; `None` where there is no whole header.
#[must_use]
pub fn schema(value: &[u8]) -> Option<SchemaId> {
    match value {
        [CONFLUENT, rest @ ..] => rest.first_chunk().map(|id| SchemaId::Confluent(u32::from_be_bytes(*id))),
        [GLUE, _, rest @ ..] => rest.first_chunk().map(|uuid| SchemaId::Glue(*uuid)),
        _ => None,
    }
}

fn confluent(value: &Bytes) -> Result<Framed, Refusal> {
    let (_, rest) = value.split_at(1);
    let (id, _) = rest.split_first_chunk().ok_or_else(|| framing("ends within the Confluent header of 5 bytes"))?;
    let schema = SchemaId::Confluent(u32::from_be_bytes(*id));
    Ok(Framed { schema, payload: value.slice(1 + id.len()..) })
}

fn glue(value: &Bytes, cap: usize) -> Result<Framed, Refusal> {
    let cut = || framing("ends within the Glue header of 18 bytes");
    let ([_, packing], rest) = value.split_first_chunk().ok_or_else(cut)?;
    let (uuid, packed) = rest.split_first_chunk().ok_or_else(cut)?;
    let payload = match *packing {
        GLUE_PLAIN => value.slice_ref(packed),
        GLUE_ZLIB => compression::unpack_zlib(packed, cap)?,
        _ => return Err(framing("has a Glue header with an unknown compression (neither 00 nor 05)")),
    };
    Ok(Framed { schema: SchemaId::Glue(*uuid), payload })
}

/// A protobuf message in Confluent's framing, and which of the schema's message types it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Protobuf {
    /// The place of the message type among those of the file, then of the type nested in it, and so on; each from 0.
    pub path: Vec<u32>,
    /// The message: a slice of the payload.
    pub message: Bytes,
}

/// Takes the message type's path off a Confluent protobuf `payload`: the path's length, then its steps, all of them
/// zig-zag varints; the common path of one 0 is the single byte 0 (docs.confluent.io, "Wire format").
///
/// # Errors
/// [`Code::InvalidFraming`] where the path is cut short, negative, longer than 100 steps, or not of 32-bit numbers.
pub fn protobuf(payload: &Bytes) -> Result<Protobuf, Refusal> {
    let mut at = 0;
    let length = zig_zag(payload, &mut at)?;
    if length > LONGEST_PATH {
        return Err(framing("has a protobuf message path of more than 100 steps"));
    }
    let steps = (0..length).map(|_| {
        let step = zig_zag(payload, &mut at)?;
        u32::try_from(step).map_err(|_| framing("has a protobuf message path with a step beyond 32 bits"))
    });
    let mut path = steps.collect::<Result<Vec<_>, _>>()?;
    if path.is_empty() {
        path.push(0);
    }
    Ok(Protobuf { path, message: payload.slice(at..) })
}

/// Reads a zig-zag varint that may not be negative, and steps over it.
fn zig_zag(bytes: &[u8], at: &mut usize) -> Result<u64, Refusal> {
    let mut value = 0_u64;
    // Kafka's varints have 32 bits: at most 5 bytes.
    for shift in (0..35).step_by(7) {
        let byte = *bytes.get(*at).ok_or_else(|| framing("ends within the protobuf message path"))?;
        *at += 1;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            let is_negative = value & 1 == 1;
            return if is_negative { Err(framing("has a negative protobuf message path")) } else { Ok(value >> 1) };
        }
    }
    Err(framing("has a protobuf message path with a number of more than 5 bytes"))
}

fn framing(what: &'static str) -> Refusal {
    refuse(Code::InvalidFraming, format!("the value {what}"))
}
