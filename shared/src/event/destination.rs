//! What an on-failure destination was given → the event that failed.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{invalid, wire};
use crate::error::Error;

#[derive(Deserialize)]
struct Failed<'a> {
    #[serde(rename = "KinesisBatchInfo", borrow)]
    kinesis: Option<&'a RawValue>,
    #[serde(rename = "KafkaBatchInfo", borrow)]
    kafka: Option<&'a RawValue>,
    #[serde(borrow)]
    payload: Option<&'a RawValue>,
}

/// What the batch was of.
#[derive(Debug, Clone, Copy)]
pub(super) enum Source {
    Kinesis,
    Kafka,
}

/// The text of the event that failed, out of the object that Lambda puts into an S3 destination:
/// `{"KinesisBatchInfo": {…}, "payload": "<the event as escaped JSON>", …}`, or `KafkaBatchInfo` (AWS Lambda Developer
/// Guide, "Retain discarded batch records for a Kinesis Data Streams event source in Lambda", "Capturing discarded
/// batches for Amazon MSK and self-managed Apache Kafka event sources").
///
/// # Errors
/// Poison, `invalid_event`: where `object` is no such document, or has no `payload`, as in SQS and SNS, which are told
/// of the records' places only.
pub(super) fn failed_event(object: &[u8], source: Source) -> Result<Cow<'_, str>, Error> {
    let what = "what Lambda sends to an on-failure destination";
    let Failed { kinesis, kafka, payload } = wire::event(object, what)?;
    let (batch, name) = match source {
        Source::Kinesis => (kinesis, "KinesisBatchInfo"),
        Source::Kafka => (kafka, "KafkaBatchInfo"),
    };
    if batch.is_none() {
        return Err(invalid(format!("the document has no {name}")));
    }
    let payload = payload.ok_or_else(|| invalid("the document has no payload; only S3 destinations are given it"))?;
    match payload.get().as_bytes().first() {
        Some(b'"') => wire::scalar(payload).ok_or_else(|| invalid("the payload is no text")),
        Some(b'{') => Ok(Cow::Borrowed(payload.get())),
        _ => Err(invalid("the payload is no event")),
    }
}
