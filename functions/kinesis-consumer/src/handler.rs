//! One batch of a shard → rows and refused records in the lake, and the answer.
//!
//! The answer names at most one record: the first that is to be delivered again, with all that come after it. No SDK
//! type comes in: lake and state are ports.

use std::{sync::Arc, time::Duration};

use headgate::{
    Class, Code, Error,
    clock::{Clock, SystemClock, Timestamp},
    contract::Contract,
    dataset::{Stream, stream::Transport},
    event::kinesis::BatchResponse,
    landing,
    metrics::Emitter,
    position::{Position, SequenceNumber},
    state::State,
    store::Store,
};
use headgate_columnar::stream::{Batch, Intake, Source};

use crate::{Report, config::Config, emit};

/// What the function works with.
#[derive(Debug, Clone)]
pub struct Ports {
    /// The lake.
    pub store: Arc<dyn Store>,
    /// The shards' checkpoints.
    pub state: Arc<dyn State>,
    /// The dataset.
    pub stream: Stream,
    /// What its records must be.
    pub contract: Contract,
    /// The most bytes that records, their rows and what is refused of them may take; one record more may come in.
    pub most: usize,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Where metrics go.
    pub emitter: Emitter,
    /// The function's name, for them.
    pub function: String,
}

impl Ports {
    /// Reads the dataset file and opens the lake and the state, once, before the first event.
    ///
    /// # Errors
    /// Misconfigured: the dataset file is wrong.
    pub async fn open(config: Config) -> Result<Self, Error> {
        let (stream, contract) =
            Contract::load(&config.datasets, &config.dataset, Transport::Kinesis, config.mask_key)?;
        if stream.window.is_some() {
            let what = format!("{}.json: $.window: a table of windows is kinesis-window's to write", stream.name);
            return Err(Error::misconfigured(Code::InvalidConfig, what));
        }
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        Ok(Self {
            stream,
            contract,
            store: config.lake.open().await,
            state: config.state.open(Arc::clone(&clock)).await,
            // Text, its columns and their file are in memory at once; a column of arrow ends at 2 GiB.
            most: usize::try_from(config.bounds.memory / 8).unwrap_or(MOST).min(MOST),
            clock,
            emitter: Emitter::Stdout,
            function: config.function,
        })
    }
}

/// The most bytes that are turned into rows at once, whatever the memory.
const MOST: usize = 256 << 20;

/// What is set aside of an invocation's time for the answer.
const MARGIN: Duration = Duration::from_secs(2);

/// Lands the batch.
///
/// # Errors
/// Where the event is none of Kinesis', or where a person must change something: then the whole batch is delivered
/// again, or split, as the event source mapping says.
pub async fn handle(event: &[u8], deadline: Timestamp, ports: &Ports) -> Result<BatchResponse, Error> {
    let batch = Batch::read(event)?;
    let Some(batch) = batch else { return Ok(BatchResponse::done()) };
    let left = u64::try_from(deadline.0 - ports.clock.now().0).map(Duration::from_millis).unwrap_or_default();
    let landing = tokio::time::timeout(left.saturating_sub(MARGIN.min(left / 10)), land_what_fits(&batch, ports));
    let landed = landing.await.unwrap_or_else(|_| {
        Err(Error::retry(Code::Deadline, "the time did not suffice; give the function a longer timeout or more memory"))
    });
    match landed {
        Ok(report) => {
            let logged = serde_json::to_string(&report).unwrap_or_default();
            tracing::info!(report = logged, "batch");
            ports.emitter.emit(emit::of_report(&ports.function, &report), ports.clock.now());
            for metrics in emit::of_reasons(&ports.function, &report) {
                ports.emitter.emit(metrics, ports.clock.now());
            }
            let again = report.again_from.as_deref().and_then(SequenceNumber::new);
            Ok(again.map_or_else(BatchResponse::done, BatchResponse::failed_at))
        }
        Err(error) => {
            let failure = emit::failure(&ports.function, &ports.stream.name, error.code);
            ports.emitter.emit(failure, ports.clock.now());
            if error.class != Class::Retry || error.code == Code::Internal {
                return Err(error);
            }
            tracing::error!(code = error.code.as_str(), "the batch goes back: {error}");
            Ok(BatchResponse::failed_at(batch.first))
        }
    }
}

/// Lands the batch, or as much of it as has few enough objects for the shard's item.
async fn land_what_fits(batch: &Batch<'_>, ports: &Ports) -> Result<Report, Error> {
    let mut records = batch.items.len();
    loop {
        match land(batch, records, ports).await {
            Err(error) if error.code == Code::TooLarge && records > 1 => records = records.div_ceil(2),
            landed => return landed,
        }
    }
}

/// Lands the first records of the batch.
async fn land(batch: &Batch<'_>, records: usize, ports: &Ports) -> Result<Report, Error> {
    let item = landing::item_key(&ports.stream.name, &batch.stream, &batch.shard);
    let shard = landing::open(ports.state.as_ref(), &item).await?;
    let now = ports.clock.now();
    let mut report = Report {
        dataset: ports.stream.name.clone(),
        stream: batch.stream.clone(),
        shard: batch.shard.clone(),
        age_milliseconds: batch.newest().map_or(0, |newest| now.0 - newest.0),
        ..Report::default()
    };
    let mut intake = Intake::new(&ports.stream, &ports.contract);
    let mut last = None;
    for (index, item) in batch.items.iter().enumerate() {
        if index == records || intake.memory() > ports.most {
            if let Position::Shard { sequence, .. } = item.position() {
                report.again_from = Some(sequence.to_string());
            }
            break;
        }
        if shard.is_done(&item.mark) {
            intake.repeated();
        } else {
            item.take(&mut intake);
        }
        report.records += 1;
        last = Some(&item.mark);
    }
    let Some(last) = last else { return Ok(report) };
    report.bytes_in = intake.bytes() as u64;
    let source = Source { stream: &batch.stream, shard: &batch.shard, attempt: shard.attempt().clone() };
    let (objects, tally) = intake.finish(&source)?;
    report.tally(tally, now);
    report.landed = shard.land(ports.store.as_ref(), ports.state.as_ref(), objects, last.clone()).await?;
    Ok(report)
}
