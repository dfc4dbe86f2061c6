//! `--dataset` and `--lake` → a dataset and an open store.
//!
//! Everything wrong here is the operator's to correct: usage, not failure.

use std::{path::Path, sync::Arc};

use headgate::{
    dataset::{Dataset, Described},
    store::Store,
};
use headgate_aws::lake::Location;

use crate::{Failure, command::Table};

/// Reads the file of a dataset that a merge keeps, `cdc` or `saas`, and opens the lake. No AWS client is made for a directory.
///
/// # Errors
/// [`Failure::Usage`]: a wrong dataset file, or a lake that is not there.
pub async fn open(table: &Table) -> Result<(Dataset, Arc<dyn Store>), Failure> {
    let dataset = match Described::load(&table.dataset).map_err(Failure::usage)? {
        Described::Saas(saas) => saas.table,
        Described::Table(_) | Described::Stream(_) => Dataset::load(&table.dataset).map_err(Failure::usage)?,
    };
    Ok((dataset, store(table).await?))
}

/// The same for a dataset of any kind.
///
/// # Errors
/// As [`open`].
pub async fn open_any(table: &Table) -> Result<(Described, Arc<dyn Store>), Failure> {
    let described = Described::load(&table.dataset).map_err(Failure::usage)?;
    Ok((described, store(table).await?))
}

async fn store(table: &Table) -> Result<Arc<dyn Store>, Failure> {
    let lake: Location = table.lake.parse().map_err(Failure::usage)?;
    if let Location::Directory(path) = &lake {
        must_be_directory(path)?;
    }
    Ok(lake.open().await)
}

/// A mistyped path must not become an empty lake.
fn must_be_directory(path: &Path) -> Result<(), Failure> {
    if path.is_dir() {
        return Ok(());
    }
    Err(Failure::Usage(format!("--lake {}: no such directory; correct the path or create it", path.display())))
}
