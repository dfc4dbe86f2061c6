//! The folder of dataset files → the datasets of this lake.
//!
//! One bad file makes the folder bad: nothing starts on half a description.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use super::{Dataset, parse};
use crate::error::{Code, Error};

/// The datasets of a lake, by name.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Datasets(BTreeMap<String, Dataset>);

impl Dataset {
    /// Reads and checks the dataset file at `path`.
    ///
    /// # Errors
    /// Misconfigured: the file cannot be read, or as [`Dataset::parse`] says.
    pub fn load(path: &Path) -> Result<Self, Error> {
        let text = fs::read_to_string(path).map_err(|error| unreadable(path, &error))?;
        Self::parse(&path.display().to_string(), &text)
    }
}

impl Datasets {
    /// Reads and checks every `*.json` file in `folder`; `*.schema.json` are not datasets.
    ///
    /// # Errors
    /// Misconfigured, listing every problem of every file.
    pub fn load(folder: &Path) -> Result<Self, Error> {
        let (mut datasets, mut problems) = (BTreeMap::new(), Vec::new());
        for path in files(folder).map_err(|error| unreadable(folder, &error))? {
            match Dataset::load(&path) {
                Err(error) => problems.push(error.message.replace('\n', "\n  ")),
                Ok(dataset) if path.file_stem().is_none_or(|stem| *stem != *dataset.name) => problems.push(format!(
                    "{}: $.name: is `{}`: the file and the dataset must have the same name",
                    path.display(),
                    dataset.name
                )),
                Ok(dataset) => {
                    datasets.insert(dataset.name.clone(), dataset);
                }
            }
        }
        problems.extend(collisions(&datasets));
        if problems.is_empty() {
            Ok(Self(datasets))
        } else {
            Err(parse::refused(&folder.display().to_string(), &problems))
        }
    }

    /// The dataset with this name.
    ///
    /// # Errors
    /// Misconfigured, naming those there are.
    pub fn get(&self, name: &str) -> Result<&Dataset, Error> {
        self.0.get(name).ok_or_else(|| {
            let known: Vec<_> = self.0.keys().map(String::as_str).collect();
            Error::misconfigured(Code::InvalidConfig, format!("no dataset `{name}`; there are: {}", known.join(", ")))
        })
    }

    /// All of them, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Dataset> {
        self.0.values()
    }
}

fn unreadable(path: &Path, error: &std::io::Error) -> Error {
    Error::misconfigured(Code::InvalidConfig, format!("{}: {error}", path.display()))
}

fn files(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.ends_with(".json") && !name.ends_with(".schema.json") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// Datasets that would read each other's objects, or write the same.
fn collisions(datasets: &BTreeMap<String, Dataset>) -> Vec<String> {
    let mut found = Vec::new();
    for one in datasets.values() {
        for other in datasets.values().filter(|other| other.name != one.name) {
            let (prefix, inner) = (&one.source.prefix, &other.source.prefix);
            if inner != prefix && inner.starts_with(prefix.as_str()) {
                found.push(format!("{}: its source.prefix takes in the one of `{}`", one.name, other.name));
            }
            if other.target.snapshot.starts_with(prefix.as_str()) {
                found.push(format!("{}: its source.prefix takes in the snapshot of `{}`", one.name, other.name));
            }
            if one.name < other.name && one.target.snapshot == other.target.snapshot {
                found.push(format!("{}: has the same target.snapshot as `{}`", one.name, other.name));
            }
        }
    }
    found
}
