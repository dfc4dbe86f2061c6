//! The current snapshot → the next one in its place, or none.
//!
//! Publishing is a compare-and-swap: of two merges at once one wins, and the other looks again.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use headgate::{
    Code, Error,
    clock::{Clock, Timestamp},
    dataset::{Dataset, Publish, Target},
    store::{Condition, ETag, ObjectMeta, Store, StoreError},
};
use parquet::{
    arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions},
    file::metadata::{KeyValue, PageIndexPolicy},
};

use super::{
    base::Snapshot,
    encode::groups,
    ledger::{LEDGER_KEY, Ledger},
    output::Output,
};
use crate::object::{Failure, footer};

/// The snapshot that readers see now.
#[derive(Debug)]
pub struct Current {
    /// The object.
    pub meta: ObjectMeta,
    /// Its ledger.
    pub ledger: Ledger,
    /// The ledger's size in bytes.
    pub ledger_bytes: u64,
    /// Its footer.
    pub snapshot: Snapshot,
}

/// Where the next snapshot goes and on what condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// Over this key.
    Replace { key: String, condition: Condition },
    /// A version of its own, then the manifest.
    Version { key: String, sequence: u64, manifest: String, condition: Condition },
}

impl Place {
    /// The key to write.
    #[must_use]
    pub fn key(&self) -> &str {
        match self {
            Self::Replace { key, .. } | Self::Version { key, .. } => key,
        }
    }

    /// The version's number, where there is one.
    #[must_use]
    pub fn sequence(&self) -> Option<u64> {
        match self {
            Self::Replace { .. } => None,
            Self::Version { sequence, .. } => Some(*sequence),
        }
    }

    /// The condition for writing it.
    #[must_use]
    pub fn condition(&self) -> Condition {
        match self {
            Self::Replace { condition, .. } => condition.clone(),
            Self::Version { .. } => Condition::Absent,
        }
    }
}

/// Reads what readers see now, with the page index where `page_index` says so.
///
/// # Errors
/// Where the store fails or the object is not ours.
pub async fn current(
    store: &Arc<dyn Store>,
    target: &Target,
    page_index: PageIndexPolicy,
) -> Result<(Option<Current>, Option<ETag>), Failure> {
    let (key, swap) = match target.publish {
        Publish::Replace => (Some(target.snapshot.clone()), None),
        Publish::Versioned => match store.get(&manifest(target)).await? {
            Some((etag, line)) => (Some(version_of(store.as_ref(), target, &line)?), Some(etag)),
            None => (None, None),
        },
    };
    let Some(key) = key else { return Ok((None, None)) };
    let Some(meta) = store.head(&key).await? else {
        return match target.publish {
            Publish::Replace => Ok((None, None)),
            // The manifest was swapped and the old version cleaned up while we looked.
            Publish::Versioned => Err(StoreError::Changed { key }.into()),
        };
    };
    let (footer, _) = footer(store, &meta, page_index).await.map_err(|failure| match failure {
        Failure::Refused(refusal) => foreign(&key, &refusal.reason),
        failure @ Failure::Store(_) => failure,
    })?;
    let texts = footer.file_metadata().key_value_metadata();
    let text = texts.and_then(|texts| texts.iter().find(|text| text.key == LEDGER_KEY)?.value.as_deref());
    let text = text.ok_or_else(|| foreign(&key, "its footer has no ledger"))?;
    let ledger =
        serde_json::from_str(text).map_err(|error| foreign(&key, &format!("its ledger is broken: {error}")))?;
    let ledger_bytes = text.len() as u64;
    let groups = groups(&footer);
    let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
    let metadata =
        ArrowReaderMetadata::try_new(Arc::new(footer), options).map_err(|error| foreign(&key, &error.to_string()))?;
    let etag = swap.unwrap_or_else(|| meta.etag.clone());
    Ok((Some(Current { meta, ledger, ledger_bytes, snapshot: Snapshot { metadata, groups } }), Some(etag)))
}

/// Where the next snapshot goes; `swap`: the tag of what is swapped.
///
/// # Errors
/// Where the store fails.
pub async fn place(store: &dyn Store, target: &Target, swap: Option<ETag>, sequence: u64) -> Result<Place, StoreError> {
    let condition = swap.map_or(Condition::Absent, Condition::Matches);
    if target.publish == Publish::Replace {
        return Ok(Place::Replace { key: target.snapshot.clone(), condition });
    }
    let mut sequence = sequence;
    loop {
        let key = version(target, sequence);
        // A merge that ended between version and manifest left this one behind.
        if store.head(&key).await?.is_none() {
            return Ok(Place::Version { key, sequence, manifest: manifest(target), condition });
        }
        sequence += 1;
    }
}

