//! One merge from looking to publishing, again where another merge was first.
//!
//! Each round looks at everything anew, so a crash between any two calls costs a round and nothing else.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use futures::{StreamExt, TryStreamExt, stream};
use headgate::{
    Code, Error,
    clock::{Clock, Timestamp},
    dataset::{Dataset, Format},
    store::{Store, StoreError},
};
use parquet::file::metadata::PageIndexPolicy;

use super::{
    MergeReport, Options, Outcome, Progress,
    base::text,
    changes::open_parquet,
    listing::{Listing, Load, list},
    names,
    plan::{Asked, Role, Todo, needs_evidence, plan},
    publish::{self, Current},
    quarantine,
    round::{Round, Rounded},
};
use crate::{
    changes::{FileKind, Refusal},
    object::Failure,
};

/// Rounds that may be lost to other merges before this one gives up for now.
const LOST_ROUNDS: u64 = 32;

/// Footers of full-load files that are fetched at a time.
const FOOTERS_AT_ONCE: usize = 16;

/// Why a merge ended early.
#[derive(Debug, Clone)]
pub struct Stop {
    /// The error.
    pub error: Error,
    /// The file to blame.
    pub key: Option<String>,
    /// The column to blame.
    pub column: Option<String>,
}

impl Stop {
    /// A bad file.
    #[must_use]
    pub fn at(key: &str, refusal: Refusal) -> Self {
        let column = refusal.column.as_ref().map(|column| format!("column {column}: ")).unwrap_or_default();
        let message = format!(
            "{key}: {column}{}. Nothing after it is applied. Replace the file, or set it aside with `headgate merge \
             --quarantine {key}`",
            refusal.reason
        );
        Self {
            error: Error::poison(refusal.code, message),
            key: Some(key.to_owned()),
            column: refusal.column.map(|column| column.to_string()),
        }
    }
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self { error, key: None, column: None }
    }
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Store(error) => Error::from(error).into(),
            Failure::Refused(refusal) => {
                let column = refusal.column.map(|column| column.to_string());
                let named = column.as_ref().map(|column| format!("column {column}: ")).unwrap_or_default();
                let message = format!("{named}{}", refusal.reason);
                let error = match refusal.code {
                    Code::Internal => Error::retry(Code::Internal, message),
                    code => Error::misconfigured(code, message),
                };
                Self { error, key: None, column }
            }
        }
    }
}

/// What a merge works with.
#[derive(Debug)]
pub struct Run<'a> {
    /// The store.
    pub store: &'a Arc<dyn Store>,
    /// The dataset.
    pub dataset: Arc<Dataset>,
    /// What bounds it.
    pub options: &'a Options,
    /// The time.
    pub clock: &'a dyn Clock,
    /// Who hears how far it is.
    pub progress: &'a dyn Progress,
    /// When it began.
    pub started: Instant,
}

impl Run<'_> {
    /// Merges until there is nothing left to do.
    ///
    /// # Errors
    /// Where it had to stop; what precedes is published.
    pub async fn all(&self, report: &mut MergeReport) -> Result<Outcome, Stop> {
        let mut aside = quarantine::copy(self.store, &self.dataset, &self.options.quarantine).await?;
        let (mut longest, mut fuse) = (Duration::ZERO, LOST_ROUNDS);
        loop {
            let began = Instant::now();
            match self.once(report, &aside, longest).await {
                Ok(Rounded::Published { more, stop }) => {
                    report.publishes += 1;
                    quarantine::remove(self.store, &mut aside, report).await?;
                    if let Some(stop) = stop {
                        return Err(stop);
                    }
                    if !more {
                        return Ok(Outcome::Merged);
                    }
                }
                Ok(Rounded::Nothing { stop: Some(stop) }) => return Err(stop),
                Ok(Rounded::Nothing { stop: None }) => {
                    quarantine::remove(self.store, &mut aside, report).await?;
                    return Ok(if report.publishes > 0 { Outcome::Merged } else { Outcome::UpToDate });
                }
                Ok(Rounded::OutOfTime) if report.publishes > 0 => return Ok(Outcome::More),
                Ok(Rounded::OutOfTime) => return Err(out_of_time(&self.dataset).into()),
                Err(Failure::Store(StoreError::Changed { .. } | StoreError::NotFound { .. })) if fuse > 0 => {
                    fuse -= 1;
                    report.replans += 1;
                    // The others are ahead by one publish: let them pass, each a little later than the last.
                    tokio::time::sleep(Duration::from_millis(7 * (LOST_ROUNDS - fuse))).await;
                    continue;
                }
                Err(failure) => return Err(failure.into()),
            }
            longest = longest.max(began.elapsed());
        }
    }

    /// The time that is left, where it is bounded.
    #[must_use]
    pub fn time_left(&self) -> Option<Duration> {
        self.options.time_left.map(|all| all.saturating_sub(self.started.elapsed()))
    }

    async fn once(
        &self,
        report: &mut MergeReport,
        aside: &[quarantine::Aside],
        longest: Duration,
    ) -> Result<Rounded, Failure> {
        if self.time_left().is_some_and(|left| left < longest.max(Duration::from_millis(1))) {
            return Ok(Rounded::OutOfTime);
        }
        self.progress.step("looking at the snapshot and the change files");
        let (current, swap) = publish::current(self.store, &self.dataset.target, PageIndexPolicy::Optional).await?;
        let (mut todo, unrecognized) = self.look(current.as_ref()).await?;
        let added = quarantine::note(&mut todo, aside);
        self.tell(&todo, unrecognized, current.as_ref(), report);
        let round = Round { run: self, current, swap, changed: added || todo.emptied };
        let told = report.clone();
        let bounded = round.go(todo, report);
        let Some(left) = self.time_left() else { return bounded.await };
        let Ok(rounded) = tokio::time::timeout(left, bounded).await else {
            *report = told;
            return Ok(Rounded::OutOfTime);
        };
        rounded
    }

    /// What there is to do.
    async fn look(&self, current: Option<&Current>) -> Result<(Todo, Vec<String>), Failure> {
        look(self.store, &self.dataset, current, self.options, self.clock).await
    }

    fn tell(&self, todo: &Todo, unrecognized: Vec<String>, current: Option<&Current>, report: &mut MergeReport) {
        let waiting = todo.changes.iter().filter(|(_, role)| *role != Role::Settled).count() as u64;
        report.pending = waiting + todo.loads.len() as u64;
        if report.publishes == 0 {
            report.duplicates = todo.duplicates;
            report.outdated = todo.outdated;
            report.vanished = todo.vanished;
            report.refused.clone_from(&todo.refused);
            report.unrecognized = unrecognized;
        }
        report.generation = current.map_or(0, |current| current.ledger.generation);
        if let Some(current) = current {
            describe(current, self.clock, report);
        }
    }
}

