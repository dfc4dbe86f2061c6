//! One event → its tables merged, one after the other, and the answer.
//!
//! However many events name a table, it is merged once. No SDK type comes in: the lake is a port.

use std::{sync::Arc, time::Duration};

use headgate::{
    Code, Error,
    clock::{Clock, SystemClock, Timestamp},
    dataset::Dataset,
    metrics::{Emitter, Metrics},
    store::Store,
};
use headgate_columnar::{
    bounds::Bounds,
    merge::{Options, Silent, merge},
};
use serde_json::Value;

use crate::{
    config::Config,
    emit,
    response::{self, Answered, Fared, Tables},
    route::{Address, Work, route},
    trigger::{self, Message, Poke, Trigger},
};

/// What the function works with.
#[derive(Debug, Clone)]
pub struct Ports {
    /// The lake.
    pub store: Arc<dyn Store>,
    /// Where it is, as events tell it.
    pub address: Address,
    /// The tables served here.
    pub datasets: Vec<Dataset>,
    /// What a merge may use.
    pub bounds: Bounds,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Where metrics go.
    pub emitter: Emitter,
    /// The function's name, for them.
    pub function: String,
}

impl Ports {
    /// Reads the dataset files and opens the lake, once, before the first event.
    ///
    /// # Errors
    /// Misconfigured: a dataset file is wrong.
    pub async fn open(config: &Config) -> Result<Self, Error> {
        Ok(Self {
            datasets: config.load()?,
            store: config.lake.open().await,
            address: Address::of(&config.lake),
            bounds: config.bounds,
            clock: Arc::new(SystemClock),
            emitter: Emitter::Stdout,
            function: config.function.clone(),
        })
    }

    fn emit(&self, metrics: Metrics) {
        self.emitter.emit(metrics, self.clock.now());
    }
}

/// Merges what `event` pokes and says how it went.
///
/// # Errors
/// Where the event is none of ours, or, for anything but a batch of SQS messages, where a table failed or has more to
/// do: then it is to be delivered again.
pub async fn handle(event: &[u8], deadline: Timestamp, ports: &Ports) -> Result<Value, Error> {
    let event = serde_json::from_slice(event)
        .map_err(|error| Error::poison(Code::InvalidEvent, format!("the event is not JSON: {error}")))?;
    match trigger::read(&event)? {
        Trigger::Messages(messages) => Ok(batch(messages, deadline, ports).await),
        Trigger::Event(pokes) => whole(&pokes, deadline, ports).await,
    }
}

async fn batch(messages: Vec<Message>, deadline: Timestamp, ports: &Ports) -> Value {
    let mut work = Work::default();
    let messages: Vec<_> = messages.into_iter().map(|message| answered(message, &mut work, ports)).collect();
    let fared = tables(work, deadline, ports).await;
    for message in &messages {
        if let Some(error) = message.failure(&fared) {
            tracing::error!(message_id = message.id, code = error.code.as_str(), "the message goes back: {error}");
        }
    }
    response::batch(&messages, &fared)
}

/// Adds what the message asks for to `work`.
fn answered(message: Message, work: &mut Work, ports: &Ports) -> Answered {
    let asked = message.pokes.and_then(|pokes| route(&pokes, &ports.address, &ports.datasets));
    if let Err(error) = &asked {
        ports.emit(emit::failure(&ports.function, "", error.code));
    }
    let tables = asked.map(|asked| {
        let names = asked.tables.keys().cloned().collect();
        work.absorb(asked);
        names
    });
    Answered { id: message.id, tables }
}

async fn whole(pokes: &[Poke], deadline: Timestamp, ports: &Ports) -> Result<Value, Error> {
    let work = route(pokes, &ports.address, &ports.datasets)?;
    let ignored = work.ignored.clone();
    let fared = tables(work, deadline, ports).await;
    response::whole(&fared, &ignored)
}

/// Merges the tables in the order of their names, as long as the time suffices.
async fn tables(work: Work, deadline: Timestamp, ports: &Ports) -> Tables {
    for (reason, pokes) in &work.ignored {
        ports.emit(emit::ignored(&ports.function, *reason, *pokes));
    }
    let budget = Budget::new(ports.clock.now(), deadline);
    let mut fared = Tables::new();
    for (table, poked) in work.tables {
        let Some(dataset) = ports.datasets.iter().find(|dataset| dataset.name == table) else { continue };
        let outcome = match budget.left(ports.clock.now()) {
            Some(left) => one(dataset, poked.into_iter().collect(), left, ports).await,
            None => Fared::Failed(too_late()),
        };
        if let Fared::Failed(error) = &outcome {
            ports.emit(emit::failure(&ports.function, &table, error.code));
        }
        fared.insert(table, outcome);
    }
    fared
}

/// Merges one table; its report is logged once and emitted once.
async fn one(dataset: &Dataset, poked: Vec<String>, left: Duration, ports: &Ports) -> Fared {
    let options = Options {
        threads: ports.bounds.threads,
        memory: ports.bounds.memory,
        time_left: Some(left),
        include: Vec::new(),
        quarantine: Vec::new(),
        poked,
    };
    let report = merge(&ports.store, dataset, &options, ports.clock.as_ref(), &Silent).await;
    let logged = serde_json::to_string(&report).unwrap_or_default();
    tracing::info!(dataset = dataset.name, report = logged, "merge");
    ports.emit(emit::of_report(&ports.function, &report));
    Fared::of(&report)
}

fn too_late() -> Error {
    Error::retry(Code::Deadline, "no time was left to begin; give the function a longer timeout, or fewer tables")
}

/// The time of an invocation, less what publishing, logging and answering take at the end.
#[derive(Debug, Clone, Copy)]
struct Budget {
    end: Timestamp,
}

/// The most that is set aside for the end.
const MARGIN: Duration = Duration::from_secs(5);

impl Budget {
    fn new(now: Timestamp, deadline: Timestamp) -> Self {
        let whole = Duration::from_millis(u64::try_from(deadline.0 - now.0).unwrap_or_default());
        Self { end: deadline.minus(MARGIN.min(whole / 10)) }
    }

    fn left(self, now: Timestamp) -> Option<Duration> {
        u64::try_from(self.end.0 - now.0).ok().filter(|left| *left > 0).map(Duration::from_millis)
    }
}

#[cfg(test)]
mod tests;
