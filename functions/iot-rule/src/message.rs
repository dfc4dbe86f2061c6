//! What a rule's SQL gave → messages, each a JSON object.
//!
//! The event is the result itself, without an envelope: an object, an array of them (a batch), or a scalar
//! (`SELECT VALUE …`). A message that an action of a rule did not take comes in the shape of an error action (AWS IoT
//! Core Developer Guide, "Error handling (error action)").

use std::borrow::Cow;

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use headgate::{
    Code, Error,
    decode::{Refusal, RefusedPart, compression, json::documents},
};
use serde::Deserialize;
use serde_json::{Map, Value, value::RawValue};

/// The field of a scalar.
const VALUE: &str = "value";
/// The field that binary data has, as in the SQL `SELECT encode(*, 'base64') AS data`.
const DATA: &str = "data";
/// The most bytes that a device's payload may unpack to.
const UNPACKED: usize = 8 << 20;

/// A result, read.
#[derive(Debug)]
pub(crate) enum Result {
    /// Messages, in order, and what is none.
    Messages(Vec<std::result::Result<Bytes, RefusedPart>>),
    /// A message that an action did not take.
    Failed(Failed),
}

/// A message that an action of a rule did not take.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Failed {
    /// The message, with what the rule's SQL would have said of it.
    pub(crate) message: Bytes,
    pub(crate) topic: String,
    /// Which actions did not take it, and what they said.
    pub(crate) reason: String,
}

/// Reads an event.
///
/// # Errors
/// Poison: it is no JSON.
pub(crate) fn read(event: &[u8]) -> std::result::Result<Result, Error> {
    let text = event.trim_ascii();
    let whole: &RawValue = serde_json::from_slice(text).map_err(|error| {
        let told = format!("no result of a rule: not JSON (line {}, column {})", error.line(), error.column());
        Error::poison(Code::InvalidEvent, told)
    })?;
    let body = Bytes::copy_from_slice(text);
    Ok(match text.first() {
        Some(b'{') => match Action::read(whole) {
            Some(action) => Result::Failed(action.failed()),
            None => Result::Messages(vec![Ok(body)]),
        },
        Some(b'[') => Result::Messages(documents(&body).map(element).collect()),
        _ if whole.get() == "null" => Result::Messages(Vec::new()),
        _ => Result::Messages(vec![Ok(scalar(whole.get()))]),
    })
}

/// An element of a batch, which may be a scalar.
fn element(
    part: std::result::Result<headgate::decode::json::Document, RefusedPart>,
) -> std::result::Result<Bytes, RefusedPart> {
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
pub(crate) fn unwrap(message: &[u8], field: &str) -> std::result::Result<Option<Bytes>, Refusal> {
    let refuse = |code, reason: &'static str| Refusal { code, reason: Cow::Borrowed(reason) };
    let mut beside: Map<String, Value> =
        serde_json::from_slice(message).map_err(|_| refuse(Code::InvalidJson, "not an object"))?;
    let Some(packed) = beside.remove(field) else { return Ok(None) };
    let decoded = packed.as_str().and_then(|text| BASE64_STANDARD.decode(text).ok());
    let decoded = decoded.ok_or_else(|| refuse(Code::InvalidFraming, "the payload is no Base64"))?;
    let sent = compression::unpack(&decoded.into(), UNPACKED)?;
    let mut sent: Map<String, Value> =
        serde_json::from_slice(&sent).map_err(|_| refuse(Code::InvalidJson, "the payload is no JSON object"))?;
    sent.extend(beside);
    Ok(Some(Value::Object(sent).to_string().into()))
}

/// What an error action sends.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Action<'a> {
    #[serde(borrow)]
    rule_name: Cow<'a, str>,
    #[serde(borrow, default)]
    topic: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    cloudwatch_trace_id: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    client_id: Option<Cow<'a, str>>,
    #[serde(borrow, rename = "base64OriginalPayload")]
    payload: Cow<'a, str>,
    #[serde(borrow)]
    failures: Vec<Failure<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Failure<'a> {
    #[serde(borrow, default)]
    failed_action: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    failed_resource: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    error_message: Option<Cow<'a, str>>,
}

