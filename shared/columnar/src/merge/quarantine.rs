//! Bad files that a person named → set aside, and noted in the ledger.
//!
//! The copy comes first, the ledger next, the removal last: at no instant is the file nowhere.

use std::sync::Arc;

use headgate::{
    Code, Error,
    dataset::Dataset,
    store::{Condition, ETag, Store},
};

use super::{MergeReport, names, plan::Todo, run::Stop};

/// A file that was copied to quarantine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Aside {
    /// Its key.
    pub key: String,
    /// Its key below the prefix.
    pub below: String,
    /// Its tag.
    pub etag: ETag,
}

/// Copies the files to `quarantine/<dataset>/…`.
///
/// # Errors
/// Where a key names no change file, or the store fails.
pub async fn copy(store: &Arc<dyn Store>, dataset: &Dataset, keys: &[String]) -> Result<Vec<Aside>, Stop> {
    let mut aside = Vec::with_capacity(keys.len());
    for key in keys {
        let below = key.strip_prefix(&dataset.source.prefix).filter(|below| names::parse(below).is_some());
        let Some(below) = below else {
            let prefix = &dataset.source.prefix;
            let message = format!("--quarantine {key}: not the key of a change file under {prefix}");
            return Err(Error::misconfigured(Code::InvalidConfig, message).into());
        };
        let to = format!("quarantine/{}/{below}", dataset.name);
        let Some(meta) = store.head(key).await.map_err(Error::from)? else {
            if store.head(&to).await.map_err(Error::from)?.is_some() {
                continue;
            }
            let message = format!("--quarantine {key}: there is no such file");
            return Err(Error::misconfigured(Code::InvalidConfig, message).into());
        };
        let mut upload = store.upload(&to).await.map_err(Error::from)?;
        if meta.size > 0 {
            upload.copy(key, 0..meta.size, &meta.etag).await.map_err(Error::from)?;
        }
        upload.complete(Condition::Always).await.map_err(Error::from)?;
        aside.push(Aside { key: key.clone(), below: below.to_owned(), etag: meta.etag });
    }
    Ok(aside)
}

/// Notes the files in the ledger and leaves them out of what is to be done; whether that changed the ledger.
pub fn note(todo: &mut Todo, aside: &[Aside]) -> bool {
    let mut changed = false;
    for file in aside {
        let before = todo.ledger.quarantined.insert(file.below.clone(), file.etag.clone());
        changed |= before.as_ref() != Some(&file.etag);
    }
    let kept = |key: &str, etag: &ETag| !aside.iter().any(|file| file.below == key && file.etag == *etag);
    todo.loads.retain(|load| kept(&load.key, &load.meta.etag));
    todo.changes.retain(|(change, _)| kept(&change.name.key, &change.meta.etag));
    changed
}

/// Removes the originals, once the ledger knows them.
///
/// # Errors
/// Where the store fails.
pub async fn remove(store: &Arc<dyn Store>, aside: &mut Vec<Aside>, report: &mut MergeReport) -> Result<(), Stop> {
    for file in aside.drain(..) {
        store.delete(&file.key).await.map_err(Error::from)?;
        report.quarantined.push(file.key);
    }
    Ok(())
}
