//! Objects → batches, each decided at once.
//!
//! A batch is of a scope and not of an object, for objects of three lines each would become files of three rows each.

use bytes::Bytes;
use headgate::{Error, quarantine::Line, store::ObjectMeta};

use super::{
    Options, Origin, Report, Target,
    batch::{Batch, judge},
    log::Log,
    settled::Settled,
    source::{Found, Source},
};

/// The objects being replayed, one after the other.
pub(super) struct Walk<'a> {
    target: Target<'a>,
    options: &'a Options,
    scope: Option<Scope<'a>>,
}

/// Lines that share a log, most often those of many objects.
struct Scope<'a> {
    log: Log<'a>,
    batch: Batch<'a>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(target: Target<'a>, options: &'a Options) -> Self {
        Self { target, options, scope: None }
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
        let (target, options) = (self.target, self.options);
        if line.dataset != target.stream.name {
            report.other_datasets += 1;
            return Ok(());
        }
        if !options.reasons.is_empty() && !options.reasons.contains(&line.code) {
            report.other_reasons += 1;
            return Ok(());
        }
        let (identity, scope) = (line.identity(), self.scope(line, report).await?);
        if scope.log.knows(identity) {
            report.repeated += 1;
        } else if !settled.holds(&line.position).await? {
            report.unsettled += 1;
        } else {
            let verdict = judge(target, line, data);
            match &verdict.refused {
                Some(refused) if options.origin == Origin::Quarantine && verdict.is_refusal() => {
                    report.refuse(place, refused);
                }
                _ => {
                    if scope.batch.is_full(options.most, &verdict) {
                        scope.decide(target, options.apply, report).await?;
                    }
                    scope.log.learn(identity);
                    scope.batch.take(line, data, verdict, options.apply);
                }
            }
        }
        Ok(())
    }

    /// The line's scope: that of the line before, or another one, of which is read what was replayed, and completed
    /// what was interrupted.
    async fn scope(&mut self, line: &Line, report: &mut Report) -> Result<&mut Scope<'a>, Error> {
        let (target, options) = (self.target, self.options);
        let name = options.origin.scope(line);
        if self.scope.as_ref().is_none_or(|scope| scope.log.scope() != name) {
            self.finish(report).await?;
        }
        match &mut self.scope {
            Some(scope) => Ok(scope),
            none => {
                let log = Log::open(target.store, &target.stream.name, name, options.apply, report).await?;
                Ok(none.insert(Scope { batch: Batch::new(target, log.next()), log }))
            }
        }
    }

    /// Ends the scope at hand.
    pub(super) async fn finish(&mut self, report: &mut Report) -> Result<(), Error> {
        match self.scope.take() {
            Some(mut scope) => scope.decide(self.target, self.options.apply, report).await,
            None => Ok(()),
        }
    }
}

impl<'a> Scope<'a> {
    /// Ends the batch at hand, and begins another.
    async fn decide(&mut self, target: Target<'a>, apply: bool, report: &mut Report) -> Result<(), Error> {
        if self.batch.lines.is_empty() {
            return Ok(());
        }
        let batch = std::mem::replace(&mut self.batch, Batch::new(target, self.log.next() + 1));
        let (lines, tally, objects) = batch.finish(self.log.name())?;
        let replayed = lines.len() as u64;
        if apply {
            report.written += self.log.decide(lines, objects).await?;
        }
        report.replayed += replayed;
        tally.tell(report);
        Ok(())
    }
}