/// What the report says of the snapshot that is there.
fn describe(current: &Current, clock: &dyn Clock, report: &mut MergeReport) {
    report.snapshot = Some(current.meta.key.clone());
    report.rows = current.snapshot.groups.iter().map(|group| group.rows.cast_unsigned()).sum();
    report.row_groups = current.snapshot.groups.len() as u64;
    report.lag_seconds = lag(current.ledger.newest.as_deref(), clock);
}

/// Seconds between the newest applied file's own time and now.
#[must_use]
pub fn lag(newest: Option<&str>, clock: &dyn Clock) -> Option<f64> {
    newest.map(|newest| (clock.now().0 - names::moment(newest).0) as f64 / 1000.0)
}

/// Lists, gathers what evidence is needed and plans.
///
/// # Errors
/// Where the store fails or the files contradict each other.
pub async fn look(
    store: &Arc<dyn Store>,
    dataset: &Arc<Dataset>,
    current: Option<&Current>,
    options: &Options,
    clock: &dyn Clock,
) -> Result<(Todo, Vec<String>), Failure> {
    let ledger = current.map(|current| &current.ledger);
    let prefix = &dataset.source.prefix;
    let full = !options.include.is_empty();
    let mut listing = list(store.as_ref(), prefix, ledger, &options.poked, clock.now(), full).await?;
    let mut times = HashMap::new();
    if needs_evidence(ledger, &listing) {
        if !listing.full {
            listing = list(store.as_ref(), prefix, ledger, &options.poked, clock.now(), true).await?;
        }
        times = transfer_times(store, dataset, &listing).await?;
    }
    for key in &options.include {
        let known = listing.changes.iter().any(|change| change.meta.key == *key)
            || listing.loads.iter().any(|load| load.meta.key == *key);
        if !known {
            let message = format!("--include {key}: there is no such change file under {prefix}");
            return Err(refused(Error::misconfigured(Code::InvalidConfig, message)));
        }
    }
    let asked = Asked { source: &dataset.source, include: &options.include, ordered: dataset.order_by.is_some() };
    let todo = plan(ledger, &listing, &|key| times.get(key).copied(), &asked).map_err(refused)?;
    let unrecognized = std::mem::take(&mut listing.unrecognized);
    // Freeing what was listed takes as long as planning did: another core does it meanwhile.
    tokio::task::spawn_blocking(move || drop(listing));
    Ok((todo, unrecognized))
}

fn refused(error: Error) -> Failure {
    Failure::Refused(Refusal { code: error.code, column: None, reason: error.message })
}

type Times = HashMap<String, (Timestamp, Timestamp)>;

async fn transfer_times(store: &Arc<dyn Store>, dataset: &Arc<Dataset>, listing: &Listing) -> Result<Times, Failure> {
    let mut times = Times::new();
    if dataset.source.timestamp_column.is_none() {
        return Ok(times);
    }
    let found = stream::iter(&listing.loads).map(|load| async move {
        match transfer_time(store, dataset, load).await {
            Ok(time) => Ok(time.map(|time| (load.key.clone(), time))),
            // Reading it in earnest will tell what is wrong with it.
            Err(Failure::Refused(_)) => Ok(None),
            Err(failure) => Err(failure),
        }
    });
    let mut found = std::pin::pin!(found.buffered(FOOTERS_AT_ONCE));
    while let Some(time) = found.try_next().await? {
        times.extend(time);
    }
    Ok(times)
}

async fn transfer_time(
    store: &Arc<dyn Store>,
    dataset: &Arc<Dataset>,
    load: &Load,
) -> Result<Option<(Timestamp, Timestamp)>, Failure> {
    if dataset.source.format == Format::Parquet {
        return Ok(open_parquet(store, dataset, &load.meta, FileKind::Load).await?.0.times());
    }
    let (store, dataset, meta) = (Arc::clone(store), Arc::clone(dataset), load.meta.clone());
    let first = tokio::task::spawn_blocking(move || {
        let mut rows = text(&store, &meta, FileKind::Load, &dataset)?;
        rows.next_batch().map_err(super::base::store_trouble)?;
        Ok::<_, Failure>(rows.earliest())
    });
    let first = first.await.map_err(super::rows::internal)??;
    Ok(first.map(|first| (first, first)))
}

fn out_of_time(dataset: &Dataset) -> Error {
    let ordered = if dataset.order_by.is_some() {
        "; lower `source.lateness_hours`, for all files within it are read each time"
    } else {
        ""
    };
    let message = format!(
        "not even the first publish fits into the time: give the function more memory (it brings more CPU) or a \
         longer timeout, or run `headgate merge` on a machine{ordered}"
    );
    Error::retry(Code::Deadline, message)
}
