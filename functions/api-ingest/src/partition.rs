//! A record → its partition key.
//!
//! The same record at the same place always gets the same key, so that a body that is sent again goes to the same
//! shards.

use std::{convert::Infallible, fmt, str::FromStr};

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Value, value::RawValue};
use xxhash_rust::xxh3::{xxh3_128, xxh3_128_with_seed};

/// The most characters of a key (Kinesis API reference, `PutRecordsRequestEntry`).
const LONGEST: usize = 256;

/// A field of a record: names from the outside in, written `customer.id`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field(Vec<String>);

impl FromStr for Field {
    type Err = Infallible;

    fn from_str(written: &str) -> Result<Self, Self::Err> {
        Ok(Self(written.split('.').map(str::to_owned).collect()))
    }
}

impl Field {
    /// The field's text: a string's content, a number's digits as they stand, `true` or `false`; `None` where the field
    /// is missing, null, empty or something larger. Of equal names the last one counts.
    #[must_use]
    pub fn read(&self, record: &[u8]) -> Option<String> {
        let found = Find(&self.0).deserialize(&mut serde_json::Deserializer::from_slice(record)).ok()??;
        match serde_json::from_str(found.get()).ok()? {
            Value::String(text) => Some(text).filter(|text| !text.is_empty()),
            Value::Number(_) | Value::Bool(_) => Some(found.get().to_owned()),
            Value::Null | Value::Array(_) | Value::Object(_) => None,
        }
    }
}

/// The key by which a record goes: its `field`, where that says something; else one of its own.
#[must_use]
pub fn key(record: &[u8], at: usize, field: Option<&Field>) -> Key {
    match field.and_then(|field| field.read(record)) {
        Some(text) if text.chars().count() <= LONGEST => Key::Field(text),
        Some(text) => Key::Field(format!("{:032x}", xxh3_128(text.as_bytes()))),
        // With its place, so that equal records (a heartbeat) spread over the shards.
        None => Key::Spread(format!("{:032x}", xxh3_128_with_seed(record, at as u64))),
    }
}

/// Where a key comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Key {
    /// The record's field; of a text longer than 256 characters its hash.
    Field(String),
    /// The record as a whole, and its place.
    Spread(String),
}

/// Follows a path of names to a value, and reads nothing else.
struct Find<'p>(&'p [String]);

impl<'de> DeserializeSeed<'de> for Find<'_> {
    type Value = Option<Box<RawValue>>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        match self.0 {
            [] => Deserialize::deserialize(deserializer).map(Some),
            _ => deserializer.deserialize_any(self),
        }
    }
}

/// What is no object has no field.
macro_rules! nothing {
    ($($visit:ident: $kind:ty),+) => {
        $(fn $visit<E>(self, _: $kind) -> Result<Self::Value, E> { Ok(None) })+
    };
}

impl<'de> Visitor<'de> for Find<'_> {
    type Value = Option<Box<RawValue>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    nothing!(visit_bool: bool, visit_i64: i64, visit_u64: u64, visit_f64: f64, visit_str: &str);

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(None)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let Some((name, inner)) = self.0.split_first() else { return Ok(None) };
        let mut found = None;
        while let Some(member) = map.next_key::<String>()? {
            if member == *name {
                found = map.next_value_seed(Find(inner))?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(record: &str, field: &str, expected: Option<&str>) {
        let Ok(field) = field.parse::<Field>();
        assert_eq!(field.read(record.as_bytes()).as_deref(), expected, "{record}");
    }

    #[test]
    fn a_field_is_read_as_text() {
        check(r#"{"id": "é\n", "x": {"id": 1}}"#, "id", Some("é\n"));
        check(r#"{"x": {"id": 1.50, "y": []}, "z": 1}"#, "x.id", Some("1.50"));
        check(r#"{"id": 123456789012345678901234567890}"#, "id", Some("123456789012345678901234567890"));
        check(r#"{"id": 1, "id": true}"#, "id", Some("true"));
    }

    #[test]
    fn what_says_nothing_is_none() {
        for record in
            [r#"{"id": null}"#, r#"{"id": ""}"#, r#"{"id": {}}"#, r#"{"id": []}"#, "{}", r#"{"id": "\ud800"}"#]
        {
            check(record, "id", None);
        }
        check(r#"{"id": [1, "a", {"x": 1}]}"#, "id.x", None);
        check(r#"{"id": "text"}"#, "id.x", None);
    }

    #[test]
    fn a_key_fits_the_stream() {
        let Ok(field) = "id".parse::<Field>();
        let long = format!(r#"{{"id": "{}"}}"#, "é".repeat(257));
        let Key::Field(hashed) = key(long.as_bytes(), 0, Some(&field)) else { panic!("a field") };
        assert_eq!((hashed.len(), key(long.as_bytes(), 9, Some(&field))), (32, Key::Field(hashed)));
        let longest = "é".repeat(256);
        let record = format!(r#"{{"id": "{longest}"}}"#);
        assert_eq!(key(record.as_bytes(), 0, Some(&field)), Key::Field(longest));
        let spread = [key(b"{}", 0, None), key(b"{}", 1, None), key(b"{}", 0, Some(&field))];
        assert!(spread[0] != spread[1] && spread[0] == spread[2], "{spread:?}");
    }
}
