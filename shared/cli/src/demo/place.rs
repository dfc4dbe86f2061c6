//! A folder → the demo's lake and its dataset files.
//!
//! Only what an earlier demo made is ever removed.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use bytes::Bytes;
use headgate::store::{Condition, Store, directory::DirectoryStore};

use crate::Failure;

/// Where the snapshot is in the lake, as the dataset file says.
pub const SNAPSHOT: &str = "curated/production/orders/snapshot.parquet";
const DATASET: &str = include_str!("../../../../infra/datasets/orders.json");
/// Marks a folder as the demo's own.
const MARK: &str = ".headgate-demo";

/// The demo's folder.
#[derive(Debug)]
pub struct Place {
    root: PathBuf,
    lake: PathBuf,
    datasets: PathBuf,
    store: Arc<dyn Store>,
}

impl Place {
    /// Makes an empty lake and the dataset file in `root`.
    ///
    /// # Errors
    /// [`Failure::Usage`] where the folder holds anything that no demo made.
    pub fn make(root: &Path) -> Result<Self, Failure> {
        let failed = |error: io::Error| Failure::Failed(format!("{}: {error}", root.display()));
        if root.exists() && !root.join(MARK).exists() && fs::read_dir(root).map_err(failed)?.next().is_some() {
            let told = format!("--dir {}: is not empty and not a demo's; give another folder", root.display());
            return Err(Failure::Usage(told));
        }
        fs::create_dir_all(root).map_err(failed)?;
        let root = root.canonicalize().map_err(failed)?;
        let (lake, datasets) = (root.join("lake"), root.join("datasets"));
        fs::write(root.join(MARK), "").map_err(failed)?;
        for folder in [&lake, &datasets] {
            gone(folder).and_then(|()| fs::create_dir(folder)).map_err(failed)?;
        }
        fs::write(datasets.join("orders.json"), DATASET).map_err(failed)?;
        Ok(Self { store: Arc::new(DirectoryStore::new(lake.clone())), root, lake, datasets })
    }

    /// The lake's folder.
    pub fn lake(&self) -> &Path {
        &self.lake
    }

    /// What the function must be told.
    pub fn settings(&self) -> Vec<(String, String)> {
        let text = |path: &Path| path.to_string_lossy().into_owned();
        vec![("LAKE".to_owned(), text(&self.lake)), ("DATASETS_DIR".to_owned(), text(&self.datasets))]
    }

    /// Writes an object into the lake.
    ///
    /// # Errors
    /// [`Failure::Failed`] where the disk refuses.
    pub async fn put(&self, key: &str, body: Bytes) -> Result<(), Failure> {
        self.store.put(key, body, Condition::Always).await.map(drop).map_err(Failure::failed)
    }

    /// The snapshot's bytes.
    ///
    /// # Errors
    /// [`Failure::Failed`] where there is none.
    pub fn snapshot(&self) -> Result<Bytes, Failure> {
        let path = self.lake.join(SNAPSHOT);
        fs::read(&path).map(Bytes::from).map_err(|error| Failure::Failed(format!("{}: {error}", path.display())))
    }

    /// Removes all that the demo made.
    ///
    /// # Errors
    /// [`Failure::Failed`] where the disk refuses.
    pub fn remove(self) -> Result<(), Failure> {
        gone(&self.root).map_err(|error| Failure::Failed(format!("{}: {error}", self.root.display())))
    }
}

fn gone(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
