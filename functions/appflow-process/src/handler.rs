//! One event → runs in the lake, their tables merged, and the answer.
//!
//! No SDK type comes in: the lake and the flows are ports.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use headgate::{
    Class, Code, Error,
    clock::{Clock, SystemClock, Timestamp},
    contract::MaskKey,
    dataset::Saas,
    flows::{Flows, Status, directory::DirectoryFlows},
    metrics::{Emitter, Metrics},
    store::Store,
};
use headgate_appflow::AppFlow;
use headgate_aws::{Aws, Endpoint};
use headgate_columnar::{
    bounds::Bounds,
    merge::{Options, Outcome, Silent, merge},
    saas::Readers,
};
use serde_json::{Value, json};
use xxhash_rust::xxh3::xxh3_128;

use crate::{
    config::{Config, Service},
    emit,
    event::{self, Asked, Ignored},
    files::Files,
    intake::{self, Taken},
    report::Report,
    runs::{self, Told},
};

/// A dataset, compiled.
#[derive(Debug)]
pub struct Object {
    /// The dataset.
    pub saas: Saas,
    /// Who reads its records.
    pub readers: Readers,
    /// Tells this way to read from that of another dataset file.
    pub reading: String,
}

impl Object {
    /// Compiles a dataset.
    ///
    /// # Errors
    /// Misconfigured: a column is hashed and there is no key; a default is no value of its column.
    pub fn new(saas: Saas, key: Option<MaskKey>) -> Result<Arc<Self>, Error> {
        let readers = Readers::new(&saas, key)?;
        let reading = format!("{:032x}", xxh3_128(format!("{saas:?}").as_bytes()));
        Ok(Arc::new(Self { saas, readers, reading }))
    }
}

/// What the function works with.
#[derive(Debug, Clone)]
pub struct Ports {
    /// The lake.
    pub store: Arc<dyn Store>,
    /// Who is asked for runs.
    pub flows: Arc<dyn Flows>,
    /// What is served here.
    pub objects: Vec<Arc<Object>>,
    /// How far back a schedule looks.
    pub lookback: Duration,
    /// What reading and merging may use.
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
    pub async fn open(config: Config) -> Result<Self, Error> {
        let compile = |saas: Saas| Object::new(saas, config.mask_key.clone());
        Ok(Self {
            objects: config.load()?.into_iter().map(compile).collect::<Result<_, _>>()?,
            store: config.lake.open().await,
            flows: match &config.flows {
                Service::AppFlow => Arc::new(AppFlow::new(&Aws::connect(Endpoint::Environment).await)),
                Service::Directory(root) => Arc::new(DirectoryFlows::new(root.clone())),
            },
            lookback: config.lookback,
            bounds: config.bounds,
            clock: Arc::new(SystemClock),
            emitter: Emitter::Stdout,
            function: config.function,
        })
    }

    fn emit(&self, metrics: Metrics) {
        self.emitter.emit(metrics, self.clock.now());
    }
}

/// Brings in what the event tells of, and merges it.
///
/// # Errors
/// Where the event is none of ours, or a dataset did not come to its end: then it is to be delivered again.
pub async fn handle(event: &[u8], deadline: Timestamp, ports: &Ports) -> Result<Value, Error> {
    let asked = event::read(event).inspect_err(|error| ports.emit(emit::failure(&ports.function, "", error.code)))?;
    let budget = Budget::new(ports.clock.now(), deadline);
    match asked {
        Asked::Ended { flow, run, reason } => {
            if run.status == Status::Failed {
                tracing::error!(flow, run = run.id.as_str(), reason, "the run failed: nothing of it comes in");
            }
            let objects = of_flow(&flow, ports);
            if objects.is_empty() {
                return Ok(ignored(Ignored::OtherFlow, ports));
            }
            all(objects, &Told::One(run), budget, ports).await
        }
        Asked::Deactivated { flow } => {
            tracing::error!(flow, "the flow was deactivated: it brings no more records until somebody activates it");
            let objects = of_flow(&flow, ports);
            for object in &objects {
                ports.emit(emit::deactivated(&ports.function, object.saas.name()));
            }
            Ok(json!({"deactivated": objects.iter().map(|object| object.saas.name()).collect::<Vec<_>>()}))
        }
        Asked::Again { dataset, run } => {
            all(named(Some(vec![dataset]), ports)?, &Told::Again(run), budget, ports).await
        }
        Asked::Look(names) => all(named(names, ports)?, &Told::None, budget, ports).await,
        Asked::Nothing(reason) => Ok(ignored(reason, ports)),
    }
}

fn ignored(reason: Ignored, ports: &Ports) -> Value {
    ports.emit(emit::ignored(&ports.function, reason));
    json!({"ignored": reason.as_str()})
}

fn of_flow(flow: &str, ports: &Ports) -> Vec<Arc<Object>> {
    ports.objects.iter().filter(|object| object.saas.flow == flow).cloned().collect()
}

fn named(names: Option<Vec<String>>, ports: &Ports) -> Result<Vec<Arc<Object>>, Error> {
    let Some(names) = names else { return Ok(ports.objects.clone()) };
    let find = |name: String| {
        let found = ports.objects.iter().find(|object| object.saas.name() == name).cloned();
        found.ok_or_else(|| {
            let error = Error::poison(Code::InvalidEvent, format!("`datasets`: `{name}` is not served here"));
            ports.emit(emit::failure(&ports.function, "", error.code));
            error
        })
    };
    names.into_iter().map(find).collect()
}

