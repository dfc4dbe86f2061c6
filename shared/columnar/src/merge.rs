//! Change files and the last snapshot → the next snapshot.
//!
//! Plan (what changed) → apply (rewrite only that) → publish (compare-and-swap). The state after a merge equals
//! replaying every change in order, whatever the order, batching or repetition in which events arrived.

mod apply;
mod base;
mod carry;
mod changes;
pub(crate) mod counted;
mod dedupe;
mod delta;
pub(crate) mod encode;
mod fold;
mod generation;
mod keys;
mod ledger;
mod listing;
pub(crate) mod names;
mod order;
mod output;
mod patch;
pub(crate) mod plan;
mod probe;
pub(crate) mod publish;
mod quarantine;
mod round;
mod route;
mod rows;
pub(crate) mod run;
mod search;
mod segment;
mod shape;
mod take;

use std::{
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use headgate::{
    Error,
    clock::Clock,
    dataset::Dataset,
    store::{Condition, Store},
};
use serde::Serialize;

pub use self::names::{in_partition, of_partition};
use self::run::Run;

/// What bounds a merge, and what it is asked beyond the new files.
#[derive(Debug, Clone)]
pub struct Options {
    /// Threads that decode and encode.
    pub threads: usize,
    /// The process's memory in bytes; the merge plans to stay well below it.
    pub memory: u64,
    /// How long the merge may take; near the end it publishes what it has and says `more`.
    pub time_left: Option<Duration>,
    /// Keys of files behind the lateness horizon that are to be applied nevertheless.
    pub include: Vec<String>,
    /// Keys of bad files that are to be moved to quarantine.
    pub quarantine: Vec<String>,
    /// Keys that events named: looked at even where the listing does not reach.
    pub poked: Vec<String>,
}

impl Default for Options {
    /// One thread, the memory of a small function, no end, nothing asked.
    fn default() -> Self {
        Self {
            threads: 1,
            memory: 512 << 20,
            time_left: None,
            include: Vec::new(),
            quarantine: Vec::new(),
            poked: Vec::new(),
        }
    }
}

/// How a merge ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Everything there was is in the snapshot.
    Merged,
    /// There was nothing new.
    #[default]
    UpToDate,
    /// The time ended first; what was published is whole, and another merge goes on.
    More,
    /// It stopped; `error` says why. What precedes the stop is published.
    Stopped,
}

/// What a merge did.
#[derive(Debug, Clone, Default, Serialize)]
pub struct MergeReport {
    /// The dataset.
    pub dataset: String,
    /// How it ended.
    pub outcome: Outcome,
    /// Why it stopped.
    pub error: Option<Error>,
    /// The file it stopped at.
    pub stopped_at: Option<String>,
    /// The column to blame.
    pub column: Option<String>,
    /// The snapshot's key.
    pub snapshot: Option<String>,
    /// The generation: it grows with every reload and truncate.
    pub generation: u64,
    /// Snapshots published by this merge.
    pub publishes: u64,
    /// Change files applied, full load included.
    pub files: u64,
    /// Change files that still wait.
    pub pending: u64,
    /// Rows read from them.
    pub rows_in: u64,
    /// Rows that made a new key.
    pub inserts: u64,
    /// Rows that replaced a key's row.
    pub updates: u64,
    /// Rows that removed a key.
    pub deletes: u64,
    /// Deletes of keys that were not there.
    pub noop_deletes: u64,
    /// Rows superseded by a later row of the same merge, or by a version that the table already has.
    pub superseded: u64,
    /// Files applied late: the files after them were applied again.
    pub late: u64,
    /// Listed files that were already in.
    pub duplicates: u64,
    /// Updates of keys that were not there, without a before-image: each may have left a ghost under its old key.
    pub ghost_candidates: u64,
    /// Applied files that are gone.
    pub vanished: u64,
    /// Files refused because they are behind the lateness horizon.
    pub refused: Vec<String>,
    /// Listed files of an earlier generation, which are left out.
    pub outdated: u64,
    /// Keys under the prefix that are no change files by their names, and are left alone.
    pub unrecognized: Vec<String>,
    /// Files moved to quarantine.
    pub quarantined: Vec<String>,
    /// Columns of the files that the dataset does not declare.
    pub undeclared_columns: Vec<String>,
    /// Rows in the snapshot.
    pub rows: u64,
    /// Row groups in the snapshot.
    pub row_groups: u64,
    /// Row groups carried over as raw bytes.
    pub row_groups_carried: u64,
    /// Row groups written anew.
    pub row_groups_rewritten: u64,
    /// Bytes read from the store.
    pub bytes_read: u64,
    /// Bytes carried from the old snapshot to the new without decoding.
    pub bytes_copied: u64,
    /// Bytes written, the copied ones excluded.
    pub bytes_written: u64,
    /// List requests made.
    pub list_requests: u64,
    /// Times a plan was made anew because another merge had published.
    pub replans: u64,
    /// Seconds between the newest applied file's own time and now.
    pub lag_seconds: Option<f64>,
    /// Seconds it took.
    pub seconds: f64,
}

/// Hears how far a merge is: for progress bars.
pub trait Progress: fmt::Debug + Send + Sync {
    /// `done` of `total` row groups of the publish under way are finished.
    fn row_groups(&self, _done: u64, _total: u64) {}
    /// The merge turned to another step, such as "reading 30 change files".
    fn step(&self, _what: &str) {}
}

/// Nobody listens.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Progress for Silent {}

/// Brings the snapshot of `dataset` up to date with its change files.
///
/// It never fails as a whole: the report says how it ended, and what was published is always some prefix of the
/// change files, whole.
pub async fn merge(
    store: &Arc<dyn Store>,
    dataset: &Dataset,
    options: &Options,
    clock: &dyn Clock,
    progress: &dyn Progress,
) -> MergeReport {
    let started = Instant::now();
    let (store, counts) = counted::counted(store);
    let mut report = MergeReport { dataset: dataset.name.clone(), ..MergeReport::default() };
    let run = Run { store: &store, dataset: Arc::new(dataset.clone()), options, clock, progress, started };
    match run.all(&mut report).await {
        Ok(outcome) => report.outcome = outcome,
        Err(stop) => {
            report.outcome = Outcome::Stopped;
            report.error = Some(stop.error);
            report.stopped_at = stop.key;
            report.column = stop.column;
        }
    }
    report.bytes_read = counts.bytes_read();
    report.list_requests = counts.list_requests();
    report.seconds = started.elapsed().as_secs_f64();
    if report.publishes > 0 {
        keep(&store, dataset, &report).await;
    }
    report
}

/// Keeps the report beside the snapshot; the snapshot does not depend on it.
async fn keep(store: &Arc<dyn Store>, dataset: &Dataset, report: &MergeReport) {
    let Ok(text) = serde_json::to_vec_pretty(report) else { return };
    let kept = store.put(&publish::report_key(dataset), Bytes::from(text), Condition::Always).await;
    if let Err(error) = kept {
        tracing::warn!(%error, "the report could not be kept beside the snapshot");
    }
}
