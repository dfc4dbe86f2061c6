//! What an error action sends → a message that an action of a rule did not take.
//!
//! AWS IoT Core Developer Guide, "Error handling (error action)". What the rule's SQL would have said of it is not there:
//! it is [`crate::sql`]'s business.

use std::borrow::Cow;

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use headgate::quarantine::Identity;
use serde::Deserialize;

use crate::message::{self, Object, value};

/// The field that binary data has, as in the SQL `SELECT encode(*, 'base64') AS data`.
const DATA: &str = "data";

/// A message that an action of a rule did not take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failed {
    /// What the device sent, in Base64.
    pub(crate) payload: String,
    pub(crate) topic: Option<String>,
    pub(crate) client: Option<String>,
    /// What AWS IoT tells the message from others by: `traceid()` of the SQL.
    pub(crate) trace: Option<String>,
    /// Which actions did not take it, and what they said.
    pub(crate) reason: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Action<'a> {
    #[serde(borrow)]
    rule_name: Cow<'a, str>,
    #[serde(default)]
    topic: Option<String>,
    #[serde(default)]
    cloudwatch_trace_id: Option<String>,
    #[serde(default)]
    client_id: Option<String>,
    #[serde(rename = "base64OriginalPayload")]
    payload: String,
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

impl Failed {
    /// Reads an event; `None` where it is something else.
    pub(crate) fn read(event: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(event).ok()?.trim_ascii();
        // A reading has none of these names, and to look for one is cheap.
        if !text.starts_with('{') || !text.contains("base64OriginalPayload") {
            return None;
        }
        let Action { rule_name, topic, cloudwatch_trace_id, client_id, payload, failures } =
            serde_json::from_str(text).ok()?;
        let told = |failure: &Failure<'_>| {
            let [action, resource, message] =
                [&failure.failed_action, &failure.failed_resource, &failure.error_message]
                    .map(|text| text.as_deref().unwrap_or("?"));
            format!("{action} to {resource}: {message}")
        };
        let failures: Vec<_> = failures.iter().map(told).collect();
        let reason = format!("rule {rule_name}: {}", failures.join("; "));
        let said = |text: Option<String>| text.filter(|text| !text.is_empty());
        Some(Self { payload, topic: said(topic), client: client_id, trace: said(cloudwatch_trace_id), reason })
    }

    /// What the device sent, as `SELECT *` gives it; what is no JSON object, as `SELECT encode(*, 'base64') AS data` does.
    pub(crate) fn sent(&self) -> Object {
        let bytes = BASE64_STANDARD.decode(&self.payload).ok();
        let object = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        object.unwrap_or_else(|| Object::from([(DATA.to_owned(), value(&self.payload))]))
    }

    /// What tells the message from all others, where AWS IoT has said it: another rule's error action tells of the same one
    /// in other words.
    pub(crate) fn identity(&self) -> Option<Identity> {
        let trace = self.trace.as_deref()?;
        Some(Identity::of(&[trace, self.topic.as_deref().unwrap_or_default(), &self.payload]))
    }

    /// The message where nobody knows the rule's SQL: what [`Failed::sent`] has, and where that says nothing of it, what
    /// `SELECT *, topic() AS topic, clientid() AS client, traceid() AS tid` does.
    pub(crate) fn message(&self) -> Bytes {
        let mut message = self.sent();
        for (name, said) in [("topic", &self.topic), ("client", &self.client), ("tid", &self.trace)] {
            if let Some(said) = said {
                message.entry(name.to_owned()).or_insert_with(|| value(said));
            }
        }
        message::bytes(&message)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// A message with this payload that two actions did not take.
    pub(crate) fn failed(payload: &[u8]) -> Failed {
        let event = json!({
            "ruleName": "temperature", "topic": "sensors/a/temperature", "cloudwatchTraceId": "7c1c", "clientId": "c",
            "base64OriginalPayload": BASE64_STANDARD.encode(payload),
            "failures": [
                {"failedAction": "KinesisAction", "failedResource": "telemetry", "errorMessage": "throttled"},
                {"failedAction": "S3Action", "failedResource": "lake"},
            ],
        });
        Failed::read(event.to_string().as_bytes()).unwrap()
    }

    #[test]
    fn without_the_sql_it_has_what_is_known_of_it() {
        let it = failed(br#"{"temperature":81,"topic":"own"}"#);
        assert_eq!(it.message(), r#"{"client":"c","temperature":81,"tid":"7c1c","topic":"own"}"#);
        assert_eq!(it.topic.as_deref(), Some("sensors/a/temperature"));
        assert_eq!(it.reason, "rule temperature: KinesisAction to telemetry: throttled; S3Action to lake: ?");
        let message: Value = serde_json::from_slice(&failed(&[0, 255]).message()).unwrap();
        assert_eq!(message["data"], "AP8=");
    }

    #[test]
    fn nothing_else_is_one_and_nothing_empty_is_said() {
        let read = |event: Value| Failed::read(event.to_string().as_bytes());
        let event = json!({"ruleName": "r", "topic": "", "cloudwatchTraceId": "", "base64OriginalPayload": "e30=",
            "failures": []});
        let it = read(event.clone()).unwrap();
        assert_eq!((&it.topic, &it.trace, it.identity()), (&None, &None, None));
        for other in [json!([event]), json!(["r", "t", "i", "c", "e30=", []]), json!({"base64OriginalPayload": 1})] {
            assert_eq!(read(other.clone()), None, "{other}");
        }
    }
}
