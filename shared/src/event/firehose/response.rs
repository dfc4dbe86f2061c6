//! What became of each record → the answer, within what Lambda may answer.
//!
//! What an answer takes is known before it is written, so that a caller can hold back what does not fit.

use std::{borrow::Cow, collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Serialize, Serializer, de, ser::SerializeStruct};
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
pub enum Outcome<'a> {
    /// To be delivered.
    Ok {
        /// The transformed bytes. Firehose adds no delimiter of its own.
        data: Cow<'a, [u8]>,
        /// Empty without dynamic partitioning.
        partition_keys: PartitionKeys,
    },
    /// Left out on purpose, which Firehose counts as success.
    Dropped,
    /// Goes to the error prefix, with the bytes as Firehose has them.
    ProcessingFailed,
}

impl Outcome<'_> {
    /// How many bytes the answer takes in the response beside the record's [id](id_size): exact, without the comma before
    /// it and without writing it.
    #[must_use]
    pub fn size(&self, payload: PayloadField) -> usize {
        let result = r#"{"recordId":,"result":""}"#.len() + self.result().len();
        let data = self.data().map_or(0, |data| {
            r#","":"""#.len() + payload.name().len() + base64::encoded_len(data.len(), true).unwrap_or(usize::MAX)
        });
        let metadata = self.metadata().map_or(0, |written| r#","metadata":"#.len() + written.get().len());
        result.saturating_add(data).saturating_add(metadata)
    }

    fn result(&self) -> &'static str {
        match self {
            Self::Ok { .. } => "Ok",
            Self::Dropped => "Dropped",
            Self::ProcessingFailed => "ProcessingFailed",
        }
    }

    fn data(&self) -> Option<&[u8]> {
        match self {
            Self::Ok { data, .. } => Some(data),
            Self::Dropped | Self::ProcessingFailed => None,
        }
    }

    fn metadata(&self) -> Option<&RawValue> {
        match self {
            Self::Ok { partition_keys, .. } => partition_keys.0.as_ref().map(|keys| &*keys.metadata),
            Self::Dropped | Self::ProcessingFailed => None,
        }
    }
}

/// How many bytes a record's id takes in an answer: quotes included, and escaped as `serde_json` does.
#[must_use]
pub fn id_size(id: &str) -> usize {
    if plain(id.as_bytes(), 0) == id.len() {
        return 2 + id.len();
    }
    let escaped = |byte| match byte {
        b'"' | b'\\' | b'\n' | b'\r' | b'\t' | 0x08 | 0x0c => 2,
        0..0x20 => 6,
        _ => 1,
    };
    2 + id.bytes().map(escaped).sum::<usize>()
}

/// The answer to a request: `{"records": [{"recordId", "result", "data"?, "metadata"?}]}`.
///
/// Firehose wants each of the request's records exactly once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    payload: PayloadField,
    /// The whole of it, at any time.
    text: String,
}

const START: &str = r#"{"records":["#;
const END: &str = "]}";

impl Response {
    /// How many bytes a response takes that has no answers.
    pub const EMPTY: usize = START.len() + END.len();

    /// No answers yet, and room for all of them; `payload` is the request's.
    #[must_use]
    pub fn new(payload: PayloadField, bytes: usize) -> Self {
        let mut text = String::with_capacity(bytes);
        text.push_str(START);
        text.push_str(END);
        Self { payload, text }
    }

    /// How many bytes it takes so far.
    #[must_use]
    pub fn size(&self) -> usize {
        self.text.len()
    }

    /// Adds what became of the record of this id.
    pub fn push(&mut self, record_id: &str, outcome: &Outcome<'_>) {
        let out = &mut self.text;
        out.truncate(out.len() - END.len());
        out.push_str(if out.len() == START.len() { r#"{"recordId":"# } else { r#",{"recordId":"# });
        quote(record_id, out);
        out.push_str(r#","result":""#);
        out.push_str(outcome.result());
        out.push('"');
        if let Some(data) = outcome.data() {
            out.push_str(r#",""#);
            out.push_str(self.payload.name());
            out.push_str(r#"":""#);
            base64_simd::STANDARD.encode_append(data, out);
            out.push('"');
        }
        if let Some(metadata) = outcome.metadata() {
            out.push_str(r#","metadata":"#);
            out.push_str(metadata.get());
        }
        out.push('}');
        out.push_str(END);
    }

    /// The answers so far, in order: the id of each record, and what became of it.
    ///
    /// # Errors
    /// None that [`push`](Self::push) leaves possible.
    pub fn answers(&self) -> serde_json::Result<Vec<(String, Outcome<'static>)>> {
        let Written { records } = serde_json::from_str(&self.text)?;
        records.into_iter().map(|item| Ok((item.record_id.clone(), item.outcome()?))).collect()
    }
}

impl Serialize for Response {
    /// In one piece, as `serde_json` takes it from its own [`RawValue`]: a text would be looked at for what is to be
    /// escaped, and a [`RawValue`] is read whole when it is made. The name is that crate's own affair: should it ever be
    /// another one, each test of an answer fails.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        const RAW: &str = "$serde_json::private::RawValue";
        let mut whole = serializer.serialize_struct(RAW, 1)?;
        whole.serialize_field(RAW, &self.text)?;
        whole.end()
    }
}

fn quote(text: &str, out: &mut String) {
    if plain(text.as_bytes(), 0) == text.len() {
        out.push('"');
        out.push_str(text);
        out.push('"');
    } else {
        out.push_str(&serde_json::Value::from(text).to_string());
    }
}

/// A response as Firehose reads it.
#[derive(Deserialize)]
struct Written {
    records: Vec<Item>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Item {
    record_id: String,
    result: String,
    #[serde(alias = "kafkaRecordValue")]
    data: Option<String>,
    #[serde(default)]
    metadata: BTreeMap<String, BTreeMap<String, String>>,
}

impl Item {
    fn outcome(mut self) -> serde_json::Result<Outcome<'static>> {
        let data = base64_simd::STANDARD.decode_to_vec(self.data.unwrap_or_default());
        Ok(match &*self.result {
            "Dropped" => Outcome::Dropped,
            "ProcessingFailed" => Outcome::ProcessingFailed,
            _ => Outcome::Ok {
                data: data.map_err(<serde_json::Error as de::Error>::custom)?.into(),
                partition_keys: self.metadata.remove("partitionKeys").unwrap_or_default().into(),
            },
        })
    }
}
