//! Runs → their files in the lake.
//!
//! A file is of the run whose id a part of its key begins with: all that is known of the keys' form. The folder of the
//! flow keeps all it ever brought, so it is looked at whole only where nothing else finds a run's files.

use std::collections::{BTreeMap, BTreeSet};

use headgate::{
    Code, Error,
    clock::Timestamp,
    dataset::{Saas, stream::Granularity},
    flows::{Run, RunId, begins_with_uuid},
    partition::time_path,
    store::{ObjectMeta, Store, StoreError},
};

/// Folders of dates are of the day a run began, or later; a day more, for nothing says so.
const DAY: i64 = 86_400_000;

/// Where the files of some runs are: each folder is listed once, whatever is asked.
#[derive(Debug)]
pub struct Files<'a> {
    store: &'a dyn Store,
    saas: &'a Saas,
    /// When the first of the runs began.
    since: Option<Timestamp>,
    /// What is in the folders of the dates since then, by run; `None` as long as nobody needed it.
    dated: Option<Found>,
    /// What is there at all.
    whole: Option<Found>,
    runs: BTreeSet<&'a RunId>,
}

/// The files of runs, and how many others are of no run that could be told.
#[derive(Debug, Default)]
struct Found {
    of: BTreeMap<RunId, Vec<ObjectMeta>>,
    others: u64,
}

impl<'a> Files<'a> {
    /// Of these runs. Nothing is listed yet.
    pub fn new(store: &'a dyn Store, saas: &'a Saas, runs: impl IntoIterator<Item = &'a Run>) -> Self {
        let (ids, began): (_, Vec<_>) = runs.into_iter().map(|run| (&run.id, run.started)).unzip();
        Self { store, saas, since: began.into_iter().min(), dated: None, whole: None, runs: ids }
    }

    /// The files of one of them, in the order of their keys.
    ///
    /// # Errors
    /// Retry: the store failed, or the run does not say that it has no records and no file is there. Misconfigured: its
    /// files cannot be told from those of other runs.
    pub async fn of(&mut self, run: &Run) -> Result<Vec<ObjectMeta>, Error> {
        let prefix = &self.saas.prefix;
        let by_id = self.list(&format!("{prefix}{}", run.id), None).await?;
        if let Some(files) = by_id.of.get(&run.id) {
            return Ok(files.clone());
        }
        if self.dated.is_none() {
            let since = self.since.unwrap_or(run.started).0 - DAY;
            let after = date(since).map(|date| format!("{prefix}{date}"));
            self.dated = Some(self.list(prefix, after.as_deref()).await?);
        }
        if let Some(files) = self.dated.as_ref().and_then(|dated| dated.of.get(&run.id)) {
            return Ok(files.clone());
        }
        // It had nothing to write.
        if run.records == Some(0) {
            return Ok(Vec::new());
        }
        if self.whole.is_none() {
            self.whole = Some(self.list(prefix, None).await?);
        }
        let whole = self.whole.as_ref();
        let files = whole.and_then(|whole| whole.of.get(&run.id)).cloned();
        files.ok_or_else(|| self.missing(run, whole.map_or(0, |whole| whole.others)))
    }

    fn missing(&self, run: &Run, others: u64) -> Error {
        let (prefix, id) = (&self.saas.prefix, &run.id);
        let records = run.records.map_or("may have records".to_owned(), |records| format!("has {records} records"));
        let message = format!("run {id} {records}, and {prefix} has no file with its id in the key");
        if others > 0 {
            let what = "it has files without any run's id: give the flow's destination the path prefix EXECUTION_ID \
                        (prefixConfig.pathPrefixHierarchy), so that the files of a run can be told";
            return Error::misconfigured(Code::InvalidConfig, format!("{message}; {what}"));
        }
        let what = "they may not be listed yet; if this goes on, compare $.source.prefix with the flow's destination";
        Error::retry(Code::Unavailable, format!("{message}; {what}"))
    }

    async fn list(&self, prefix: &str, after: Option<&str>) -> Result<Found, Error> {
        let (mut found, mut after) = (Found::default(), after.map(str::to_owned));
        loop {
            let page = self.store.list(prefix, after.as_deref()).await.map_err(|error| told(prefix, error))?;
            after = page.objects.last().map(|last| last.key.clone());
            for object in page.objects.into_iter().filter(|object| is_data(&object.key)) {
                let below = object.key.get(self.saas.prefix.len()..).unwrap_or_default();
                let id = below.split('/').filter_map(RunId::of_part).find(|id| self.runs.contains(id));
                if let Some(id) = id {
                    found.of.entry(id).or_default().push(object);
                } else if !below.split('/').any(begins_with_uuid) {
                    found.others += 1;
                }
            }
            if !page.more {
                return Ok(found);
            }
        }
    }
}

/// `yyyy/MM/dd`, as the folders of dates have it.
fn date(at: i64) -> Option<String> {
    let path = time_path(at, Granularity::Day)?;
    Some(path.split('/').filter_map(|part| Some(part.split_once('=')?.1)).collect::<Vec<_>>().join("/"))
}

/// Not a folder that a console made, nor what writers leave beside their files, such as `_SUCCESS`.
fn is_data(key: &str) -> bool {
    let name = key.rsplit_once('/').map_or(key, |(_, name)| name);
    !name.is_empty() && !name.starts_with(['_', '.'])
}

fn told(prefix: &str, error: StoreError) -> Error {
    let error = Error::from(error);
    Error { message: format!("{prefix}: {}", error.message), ..error }
}
