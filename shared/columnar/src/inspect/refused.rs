//! The folder of a dataset's refused records → how many there are, and why.

use std::collections::BTreeMap;

use headgate::{
    Error,
    clock::Clock,
    quarantine::{self, Line},
    store::{ObjectMeta, Store, StoreError},
};
use serde::Serialize;

use super::{age, each};

/// As many bytes of lines are read, those of the newest objects first.
const READ: u64 = 16 << 20;

/// The refused records of a dataset. Those that were replayed are among them: their lines stay where they are.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Refused {
    /// Objects with lines.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Seconds since the newest of them came.
    pub newest_seconds: Option<f64>,
    /// The objects whose lines are counted in `reasons`, from the newest on.
    pub files_read: u64,
    /// Lines by their reason.
    pub reasons: BTreeMap<String, u64>,
}

pub(super) async fn refused(store: &dyn Store, dataset: &str, clock: &dyn Clock) -> Result<Refused, Error> {
    let mut objects: Vec<ObjectMeta> = Vec::new();
    each(store, &quarantine::prefix(dataset), |object| {
        if object.key.ends_with(".jsonl") {
            objects.push(object);
        }
    })
    .await?;
    objects.sort_by(|a, b| (b.last_modified, &b.key).cmp(&(a.last_modified, &a.key)));
    let mut refused = Refused {
        files: objects.len() as u64,
        bytes: objects.iter().map(|object| object.size).sum(),
        newest_seconds: objects.first().map(|object| age(object, clock)),
        ..Refused::default()
    };
    let mut left = READ;
    for object in objects {
        let Some(rest) = left.checked_sub(object.size) else { break };
        left = rest;
        match store.get(&object.key).await {
            Ok(Some((_, lines))) => count(&lines, &mut refused.reasons),
            // An expiry may be at work.
            Ok(None) | Err(StoreError::NotFound { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        refused.files_read += 1;
    }
    Ok(refused)
}

fn count(lines: &[u8], reasons: &mut BTreeMap<String, u64>) {
    for line in lines.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty()) {
        let reason = serde_json::from_slice::<Line>(line).map_or_else(|_| "not_a_line".to_owned(), |line| line.code);
        *reasons.entry(reason).or_default() += 1;
    }
}
