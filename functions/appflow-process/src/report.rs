//! What became of runs, and of a dataset in one invocation.

use headgate::fate::Fates;
use headgate_columnar::merge::MergeReport;
use serde::{Deserialize, Serialize};

/// What groups of files came to. It is kept in the note of their run, and counted once: when the run is in.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Files read.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Records read.
    pub records: u64,
    /// What became of them.
    pub fates: Fates,
    /// Records that say that they were deleted.
    pub deleted: u64,
    /// Fields that no column took.
    pub unknown_fields: u64,
}

impl Tally {
    /// Both together.
    #[must_use]
    pub fn and(mut self, other: &Self) -> Self {
        self.files += other.files;
        self.bytes += other.bytes;
        self.records += other.records;
        for (fate, records) in other.fates.iter() {
            self.fates.add(fate, records);
        }
        self.deleted += other.deleted;
        self.unknown_fields += other.unknown_fields;
        self
    }
}

/// What one invocation did for a dataset.
#[derive(Debug, Default)]
pub struct Report {
    /// The dataset.
    pub dataset: String,
    /// Runs that came in.
    pub landed: u64,
    /// Runs that were told of by a report and were in already.
    pub repeated: u64,
    /// Runs that failed, told for the first time.
    pub failed: u64,
    /// What the merge did.
    pub merge: Option<MergeReport>,
}
