//! What one invocation did → one line of the log.

use headgate::{
    Code,
    clock::Timestamp,
    fate::{Fate, Fates},
    landing::Landed,
};
use headgate_columnar::stream::Tally;
use serde::Serialize;

/// What became of a batch.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Report {
    /// The dataset.
    pub dataset: String,
    /// What became of each topic-partition, in order.
    pub partitions: Vec<Share>,
}

/// What became of the records of one topic-partition.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Share {
    /// The topic.
    pub topic: String,
    /// The partition.
    pub partition: i32,
    /// Records of the topic that were looked at.
    pub records: u64,
    /// Rows in the lake.
    pub stored: u64,
    /// How many records and documents ended how.
    #[serde(skip)]
    pub fates: Fates,
    /// Fields that no column took.
    pub unknown_fields: u64,
    /// What was written.
    pub landed: Landed,
    /// Bytes of the records, unpacked.
    pub bytes_in: u64,
    /// Offsets between the checkpoint and the first new record: compacted away, or expired before they were read.
    pub offsets_skipped: u64,
    /// Seconds since the newest row happened, by its own word.
    pub freshness_seconds: Option<f64>,
    /// Milliseconds since the newest record came into the topic.
    pub age_milliseconds: Option<i64>,
    /// The first offset that is to be delivered again, if not all is done.
    pub again_from: Option<i64>,
    /// Why, where it failed; else the time or the memory was short.
    pub failure: Option<Code>,
}

impl Share {
    pub(crate) fn tally(&mut self, tally: Tally, now: Timestamp) {
        self.stored = tally.fates.of(Fate::Stored);
        self.fates = tally.fates;
        self.unknown_fields = tally.unknown_fields;
        self.freshness_seconds = tally.newest.map(|newest| (now.0 - newest) as f64 / 1000.0);
    }
}
