//! A snapshot and its change files → what a person asks about them.

use std::sync::Arc;

use headgate::{Error, clock::Clock, dataset::Dataset, store::Store};
use serde::Serialize;

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
    /// Keys of files set aside in quarantine.
    pub quarantined: Vec<String>,
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
    /// Columns: name and type.
    pub schema: Vec<(String, String)>,
}

/// Looks at the snapshot and its change files without changing anything.
///
/// # Errors
/// Where the store fails or the snapshot is not ours.
pub async fn inspect(_store: &Arc<dyn Store>, _dataset: &Dataset, _clock: &dyn Clock) -> Result<Inspection, Error> {
    Ok(Inspection::default())
}
