//! What one invocation did → one line of the log.

use headgate::{clock::Timestamp, fate::Fates, landing::Landed};
use headgate_columnar::stream::Tally;
use serde::Serialize;

/// What became of a batch.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Report {
    /// The dataset.
    pub dataset: String,
    /// The stream.
    pub stream: String,
    /// The shard.
    pub shard: String,
    /// Records of the stream, aggregates counting once.
    pub records: u64,
    /// Rows in the lake.
    pub stored: u64,
    /// How many documents ended how.
    #[serde(skip)]
    pub fates: Fates,
    /// Fields that no column took.
    pub unknown_fields: u64,
    /// What was written.
    pub landed: Landed,
    /// Bytes of the records, unpacked.
    pub bytes_in: u64,
    /// Seconds since the newest row happened, by its own word.
    pub freshness_seconds: Option<f64>,
    /// Milliseconds since the newest record came into the stream.
    pub age_milliseconds: i64,
    /// Where the batch is to be taken up again, if not all of it is done.
    pub again_from: Option<String>,
}

impl Report {
    pub(crate) fn tally(&mut self, tally: Tally, now: Timestamp) {
        self.stored = tally.fates.of(headgate::fate::Fate::Stored);
        self.fates = tally.fates;
        self.unknown_fields = tally.unknown_fields;
        self.freshness_seconds = tally.newest.map(|newest| (now.0 - newest) as f64 / 1000.0);
    }
}
