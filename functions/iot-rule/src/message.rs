//! What a rule's SQL gave → messages, each a JSON object.
//!
//! The event is the result itself, without an envelope: an object, an array of them (a batch), or a scalar
//! (`SELECT VALUE …`).

use std::{borrow::Cow, collections::BTreeMap};

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use headgate::{
    Code, Error,
    decode::{Refusal, RefusedPart, compression, json::documents},
};
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

/// The field of a scalar.
const VALUE: &str = "value";
/// The most bytes that a device's payload may unpack to.
const UNPACKED: usize = 8 << 20;

/// An object, each of its values as it was written: numbers keep all of their digits.
pub(crate) type Object = BTreeMap<String, Box<RawValue>>;

/// The bytes of an object.
pub(crate) fn bytes(object: &Object) -> Bytes {
    // Nothing of it can fail to be JSON.
    serde_json::to_vec(object).unwrap_or_default().into()
}

/// The value of a field.
pub(crate) fn value(value: &impl Serialize) -> Box<RawValue> {
    // Texts and numbers cannot fail to be JSON.
    to_raw_value(value).unwrap_or_default()
}

/// Reads an event: messages, in order, and what is none.
///
/// # Errors
/// Poison: it is no JSON.
pub(crate) fn read(event: &[u8]) -> Result<Vec<Result<Bytes, RefusedPart>>, Error> {
    let text = event.trim_ascii();
    let whole: &RawValue = serde_json::from_slice(text).map_err(|error| {
        let told = format!("no result of a rule: not JSON (line {}, column {})", error.line(), error.column());
        Error::poison(Code::InvalidEvent, told)
    })?;
    let body = Bytes::copy_from_slice(text);
    Ok(match text.first() {
        Some(b'{') => vec![Ok(body)],
        Some(b'[') => documents(&body).map(element).collect(),
        _ if whole.get() == "null" => Vec::new(),
        _ => vec![Ok(scalar(whole.get()))],
    })
}

/// An element of a batch, which may be a scalar.
fn element(part: Result<headgate::decode::json::Document, RefusedPart>) -> Result<Bytes, RefusedPart> {
    match part {
        Ok(document) => Ok(document.raw),
        Err(part) => match part.raw.first() {
            Some(b'{' | b'[' | b'n') | None => Err(part),
            Some(_) => std::str::from_utf8(&part.raw).map(scalar).map_err(|_| part.clone()),
        },
    }
}

fn scalar(text: &str) -> Bytes {
    format!(r#"{{"{VALUE}":{text}}}"#).into()
}

/// The message of a device that is in `field` of `message`, in Base64: with the other fields of `message` beside it,
/// which win. `None` where there is no such field.
///
/// # Errors
/// Why it cannot be unpacked.
pub(crate) fn unwrap(message: &[u8], field: &str) -> Result<Option<Bytes>, Refusal> {
    let mut beside: Object =
        serde_json::from_slice(message).map_err(|_| refusal(Code::InvalidJson, "not an object"))?;
    let Some(packed) = beside.remove(field) else { return Ok(None) };
    let mut sent = unpack(&serde_json::from_str::<Cow<'_, str>>(packed.get()).map_err(|_| no_base64())?)?;
    sent.extend(beside);
    Ok(Some(bytes(&sent)))
}

/// What a device sent, of its Base64: perhaps compressed.
///
/// # Errors
/// Why it cannot be unpacked.
pub(crate) fn unpack(packed: &str) -> Result<Object, Refusal> {
    let decoded = BASE64_STANDARD.decode(packed).map_err(|_| no_base64())?;
    let sent = compression::unpack(&decoded.into(), UNPACKED)?;
    serde_json::from_slice(&sent).map_err(|_| refusal(Code::InvalidJson, "the payload is no JSON object"))
}

fn no_base64() -> Refusal {
    refusal(Code::InvalidFraming, "the payload is no Base64")
}

fn refusal(code: Code, reason: &'static str) -> Refusal {
    Refusal { code, reason: Cow::Borrowed(reason) }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn messages(event: &str) -> Vec<Result<String, String>> {
        let text = |bytes: Bytes| String::from_utf8(bytes.to_vec()).unwrap();
        read(event.as_bytes())
            .unwrap()
            .into_iter()
            .map(|it| it.map(text).map_err(|part| part.refusal.reason.into_owned()))
            .collect()
    }

    #[test]
    fn a_result_has_any_shape() {
        for (event, want) in [
            (r#" {"a": 1} "#, vec![r#"{"a": 1}"#]),
            (
                r#"[{"a":1}, 2.5, "x", true]"#,
                vec![r#"{"a":1}"#, r#"{"value":2.5}"#, r#"{"value":"x"}"#, r#"{"value":true}"#],
            ),
            ("[]", vec![]),
            ("null", vec![]),
            ("-1e3", vec![r#"{"value":-1e3}"#]),
            (r#""hot""#, vec![r#"{"value":"hot"}"#]),
            (r#"{"base64OriginalPayload":1}"#, vec![r#"{"base64OriginalPayload":1}"#]),
        ] {
            let want: Vec<_> = want.into_iter().map(|text| Ok(text.to_owned())).collect();
            assert_eq!(messages(event), want, "{event}");
        }
        assert_eq!(messages("[[1],null]"), [Err("not an object".to_owned()), Err("not an object".to_owned())]);
        for event in ["", "{", "x", "{} {}"] {
            assert_eq!(read(event.as_bytes()).unwrap_err().code, Code::InvalidEvent, "{event}");
        }
    }

    #[test]
    fn a_payload_is_unpacked_and_what_the_rule_says_wins() {
        let unwrapped = |message: Value| {
            let found = unwrap(message.to_string().as_bytes(), "data");
            found
                .map(|bytes| bytes.map(|bytes| serde_json::from_slice::<Value>(&bytes).unwrap()))
                .map_err(|refusal| refusal.code)
        };
        let payload = BASE64_STANDARD.encode(r#"{"t":1,"device":"forged"}"#);
        assert_eq!(unwrapped(json!({"data": payload, "device": "a"})), Ok(Some(json!({"t": 1, "device": "a"}))));
        let exact = r#"{"data":"eyJ0IjoxMjM0NTY3ODkwMTIzNDU2Nzg5MC4xMjM0NTY3ODl9"}"#;
        assert_eq!(unwrap(exact.as_bytes(), "data").unwrap().unwrap(), r#"{"t":12345678901234567890.123456789}"#);
        assert_eq!(unwrapped(json!({"t": 1})), Ok(None));
        assert_eq!(unwrapped(json!({"data": "%"})), Err(Code::InvalidFraming));
        assert_eq!(unwrapped(json!({"data": 1})), Err(Code::InvalidFraming));
        assert_eq!(unwrapped(json!({"data": BASE64_STANDARD.encode("[1]")})), Err(Code::InvalidJson));
        let cut = BASE64_STANDARD.encode([0x1f, 0x8b, 8, 0]);
        assert_eq!(unwrapped(json!({"data": cut})), Err(Code::InvalidCompression));
    }
}
