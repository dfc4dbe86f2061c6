//! One event → its datasets compacted, one after the other, and the answer.
//!
//! No SDK type comes in: lake and state are ports.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use headgate::{
    Code, Error,
    clock::{Clock, SystemClock, Timestamp},
    dataset::Stream,
    metrics::{Emitter, Metrics},
    state::State,
    store::Store,
};
use headgate_columnar::{
    bounds::Bounds,
    compact::{Options, Outcome, Report, Target, compact},
};
use serde_json::{Value, json};

use crate::{config::Config, emit, event::Asked};

/// What the function works with.
#[derive(Debug, Clone)]
pub struct Ports {
    /// The lake.
    pub store: Arc<dyn Store>,
    /// The shards' checkpoints, where there are any.
    pub state: Option<Arc<dyn State>>,
    /// The datasets that may be served.
    pub streams: Vec<Stream>,
    /// What a compaction may use.
    pub bounds: Bounds,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Where metrics go.
    pub emitter: Emitter,
    /// The function's name, for them.
    pub function: String,
}

impl Ports {
    /// Reads the dataset files and opens lake and state, once, before the first event.
    ///
    /// # Errors
    /// Misconfigured: a dataset file is wrong.
    pub async fn open(config: &Config) -> Result<Self, Error> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let state = match &config.state {
            Some(place) => Some(place.open(Arc::clone(&clock)).await),
            None => None,
        };
        Ok(Self {
            streams: config.load()?,
            store: config.lake.open().await,
            state,
            bounds: config.bounds,
            clock,
            emitter: Emitter::Stdout,
            function: config.function.clone(),
        })
    }

    fn emit(&self, metrics: Metrics) {
        self.emitter.emit(metrics, self.clock.now());
    }
}

/// The most that is set aside for the end.
const MARGIN: Duration = Duration::from_secs(10);

/// Compacts what `event` asks for. A dataset whose turn does not come, or that has more to do, says `more`.
///
/// # Errors
/// Where the event is none of ours, names an unknown dataset, or where a dataset failed: the first failure's, after all
/// datasets had their turn.
pub async fn handle(event: &[u8], deadline: Timestamp, ports: &Ports) -> Result<Value, Error> {
    let asked = Asked::read(event)?;
    let streams = served(&asked, &ports.streams)?;
    let whole = left(ports.clock.now(), deadline);
    let end = deadline.minus(MARGIN.min(whole / 10));
    let (mut outcomes, mut failed) = (BTreeMap::new(), None);
    for stream in streams {
        let time = left(ports.clock.now(), end);
        let report = one(stream, time, !asked.dry_run, ports).await;
        if let Some(error) = failure(&report) {
            ports.emit(emit::failure(&ports.function, &stream.name, error.code));
            failed.get_or_insert(error);
        }
        outcomes.insert(stream.name.clone(), told(&report));
    }
    failed.map_or(Ok(json!({"datasets": outcomes})), Err)
}

/// The datasets that are asked for, by name.
fn served<'a>(asked: &Asked, streams: &'a [Stream]) -> Result<Vec<&'a Stream>, Error> {
    let Some(names) = &asked.datasets else {
        return Ok(streams.iter().filter(|stream| stream.compact.is_some()).collect());
    };
    let find = |name: &String| {
        let found = streams.iter().find(|stream| stream.name == *name);
        found.ok_or_else(|| {
            let there: Vec<_> = streams.iter().map(|stream| &*stream.name).collect();
            let told = format!("no `stream` dataset `{name}` is served here; there are: {}", there.join(", "));
            Error::poison(Code::InvalidEvent, told)
        })
    };
    // One that is named twice has its turn once.
    names.iter().collect::<BTreeSet<_>>().into_iter().map(find).collect()
}

/// Compacts one dataset; its report is logged once and emitted once.
async fn one(stream: &Stream, time: Duration, apply: bool, ports: &Ports) -> Report {
    let target = Target { store: &ports.store, state: ports.state.as_deref(), stream, clock: ports.clock.as_ref() };
    let options = Options { apply, threads: ports.bounds.threads, memory: ports.bounds.memory, time_left: Some(time) };
    let report = compact(target, &options, &|_, _| ()).await;
    let logged = serde_json::to_string(&report).unwrap_or_default();
    tracing::info!(dataset = stream.name, report = logged, "compact");
    // What would be replaced is no figure of what was.
    if apply {
        ports.emit(emit::of_report(&ports.function, &report));
    }
    report
}

/// Why a compaction failed, with all that it takes to find the file.
fn failure(report: &Report) -> Option<Error> {
    if let Some(error) = &report.error {
        return Some(error.clone());
    }
    if let Some(key) = report.left.first() {
        let told = format!("{key}: written anew while it was replaced; its rows may be there twice");
        return Some(Error::poison(Code::Contended, told));
    }
    let first = report.failed.first()?;
    let at = first.file.as_ref().unwrap_or(&first.partition);
    let column = first.column.as_ref().map(|column| format!(", column {column:?}")).unwrap_or_default();
    let told = format!("{at}{column}: {} (of {} failed partitions)", first.error.message, report.failed.len());
    Some(Error { message: told, ..first.error.clone() })
}

fn told(report: &Report) -> Value {
    let outcome = match report.outcome {
        Outcome::Compacted if !report.applied => "would_compact",
        Outcome::Compacted => "compacted",
        Outcome::UpToDate => "up_to_date",
        Outcome::More => "more",
        Outcome::Stopped => "stopped",
    };
    json!({"outcome": outcome, "files_in": report.files_in, "files_out": report.files_out})
}

fn left(now: Timestamp, end: Timestamp) -> Duration {
    u64::try_from(end.0 - now.0).map(Duration::from_millis).unwrap_or_default()
}
