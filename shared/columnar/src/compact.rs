//! Small files of closed partitions → few large ones, sorted.
//!
//! The rows of a table never change: each is in one file before and in one file after, whatever fails on the way.
//!
//! Files are replaced in groups, each of which becomes *one* file:
//!
//! 1. A partition is closed: its time is over for long enough, and no file in it is younger than an hour. Its small
//!    files are taken whose writers are done with them: the checkpoint of their shard has passed them, and no attempt
//!    that did not finish names them.
//! 2. The new file is uploaded in parts, which nobody sees.
//! 3. The plan, one object of the dataset, is read. The inputs must be there, unchanged. Then the plan becomes "this file
//!    takes the place of those", by a compare-and-swap. Until here nothing has happened; from here on the swap goes on
//!    to its end, whoever does it.
//! 4. The upload is completed: create-only. The new file is visible, and so are the old ones.
//! 5. The old files are removed, by one request, each only with the tag that was read.
//! 6. The plan becomes "nothing".
//!
//! Whoever comes next finds in the plan what was left undone: it builds the file again from the same inputs if it is not
//! there, for between 3 and 4 no input is removed; then goes on with 5 and 6.
//!
//! **What readers see.** Between 4 and 5 one who lists sees the rows of one group twice: for as long as one request
//! takes. This is the smallest such time there is without a catalog. To remove first would lose rows for as long; several
//! files a group would need several requests; a manifest is read only by readers that know of it.
//!
//! **Why nothing comes back.** The name of the new file is made of the keys and tags of its inputs, and a file is not
//! replaced before it is an hour old, ours included. So whoever was overtaken between 3 and 4 finds the file there, and
//! cannot write it again. What is not kept: where its one request is still on its way after that hour *and* the file
//! was compacted again since.

mod build;
mod input;
mod passed;
mod plan;
mod report;
mod rows;
mod run;
mod runs;
mod sort;
mod swap;
mod union;
mod write;

#[cfg(test)]
mod tests;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use headgate::{clock::Clock, dataset::Stream, state::State, store::Store};

use self::run::Run;
pub(crate) use self::run::is_table;
pub use self::{
    plan::{SOURCE, Skip},
    report::{Failed, Outcome, Report},
};
use crate::merge::counted::counted;

/// What is compacted, and where.
#[derive(Debug, Clone, Copy)]
pub struct Target<'a> {
    /// The lake.
    pub store: &'a Arc<dyn Store>,
    /// The shards' checkpoints. Datasets of Firehose and of windows need none.
    pub state: Option<&'a dyn State>,
    /// The dataset.
    pub stream: &'a Stream,
    /// The time.
    pub clock: &'a dyn Clock,
}

/// What bounds a compaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Whether to write, or only to look.
    pub apply: bool,
    /// Threads that decode and encode.
    pub threads: usize,
    /// The process's memory in bytes; the compaction plans to stay well below it.
    pub memory: u64,
    /// How long it may take; near the end it says `more`.
    pub time_left: Option<Duration>,
}

/// Hears how many partitions were looked at, and how many files were replaced.
pub type Watch<'a> = &'a (dyn Fn(u64, u64) + Sync);

/// Compacts the closed partitions of a dataset. It never fails as a whole: the report says how it ended.
pub async fn compact(target: Target<'_>, options: &Options, watch: Watch<'_>) -> Report {
    let started = Instant::now();
    let (store, counts) = counted(target.store);
    let target = Target { store: &store, ..target };
    let mut report = Report { dataset: target.stream.name.clone(), applied: options.apply, ..Report::default() };
    report.error = Run { target, options, watch, started }.all(&mut report).await.err();
    if report.error.is_some() || !report.failed.is_empty() || !report.left.is_empty() {
        report.outcome = Outcome::Stopped;
    } else if report.outcome == Outcome::UpToDate && report.files_out + report.finished > 0 {
        report.outcome = Outcome::Compacted;
    }
    report.bytes_read = counts.bytes_read();
    report.list_requests = counts.list_requests();
    report.seconds = started.elapsed().as_secs_f64();
    report
}
