//! A CloudWatch Logs subscription's payload, unpacked → its log events.
//!
//! The shape is that of "Using CloudWatch Logs subscription filters" in the CloudWatch Logs user guide; fields that are
//! not known are passed over. A subscription gzips the payload: that is taken off before, in
//! [`compression`](super::compression).

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Refusal, refuse};
use crate::{clock::Timestamp, error::Code};

/// What a subscription sent. Texts are those of the payload, borrowed where they have no escapes.
#[derive(Debug)]
pub enum Message<'a> {
    /// Log events.
    Data(Batch<'a>),
    /// CloudWatch Logs asks whether it gets through: no data.
    Control,
}

/// Log events of one log stream.
#[derive(Debug)]
pub struct Batch<'a> {
    /// The account the log group is in.
    pub owner: Cow<'a, str>,
    /// The log group.
    pub log_group: Cow<'a, str>,
    /// The log stream.
    pub log_stream: Cow<'a, str>,
    /// The names of the subscription filters that the events passed.
    pub subscription_filters: Vec<String>,
    /// The events, in order.
    pub events: Vec<Event<'a>>,
}

/// A log event.
#[derive(Debug, Deserialize)]
pub struct Event<'a> {
    /// Its id, unique within the subscription: about 56 digits.
    #[serde(borrow)]
    pub id: Cow<'a, str>,
    /// When it occurred: milliseconds since 1970-01-01T00:00:00Z.
    pub timestamp: Timestamp,
    /// What was logged, which may itself be JSON.
    #[serde(borrow)]
    pub message: Cow<'a, str>,
    /// What the filter's pattern extracted, as JSON, where the filter asks for that.
    #[serde(borrow, default, rename = "extractedFields")]
    pub extracted_fields: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Payload<'a> {
    #[serde(borrow)]
    message_type: Cow<'a, str>,
    #[serde(borrow, default)]
    owner: Cow<'a, str>,
    #[serde(borrow, default)]
    log_group: Cow<'a, str>,
    #[serde(borrow, default)]
    log_stream: Cow<'a, str>,
    #[serde(default)]
    subscription_filters: Vec<String>,
    #[serde(borrow, default)]
    log_events: Option<Vec<Event<'a>>>,
}

/// Reads a payload.
///
/// # Errors
/// [`Code::InvalidJson`] where it is no JSON; [`Code::InvalidEvent`] where it is of another shape, has another message
/// type than `DATA_MESSAGE` and `CONTROL_MESSAGE`, or is data without a log group, log stream or list of events.
pub fn parse(payload: &[u8]) -> Result<Message<'_>, Refusal> {
    let is_object = payload.trim_ascii_start().starts_with(b"{");
    let payload: Payload<'_> = serde_json::from_slice(payload).map_err(|error| unreadable(&error))?;
    // serde takes an array for a struct as well, member by member.
    if !is_object {
        return Err(refuse(Code::InvalidEvent, "logs: the payload is no object"));
    }
    match &*payload.message_type {
        "DATA_MESSAGE" => batch(payload).map(Message::Data),
        "CONTROL_MESSAGE" => Ok(Message::Control),
        _ => Err(refuse(Code::InvalidEvent, "logs: messageType is neither DATA_MESSAGE nor CONTROL_MESSAGE")),
    }
}

