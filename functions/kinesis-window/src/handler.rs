//! One batch of a shard's window → the state to hand on; at its end, the results.
//!
//! The state and the results follow from the state that came and the records alone, so that an invocation can be made
//! again. No SDK type comes in: lake and state are ports.

use std::{sync::Arc, time::Duration};

use headgate::{
    Class, Code, Error,
    clock::{Clock, SystemClock, Timestamp},
    contract::Contract,
    dataset::{Stream, stream::Transport},
    event::kinesis::{self, Window, WindowResponse},
    fate::{Dropped, Fate},
    landing,
    metrics::Emitter,
    state::State,
    store::{Condition, Store},
};
use headgate_columnar::stream::{Batch, Intake, Source};
use serde_json::value::RawValue;

use crate::{
    Report,
    carried::{self, Open},
    closing::{self, Part},
    config::Config,
    emit,
    groups::Groups,
    latest,
    plan::Plan,
    report::Closed,
    spill,
};

/// What the function works with.
#[derive(Debug, Clone)]
pub struct Ports {
    /// The lake.
    pub store: Arc<dyn Store>,
    /// The shards' checkpoints, keys that did not fit, and the newest results.
    pub state: Arc<dyn State>,
    /// The dataset.
    pub stream: Stream,
    /// What its records must be.
    pub contract: Contract,
    /// The most bytes that the groups of a batch and what is refused of it may take.
    pub most: usize,
    /// The most bytes of the state that Lambda hands on.
    pub most_state: usize,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Where metrics go.
    pub emitter: Emitter,
    /// The function's name, for them.
    pub function: String,
}

/// Lambda ends a window early whose state has more than 1 MB.
const STATE: usize = 900_000;

/// What is set aside of an invocation's time for the answer.
const MARGIN: Duration = Duration::from_secs(2);

impl Ports {
    /// Reads the dataset file and opens the lake and the state, once, before the first event.
    ///
    /// # Errors
    /// Misconfigured: the dataset file is wrong, or says nothing of windows.
    pub async fn open(config: Config) -> Result<Self, Error> {
        let (stream, contract) =
            Contract::load(&config.datasets, &config.dataset, Transport::Kinesis, config.mask_key)?;
        Plan::of(&stream)?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        Ok(Self {
            stream,
            contract,
            store: config.lake.open().await,
            state: config.state.open(Arc::clone(&clock)).await,
            // Groups are in memory as themselves, as text, and as what that is packed to.
            most: usize::try_from(config.bounds.memory / 4).unwrap_or(usize::MAX),
            most_state: STATE,
            clock,
            emitter: Emitter::Stdout,
            function: config.function,
        })
    }
}

/// Counts the batch, and closes the window where it ends.
///
/// # Errors
/// Where the event is none of a window, where a person must change something, or where the batch is too large; and
/// where a window's end fails, for only an error brings the same end again. Then the whole batch is delivered again, or
/// split, as the event source mapping says.
pub async fn handle(event: &[u8], deadline: Timestamp, ports: &Ports) -> Result<WindowResponse, Error> {
    let window = kinesis::window(event)?;
    let batch = Batch::read(event)?;
    if let Some(batch) = batch.as_ref().filter(|batch| batch.shard != window.shard || batch.stream != window.stream) {
        let what =
            format!("a window of {} {} with records of {} {}", window.stream, window.shard, batch.stream, batch.shard);
        return Err(Error::poison(Code::InvalidEvent, what));
    }
    let left = u64::try_from(deadline.0 - ports.clock.now().0).map(Duration::from_millis).unwrap_or_default();
    let counting =
        tokio::time::timeout(left.saturating_sub(MARGIN.min(left / 10)), count(&window, batch.as_ref(), ports));
    let counted = counting.await.unwrap_or_else(|_| {
        Err(Error::retry(Code::Deadline, "the time did not suffice; give the function a longer timeout or more memory"))
    });
    match counted {
        Ok((state, report)) => {
            tell(&report, ports);
            Ok(WindowResponse::done(state))
        }
        Err(error) => {
            let failure = emit::failure(&ports.function, &ports.stream.name, error.code);
            ports.emitter.emit(failure, ports.clock.now());
            let again = error.class == Class::Retry && !matches!(error.code, Code::Internal | Code::TooLarge);
            match batch {
                Some(batch) if again && !window.is_final => {
                    tracing::error!(code = error.code.as_str(), "the batch goes back: {error}");
                    let state = window.state.map_or_else(carried::nothing, |state| Ok(state.to_owned()))?;
                    Ok(WindowResponse::failed_at(batch.first, state))
                }
                _ => Err(error),
            }
        }
    }
}

fn tell(report: &Report, ports: &Ports) {
    let logged = serde_json::to_string(report).unwrap_or_default();
    tracing::info!(report = logged, "batch");
    ports.emitter.emit(emit::of_report(&ports.function, report), ports.clock.now());
    for metrics in emit::of_reasons(&ports.function, report) {
        ports.emitter.emit(metrics, ports.clock.now());
    }
}

