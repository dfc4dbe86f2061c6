//! What became of the runs of a dataset in one invocation.

use headgate::fate::Fates;
use headgate_columnar::merge::MergeReport;

/// What one invocation did for a dataset: logged once, emitted once.
#[derive(Debug, Default)]
pub struct Report {
    /// The dataset.
    pub dataset: String,
    /// Runs that came in.
    pub landed: u64,
    /// Of those, runs that no report told of.
    pub found: u64,
    /// Runs that were in already.
    pub repeated: u64,
    /// Runs that failed, told for the first time.
    pub failed: u64,
    /// Files read.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Records read.
    pub records: u64,
    /// By how many that differs from what the runs say they have.
    pub missing: u64,
    /// What became of them.
    pub fates: Fates,
    /// Records that say that they were deleted.
    pub deleted: u64,
    /// Fields that no column took.
    pub unknown_fields: u64,
    /// What the merge did.
    pub merge: Option<MergeReport>,
}