impl<'a> Action<'a> {
    fn read(event: &'a RawValue) -> Option<Self> {
        // A reading has none of these names, and to look for one is cheap.
        let named = event.get().contains("base64OriginalPayload");
        if named { serde_json::from_str(event.get()).ok() } else { None }
    }

    /// The payload as `SELECT *, topic() AS topic, clientid() AS client, traceid() AS tid` would have given it; what is
    /// no JSON object, as `encode(*, 'base64') AS data` would.
    fn failed(self) -> Failed {
        let payload = BASE64_STANDARD.decode(self.payload.as_bytes()).ok();
        let object = payload.and_then(|bytes| serde_json::from_slice::<Map<String, Value>>(&bytes).ok());
        let mut message =
            object.unwrap_or_else(|| Map::from_iter([(DATA.to_owned(), self.payload.clone().into_owned().into())]));
        let topic = self.topic.unwrap_or_default().into_owned();
        let said = [
            ("topic", Some(topic.clone()).filter(|topic| !topic.is_empty())),
            ("client", self.client_id.map(Cow::into_owned)),
            ("tid", self.cloudwatch_trace_id.map(Cow::into_owned)),
        ];
        for (name, value) in said {
            if let Some(value) = value {
                message.entry(name).or_insert_with(|| value.into());
            }
        }
        let told = |failure: &Failure<'_>| {
            let [action, resource, message] =
                [&failure.failed_action, &failure.failed_resource, &failure.error_message]
                    .map(|text| text.as_deref().unwrap_or("?"));
            format!("{action} to {resource}: {message}")
        };
        let failures: Vec<_> = self.failures.iter().map(told).collect();
        let reason = format!("rule {}: {}", self.rule_name, failures.join("; "));
        Failed { message: Value::Object(message).to_string().into(), topic, reason }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn messages(event: &str) -> Vec<std::result::Result<String, String>> {
        let Ok(Result::Messages(messages)) = read(event.as_bytes()) else { panic!("{event}") };
        let text = |bytes: Bytes| String::from_utf8(bytes.to_vec()).unwrap();
        messages.into_iter().map(|it| it.map(text).map_err(|part| part.refusal.reason.into_owned())).collect()
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
    fn what_an_action_did_not_take_is_as_the_sql_would_have_given_it() {
        let failed = |payload: &[u8]| {
            let event = json!({
                "ruleName": "temperature", "topic": "sensors/a/temperature", "cloudwatchTraceId": "7c1c", "clientId": "a",
                "base64OriginalPayload": BASE64_STANDARD.encode(payload),
                "failures": [
                    {"failedAction": "KinesisAction", "failedResource": "telemetry", "errorMessage": "throttled"},
                    {"failedAction": "S3Action", "failedResource": "lake"},
                ],
            });
            match read(event.to_string().as_bytes()) {
                Ok(Result::Failed(failed)) => failed,
                other => panic!("{other:?}"),
            }
        };
        let Failed { message, topic, reason } = failed(br#"{"temperature":81,"topic":"own"}"#);
        let message: Value = serde_json::from_slice(&message).unwrap();
        assert_eq!(message, json!({"temperature": 81, "topic": "own", "client": "a", "tid": "7c1c"}));
        assert_eq!(topic, "sensors/a/temperature");
        assert_eq!(reason, "rule temperature: KinesisAction to telemetry: throttled; S3Action to lake: ?");
        let message: Value = serde_json::from_slice(&failed(&[0, 255]).message).unwrap();
        assert_eq!(message["data"], "AP8=");
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
        assert_eq!(unwrapped(json!({"t": 1})), Ok(None));
        assert_eq!(unwrapped(json!({"data": "%"})), Err(Code::InvalidFraming));
        assert_eq!(unwrapped(json!({"data": 1})), Err(Code::InvalidFraming));
        assert_eq!(unwrapped(json!({"data": BASE64_STANDARD.encode("[1]")})), Err(Code::InvalidJson));
        let cut = BASE64_STANDARD.encode([0x1f, 0x8b, 8, 0]);
        assert_eq!(unwrapped(json!({"data": cut})), Err(Code::InvalidCompression));
    }
}
