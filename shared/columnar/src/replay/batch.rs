//! Lines one by one → what becomes of each, and the objects of those that are accepted.

use std::collections::BTreeMap;

use bytes::Bytes;
use headgate::{
    Error,
    fate::{Dropped, Fate, Fates},
    landing::{Mark, Object},
    quarantine::{Identity, Line},
};

use super::{
    Report,
    kind::{Kind, Taking},
};
use crate::stream::PARTITIONS;

/// The lines of one entry.
pub(super) struct Batch<'a, K: Kind> {
    taking: Box<dyn Taking<K::Known> + 'a>,
    /// The entry's number.
    mark: Mark,
    pub(super) lines: Vec<Identity>,
    tally: Tally,
}

/// What became of the documents of lines.
#[derive(Default)]
pub(super) struct Tally {
    rows: BTreeMap<String, u64>,
    dropped: u64,
    superseded: u64,
    set_aside: u64,
}

/// What would become of a line.
pub(super) struct Verdict {
    rows: BTreeMap<String, u64>,
    fates: Fates,
    /// The first of what is refused of it.
    pub(super) refused: Option<Line>,
}

impl Verdict {
    /// Whether nothing of it is accepted.
    pub(super) fn is_refusal(&self) -> bool {
        self.fates.iter().all(|(fate, _)| matches!(fate, Fate::Quarantined { .. }))
    }
}

/// Reads a line by itself.
pub(super) fn judge<K: Kind>(kind: &K, line: &Line, data: &Bytes, known: &K::Known) -> Verdict {
    let mut taking = kind.taking();
    taking.take(line, data, known, &Mark::from(0));
    let rows = taking.rows().into_iter().map(|(path, rows)| (path.to_owned(), rows)).collect();
    Verdict { rows, fates: taking.fates().clone(), refused: taking.refusal().cloned() }
}

impl<'a, K: Kind> Batch<'a, K> {
    /// No lines yet, for the entry of this number.
    pub(super) fn new(kind: &'a K, number: u64) -> Self {
        Self { taking: kind.taking(), mark: Mark::from(number), lines: Vec::new(), tally: Tally::default() }
    }

    /// Whether one line more is too much.
    pub(super) fn is_full(&self, most: usize, verdict: &Verdict) -> bool {
        let rows = &self.tally.rows;
        let new = verdict.rows.keys().filter(|path| !rows.contains_key(*path)).count();
        !self.lines.is_empty() && (self.taking.memory() > most || rows.len() + new > PARTITIONS)
    }

    /// Notes a line that is accepted.
    pub(super) fn note(&mut self, line: &Line, verdict: Verdict) {
        self.lines.push(line.identity());
        self.tally.add(verdict);
    }

    /// Takes what a line that was noted becomes.
    pub(super) fn take(&mut self, line: &Line, data: &Bytes, known: &K::Known) {
        self.taking.take(line, data, known, &self.mark);
    }

    /// Its lines, what became of them, and the objects of its rows and of what is set aside. `log` is the name of its
    /// log.
    pub(super) fn finish(self, log: &str) -> Result<(Vec<Identity>, Tally, Vec<Object>), Error> {
        Ok((self.lines, self.tally, self.taking.finish(log)?))
    }
}

impl Tally {
    fn add(&mut self, verdict: Verdict) {
        for (path, rows) in verdict.rows {
            *self.rows.entry(path).or_default() += rows;
        }
        self.set_aside += verdict.fates.quarantined();
        let dropped = verdict.fates.iter().filter(|(fate, _)| matches!(fate, Fate::Dropped { .. }));
        let superseded = verdict.fates.of(Fate::Dropped { reason: Dropped::Superseded });
        self.superseded += superseded;
        self.dropped += dropped.map(|(_, documents)| documents).sum::<u64>() - superseded;
    }

    pub(super) fn tell(self, report: &mut Report) {
        report.dropped += self.dropped;
        report.superseded += self.superseded;
        report.set_aside += self.set_aside;
        for (path, rows) in self.rows {
            *report.rows.entry(path).or_default() += rows;
        }
    }
}
