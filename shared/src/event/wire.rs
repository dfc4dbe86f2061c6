//! Pieces of JSON that every event is made of → borrowed values.
//!
//! What a shape does not fit fails that piece alone; no message here repeats a value, because messages are logged.

use std::{borrow::Cow, fmt, marker::PhantomData, str::FromStr};

use base64::{
    Engine,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use bytes::Bytes;
use serde::{
    Deserialize, Deserializer,
    de::{Error as _, MapAccess, Visitor, value::MapAccessDeserializer},
};
use serde_json::value::RawValue;

use super::invalid;
use crate::error::Error;

/// The base64 that AWS writes, padded; what comes without padding is read as well.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A string that borrows where it has no escapes; inside an `Option` a bare `Cow` would not.
#[derive(Deserialize, Default)]
#[serde(transparent)]
pub(super) struct Text<'a>(#[serde(borrow)] pub Cow<'a, str>);

/// A struct that is written as an object: by itself serde takes an array for one as well, member by member.
pub(super) struct Object<T>(pub T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Whole<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Whole<T> {
            type Value = Object<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(Object)
            }
        }

        deserializer.deserialize_map(Whole(PhantomData))
    }
}

/// An object's members in the order they came, equal names included.
pub(super) struct Members<'a, V>(pub Vec<(Cow<'a, str>, V)>);

impl<V> Default for Members<'_, V> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de: 'a, 'a, V: Deserialize<'de>> Deserialize<'de> for Members<'a, V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Gather<'a, V>(PhantomData<Members<'a, V>>);

        impl<'de: 'a, 'a, V: Deserialize<'de>> Visitor<'de> for Gather<'a, V> {
            type Value = Members<'a, V>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some((Text(name), value)) = map.next_entry()? {
                    members.push((name, value));
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(Gather(PhantomData))
    }
}

/// Reads `event`, which must be JSON of the shape `T`; `what` tells a person the shape.
pub(super) fn event<'a, T: Deserialize<'a>>(event: &'a [u8], what: &str) -> Result<T, Error> {
    let text = str::from_utf8(event).map_err(|_| invalid("the event is not UTF-8"))?;
    parsed(text, "the event", what)
}

/// Reads one record of a batch, as [`event`] does.
pub(super) fn record<'a, T: Deserialize<'a>>(raw: &'a RawValue, what: &str) -> Result<T, Error> {
    parsed(raw.get(), "the record", what)
}

fn parsed<'a, T: Deserialize<'a>>(text: &'a str, whole: &str, what: &str) -> Result<T, Error> {
    // serde's own message may quote a value.
    serde_json::from_str(text)
        .map(|Object(value)| value)
        .map_err(|error| invalid(format!("{whole} is not {what} (line {} column {})", error.line(), error.column())))
}

/// The bytes of the base64 text of the field `name`.
pub(super) fn bytes(name: &str, text: &str) -> Result<Bytes, Error> {
    // What is padded as AWS does it is decoded several bytes at a time.
    if let Ok(bytes) = base64_simd::STANDARD.decode_to_vec(text) {
        return Ok(Bytes::from(bytes));
    }
    BASE64.decode(text).map(Bytes::from).map_err(|_| invalid(format!("{name} is not base64")))
}

/// What `pick` takes of `text`, borrowed where `text` is.
pub(super) fn part(text: Cow<'_, str>, pick: impl Fn(&str) -> Option<&str>) -> Option<Cow<'_, str>> {
    match text {
        Cow::Borrowed(text) => pick(text).map(Cow::Borrowed),
        Cow::Owned(text) => pick(&text).map(|part| Cow::Owned(part.to_owned())),
    }
}

/// A number's digits as they stand, or a string's content.
pub(super) fn scalar(raw: &RawValue) -> Option<Cow<'_, str>> {
    match raw.get().as_bytes().first()? {
        b'"' => serde_json::from_str::<Text<'_>>(raw.get()).ok().map(|Text(text)| text),
        b'-' | b'0'..=b'9' => Some(Cow::Borrowed(raw.get())),
        _ => None,
    }
}

/// An identifier that is written as a string or as a number.
pub(super) fn identifier<'de: 'a, 'a, D: Deserializer<'de>>(deserializer: D) -> Result<Cow<'a, str>, D::Error> {
    let raw = <&'a RawValue>::deserialize(deserializer)?;
    scalar(raw).ok_or_else(|| D::Error::custom("neither a string nor a number"))
}

/// A whole number, also one in a string.
pub(super) fn number<T: FromStr>(raw: &RawValue) -> Option<T> {
    scalar(raw)?.parse().ok()
}

/// What can be told of a record that is not of its shape: looked up member by member, so that a bad one hides no other.
#[derive(Clone, Copy)]
pub(super) struct Remains<'a>(&'a RawValue);

impl<'a> Remains<'a> {
    pub(super) fn of(raw: &'a RawValue) -> Self {
        Self(raw)
    }

    /// The string or number at `path`.
    pub(super) fn scalar(self, path: &[&str]) -> Option<Cow<'a, str>> {
        scalar(self.at(path)?)
    }

    /// The whole number at `path`.
    pub(super) fn number<T: FromStr>(self, path: &[&str]) -> Option<T> {
        number(self.at(path)?)
    }

    fn at(self, path: &[&str]) -> Option<&'a RawValue> {
        path.iter().try_fold(self.0, |raw, wanted| {
            let Members(members) = serde_json::from_str::<Members<'a, &'a RawValue>>(raw.get()).ok()?;
            members.into_iter().find_map(|(name, value)| (name == *wanted).then_some(value))
        })
    }
}