fn batch(payload: Payload<'_>) -> Result<Batch<'_>, Refusal> {
    let Payload { owner, log_group, log_stream, subscription_filters, log_events, .. } = payload;
    let missing = |field| refuse(Code::InvalidEvent, format!("logs: a DATA_MESSAGE without {field}"));
    for (field, text) in [("owner", &owner), ("logGroup", &log_group), ("logStream", &log_stream)] {
        if text.is_empty() {
            return Err(missing(field));
        }
    }
    let events = log_events.ok_or_else(|| missing("logEvents"))?;
    Ok(Batch { owner, log_group, log_stream, subscription_filters, events })
}

/// serde's own text may quote what it found.
fn unreadable(error: &serde_json::Error) -> Refusal {
    let (code, what) = if error.is_data() {
        (Code::InvalidEvent, "not the payload of a subscription")
    } else {
        (Code::InvalidJson, "not JSON")
    };
    refuse(code, format!("logs: {what} at line {} column {}", error.line(), error.column()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const DATA: &str = r#"{"messageType":"DATA_MESSAGE","owner":"123456789012","logGroup":"/aws/lambda/a",
        "logStream":"2026/11/25/[$LATEST]0","subscriptionFilters":["all"],"policyLevel":"ACCOUNT_LEVEL_POLICY",
        "logEvents":[
            {"id":"3195310660696698337880902507980421114328961542429","timestamp":1510109208016,"message":"a \"b\""},
            {"id":"2","timestamp":0,"message":"c","extractedFields":{"n": "1"},"new":[1]}]}"#;

    fn told(payload: &str) -> Result<String, (Code, String)> {
        parse(payload.as_bytes()).map(|message| format!("{message:?}")).map_err(|refusal| {
            let reason = refusal.to_string();
            (refusal.code, reason)
        })
    }

    fn check_refused(payload: &str, code: Code, reason: &str) {
        assert_eq!(told(payload), Err((code, reason.to_owned())), "{payload}");
    }

    #[test]
    fn reads_log_events() {
        let Message::Data(batch) = parse(DATA.as_bytes()).unwrap() else { panic!("control") };
        assert_eq!((&*batch.owner, &*batch.log_group), ("123456789012", "/aws/lambda/a"));
        assert_eq!((&*batch.log_stream, batch.subscription_filters), ("2026/11/25/[$LATEST]0", vec!["all".to_owned()]));
        let events = batch
            .events
            .iter()
            .map(|event| (&*event.id, event.timestamp, &*event.message, event.extracted_fields.map(RawValue::get)));
        let want = [
            ("3195310660696698337880902507980421114328961542429", Timestamp(1_510_109_208_016), "a \"b\"", None),
            ("2", Timestamp(0), "c", Some(r#"{"n": "1"}"#)),
        ];
        assert_eq!(events.collect::<Vec<_>>(), want);
        assert!(matches!(batch.events[1].message, Cow::Borrowed(_)), "a text without escapes is not copied");
    }

    #[test]
    fn a_control_message_has_no_data() {
        let probe = r#"{"messageType":"CONTROL_MESSAGE","owner":"CloudwatchLogs","logGroup":"","logStream":"",
            "subscriptionFilters":[],"logEvents":[{"id":"","timestamp":1510109208016,
            "message":"CWL CONTROL MESSAGE: Checking health of destination Firehose."}]}"#;
        for payload in [probe, r#"{"messageType":"CONTROL_MESSAGE"}"#] {
            assert_eq!(told(payload), Ok("Control".to_owned()));
        }
    }

    #[test]
    fn says_what_is_wrong_with_a_payload() {
        check_refused("", Code::InvalidJson, "logs: not JSON at line 1 column 0");
        check_refused("secret", Code::InvalidJson, "logs: not JSON at line 1 column 1");
        check_refused(&DATA[..100], Code::InvalidJson, "logs: not JSON at line 2 column 19");
        check_refused("{}", Code::InvalidEvent, "logs: not the payload of a subscription at line 1 column 2");
        let number = r#"{"messageType":7}"#;
        check_refused(number, Code::InvalidEvent, "logs: not the payload of a subscription at line 1 column 16");
        check_refused(r#"["CONTROL_MESSAGE"]"#, Code::InvalidEvent, "logs: the payload is no object");
        let other = r#"{"messageType":"data_message"}"#;
        check_refused(other, Code::InvalidEvent, "logs: messageType is neither DATA_MESSAGE nor CONTROL_MESSAGE");
        for field in ["owner", "logGroup", "logStream", "logEvents"] {
            let reason = format!("logs: a DATA_MESSAGE without {field}");
            check_refused(&DATA.replace(field, "x"), Code::InvalidEvent, &reason);
        }
        let typed = DATA.replace("1510109208016", "\"secret\"");
        let (code, reason) = told(&typed).unwrap_err();
        assert_eq!(code, Code::InvalidEvent);
        assert!(!reason.contains("secret"), "{reason}");
    }

    #[test]
    fn depth_is_no_danger() {
        let deep = "[".repeat(1 << 20);
        for field in ["new", "extractedFields"] {
            let payload = DATA.replace(r#""message":"c""#, &format!(r#""message":"c","{field}":{deep}"#));
            assert_eq!(told(&payload).unwrap_err().0, Code::InvalidJson);
        }
    }

    proptest! {
        #[test]
        fn ends_on_any_bytes(bytes: Vec<u8>, cut in 0..DATA.len()) {
            let _ = parse(&bytes);
            prop_assert!(parse(&DATA.as_bytes()[..cut]).is_err());
        }
    }
}
