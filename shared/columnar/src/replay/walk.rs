//! Objects → batches, each decided at once.
//!
//! A batch is of a scope and not of an object, for objects of three lines each would become files of three rows each.

use bytes::Bytes;
use headgate::{Error, quarantine::Line, store::ObjectMeta};

use super::{
    Options, Origin, Report, Target,
    batch::{Batch, judge},
    kind::{Cause, Kind, Outlook},
    log::Log,
    settled::{Delivery, Settled},
    source::{Found, Source},
};

/// The objects being replayed, one after the other.
pub(super) struct Walk<'a, K: Kind> {
    target: Target<'a, K>,
    options: &'a Options,
    scope: Option<Scope<'a, K>>,
}

/// Lines that share a log, most often those of many objects.
struct Scope<'a, K: Kind> {
    log: Log<'a>,
    batch: Batch<'a, K>,
}

impl<'a, K: Kind> Walk<'a, K> {
    pub(super) fn new(target: Target<'a, K>, options: &'a Options) -> Self {
        Self { target, options, scope: None }
    }

    /// Replays the lines of an object.
    pub(super) async fn read(&mut self, object: &ObjectMeta, report: &mut Report) -> Result<(), Error> {
        let (target, origin) = (self.target, self.options.origin);
        let mut source = Source::open(target.store, object, origin, target.kind).await?;
        let mut settled = Settled::of(target, origin, object);
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
        settled: &mut Settled<'_, K>,
        report: &mut Report,
    ) -> Result<(), Error> {
        let (target, options) = (self.target, self.options);
        if line.dataset != target.kind.dataset() {
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
            return Ok(());
        }
        let cause = match settled.delivery(&line.position).await? {
            Delivery::Over(cause) => cause,
            Delivery::Unclear if options.unclear => Cause::GivenUp { note: None },
            Delivery::Open => {
                report.unsettled += 1;
                return Ok(());
            }
            Delivery::Landed => {
                report.landed += 1;
                return Ok(());
            }
            Delivery::Unclear => {
                report.unclear += 1;
                return Ok(());
            }
        };
        match target.kind.look(line, data, &cause).await? {
            Outlook::Late => report.late += 1,
            Outlook::Known(known) => {
                let verdict = judge(target.kind, line, data, &known);
                match &verdict.refused {
                    Some(refused) if options.origin == Origin::Quarantine && verdict.is_refusal() => {
                        report.refuse(place, refused);
                    }
                    _ => {
                        if scope.batch.is_full(options.most, &verdict) {
                            scope.decide(target, options.apply, report).await?;
                        }
                        scope.log.learn(identity);
                        scope.batch.note(line, verdict);
                        if options.apply {
                            scope.batch.take(line, data, &known);
                        }
                    }
                }
            }
        }
        Ok(())
    }

    /// The line's scope: that of the line before, or another one, of which is read what was replayed, and completed
    /// what was interrupted.
    async fn scope(&mut self, line: &Line, report: &mut Report) -> Result<&mut Scope<'a, K>, Error> {
        let (target, options) = (self.target, self.options);
        let name = options.origin.scope(line);
        if self.scope.as_ref().is_none_or(|scope| scope.log.scope() != name) {
            self.finish(report).await?;
        }
        match &mut self.scope {
            Some(scope) => Ok(scope),
            none => {
                let log = Log::open(target, name, options.apply, report).await?;
                Ok(none.insert(Scope { batch: Batch::new(target.kind, log.next()), log }))
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

impl<'a, K: Kind> Scope<'a, K> {
    /// Ends the batch at hand, and begins another.
    async fn decide(&mut self, target: Target<'a, K>, apply: bool, report: &mut Report) -> Result<(), Error> {
        if self.batch.lines.is_empty() {
            return Ok(());
        }
        let batch = std::mem::replace(&mut self.batch, Batch::new(target.kind, self.log.next() + 1));
        let (lines, tally, objects) = batch.finish(self.log.name())?;
        let replayed = lines.len() as u64;
        if apply {
            let late = objects.iter().map(|object| &object.key).filter(|key| target.kind.is_late(key));
            report.include.extend(late.cloned());
            report.written += self.log.decide(lines, objects).await?;
        }
        report.replayed += replayed;
        tally.tell(report);
        Ok(())
    }
}
