//! What an on-failure destination was given → the event that failed.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{
    error::Error,
    event::{invalid, wire},
};

#[derive(Deserialize)]
struct Failed<'a> {
    #[serde(rename = "KinesisBatchInfo", borrow)]
    batch: Option<&'a RawValue>,
    #[serde(borrow)]
    payload: Option<&'a RawValue>,
}

/// The text of the event that failed, out of the object that Lambda puts into an S3 destination:
/// `{"KinesisBatchInfo": {…}, "payload": "<the event as escaped JSON>", …}` (AWS Lambda Developer Guide, "Retain
/// discarded batch records for a Kinesis Data Streams event source in Lambda").
///
/// # Errors
/// Poison, `invalid_event`: where `object` is no such document, or has no `payload`, as in SQS and SNS, which are told
/// of sequence numbers only.
pub fn failed_event(object: &[u8]) -> Result<Cow<'_, str>, Error> {
    let what = "what Lambda sends to an on-failure destination";
    let Failed { batch, payload } = wire::event(object, what)?;
    if batch.is_none() {
        return Err(invalid("the document has no KinesisBatchInfo"));
    }
    let payload = payload.ok_or_else(|| invalid("the document has no payload; only S3 destinations are given it"))?;
    match payload.get().as_bytes().first() {
        Some(b'"') => wire::scalar(payload).ok_or_else(|| invalid("the payload is no text")),
        Some(b'{') => Ok(Cow::Borrowed(payload.get())),
        _ => Err(invalid("the payload is no event")),
    }
}
