//! The folder of dataset files → the datasets of this lake.
//!
//! One bad file makes the folder bad: nothing starts on half a description.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use super::{Dataset, Described, Saas, Stream, Target, parse};
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

    /// All of them, by name.
    pub fn all(&self) -> impl Iterator<Item = &Described> {
        self.0.values()
    }

    /// The table with this name.
    ///
    /// # Errors
    /// Misconfigured, naming those there are.
    pub fn table(&self, name: &str) -> Result<&Dataset, Error> {
        self.tables()
            .find(|table| table.name == name)
            .ok_or_else(|| unknown("cdc", name, self.tables().map(|table| &*table.name)))
    }

    /// The stream with this name.
    ///
    /// # Errors
    /// Misconfigured, naming those there are.
    pub fn stream(&self, name: &str) -> Result<&Stream, Error> {
        self.streams()
            .find(|stream| stream.name == name)
            .ok_or_else(|| unknown("stream", name, self.streams().map(|stream| &*stream.name)))
    }

    /// All tables, by name.
    pub fn tables(&self) -> impl Iterator<Item = &Dataset> {
        self.0.values().filter_map(|described| match described {
            Described::Table(table) => Some(table),
            Described::Stream(_) | Described::Saas(_) => None,
        })
    }

    /// All streams, by name.
    pub fn streams(&self) -> impl Iterator<Item = &Stream> {
        self.0.values().filter_map(|described| match described {
            Described::Stream(stream) => Some(stream),
            Described::Table(_) | Described::Saas(_) => None,
        })
    }

    /// The objects of `SaaS` products, by name.
    pub fn saas(&self) -> impl Iterator<Item = &Saas> {
        self.0.values().filter_map(|described| match described {
            Described::Saas(saas) => Some(saas.as_ref()),
            Described::Table(_) | Described::Stream(_) => None,
        })
    }
}

fn unknown<'a>(kind: &str, name: &str, known: impl Iterator<Item = &'a str>) -> Error {
    let known: Vec<_> = known.collect();
    let there = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
    Error::misconfigured(Code::InvalidConfig, format!("no `{kind}` dataset `{name}`; there are: {there}"))
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

/// Datasets that would read each other's objects, or write among them.
fn collisions(datasets: &BTreeMap<String, Described>) -> Vec<String> {
    let mut found = Vec::new();
    let all: Vec<&Described> = datasets.values().collect();
    for (index, one) in all.iter().enumerate() {
        for other in &all[index + 1..] {
            for area in areas(one) {
                found.extend(
                    areas(other).into_iter().filter_map(|inner| collision((one.name(), area), (other.name(), inner))),
                );
            }
        }
    }
    found
}

/// Two tables may be made from the same change files; nothing else is shared.
fn collision((name, area): (&str, Area<'_>), (other_name, other): (&str, Area<'_>)) -> Option<String> {
    if area.folder == other.folder {
        let shared = area.field == SOURCE && other.field == SOURCE;
        return (!shared).then(|| format!("{name}: its {} is the {} of `{other_name}`", area.field, other.field));
    }
    let takes_in = |outer: &str, field: &str, inner: &str, inner_field: &str| {
        format!("{outer}: its {field} takes in the {inner_field} of `{inner}`")
    };
    if other.folder.starts_with(area.folder) {
        return Some(takes_in(name, area.field, other_name, other.field));
    }
    area.folder.starts_with(other.folder).then(|| takes_in(other_name, other.field, name, area.field))
}

/// The field of what a table reads.
const SOURCE: &str = "source.prefix";

/// What a dataset reads or writes alone.
#[derive(Debug, Clone, Copy)]
struct Area<'a> {
    field: &'static str,
    folder: &'a str,
}

/// Versions, manifest and report stand beside the snapshot. One beside all folders has but its own key.
fn snapshot(target: &Target) -> Area<'_> {
    let snapshot = target.snapshot.as_str();
    let folder = snapshot.rfind('/').map_or(snapshot, |slash| &snapshot[..=slash]);
    Area { field: "folder of target.snapshot", folder }
}

fn areas(described: &Described) -> Vec<Area<'_>> {
    match described {
        Described::Table(table) => vec![Area { field: SOURCE, folder: &table.source.prefix }, snapshot(&table.target)],
        Described::Saas(saas) => vec![
            Area { field: SOURCE, folder: &saas.prefix },
            Area { field: "source.changes", folder: &saas.table.source.prefix },
            snapshot(&saas.table.target),
        ],
        Described::Stream(stream) => vec![Area { field: "target.prefix", folder: &stream.prefix }],
    }
}
