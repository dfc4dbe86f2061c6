//! A refused record → a line that says all of it: its bytes, where it came from, and why.
//!
//! A line stands for itself: it can be read, counted and sent again without anything beside it.

use base64::{Engine, prelude::BASE64_STANDARD};
use serde::{Deserialize, Serialize};

use crate::{clock::Timestamp, error::Code, position::Position};

/// The folder of a dataset's refused records; it ends in `/`.
#[must_use]
pub fn prefix(dataset: &str) -> String {
    format!("quarantine/{dataset}/")
}

/// A refused record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Its dataset.
    pub dataset: String,
    /// The bounded reason, as [`Code::as_str`] has it.
    pub code: String,
    /// What is wrong, for people; without content of the record.
    pub reason: String,
    /// Where in the record, as a JSON path, if that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Where it came from.
    pub position: Position,
    /// Which of the documents in that record it is, the first being 0.
    pub document: u64,
    /// When the source took it in: milliseconds since 1970-01-01T00:00:00Z.
    pub arrived: i64,
    /// Which attempt wrote this line: attempts never write the same bytes.
    pub attempt: String,
    /// Its bytes, in base64.
    pub raw: String,
}

impl Line {
    /// A line for these bytes.
    #[must_use]
    pub fn new(dataset: &str, code: Code, reason: String, position: Position, arrived: Timestamp, raw: &[u8]) -> Self {
        Self {
            dataset: dataset.to_owned(),
            code: code.as_str().to_owned(),
            reason,
            path: None,
            position,
            document: 0,
            arrived: arrived.0,
            attempt: String::new(),
            raw: BASE64_STANDARD.encode(raw),
        }
    }

    /// The record's bytes, if `raw` is base64.
    #[must_use]
    pub fn bytes(&self) -> Option<Vec<u8>> {
        BASE64_STANDARD.decode(&self.raw).ok()
    }

    /// Appends the line and its end.
    pub fn write(&self, out: &mut Vec<u8>) {
        // Nothing of it can fail to be JSON.
        let _ = serde_json::to_writer(&mut *out, self);
        out.push(b'\n');
    }
}
