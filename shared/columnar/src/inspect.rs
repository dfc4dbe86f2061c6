//! A table → what a person asks about it: of a snapshot and its change files, or of a stream's files.
//!
//! Nothing is changed, and nothing is read but footers and the lines of refused records.

mod files;
mod refused;

use std::sync::Arc;

use headgate::{
    Error,
    clock::{Clock, Timestamp},
    dataset::Dataset,
    store::{ObjectMeta, Store},
};
use parquet::file::metadata::PageIndexPolicy;
use serde::Serialize;

use self::refused::refused;
pub use self::{
    files::{Files, Sizes, inspect_files},
    refused::Refused,
};
use crate::merge::{
    Options, names,
    plan::Role,
    publish::{Current, current},
    run::{Stop, lag, look},
};

/// What is known of a dataset's snapshot.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Inspection {
    /// The dataset.
    pub dataset: String,
    /// The snapshot's key; `None` before the first merge.
    pub snapshot: Option<String>,
    /// The generation.
    pub generation: u64,
    /// Change files that are in.
    pub files_applied: u64,
    /// Keys of files that wait.
    pub files_pending: Vec<String>,
    /// Keys of files that are not applied by themselves, being behind the lateness horizon.
    pub refused: Vec<String>,
    /// Keys of files set aside in quarantine.
    pub quarantined: Vec<String>,
    /// Keys under the prefix that are no change files by their names.
    pub unrecognized: Vec<String>,
    /// Seconds between the newest applied file's own time and now.
    pub lag_seconds: Option<f64>,
    /// Rows.
    pub rows: u64,
    /// Row groups.
    pub row_groups: u64,
    /// Bytes.
    pub bytes: u64,
    /// Bytes of the ledger.
    pub ledger_bytes: u64,
    /// Whether the rows are in key order.
    pub sorted: bool,
    /// Columns: name and type.
    pub schema: Vec<(String, String)>,
    /// Refused records, where changes come from a topic or a flow.
    pub refused_records: Refused,
}

/// Looks at the snapshot and its change files without changing anything.
///
/// # Errors
/// Where the store fails, the snapshot is not ours, or the files contradict each other.
pub async fn inspect(store: &Arc<dyn Store>, dataset: &Dataset, clock: &dyn Clock) -> Result<Inspection, Error> {
    let told = |failure| Stop::from(failure).error;
    let (snapshot, _) = current(store, &dataset.target, PageIndexPolicy::Skip).await.map_err(told)?;
    let mut inspection = Inspection { dataset: dataset.name.clone(), ..Inspection::default() };
    if let Some(snapshot) = &snapshot {
        describe(snapshot, dataset, clock, &mut inspection);
    }
    let dataset = Arc::new(dataset.clone());
    let (todo, unrecognized) =
        look(store, &dataset, snapshot.as_ref(), &Options::default(), clock).await.map_err(told)?;
    let changes = todo.changes.into_iter().filter(|(_, role)| *role != Role::Settled);
    inspection.files_pending = todo.loads.into_iter().map(|load| load.meta.key).collect();
    inspection.files_pending.extend(changes.map(|(change, _)| change.meta.key));
    inspection.refused = todo.refused;
    inspection.unrecognized = unrecognized;
    inspection.refused_records = refused(store.as_ref(), &dataset.name, clock).await?;
    Ok(inspection)
}

/// The time up to which names of change files are settled: a merge takes such a file on request alone. `None` before
/// there is any.
///
/// # Errors
/// Where the store fails, or the snapshot is not ours.
pub async fn horizon(store: &Arc<dyn Store>, dataset: &Dataset) -> Result<Option<Timestamp>, Error> {
    let told = |failure| Stop::from(failure).error;
    let (snapshot, _) = current(store, &dataset.target, PageIndexPolicy::Skip).await.map_err(told)?;
    Ok(snapshot.and_then(|snapshot| snapshot.ledger.horizon).map(|digits| names::moment(&digits)))
}

fn describe(current: &Current, dataset: &Dataset, clock: &dyn Clock, inspection: &mut Inspection) {
    let ledger = &current.ledger;
    let fields = current.snapshot.schema().fields().iter();
    inspection.snapshot = Some(current.meta.key.clone());
    inspection.generation = ledger.generation;
    inspection.files_applied = ledger.applied();
    inspection.quarantined = ledger.quarantined.keys().map(|key| format!("{}{key}", dataset.source.prefix)).collect();
    inspection.lag_seconds = lag(ledger.newest.as_deref(), clock);
    inspection.rows = current.snapshot.groups.iter().map(|group| group.rows.cast_unsigned()).sum();
    inspection.row_groups = current.snapshot.groups.len() as u64;
    inspection.bytes = current.meta.size;
    inspection.ledger_bytes = current.ledger_bytes;
    inspection.sorted = ledger.sorted;
    inspection.schema = fields.map(|field| (field.name().clone(), field.data_type().to_string())).collect();
}

/// Calls `take` for every object under a prefix.
async fn each(store: &dyn Store, prefix: &str, mut take: impl FnMut(ObjectMeta)) -> Result<(), Error> {
    let mut after = None::<String>;
    loop {
        let page = store.list(prefix, after.as_deref()).await?;
        after = page.objects.last().map(|object| object.key.clone());
        page.objects.into_iter().for_each(&mut take);
        if !page.more {
            return Ok(());
        }
    }
}

/// Seconds since an object was written.
fn age(object: &ObjectMeta, clock: &dyn Clock) -> f64 {
    (clock.now().0 - object.last_modified.0) as f64 / 1_000.0
}