async fn count(
    window: &Window<'_>,
    batch: Option<&Batch<'_>>,
    ports: &Ports,
) -> Result<(Box<RawValue>, Report), Error> {
    let now = ports.clock.now();
    let mut report = Report {
        dataset: ports.stream.name.clone(),
        stream: window.stream.to_string(),
        shard: window.shard.to_string(),
        window: window.start.0,
        early: window.is_early,
        age_milliseconds: batch.and_then(Batch::newest).map_or(0, |newest| now.0 - newest.0),
        ..Report::default()
    };
    let plan = Plan::of(&ports.stream)?;
    let mut open = Open::read(window.state, &plan)?;
    if let Some(batch) = batch {
        if open.plan != plan && batch.items.iter().any(|item| !open.has(&item.mark)) {
            // The dataset was changed within the window: what was counted by the old one is a part of its own.
            report.closed.extend(close(&open, window, ports).await?);
            let last = open.span.take().map(|span| span.last);
            open = Open::new(plan);
            take(batch, &mut open, last.as_ref(), ports, &mut report).await?;
        } else {
            take(batch, &mut open, None, ports, &mut report).await?;
        }
    }
    if window.is_final {
        report.closed.extend(close(&open, window, ports).await?);
        return Ok((carried::nothing()?, report));
    }
    let (state, spilled) = spill::fit(&mut open, ports.most_state)?;
    if let Some(span) = &open.span {
        let folder = spill::folder(&ports.stream.name, &window.stream, &window.shard, &span.first);
        spill::write(ports.state.as_ref(), &folder, &spilled).await?;
    }
    report.spilled = spilled.keys;
    report.keys = open.known.len() as u64;
    report.state_bytes = state.get().len() as u64;
    Ok((state, report))
}

/// Counts the records that are not counted yet, and sets aside what is refused of them unless that was done by an
/// attempt of which Lambda did not hear.
async fn take(
    batch: &Batch<'_>,
    open: &mut Open,
    before: Option<&landing::Mark>,
    ports: &Ports,
    report: &mut Report,
) -> Result<(), Error> {
    let item = landing::item_key(&ports.stream.name, &batch.stream, &batch.shard);
    let shard = landing::open(ports.state.as_ref(), &item).await?;
    let known = std::mem::take(&mut open.known);
    let groups = Groups::new(&open.plan, &ports.contract, known)?;
    let mut intake = Intake::gather(&ports.stream, &ports.contract, groups);
    let counted = open.span.as_ref().map(|span| span.last.clone()).max(before.cloned());
    let mut last = None;
    for item in &batch.items {
        report.records += 1;
        last = last.max(Some(&item.mark));
        if counted.as_ref().is_some_and(|counted| item.mark <= *counted) {
            intake.repeated();
            continue;
        }
        intake.keep_refused(!shard.is_done(&item.mark));
        item.take(&mut intake);
        open.count(&item.mark);
        if intake.gathered_memory() > ports.most {
            let what = "the batch takes too much memory; set BisectBatchOnFunctionError, or give the function more";
            return Err(Error::retry(Code::TooLarge, what));
        }
    }
    report.bytes_in = intake.bytes() as u64;
    let source = Source { stream: &batch.stream, shard: &batch.shard, attempt: shard.attempt().clone() };
    let (groups, objects, tally) = intake.gathered(&source);
    report.tally(tally, ports.clock.now());
    open.known = groups.finish();
    if let Some(last) = last {
        report.landed = shard.land(ports.store.as_ref(), ports.state.as_ref(), objects, last.clone()).await?;
    }
    if report.fates.of(Fate::Dropped { reason: Dropped::Repeated }) > 0 {
        tracing::info!("records came again that the window's state has");
    }
    Ok(())
}

/// Writes the results of what was counted, if anything was.
async fn close(open: &Open, window: &Window<'_>, ports: &Ports) -> Result<Option<Closed>, Error> {
    let Some(span) = &open.span else { return Ok(None) };
    let folder = spill::folder(&ports.stream.name, &window.stream, &window.shard, &span.first);
    let Some(known) = spill::whole(ports.state.as_ref(), &folder, open).await? else { return Ok(None) };
    if known.is_empty() {
        return Ok(None);
    }
    let (_, table) = open.plan.table(&ports.stream)?;
    let part = Part { window, first: &span.first };
    let results = closing::results(&ports.stream, &table, &known, part)?;
    let bytes = results.body.len() as u64;
    ports.store.put(&results.key, results.body, Condition::Always).await?;
    let latest = match &ports.stream.window {
        Some(window) if window.latest => {
            latest::write(ports.state.as_ref(), &ports.stream.name, &open.plan, &results.lines, part).await?
        }
        _ => 0,
    };
    spill::remove(ports.state.as_ref(), &folder, open).await?;
    Ok(Some(Closed {
        key: results.key,
        bytes,
        rows: known.len() as u64,
        latest,
        sums_out_of_range: results.sums_out_of_range,
    }))
}

#[cfg(test)]
mod tests;
