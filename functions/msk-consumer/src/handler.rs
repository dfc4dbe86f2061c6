//! One batch → the lots of its topic-partitions, landed, and the answer.
//!
//! No SDK type comes in: lake and state are ports.

use std::{sync::Arc, time::Duration};

use futures::{StreamExt, stream};
use headgate::{
    Class, Code, Error,
    clock::{Clock, SystemClock, Timestamp},
    contract::Contract,
    dataset::{Described, stream::Transport},
    event::kafka::BatchResponse,
    metrics::Emitter,
    state::State,
    store::Store,
};
use headgate_kafka::{Envelope, Rows, Target, schemas::Schemas};

use crate::{
    Report, Share,
    config::{Config, Failures},
    emit,
    lot::{Lot, lots},
};

/// What the function works with.
#[derive(Debug)]
pub struct Ports {
    /// The lake.
    pub store: Arc<dyn Store>,
    /// The partitions' checkpoints.
    pub state: Arc<dyn State>,
    /// What the records become.
    pub target: Target,
    /// What Avro records were written with.
    pub schemas: Schemas,
    /// How a failure is answered.
    pub failures: Failures,
    /// The most bytes that records, their rows and what is refused of them may take; one record more of each partition
    /// may come in.
    pub most: usize,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Where metrics go.
    pub emitter: Emitter,
    /// The function's name, for them.
    pub function: String,
}

/// What the dataset that is asked for says.
fn target(config: &Config) -> Result<Target, Error> {
    let path = config.datasets.join(format!("{}.json", config.dataset));
    let Described::Table(dataset) = Described::load(&path)? else {
        let key = config.mask_key.clone();
        let (stream, contract) = Contract::load(&config.datasets, &config.dataset, Transport::Kafka, key)?;
        let envelope = Envelope::of(&stream)?;
        return Ok(Target::Rows(Rows { stream, contract, envelope }));
    };
    if dataset.name != config.dataset {
        let what = "the file and the dataset must have the same name";
        let message = format!("{}: $.name: is `{}`: {what}", path.display(), dataset.name);
        return Err(Error::misconfigured(Code::InvalidConfig, message));
    }
    headgate_kafka::accepts(dataset).map(Target::Changes)
}

impl Ports {
    /// Reads the dataset file and opens the lake and the state, once, before the first event.
    ///
    /// # Errors
    /// Misconfigured: the dataset file is wrong.
    pub async fn open(config: Config) -> Result<Self, Error> {
        let schemas = config.registries().await;
        let target = target(&config)?;
        if let Target::Rows(Rows { stream, .. }) = &target
            && stream.format.is_avro()
            && schemas.is_empty()
        {
            let message = format!("{}: Avro needs schemas: set REGISTRY or SCHEMAS_DIR", stream.name);
            return Err(Error::misconfigured(Code::InvalidConfig, message));
        }
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        Ok(Self {
            target,
            schemas: Schemas::new(schemas, Arc::clone(&clock)),
            failures: config.failures,
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

/// How many topic-partitions land at once.
const AT_ONCE: usize = 8;

/// Lands the batch. Partitions that are done stay done, whatever becomes of the others.
///
/// # Errors
/// Where the event is none of Kafka's, or where a person must change something: then the whole batch is delivered
/// again, or split, as the event source mapping says. With [`Failures::Batch`], wherever anything is to be delivered
/// again.
pub async fn handle(event: &[u8], deadline: Timestamp, ports: &Ports) -> Result<BatchResponse, Error> {
    let lots = lots(event)?;
    let left = u64::try_from(deadline.0 - ports.clock.now().0).map(Duration::from_millis).unwrap_or_default();
    let end = tokio::time::Instant::now() + left.saturating_sub(MARGIN.min(left / 10));
    let most = ports.most / lots.len().clamp(1, AT_ONCE);
    let landing = stream::iter(&lots).map(async |lot| (lot, land(lot, ports, most, end).await));
    let landed: Vec<_> = landing.buffered(AT_ONCE).collect().await;

    let mut outcome = Outcome::default();
    for (lot, landed) in landed {
        outcome.add(lot, landed);
    }
    let report = Report { dataset: ports.target.name().to_owned(), partitions: outcome.shares };
    let logged = serde_json::to_string(&report).unwrap_or_default();
    tracing::info!(report = logged, "batch");
    ports.emitter.emit(emit::of_report(&ports.function, &report), ports.clock.now());
    for metrics in emit::of_reasons(&ports.function, &report) {
        ports.emitter.emit(metrics, ports.clock.now());
    }
    match (outcome.error, ports.failures) {
        (Some(error), _) => Err(error),
        (None, Failures::Batch) if outcome.unfinished > 0 => {
            let message = format!("{} topic-partitions are to be delivered again", outcome.unfinished);
            Err(Error::retry(Code::Unavailable, message))
        }
        (None, _) => Ok(outcome.response),
    }
}

async fn land(lot: &Lot<'_>, ports: &Ports, most: usize, end: tokio::time::Instant) -> Result<Share, Error> {
    tokio::time::timeout_at(end, lot.land_what_fits(ports, most)).await.unwrap_or_else(|_| {
        Err(Error::retry(Code::Deadline, "the time did not suffice; give the function a longer timeout or more memory"))
    })
}

/// What the lots of a batch came to.
#[derive(Debug, Default)]
struct Outcome {
    shares: Vec<Share>,
    response: BatchResponse,
    /// How many lots are not done.
    unfinished: u64,
    /// What fails the invocation: the first such error.
    error: Option<Error>,
}

impl Outcome {
    /// Every record of a lot from the first undone on is told: Lambda delivers just those again that are named, and
    /// once a later record has landed, the checkpoint would make an earlier one look done.
    fn add(&mut self, lot: &Lot<'_>, landed: Result<Share, Error>) {
        let from = match landed {
            Ok(share) => {
                let from = share.again_from;
                self.shares.push(share);
                from
            }
            Err(error) => {
                let from = lot.offsets(None).next();
                tracing::error!(
                    topic = lot.topic,
                    partition = lot.partition,
                    code = error.code.as_str(),
                    "records go back: {error}"
                );
                self.shares.push(Share { again_from: from, failure: Some(error.code), ..lot.share() });
                if error.class != Class::Retry || error.code == Code::Internal {
                    self.error.get_or_insert(error);
                }
                from
            }
        };
        let Some(from) = from else { return };
        self.unfinished += 1;
        for offset in lot.offsets(Some(from)) {
            self.response.fail(&lot.topic, lot.partition, offset);
        }
    }
}

#[cfg(test)]
mod tests;
