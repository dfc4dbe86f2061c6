//! Pokes → which tables to merge, and what is ignored and why.
//!
//! Pure. A key outside every dataset is no error: a bucket's notifications may name more than ours.

use std::collections::{BTreeMap, BTreeSet};

use headgate::{Error, dataset::Dataset};
use headgate_aws::lake::Location;
use serde::Serialize;

use crate::trigger::{Poke, invalid};

/// Where the lake is, as events tell it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Address {
    /// Its bucket; `None` for a directory, which takes events of any bucket.
    pub bucket: Option<String>,
    /// What precedes the lake's keys in the bucket: empty, or ending in `/`.
    pub prefix: String,
}

impl Address {
    /// The address of the lake at `location`.
    #[must_use]
    pub fn of(location: &Location) -> Self {
        match location {
            Location::Directory(_) => Self::default(),
            Location::Bucket { bucket, prefix } if prefix.is_empty() => {
                Self { bucket: Some(bucket.clone()), prefix: String::new() }
            }
            Location::Bucket { bucket, prefix } => Self { bucket: Some(bucket.clone()), prefix: format!("{prefix}/") },
        }
    }

    fn holds(&self, bucket: &str) -> bool {
        self.bucket.as_deref().is_none_or(|ours| ours == bucket)
    }
}

/// Why a poke asks for nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Ignored {
    /// S3's own test of a new notification.
    TestEvent,
    /// An S3 event about something else than an object's coming or going.
    OtherEvent,
    /// An object of another bucket.
    OtherBucket,
    /// An object under no dataset's prefix.
    OutsideDatasets,
    /// An object that Headgate itself wrote: a snapshot, a quarantined file, a report.
    OwnOutput,
}

impl Ignored {
    /// The reason as it appears in metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TestEvent => "test_event",
            Self::OtherEvent => "other_event",
            Self::OtherBucket => "other_bucket",
            Self::OutsideDatasets => "outside_datasets",
            Self::OwnOutput => "own_output",
        }
    }
}

/// What pokes come to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Work {
    /// The tables to merge, each with the keys (relative to the lake) that were named.
    pub tables: BTreeMap<String, BTreeSet<String>>,
    /// Pokes that ask for nothing.
    pub ignored: BTreeMap<Ignored, u64>,
}

impl Work {
    /// Adds what `other` comes to.
    pub fn absorb(&mut self, other: Self) {
        for (table, keys) in other.tables {
            self.tables.entry(table).or_default().extend(keys);
        }
        for (reason, count) in other.ignored {
            *self.ignored.entry(reason).or_default() += count;
        }
    }

    fn ignore(&mut self, reason: Ignored) {
        *self.ignored.entry(reason).or_default() += 1;
    }
}

/// Finds the tables that `pokes` ask for.
///
/// # Errors
/// Poison, `invalid_event`: where a table is named that is not served here.
pub fn route(pokes: &[Poke], address: &Address, datasets: &[Dataset]) -> Result<Work, Error> {
    let mut work = Work::default();
    for poke in pokes {
        match poke {
            Poke::Object { bucket, key } => object(&mut work, (bucket, key), address, datasets),
            Poke::Table(name) => {
                work.tables.entry(named(name, datasets)?).or_default();
            }
            Poke::AllTables => {
                for dataset in datasets {
                    work.tables.entry(dataset.name.clone()).or_default();
                }
            }
            Poke::Test => work.ignore(Ignored::TestEvent),
            Poke::Other => work.ignore(Ignored::OtherEvent),
        }
    }
    Ok(work)
}

fn named(name: &str, datasets: &[Dataset]) -> Result<String, Error> {
    if datasets.iter().any(|dataset| dataset.name == name) {
        return Ok(name.to_owned());
    }
    let served: Vec<_> = datasets.iter().map(|dataset| dataset.name.as_str()).collect();
    Err(invalid(format!("no dataset {name:?} is served here, only [{}]", served.join(", "))))
}

fn object(work: &mut Work, (bucket, key): (&str, &str), address: &Address, datasets: &[Dataset]) {
    if !address.holds(bucket) {
        return work.ignore(Ignored::OtherBucket);
    }
    let Some(key) = key.strip_prefix(&address.prefix) else {
        return work.ignore(Ignored::OutsideDatasets);
    };
    if is_own_output(key, datasets) {
        return work.ignore(Ignored::OwnOutput);
    }
    let mut found = false;
    for dataset in datasets.iter().filter(|dataset| key.starts_with(&dataset.source.prefix)) {
        work.tables.entry(dataset.name.clone()).or_default().insert(key.to_owned());
        found = true;
    }
    if !found {
        work.ignore(Ignored::OutsideDatasets);
    }
}

/// A merge's own writes must not start the next merge.
fn is_own_output(key: &str, datasets: &[Dataset]) -> bool {
    OURS.iter().any(|prefix| key.starts_with(prefix)) || datasets.iter().any(|dataset| is_snapshot(key, dataset))
}

const OURS: [&str; 2] = ["quarantine/", "_headgate/"];

/// The snapshot, its versions (`snapshot-7.parquet`), its report (`_snapshot.report.json`), and the manifest beside
/// them (`_current/manifest`).
fn is_snapshot(key: &str, dataset: &Dataset) -> bool {
    let snapshot = &dataset.target.snapshot;
    let (folder, name) = snapshot.rsplit_once('/').unwrap_or(("", snapshot));
    let stem = name.trim_end_matches(".parquet");
    let Some(beside) = key.strip_prefix(folder).map(|rest| rest.trim_start_matches('/')) else { return false };
    let own = beside.strip_prefix('_').unwrap_or(beside).strip_prefix(stem);
    own.is_some_and(|rest| rest.starts_with(['-', '.'])) || beside.starts_with("_current/")
}

#[cfg(test)]
mod tests;
