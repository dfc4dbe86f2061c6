//! What a replay did → figures that add up, and words for people.

use std::collections::BTreeMap;

use headgate::{Error, quarantine::Line};
use serde::Serialize;

/// How many are shown of what can be many.
const SHOWN: usize = 3;
/// The most unreadable lines that are named.
const NAMED: usize = 100;

/// What became of the lines. `lines` is the sum of `replayed`, `repeated`, `unsettled`, `landed`, `unclear`, `late`,
/// `other_datasets`, `other_reasons`, `unreadable` and the lines of `refused`, except where `error` ended it before a
/// batch was written.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Report {
    /// The dataset.
    pub dataset: String,
    /// Whether anything was written; otherwise the figures say what would be.
    pub applied: bool,
    /// Objects read.
    pub objects: u64,
    /// Lines in them, or records of failed batches.
    pub lines: u64,
    /// Lines replayed now.
    pub replayed: u64,
    /// Lines replayed before.
    pub repeated: u64,
    /// Lines whose batch may be delivered again.
    pub unsettled: u64,
    /// Records of failed batches that have landed nonetheless, with the rest of their shard's.
    pub landed: u64,
    /// Records of failed batches of which nobody knows any more whether they have landed.
    pub unclear: u64,
    /// Changes that belong behind the lateness horizon, where no merge looks by itself.
    pub late: u64,
    /// Lines of other datasets.
    pub other_datasets: u64,
    /// Lines that were refused for other reasons than those asked for.
    pub other_reasons: u64,
    /// Lines that cannot be read.
    pub unreadable: u64,
    /// Where the first of these are, and what is wrong.
    pub unreadable_at: Vec<String>,
    /// Lines that are still refused, by reason.
    pub refused: BTreeMap<String, Refused>,
    /// Rows of the replayed lines by partition, whose path is empty where nothing partitions.
    pub rows: BTreeMap<String, u64>,
    /// Documents of the replayed lines that are left out on purpose, such as control messages.
    pub dropped: u64,
    /// Changes of the replayed lines that a later change of the same key made moot.
    pub superseded: u64,
    /// Documents of the replayed lines that are set aside anew.
    pub set_aside: u64,
    /// Entries of replays that were interrupted, and are completed now.
    pub completed: u64,
    /// Objects written, those of interrupted replays too.
    pub written: u64,
    /// Files written behind the lateness horizon, which a merge takes on request.
    pub include: Vec<String>,
    /// Why it ended early.
    pub error: Option<Error>,
}

/// Lines that are still refused for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Refused {
    /// How many.
    pub lines: u64,
    /// Where the first of them are, and what is wrong.
    pub examples: Vec<String>,
}

impl Report {
    pub(super) fn new(dataset: &str, applied: bool) -> Self {
        Self { dataset: dataset.to_owned(), applied, ..Self::default() }
    }

    pub(super) fn unreadable(&mut self, place: &str, why: &str) {
        self.unreadable += 1;
        if self.unreadable_at.len() < NAMED {
            self.unreadable_at.push(format!("{place}: {why}"));
        }
    }

    /// A line that is still refused, with the first of what is refused of it.
    pub(super) fn refuse(&mut self, place: &str, now: &Line) {
        let refused = self.refused.entry(now.code.clone()).or_default();
        refused.lines += 1;
        if refused.examples.len() < SHOWN {
            let path = now.path.iter().map(|path| format!(" at {path}"));
            refused.examples.push(format!("{place}: {}{}", now.reason, path.collect::<String>()));
        }
    }
}
