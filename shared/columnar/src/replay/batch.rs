//! Lines one by one → what becomes of each, and the rows of those that are accepted.

use std::collections::BTreeMap;

use bytes::Bytes;
use headgate::{
    Code, Error,
    clock::Timestamp,
    event::kinesis,
    fate::{Fate, Fates},
    landing::{Attempt, Mark, Object},
    quarantine::{Identity, Line, Part},
};

use super::{Report, Target};
use crate::stream::{Body, Intake, PARTITIONS, Source, take_record};

/// What the names of a replay's objects begin with.
const SOURCE: &str = "replay";

/// The lines of one entry.
pub(super) struct Batch<'a> {
    intake: Intake<'a>,
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
pub(super) fn judge(target: Target<'_>, line: &Line, data: &Bytes) -> Verdict {
    let mut intake = Intake::new(target.stream, target.contract);
    offer(line, data, &Mark::from(0), &mut intake);
    let rows = intake.partitions().into_iter().map(|(path, rows)| (path.to_owned(), rows)).collect();
    Verdict { rows, fates: intake.fates().clone(), refused: intake.refusals().next().cloned() }
}

fn offer(line: &Line, data: &Bytes, mark: &Mark, intake: &mut Intake<'_>) {
    let position = || line.position.clone();
    let body = Body::new(&position, mark, Timestamp(line.arrived), data.clone());
    // Of an event nothing was set aside but itself: what is now, is as the function would have it.
    intake.within((line.part != Part::Event).then(|| line.identity()));
    match line.part {
        Part::Record => intake.take(&body),
        Part::Document => intake.take_document(&body),
        Part::Event => event(&body, intake),
    }
}

/// A record of which nothing could be read, or nobody has tried yet.
fn event(body: &Body<'_>, intake: &mut Intake<'_>) {
    let event = [b"{\"Records\":[", &body.data[..], b"]}"].concat();
    match kinesis::read(&event).map(<[_; 1]>::try_from) {
        Ok(Ok([Ok(record)])) => take_record(&record, body.mark, intake),
        Ok(Ok([Err(refused)])) => intake.unread(body, refused.error.code, &refused.error.message),
        Ok(Err(_)) => intake.unread(body, Code::InvalidEvent, "the line is not one record"),
        Err(error) => intake.unread(body, error.code, &error.message),
    }
}

impl<'a> Batch<'a> {
    /// No lines yet, for the entry of this number.
    pub(super) fn new(target: Target<'a>, number: u64) -> Self {
        let intake = Intake::new(target.stream, target.contract);
        Self { intake, mark: Mark::from(number), lines: Vec::new(), tally: Tally::default() }
    }

    /// Whether one line more is too much.
    pub(super) fn is_full(&self, most: usize, verdict: &Verdict) -> bool {
        let rows = &self.tally.rows;
        let new = verdict.rows.keys().filter(|path| !rows.contains_key(*path)).count();
        !self.lines.is_empty() && (self.intake.memory() > most || rows.len() + new > PARTITIONS)
    }

    /// Takes a line that is accepted, its rows only where they are `kept`.
    pub(super) fn take(&mut self, line: &Line, data: &Bytes, verdict: Verdict, kept: bool) {
        self.lines.push(line.identity());
        self.tally.add(verdict);
        if kept {
            offer(line, data, &self.mark, &mut self.intake);
        }
    }

    /// Its lines, what became of them, and the objects of its rows and of what is set aside. `log` is the name of its
    /// log.
    pub(super) fn finish(self, log: &str) -> Result<(Vec<Identity>, Tally, Vec<Object>), Error> {
        let source = Source { stream: SOURCE, shard: log, attempt: Attempt::fresh() };
        Ok((self.lines, self.tally, self.intake.finish(&source)?.0))
    }
}

impl Tally {
    fn add(&mut self, verdict: Verdict) {
        for (path, rows) in verdict.rows {
            *self.rows.entry(path).or_default() += rows;
        }
        self.set_aside += verdict.fates.quarantined();
        let dropped = verdict.fates.iter().filter(|(fate, _)| matches!(fate, Fate::Dropped { .. }));
        self.dropped += dropped.map(|(_, documents)| documents).sum::<u64>();
    }

    pub(super) fn tell(self, report: &mut Report) {
        report.dropped += self.dropped;
        report.set_aside += self.set_aside;
        for (path, rows) in self.rows {
            *report.rows.entry(path).or_default() += rows;
        }
    }
}
