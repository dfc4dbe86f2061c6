//! What became of each record → the answer, within what Lambda may answer.
//!
//! The size is known before anything is written, so that a caller can hold back what does not fit.

use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;
use serde::{Serialize, Serializer, ser::SerializeMap};
use serde_json::value::{RawValue, to_raw_value};

use super::Source;
use crate::lexer::plain;

/// What Lambda answers at most, in bytes: the figure its own error message names.
pub const MAX_RESPONSE_BYTES: usize = 6_291_556;

/// What a response should take at most, in bytes: [`MAX_RESPONSE_BYTES`] less a margin, as AWS's blueprints have it.
pub const RESPONSE_BUDGET: usize = 6_000_000;

/// The field of a record that holds its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PayloadField {
    /// `data`: with direct put and Kinesis.
    Data,
    /// `kafkaRecordValue`: with MSK.
    KafkaRecordValue,
}

impl PayloadField {
    pub(super) fn of(source: &Source<'_>) -> Self {
        match source {
            Source::DirectPut | Source::Kinesis(_) => Self::Data,
            Source::Msk(_) => Self::KafkaRecordValue,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Data => "data",
            Self::KafkaRecordValue => "kafkaRecordValue",
        }
    }
}

/// What `!{partitionKeyFromLambda:<name>}` in the prefix becomes, by name. A clone shares it: it is written once, however
/// many records have it.
#[derive(Debug, Clone, Default)]
pub struct PartitionKeys(Option<Arc<Keys>>);

#[derive(Debug)]
struct Keys {
    by_name: BTreeMap<String, String>,
    metadata: Box<RawValue>,
}

impl PartitionKeys {
    /// Names and values, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().flat_map(|keys| &keys.by_name).map(|(name, value)| (&**name, &**value))
    }
}

impl From<BTreeMap<String, String>> for PartitionKeys {
    fn from(by_name: BTreeMap<String, String>) -> Self {
        // Texts cannot fail to be JSON.
        let metadata = to_raw_value(&BTreeMap::from([("partitionKeys", &by_name)])).ok();
        Self(metadata.filter(|_| !by_name.is_empty()).map(|metadata| Arc::new(Keys { by_name, metadata })))
    }
}

impl PartialEq for PartitionKeys {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for PartitionKeys {}

/// What became of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// To be delivered.
    Ok {
        /// The transformed bytes. Firehose adds no delimiter of its own.
        data: Bytes,
        /// Empty without dynamic partitioning.
        partition_keys: PartitionKeys,
    },
    /// Left out on purpose, which Firehose counts as success.
    Dropped,
    /// Goes to the error prefix, with the bytes as Firehose has them.
    ProcessingFailed {
        /// The original bytes, where they are to be sent back; Firehose does not need them.
        data: Option<Bytes>,
    },
}

impl Outcome {
    /// How many bytes the answer for the record of this id takes in the response, as [`Answer::size`] has it.
    #[must_use]
    pub fn size(&self, record_id: &str, payload: PayloadField) -> usize {
        let id = r#"{"recordId":,"result":""}"#.len() + quoted(record_id) + self.result().len();
        let data = self.data().map_or(0, |data| {
            r#","":"""#.len() + payload.name().len() + base64::encoded_len(data.len(), true).unwrap_or(usize::MAX)
        });
        let metadata = self.metadata().map_or(0, |written| r#","metadata":"#.len() + written.get().len());
        id.saturating_add(data).saturating_add(metadata)
    }

    fn result(&self) -> &'static str {
        match self {
            Self::Ok { .. } => "Ok",
            Self::Dropped => "Dropped",
            Self::ProcessingFailed { .. } => "ProcessingFailed",
        }
    }

    fn data(&self) -> Option<&Bytes> {
        match self {
            Self::Ok { data, .. } => Some(data),
            Self::Dropped => None,
            Self::ProcessingFailed { data } => data.as_ref(),
        }
    }

    fn metadata(&self) -> Option<&RawValue> {
        match self {
            Self::Ok { partition_keys, .. } => partition_keys.0.as_ref().map(|keys| &*keys.metadata),
            Self::Dropped | Self::ProcessingFailed { .. } => None,
        }
    }
}

/// The answer for one record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The record's id as it came.
    pub record_id: String,
    /// What became of it.
    pub outcome: Outcome,
}

impl Answer {
    /// How many bytes it takes in the response: exact, without the comma after it and without writing it.
    #[must_use]
    pub fn size(&self, payload: PayloadField) -> usize {
        self.outcome.size(&self.record_id, payload)
    }
}

/// The bytes of `text` as a JSON string, quotes included: escaped as `serde_json` does.
fn quoted(text: &str) -> usize {
    if plain(text.as_bytes(), 0) == text.len() {
        return 2 + text.len();
    }
    let escaped = |byte| match byte {
        b'"' | b'\\' | b'\n' | b'\r' | b'\t' | 0x08 | 0x0c => 2,
        0..0x20 => 6,
        _ => 1,
    };
    2 + text.bytes().map(escaped).sum::<usize>()
}

/// The answer to a request: `{"records": [{"recordId", "result", "data"?, "metadata"?}]}`.
///
/// Firehose wants each of the request's records exactly once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    payload: PayloadField,
    answers: Vec<Answer>,
    size: usize,
}

impl Response {
    /// No answers yet; `payload` is the request's.
    #[must_use]
    pub fn new(payload: PayloadField) -> Self {
        Self { payload, answers: Vec::new(), size: r#"{"records":[]}"#.len() }
    }

    /// How many bytes the response takes so far: exact.
    #[must_use]
    pub fn size(&self) -> usize {
        self.size
    }

    /// How many bytes it would take with `answer`.
    #[must_use]
    pub fn size_with(&self, answer: &Answer) -> usize {
        let comma = usize::from(!self.answers.is_empty());
        self.size.saturating_add(comma).saturating_add(answer.size(self.payload))
    }

    /// Adds an answer.
    pub fn push(&mut self, answer: Answer) {
        self.size = self.size_with(&answer);
        self.answers.push(answer);
    }

    /// The answers so far, in order.
    #[must_use]
    pub fn answers(&self) -> &[Answer] {
        &self.answers
    }
}

impl Serialize for Response {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let records: Vec<_> = self.answers.iter().map(|answer| Item { payload: self.payload, answer }).collect();
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry("records", &records)?;
        map.end()
    }
}

struct Item<'a> {
    payload: PayloadField,
    answer: &'a Answer,
}

impl Serialize for Item<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Answer { record_id, outcome } = self.answer;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("recordId", record_id)?;
        map.serialize_entry("result", outcome.result())?;
        if let Some(data) = outcome.data() {
            map.serialize_entry(self.payload.name(), &Base64(data))?;
        }
        if let Some(metadata) = outcome.metadata() {
            map.serialize_entry("metadata", metadata)?;
        }
        map.end()
    }
}

struct Base64<'a>(&'a [u8]);

impl Serialize for Base64<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&base64_simd::STANDARD.encode_to_string(self.0))
    }
}
