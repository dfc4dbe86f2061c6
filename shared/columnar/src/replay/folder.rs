//! The objects of a folder → batches, each decided at once.
//!
//! A folder and not an object, for objects of three lines each would become files of three rows each.

use bytes::Bytes;
use headgate::{Error, quarantine::Line, store::ObjectMeta};

use super::{
    Options, Origin, Report, Target,
    batch::{Batch, judge},
    log::Log,
    settled::Settled,
    source::{Found, Source},
};

/// A folder being replayed.
pub(super) struct Folder<'a> {
    target: Target<'a>,
    options: &'a Options,
    log: Log<'a>,
    batch: Batch<'a>,
}

impl<'a> Folder<'a> {
    /// Reads what was replayed of it, and completes what was interrupted.
    pub(super) async fn open(
        target: Target<'a>,
        options: &'a Options,
        name: &str,
        report: &mut Report,
    ) -> Result<Self, Error> {
        let log = Log::open(target.store, &target.stream.name, name, options.apply, report).await?;
        Ok(Self { target, options, batch: Batch::new(target, log.next()), log })
    }

    pub(super) fn name(&self) -> &str {
        self.log.folder()
    }

    /// Replays the lines of an object.
    pub(super) async fn read(&mut self, object: &ObjectMeta, report: &mut Report) -> Result<(), Error> {
        let target = self.target;
        let mut source = Source::open(target.store, object, self.options.origin, &target.stream.name).await?;
        let mut settled = Settled::of(target, object);
        while let Some(Found { place, line }) = source.next(&object.key).await? {
            report.lines += 1;
            match line {
                Ok((line, data)) => self.line(&place, &line, &data, &mut settled, report).await?,
                Err(why) => report.unreadable(&place, &why),
            }
        }
        report.objects += 1;
        Ok(())
    }

    async fn line(
        &mut self,
        place: &str,
        line: &Line,
        data: &Bytes,
        settled: &mut Settled<'_>,
        report: &mut Report,
    ) -> Result<(), Error> {
        let identity = line.identity();
        if line.dataset != self.target.stream.name {
            report.other_datasets += 1;
        } else if !self.options.reasons.is_empty() && !self.options.reasons.contains(&line.code) {
            report.other_reasons += 1;
        } else if self.log.knows(identity) {
            report.repeated += 1;
        } else if !settled.holds(&line.position).await? {
            report.unsettled += 1;
        } else {
            let verdict = judge(self.target, line, data);
            match &verdict.refused {
                Some(refused) if self.options.origin == Origin::Quarantine && verdict.is_refusal() => {
                    report.refuse(place, refused);
                }
                _ => {
                    if self.batch.is_full(self.options.most, &verdict) {
                        self.decide(report).await?;
                    }
                    self.log.learn(identity);
                    self.batch.take(line, data, verdict, self.options.apply);
                }
            }
        }
        Ok(())
    }

    /// Ends the batch at hand, and begins another.
    pub(super) async fn decide(&mut self, report: &mut Report) -> Result<(), Error> {
        if self.batch.lines.is_empty() {
            return Ok(());
        }
        let batch = std::mem::replace(&mut self.batch, Batch::new(self.target, self.log.next() + 1));
        let (lines, tally, objects) = batch.finish(self.log.scope())?;
        let replayed = lines.len() as u64;
        if self.options.apply {
            report.written += self.log.decide(lines, objects).await?;
        }
        report.replayed += replayed;
        tally.tell(report);
        Ok(())
    }
}
