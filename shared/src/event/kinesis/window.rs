//! What a mapping with a tumbling window says beside the records → the window; and the state → the answer.
//!
//! Shapes: AWS Lambda Developer Guide, "Using Lambda with Kinesis", tumbling windows. The fields stand beside `Records`.

use std::borrow::Cow;

use serde::{Deserialize, Serialize, Serializer, ser::SerializeMap};
use serde_json::{json, value::RawValue};

use super::stream;
use crate::{
    clock::Timestamp,
    error::Error,
    event::{
        invalid, moment,
        wire::{self, Object, Text},
    },
    position::SequenceNumber,
};

/// The window of one shard that a batch is of.
#[derive(Debug, Clone)]
pub struct Window<'a> {
    /// When it begins.
    pub start: Timestamp,
    /// When it ends.
    pub end: Timestamp,
    /// The stream's name.
    pub stream: Cow<'a, str>,
    /// The shard's id.
    pub shard: Cow<'a, str>,
    /// What the answer before had as `state`, an object; `None` where the window begins.
    pub state: Option<&'a RawValue>,
    /// Whether nothing more comes of it.
    pub is_final: bool,
    /// Whether it ends before its time, because the state had grown too large. The rest comes as another.
    pub is_early: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Fields<'a> {
    #[serde(borrow)]
    window: Option<Object<Bounds<'a>>>,
    #[serde(borrow)]
    state: Option<&'a RawValue>,
    #[serde(borrow)]
    shard_id: Option<Text<'a>>,
    #[serde(rename = "eventSourceARN", borrow)]
    arn: Option<Text<'a>>,
    is_final_invoke_for_window: Option<bool>,
    is_window_terminated_early: Option<bool>,
}

#[derive(Deserialize)]
struct Bounds<'a> {
    #[serde(borrow)]
    start: Text<'a>,
    #[serde(borrow)]
    end: Text<'a>,
}

/// Reads `{"window": {"start", "end"}, "state", "shardId", "eventSourceARN", "isFinalInvokeForWindow",
/// "isWindowTerminatedEarly", …}`; the records are [`super::read`]'s.
///
/// # Errors
/// Poison, `invalid_event`: where the event is none of a mapping with a tumbling window.
pub fn window(event: &[u8]) -> Result<Window<'_>, Error> {
    let Fields { window, state, shard_id, arn, is_final_invoke_for_window, is_window_terminated_early } =
        wire::event(event, "a Kinesis batch of a tumbling window")?;
    let missing =
        |field: &str| invalid(format!("the event has no {field}: the mapping must have TumblingWindowInSeconds"));
    let Object(Bounds { start, end }) = window.ok_or_else(|| missing("window"))?;
    let moment =
        |field: &str, text: &str| moment::seconds(text).ok_or_else(|| invalid(format!("window.{field} is no time")));
    let arn = arn.ok_or_else(|| missing("eventSourceARN"))?;
    // Null or nothing at first, or an object without members.
    let state = state.filter(|state| !matches!(state.get(), "null"));
    if state.is_some_and(|state| !state.get().starts_with('{')) {
        return Err(invalid("state is no object"));
    }
    Ok(Window {
        start: moment("start", &start.0)?,
        end: moment("end", &end.0)?,
        stream: wire::part(arn.0, stream).ok_or_else(|| invalid("eventSourceARN names no stream"))?,
        shard: shard_id.ok_or_else(|| missing("shardId"))?.0,
        state,
        is_final: is_final_invoke_for_window.ok_or_else(|| missing("isFinalInvokeForWindow"))?,
        is_early: is_window_terminated_early.unwrap_or_default(),
    })
}

/// The answer to a batch of a window: `{"state": {…}, "batchItemFailures": []}`. Without a `state` the invocation is a
/// failure.
#[derive(Debug, Clone)]
pub struct WindowResponse {
    state: Box<RawValue>,
    failed: Option<SequenceNumber>,
}

impl WindowResponse {
    /// Every record is in the state, a JSON object.
    #[must_use]
    pub fn done(state: Box<RawValue>) -> Self {
        Self { state, failed: None }
    }

    /// This record and all after it are to be delivered again; the state is that of the records before.
    #[must_use]
    pub fn failed_at(first: SequenceNumber, state: Box<RawValue>) -> Self {
        Self { state, failed: Some(first) }
    }
}

impl Serialize for WindowResponse {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let failures: Vec<_> = self.failed.iter().map(|number| json!({"itemIdentifier": number.as_str()})).collect();
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("state", &self.state)?;
        map.serialize_entry("batchItemFailures", &failures)?;
        map.end()
    }
}
