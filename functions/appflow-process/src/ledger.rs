//! A run → what is noted of it in the lake: which files are its own, what they become, and how many of them are in.
//!
//! A note is only ever swapped for the next one, and what lands is named by it: whoever handles the run, whenever,
//! goes on where the note ends and does the same under the same names.

use std::time::Duration;

use bytes::Bytes;
use headgate::{
    Code, Error,
    clock::Timestamp,
    dataset::{Saas, stream::Granularity},
    flows::{Run, RunId, Status},
    landing::{Attempt, Mark, object_name},
    partition::time_path,
    quarantine,
    store::{Condition, ETag, ObjectMeta, Store, StoreError},
};
use headgate_columnar::merge::of_partition;
use serde::{Deserialize, Serialize};

use crate::{handler::Object, report::Tally};

/// Files that are read together, unless memory is small.
const TOGETHER: u64 = 64 << 20;
/// The share of memory that files may take: their records and rows are there as well.
const SHARE: u64 = 16;
const HOUR: Duration = Duration::from_hours(1);

/// The oldest moment that may name what comes in now: half of the lateness is left for it to land and to be merged. A
/// newer one would let old versions win over those of newer runs.
fn oldest(saas: &Saas, now: Timestamp) -> Timestamp {
    now.minus(HOUR * saas.table.source.lateness_hours / 2)
}

/// What is noted of a run, and by whom: no two attempts write the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    by: Attempt,
    /// How the run stands.
    pub state: State,
}

/// How a run stands with us.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It failed: nothing of it comes in.
    Failed,
    /// It comes in, or is in.
    Planned(Box<Plan>),
}

/// How a run comes in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The run, as it was told first.
    pub run: Run,
    /// The moment in the names of the files of changes.
    pub at: Timestamp,
    /// How often it was begun anew before.
    take: u64,
    /// By what its files are read: the [`Object`]'s.
    reading: String,
    /// Its files, by what is read together.
    groups: Vec<Vec<File>>,
    /// How many of the groups are in.
    done: usize,
    /// What those came to.
    pub tally: Tally,
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

impl Plan {
    /// How a run with these files comes in.
    ///
    /// # Errors
    /// Misconfigured: a file is too large for the memory.
    pub fn new(object: &Object, run: &Run, files: Vec<ObjectMeta>, now: Timestamp, memory: u64) -> Result<Self, Error> {
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
        // What succeeded is not to be noted as failed again.
        let run = Run { status: Status::Succeeded, ..run.clone() };
        let at = run.started.max(oldest(&object.saas, now)).min(now);
        let reading = object.reading.clone();
        Ok(Self { run, at, take: 0, reading, groups, done: 0, tally: Tally::default() })
    }

    /// The same for a run of which an older plan is noted: nothing of it is taken for what is there.
    pub fn anew(self, old: &Self) -> Self {
        Self { take: old.take + 1, ..self }
    }

    /// Whether the run is to be read by this dataset file, and not by one of before or after.
    pub fn is_of(&self, object: &Object) -> bool {
        self.reading == object.reading
    }

    /// Whether so much of the lateness is over that a merge may soon refuse what comes in under this name.
    pub fn is_aged(&self, saas: &Saas, now: Timestamp) -> bool {
        self.at < now.minus(HOUR * saas.table.source.lateness_hours * 3 / 4)
    }

    /// The same under a newer name. What came in under both is the same.
    pub fn renamed(self, saas: &Saas, now: Timestamp) -> Self {
        Self { at: oldest(saas, now), ..self }
    }

    /// The next group to come in; `None` where all are in.
    pub fn next(&self) -> Option<&[File]> {
        self.groups.get(self.done).map(Vec::as_slice)
    }

    /// The same when the next group is in, and came to this.
    pub fn with(&self, tally: &Tally) -> Self {
        let tally = self.tally.clone().and(tally);
        Self { done: self.done + 1, tally, ..self.clone() }
    }

    /// By how many records what came in differs from what the run says it has.
    pub fn missing(&self) -> u64 {
        self.run.records.map_or(0, |told| told.abs_diff(self.tally.records))
    }

    /// The key of a file of changes that the next group becomes.
    pub fn changes_key(&self, saas: &Saas, part: u64) -> String {
        let name = self.name(saas, part, "parquet");
        format!("{}{}", saas.table.source.prefix, of_partition(self.at, &name))
    }

    /// The key of what is refused of it.
    pub fn quarantine_key(&self, saas: &Saas, part: u64) -> String {
        let hour = time_path(self.run.started.0, Granularity::Hour).unwrap_or_default();
        format!("{}{hour}{}", quarantine::prefix(saas.name()), self.name(saas, part, "jsonl"))
    }

    /// No two takes, groups or parts have the same.
    fn name(&self, saas: &Saas, part: u64, extension: &str) -> String {
        let place = (self.take * 1_000_000_000 + self.done as u64) * 1_000_000 + part;
        object_name(&saas.flow, self.run.id.as_str(), &Mark::from(place), extension)
    }
}

/// What is noted of a run, with the tag of the note.
pub type Noted = Option<(ETag, Note)>;

/// Reads what is noted of a run.
///
/// # Errors
/// Where the store fails, or what is there is no note.
pub async fn read(store: &dyn Store, saas: &Saas, run: &RunId) -> Result<Noted, Error> {
    let key = note_key(saas.name(), run.as_str());
    let Some((etag, body)) = store.get(&key).await? else { return Ok(None) };
    let note = serde_json::from_slice(&body).map_err(|error| {
        let message = format!("{key}: is no note of a run: {error}. Remove it, and the run is looked at anew");
        Error::misconfigured(Code::InvalidJson, message)
    })?;
    Ok(Some((etag, note)))
}

/// Swaps what is noted of a run, unless somebody else did; gives what is noted then, and whether it is ours.
///
/// # Errors
/// As [`read`].
pub async fn swap(
    store: &dyn Store,
    saas: &Saas,
    run: &RunId,
    old: Option<ETag>,
    state: State,
) -> Result<(Noted, bool), Error> {
    let note = Note { by: Attempt::fresh(), state };
    let body = serde_json::to_vec(&note).map_err(|error| Error::retry(Code::Internal, error.to_string()))?;
    let condition = old.map_or(Condition::Absent, Condition::Matches);
    match store.put(&note_key(saas.name(), run.as_str()), Bytes::from(body), condition).await {
        Ok(etag) => Ok((Some((etag, note)), true)),
        // It may be ours nonetheless: answers are lost, and requests sent again.
        Err(error @ (StoreError::Changed { .. } | StoreError::Unavailable { .. })) => {
            let noted = read(store, saas, run).await?;
            let is_ours = noted.as_ref().is_some_and(|(_, there)| *there == note);
            if is_ours || matches!(error, StoreError::Changed { .. }) {
                Ok((noted, is_ours))
            } else {
                Err(error.into())
            }
        }
        Err(error) => Err(error.into()),
    }
}
