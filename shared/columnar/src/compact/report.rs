//! What a compaction did, logged once, emitted once.

use std::collections::BTreeMap;

use headgate::Error;
use serde::Serialize;

use super::plan::Skip;

/// How a compaction ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Files were replaced, or would be.
    Compacted,
    /// There was nothing to do.
    #[default]
    UpToDate,
    /// The time ended first, or another compaction was at work; run it again.
    More,
    /// Something failed; `error` or `failed` says what. What was replaced before is whole.
    Stopped,
}

/// A partition that was left for a failure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Failed {
    /// Its folder.
    pub partition: String,
    /// The file to blame, where there is one.
    pub file: Option<String>,
    /// The column to blame, where there is one.
    pub column: Option<String>,
    /// What is wrong.
    pub error: Error,
}

/// What a compaction did.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Report {
    /// The dataset.
    pub dataset: String,
    /// Whether anything was to be written.
    pub applied: bool,
    /// How it ended.
    pub outcome: Outcome,
    /// Why it ended early.
    pub error: Option<Error>,
    /// Partitions looked at.
    pub partitions: u64,
    /// Partitions that were left, by the reason.
    pub skipped: BTreeMap<Skip, u64>,
    /// Partitions that were left for a failure.
    pub failed: Vec<Failed>,
    /// Partitions with files that were replaced, or would be.
    pub compacted: u64,
    /// Files replaced, or that would be.
    pub files_in: u64,
    /// Files written, or that would be.
    pub files_out: u64,
    /// Bytes of the files replaced.
    pub bytes_in: u64,
    /// Bytes written.
    pub bytes_out: u64,
    /// Rows in them.
    pub rows: u64,
    /// Small files that may be written again by whoever wrote them, and are left alone.
    pub waiting: u64,
    /// Small files that nobody of ours has written, and are left alone.
    pub foreign: u64,
    /// Swaps of an earlier compaction that were finished, or would be.
    pub finished: u64,
    /// Replaced files that were written anew meanwhile, and are left: their rows may be there twice.
    pub left: Vec<String>,
    /// The longest time for which a replaced file and the new one were both there, in seconds.
    pub doubled_seconds: f64,
    /// Bytes read from the store.
    pub bytes_read: u64,
    /// List requests made.
    pub list_requests: u64,
    /// Seconds it took.
    pub seconds: f64,
}
