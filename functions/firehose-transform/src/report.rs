//! What one invocation did → one line of the log.

use headgate::fate::Fates;
use serde::Serialize;

use crate::transform::Why;

/// What became of a batch.
#[derive(Debug, PartialEq, Default, Serialize)]
pub struct Report {
    /// The dataset.
    pub dataset: String,
    /// The delivery stream's ARN.
    pub delivery_stream: String,
    /// Firehose's id of the invocation.
    pub invocation: String,
    /// Records of the request.
    pub records: u64,
    /// How many records ended how.
    #[serde(skip)]
    pub fates: Fates,
    /// Records that are delivered.
    pub ok: u64,
    /// Records left out on purpose; not those that were put again.
    pub dropped: u64,
    /// Records that go to the error prefix.
    pub failed: u64,
    /// Records that did not fit the answer and were put again.
    pub reingested: u64,
    /// Records without an id, for which nobody can answer.
    pub unanswered: u64,
    /// Documents that are delivered.
    pub documents: u64,
    /// Documents that the filter left out, of records that are delivered or dropped.
    pub filtered: u64,
    /// Fields of them that no column took.
    pub unknown_fields: u64,
    /// Partitions of the answer.
    pub partitions: u64,
    /// Bytes of the records as they came.
    pub bytes_in: u64,
    /// Bytes of the lines.
    pub bytes_out: u64,
    /// Bytes of the answer.
    pub bytes_answered: u64,
    /// Put requests.
    pub puts: u64,
    /// Records that were throttled when put again, each as often as it was.
    pub throttles: u64,
    /// When the newest document says it happened: milliseconds since 1970.
    pub newest: Option<i64>,
    /// Why the first records of those that fail do.
    pub(crate) refused: Vec<Refused>,
}

/// Why a record fails, without anything of what is in it.
#[derive(Debug, PartialEq, Serialize)]
pub(crate) struct Refused {
    /// Firehose's id of the record.
    pub(crate) record: String,
    #[serde(flatten)]
    pub(crate) why: Why,
}

/// The most reasons of one report: they are for a person to see what is wrong.
const REASONS: usize = 10;

impl Report {
    pub(crate) fn refuse(&mut self, record: &str, why: Why) {
        if self.refused.len() < REASONS {
            self.refused.push(Refused { record: record.to_owned(), why });
        }
    }
}
