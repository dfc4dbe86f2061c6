//! The folder of dataset files → the datasets of this lake.
//!
//! One bad file makes the folder bad: nothing starts on half a description.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use super::{Dataset, Described, Stream, parse};
use crate::error::{Code, Error};

/// The datasets of a lake, by name.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Datasets(BTreeMap<String, Described>);

impl Described {
    /// Reads and checks the dataset file at `path`.
    ///
    /// # Errors
    /// Misconfigured: the file cannot be read, or as [`Described::parse`] says.
    pub fn load(path: &Path) -> Result<Self, Error> {
        Self::parse(&path.display().to_string(), &read(path)?)
    }
}

impl Dataset {
    /// Reads and checks the `cdc` dataset file at `path`.
    ///
    /// # Errors
    /// Misconfigured: the file cannot be read, or as [`Dataset::parse`] says.
    pub fn load(path: &Path) -> Result<Self, Error> {
        Self::parse(&path.display().to_string(), &read(path)?)
    }
}

impl Stream {
    /// Reads and checks the `stream` dataset file at `path`.
    ///
    /// # Errors
    /// Misconfigured: the file cannot be read, or as [`Stream::parse`] says.
    pub fn load(path: &Path) -> Result<Self, Error> {
        Self::parse(&path.display().to_string(), &read(path)?)
    }
}

fn read(path: &Path) -> Result<String, Error> {
    fs::read_to_string(path).map_err(|error| unreadable(path, &error))
}

impl Datasets {
    /// Reads and checks every `*.json` file in `folder`; `*.schema.json` are not datasets.
    ///
    /// # Errors
    /// Misconfigured, listing every problem of every file.
    pub fn load(folder: &Path) -> Result<Self, Error> {
        let (mut datasets, mut problems) = (BTreeMap::new(), Vec::new());
        for path in files(folder).map_err(|error| unreadable(folder, &error))? {
            match Described::load(&path) {
                Err(error) => problems.push(error.message.replace('\n', "\n  ")),
                Ok(dataset) if path.file_stem().is_none_or(|stem| *stem != *dataset.name()) => problems.push(format!(
                    "{}: $.name: is `{}`: the file and the dataset must have the same name",
                    path.display(),
                    dataset.name()
                )),
                Ok(dataset) => {
                    datasets.insert(dataset.name().to_owned(), dataset);
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

    /// The table with this name.
    ///
    /// # Errors
    /// Misconfigured, naming those there are.
    pub fn table(&self, name: &str) -> Result<&Dataset, Error> {
        self.tables().find(|table| table.name == name).ok_or_else(|| self.unknown("cdc", name))
    }

    /// The stream with this name.
    ///
    /// # Errors
    /// Misconfigured, naming those there are.
    pub fn stream(&self, name: &str) -> Result<&Stream, Error> {
        self.streams().find(|stream| stream.name == name).ok_or_else(|| self.unknown("stream", name))
    }

    /// All tables, by name.
    pub fn tables(&self) -> impl Iterator<Item = &Dataset> {
        self.0.values().filter_map(|described| match described {
            Described::Table(table) => Some(table),
            Described::Stream(_) => None,
        })
    }

    /// All streams, by name.
    pub fn streams(&self) -> impl Iterator<Item = &Stream> {
        self.0.values().filter_map(|described| match described {
            Described::Stream(stream) => Some(stream),
            Described::Table(_) => None,
        })
    }

    fn unknown(&self, kind: &str, name: &str) -> Error {
        let known: Vec<_> = self.0.keys().map(String::as_str).collect();
        let message = format!("no `{kind}` dataset `{name}`; there are: {}", known.join(", "));
        Error::misconfigured(Code::InvalidConfig, message)
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
fn collisions(datasets: &BTreeMap<String, Described>) -> Vec<String> {
    let mut found = Vec::new();
    for one in datasets.values() {
        for other in datasets.values().filter(|other| other.name() != one.name()) {
            let (name, other_name) = (one.name(), other.name());
            let (field, prefix) = folder(one);
            let (inner_field, inner) = folder(other);
            let same = inner == prefix && (field, inner_field) != ("source", "source");
            if inner.starts_with(prefix) && inner != prefix || same && name < other_name {
                found.push(format!("{name}: its {field}.prefix takes in the {inner_field}.prefix of `{other_name}`"));
            }
            let Described::Table(table) = other else { continue };
            if table.target.snapshot.starts_with(prefix) {
                found.push(format!("{name}: its {field}.prefix takes in the snapshot of `{other_name}`"));
            }
            if let Described::Table(own) = one
                && name < other_name
                && own.target.snapshot == table.target.snapshot
            {
                found.push(format!("{name}: has the same target.snapshot as `{other_name}`"));
            }
        }
    }
    found
}

/// The folder that a dataset reads or writes alone.
fn folder(described: &Described) -> (&'static str, &str) {
    match described {
        Described::Table(table) => ("source", &table.source.prefix),
        Described::Stream(stream) => ("target", &stream.prefix),
    }
}
