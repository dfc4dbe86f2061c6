//! What one invocation did → one line of the log.

use headgate::{clock::Timestamp, fate::Fates, landing::Landed};
use headgate_columnar::stream::Tally;
use serde::Serialize;

/// What became of a batch, and of its window.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Report {
    /// The dataset.
    pub dataset: String,
    /// The stream.
    pub stream: String,
    /// The shard.
    pub shard: String,
    /// When the window begins, in milliseconds since 1970.
    pub window: i64,
    /// Records of the stream, aggregates counting once.
    pub records: u64,
    /// Rows that count.
    pub counted: u64,
    /// How many documents ended how.
    #[serde(skip)]
    pub fates: Fates,
    /// Fields that no column took.
    pub unknown_fields: u64,
    /// What was written of the refused.
    pub landed: Landed,
    /// Bytes of the records, unpacked.
    pub bytes_in: u64,
    /// Seconds since the newest row happened, by its own word.
    pub freshness_seconds: Option<f64>,
    /// Milliseconds since the newest record came into the stream.
    pub age_milliseconds: i64,
    /// Keys in the window's state.
    pub keys: u64,
    /// Bytes of that state.
    pub state_bytes: u64,
    /// Keys that did not fit it.
    pub spilled: u64,
    /// The objects of results, one unless the dataset changed within the window.
    pub closed: Vec<Closed>,
    /// Whether the window ended before its time.
    pub early: bool,
}

/// What became of a window, or of a part of it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Closed {
    /// Its object.
    pub key: String,
    /// The object's bytes.
    pub bytes: u64,
    /// Rows in it: keys.
    pub rows: u64,
    /// Keys whose newest result this is now.
    pub latest: u64,
    /// Sums that are null because they have too many digits.
    pub sums_out_of_range: u64,
}

impl Report {
    pub(crate) fn tally(&mut self, tally: Tally, now: Timestamp) {
        self.counted = tally.fates.of(headgate::fate::Fate::Stored);
        self.fates = tally.fates;
        self.unknown_fields = tally.unknown_fields;
        self.freshness_seconds = tally.newest.map(|newest| (now.0 - newest) as f64 / 1000.0);
    }
}