/// The footer's texts.
///
/// # Errors
/// Where the ledger cannot be written down, which is a bug.
pub fn texts(ledger: &Ledger) -> Result<Vec<KeyValue>, Error> {
    let text = serde_json::to_string(ledger)
        .map_err(|error| Error::retry(Code::Internal, format!("the ledger cannot be written: {error}")))?;
    Ok(vec![KeyValue::new(LEDGER_KEY.to_owned(), text)])
}

/// Swaps the manifest, where there is one, once the version is written.
///
/// # Errors
/// [`StoreError::Changed`] where another merge was first; the version is removed then.
pub async fn swap(store: &dyn Store, place: &Place) -> Result<(), StoreError> {
    let Place::Version { key, manifest, condition, .. } = place else { return Ok(()) };
    let line = Bytes::from(format!("{}\n", store.uri(key)));
    let swapped = store.put(manifest, line, condition.clone()).await;
    if matches!(swapped, Err(StoreError::Changed { .. })) {
        store.delete(key).await?;
    }
    swapped.map(|_| ())
}

/// Removes versions that no reader can have begun with for `keep_hours`: of `current`'s ledger those it names are
/// younger, and of the others, left behind by a crash or named no more, the old ones go.
///
/// # Errors
/// Where the store fails.
pub async fn clean_up(
    store: &dyn Store,
    target: &Target,
    current: (&str, &Ledger),
    clock: &dyn Clock,
) -> Result<u64, StoreError> {
    if target.publish == Publish::Replace {
        return Ok(0);
    }
    let stem = stem(target);
    let mut versions: Vec<(u64, Timestamp, String)> = Vec::new();
    let mut after: Option<String> = None;
    loop {
        let page = store.list(&format!("{stem}-"), after.as_deref()).await?;
        for object in &page.objects {
            let number = object.key.strip_prefix(stem).and_then(|rest| rest.strip_prefix('-'));
            let number = number.and_then(|rest| rest.strip_suffix(".parquet")?.parse().ok());
            versions.extend(number.map(|number| (number, object.last_modified, object.key.clone())));
        }
        after = page.objects.last().map(|object| object.key.clone());
        if !page.more {
            break;
        }
    }
    let old = kept_since(target, clock);
    let mut removed = 0;
    for (number, modified, key) in versions {
        if modified < old && key != current.0 && !current.1.superseded.contains_key(&number) {
            store.delete(&key).await?;
            removed += 1;
        }
    }
    Ok(removed)
}

/// Versions superseded since then are kept.
#[must_use]
pub fn kept_since(target: &Target, clock: &dyn Clock) -> Timestamp {
    clock.now().minus(Duration::from_secs(u64::from(target.keep_hours) * 3600))
}

/// The key of the report that is kept beside the snapshot: readers of the folder skip names that begin with `_`.
#[must_use]
pub fn report_key(dataset: &Dataset) -> String {
    let stem = stem(&dataset.target);
    let (folder, name) = stem.rsplit_once('/').map_or(("", stem), |(folder, name)| (folder, name));
    let slash = if folder.is_empty() { "" } else { "/" };
    format!("{folder}{slash}_{name}.report.json")
}

fn stem(target: &Target) -> &str {
    target.snapshot.strip_suffix(".parquet").unwrap_or(&target.snapshot)
}

pub(crate) fn version(target: &Target, sequence: u64) -> String {
    format!("{}-{sequence}.parquet", stem(target))
}

pub(crate) fn manifest(target: &Target) -> String {
    let folder = target.snapshot.rsplit_once('/').map_or(String::new(), |(folder, _)| format!("{folder}/"));
    format!("{folder}_current/manifest")
}

fn version_of(store: &dyn Store, target: &Target, line: &[u8]) -> Result<String, Failure> {
    let line = std::str::from_utf8(line).unwrap_or_default().trim();
    let name = line.rsplit('/').next().unwrap_or_default();
    let folder = target.snapshot.rsplit_once('/').map_or(String::new(), |(folder, _)| format!("{folder}/"));
    let key = format!("{folder}{name}");
    if store.uri(&key) == line {
        return Ok(key);
    }
    // A lake that was moved as a whole names its old place; the file is still beside the manifest.
    if name.starts_with(stem(target).rsplit('/').next().unwrap_or_default()) && name.ends_with(".parquet") {
        return Ok(key);
    }
    Err(foreign(&manifest(target), "it names no version of this snapshot"))
}

fn foreign(key: &str, reason: &str) -> Failure {
    Failure::Refused(crate::changes::Refusal {
        code: Code::ForeignSnapshot,
        column: None,
        reason: format!(
            "{key} was not written by this software ({reason}); move it away, or let target.snapshot name another key"
        ),
    })
}

/// Begins to write at a place.
///
/// # Errors
/// Where the store fails.
pub async fn begin(store: &Arc<dyn Store>, place: &Place) -> Result<Output, StoreError> {
    Output::begin(store.upload(place.key()).await?).await
}
