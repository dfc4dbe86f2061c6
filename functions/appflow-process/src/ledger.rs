//! A run → what is noted of it in the lake: which files are its own, what they become, and whether they are in.
//!
//! Noted once, before anything lands: whoever handles the run after that does the same under the same names, whether
//! the run was told by a report or found by a schedule.

use bytes::Bytes;
use headgate::{
    Code, Error,
    clock::Timestamp,
    dataset::Saas,
    flows::Run,
    landing::{Mark, object_name},
    partition::time_path,
    quarantine,
    store::{Condition, ETag, ObjectMeta, Store, StoreError},
};
use headgate_columnar::merge::of_partition;
use serde::{Deserialize, Serialize};

/// Files that become one file of changes, unless memory is small.
const TOGETHER: u64 = 64 << 20;
/// The share of memory that files may take: their records and rows are there as well.
const SHARE: u64 = 16;
const HOUR: i64 = 3_600_000;

/// How a run stands with us.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It failed: nothing of it comes in.
    Failed,
    /// Its files are told.
    Planned,
    /// All of them are in.
    Landed,
}

/// What is noted of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// The id of its execution.
    pub execution: String,
    /// The moment in the names of what it becomes.
    pub at: Timestamp,
    /// How it stands.
    pub state: State,
    /// How many records it says it has.
    pub records: Option<u64>,
    /// Its files, by what becomes of them.
    pub groups: Vec<Vec<File>>,
}

/// A file of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
    /// Its key.
    pub key: String,
    /// Its tag.
    pub etag: ETag,
    /// Bytes.
    pub size: u64,
}

/// The key of the note of a run.
#[must_use]
pub fn note_key(dataset: &str, run: &str) -> String {
    format!("_headgate/appflow/{dataset}/{run}.json")
}

impl Note {
    /// A failed run.
    pub fn of_failed(run: &Run) -> Self {
        Self {
            execution: run.id.clone(),
            at: run.started,
            state: State::Failed,
            records: run.records,
            groups: Vec::new(),
        }
    }

    /// A run with these files. A run that began so long ago that a merge may soon refuse it is named by now.
    ///
    /// # Errors
    /// Misconfigured: a file is too large for the memory.
    pub fn planned(saas: &Saas, run: &Run, files: Vec<ObjectMeta>, now: Timestamp, memory: u64) -> Result<Self, Error> {
        let horizon = i64::from(saas.table.source.lateness_hours) * HOUR / 2;
        let at = if now.0 - run.started.0 < horizon { run.started.min(now) } else { now };
        let most = memory / SHARE;
        let (mut groups, mut held) = (Vec::<Vec<File>>::new(), 0);
        for ObjectMeta { key, size, etag, .. } in files {
            if size > most {
                let what = "let the flow write smaller files (aggregationConfig.targetFileSize), or give more memory";
                let message = format!("{key}: has {size} bytes, and {most} fit the memory; {what}");
                return Err(Error::misconfigured(Code::TooLarge, message));
            }
            let file = File { key, etag, size };
            match groups.last_mut() {
                Some(group) if held + size <= most.min(TOGETHER) => group.push(file),
                _ => {
                    groups.push(vec![file]);
                    held = 0;
                }
            }
            held += size;
        }
        Ok(Self { execution: run.id.clone(), at, state: State::Planned, records: run.records, groups })
    }

    /// The key of the changes that the files of a group become.
    pub fn changes_key(&self, saas: &Saas, group: u64) -> String {
        let name = object_name(&saas.flow, &self.execution, &Mark::from(group), "parquet");
        format!("{}{}", saas.table.source.prefix, of_partition(self.at, &name))
    }

    /// The key of what is refused of them.
    pub fn quarantine_key(&self, saas: &Saas, group: u64) -> String {
        let hour = time_path(self.at.0, headgate::dataset::stream::Granularity::Hour).unwrap_or_default();
        let name = object_name(&saas.flow, &self.execution, &Mark::from(group), "jsonl");
        format!("{}{hour}{name}", quarantine::prefix(saas.name()))
    }
}

/// Reads what is noted of a run.
///
/// # Errors
/// Where the store fails, or what is there is no note.
pub async fn read(store: &dyn Store, saas: &Saas, run: &str) -> Result<Option<(ETag, Note)>, Error> {
    let key = note_key(saas.name(), run);
    let Some((etag, body)) = store.get(&key).await? else { return Ok(None) };
    let note = serde_json::from_slice(&body).map_err(|error| {
        let message = format!("{key}: is no note of a run: {error}. Remove it, and the run is looked at anew");
        Error::misconfigured(Code::InvalidJson, message)
    })?;
    Ok(Some((etag, note)))
}

/// Notes a run, unless somebody else did; gives what is noted then, and whether it is ours.
///
/// # Errors
/// As [`read`].
pub async fn write(
    store: &dyn Store,
    saas: &Saas,
    note: Note,
    condition: Condition,
) -> Result<(ETag, Note, bool), Error> {
    let body = serde_json::to_vec(&note).map_err(|error| Error::retry(Code::Internal, error.to_string()))?;
    match store.put(&note_key(saas.name(), &note.execution), Bytes::from(body), condition).await {
        Ok(etag) => Ok((etag, note, true)),
        Err(StoreError::Changed { key }) => {
            let (etag, note) = read(store, saas, &note.execution).await?.ok_or(StoreError::Changed { key })?;
            Ok((etag, note, false))
        }
        Err(error) => Err(error.into()),
    }
}