/// One dataset after the other; one that fails does not stop the others.
async fn all(objects: Vec<Arc<Object>>, told: &Told, budget: Budget, ports: &Ports) -> Result<Value, Error> {
    let (mut done, mut failed) = (BTreeMap::new(), Vec::new());
    for object in objects {
        let name = object.saas.name().to_owned();
        let mut report = Report { dataset: name.clone(), ..Report::default() };
        let ended = one(&object, told, budget, ports, &mut report).await;
        ports.emit(emit::of_report(&ports.function, &report, ended.is_err()));
        match ended {
            Ok(answer) => drop(done.insert(name, answer)),
            Err(error) => {
                ports.emit(emit::failure(&ports.function, &name, error.code));
                failed.push((name, error));
            }
        }
    }
    match failed.iter().min_by_key(|(_, error)| hope(error.class)) {
        Some((_, worth)) => Err(Error {
            message: failed.iter().map(|(name, error)| format!("{name}: {error}")).collect::<Vec<_>>().join("; "),
            ..worth.clone()
        }),
        None => Ok(json!({"datasets": done})),
    }
}

fn hope(class: Class) -> u8 {
    match class {
        Class::Retry => 0,
        Class::Misconfigured => 1,
        Class::Poison => 2,
    }
}

/// Brings the runs of a dataset in, and merges. A run that cannot come in does not hold up the others, nor the merge of
/// what is in.
async fn one(
    object: &Arc<Object>,
    told: &Told,
    budget: Budget,
    ports: &Ports,
    report: &mut Report,
) -> Result<Value, Error> {
    let (is_look, again) = (matches!(told, Told::None), matches!(told, Told::Again(_)));
    let (open, mut trouble) = runs::open(object, told, ports).await?;
    let mut files = Files::new(ports.store.as_ref(), &object.saas, open.iter().map(|(run, _)| run));
    let intake = budget.of_intake(ports.clock.now());
    for (run, noted) in &open {
        match intake::take(object, (run, noted.clone(), again), &mut files, intake, ports).await {
            Ok(taken) => {
                for metrics in emit::of_run(&ports.function, object.saas.name(), &taken, is_look) {
                    ports.emit(metrics);
                }
                match taken {
                    Taken::Landed { .. } => report.landed += 1,
                    Taken::Failed => report.failed += 1,
                    Taken::Known => {}
                }
            }
            Err(error) => {
                tracing::warn!(dataset = object.saas.name(), run = run.id.as_str(), %error, "the run is not in yet");
                let is_end = error.code == Code::Deadline;
                trouble.push(error);
                if is_end {
                    break;
                }
            }
        }
    }
    let is_told = matches!(told, Told::One(run) if run.status == Status::Succeeded);
    report.repeated = u64::from(is_told && report.landed == 0 && trouble.is_empty());
    let outcome = merged(object, budget, ports, report).await?;
    let answer = json!({"landed": report.landed, "repeated": report.repeated, "failed": report.failed,
        "merge": outcome});
    trouble.into_iter().min_by_key(|error| hope(error.class)).map_or(Ok(answer), Err)
}

async fn merged(object: &Object, budget: Budget, ports: &Ports, report: &mut Report) -> Result<Outcome, Error> {
    let left = budget.check(ports.clock.now())?;
    let options = Options {
        threads: ports.bounds.threads,
        memory: ports.bounds.memory,
        time_left: Some(left),
        ..Options::default()
    };
    let merge = merge(&ports.store, &object.saas.table, &options, ports.clock.as_ref(), &Silent).await;
    let logged = serde_json::to_string(&merge).unwrap_or_default();
    tracing::info!(dataset = object.saas.name(), report = logged, "merge");
    let outcome = match (merge.outcome, &merge.error) {
        (Outcome::Stopped, Some(error)) => Err(error.clone()),
        (Outcome::Stopped, None) => Err(Error::retry(Code::Internal, "the merge stopped without saying why")),
        (Outcome::More, _) => {
            let message = format!("{} files of changes still wait; the next delivery goes on", merge.pending);
            Err(Error::retry(Code::Deadline, message))
        }
        (outcome, _) => Ok(outcome),
    };
    report.merge = Some(merge);
    outcome
}

/// The time of an invocation, less what publishing, logging and answering take at the end.
#[derive(Debug, Clone, Copy)]
pub struct Budget {
    end: Timestamp,
}

/// The share of the time that is kept for the merge: without it runs would come in and no table know of them.
const MERGE: i64 = 3;
/// The most that is set aside for the end.
const MARGIN: Duration = Duration::from_secs(5);

impl Budget {
    fn new(now: Timestamp, deadline: Timestamp) -> Self {
        let whole = Duration::from_millis(u64::try_from(deadline.0.saturating_sub(now.0)).unwrap_or_default());
        Self { end: deadline.minus(MARGIN.min(whole / 10)) }
    }

    /// The part of what is left in which runs may come in: the rest is for the merge.
    fn of_intake(self, now: Timestamp) -> Self {
        let left = self.end.0.saturating_sub(now.0).max(0);
        Self { end: Timestamp(self.end.0 - left / MERGE) }
    }

    /// What is left of it.
    ///
    /// # Errors
    /// Retry: nothing is.
    pub fn check(self, now: Timestamp) -> Result<Duration, Error> {
        let left = u64::try_from(self.end.0.saturating_sub(now.0)).ok().filter(|left| *left > 0);
        left.map(Duration::from_millis).ok_or_else(|| {
            let message =
                "the time ended before all was in; the next delivery goes on. Give a longer timeout, or fewer datasets";
            Error::retry(Code::Deadline, message)
        })
    }
}

#[cfg(test)]
mod tests;
