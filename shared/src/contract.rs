//! A record's JSON text → a row of the table, or why it is refused.
//!
//! One pass over the text, led by the columns: no tree of a record is ever built. Pure: no IO, and no arrow; where the
//! values go is the caller's [`Sink`].

use std::path::{Path, PathBuf};

use crate::{
    dataset::stream::{Field, Mask, RecordFormat, Stream, Transport, UnknownFields, Watch},
    error::{Code, Error},
};

mod control;
mod extra;
mod filter;
pub mod json;
mod key;
mod known;
mod reader;
mod refused;
mod rule;
mod tree;
mod value;

pub use reader::{Reader, Row};
pub use refused::Refused;
pub use rule::MaskKey;
pub use tree::{ENVELOPE, Node};
pub use value::Value;

use self::{filter::Filter, rule::Rule, tree::Branch};

/// Where the values of a row go. A row ends by `keep` or by `forget`, which takes back all that came since.
///
/// Every column gets exactly one value in a kept row, in any order. A struct's members come between its `open` and its
/// `close`, each once; a list's items too, in order. `node` is the number of a [`Node`].
pub trait Sink {
    /// A scalar.
    fn value(&mut self, node: usize, value: Value<'_>);
    /// A scalar that `json` says in just the way in which a line of JSON would.
    fn written(&mut self, node: usize, value: Value<'_>, json: &str) {
        let _ = json;
        self.value(node, value);
    }
    /// Null, with all that could be in it.
    fn null(&mut self, node: usize);
    /// A list or struct begins.
    fn open(&mut self, node: usize);
    /// A list or struct ends.
    fn close(&mut self, node: usize);
    /// The row is whole; `extra` is the JSON object of what no column took.
    fn keep(&mut self, extra: Option<&str>);
    /// There is no row.
    fn forget(&mut self);
}

/// A column, compiled.
#[derive(Debug, Clone)]
pub struct Column {
    /// Its name in the table.
    pub name: String,
    /// Its type.
    pub node: Node,
    /// Whether it never is null.
    pub required: bool,
    /// Whether a record without it is refused.
    demanded: bool,
    /// Where it is in the record, for messages.
    path: Vec<String>,
    /// Where it is where there is nothing, or null.
    fallback: Option<Vec<String>>,
    /// JSON that stands for a missing value.
    default: Option<String>,
    rule: Option<Rule>,
    /// Whether its value is only handed on: no rule, and nothing that decides on the file.
    plain: bool,
}

/// What the records of a stream must be, compiled from its dataset.
#[derive(Debug, Clone)]
pub struct Contract {
    columns: Vec<Column>,
    nodes: usize,
    format: RecordFormat,
    tree: Branch,
    /// The columns of what comes beside a record.
    beside: Branch,
    /// How many fields both trees have.
    fields: usize,
    unknown: UnknownFields,
    event_time: Option<usize>,
    partition: Vec<usize>,
    /// How many columns the filter wants not to be null.
    unwanted_nulls: usize,
    key: Option<MaskKey>,
}

impl Contract {
    /// Reads the dataset file `name` in `folder`, whose records must come by `transport`, and compiles it.
    ///
    /// # Errors
    /// Misconfigured, listing every problem of the file; also as [`Contract::new`].
    pub fn load(
        folder: &Path,
        name: &str,
        transport: Transport,
        key: Option<MaskKey>,
    ) -> Result<(Stream, Self), Error> {
        let (path, stream) = read(folder, name)?;
        if stream.transport != transport {
            return Err(told(&path, &format!("$.source.type: must be `{transport}` for this function")));
        }
        let contract = Self::new(&stream, key)?;
        Ok((stream, contract))
    }

    /// Reads the dataset file `name` in `folder`, whose readings are watched, and compiles it. Nothing is masked: what
    /// is watched goes into no table here.
    ///
    /// # Errors
    /// Misconfigured, listing every problem of the file; also where it has no `watch`, and as [`Contract::new`].
    pub fn load_watched(folder: &Path, name: &str) -> Result<(Stream, Watch, Self), Error> {
        let (path, mut stream) = read(folder, name)?;
        let Some(watch) = stream.watch.clone() else {
            return Err(told(&path, "$.watch: missing: what this function watches the readings for"));
        };
        for field in &mut stream.columns {
            field.mask = None;
        }
        let contract = Self::new(&stream, None)?;
        Ok((stream, watch, contract))
    }

    /// Compiles the dataset's columns; `key` hides the values of hashed columns.
    ///
    /// # Errors
    /// Misconfigured: a column is hashed and there is no key; a `default`, or what the filter compares with, is no value
    /// of its column.
    pub fn new(stream: &Stream, key: Option<MaskKey>) -> Result<Self, Error> {
        let mut nodes = 0;
        let columns: Result<Vec<_>, Error> =
            stream.columns.iter().map(|field| column(stream, field, &mut nodes)).collect();
        let columns = columns?;
        let (tree, beside, fields) = Branch::of(stream, &columns);
        let unwanted_nulls = columns.iter().filter(|column| !column.wants_null()).count();
        let index = |name: &String| stream.columns.iter().position(|field| field.name == *name);
        let contract = Self {
            columns,
            nodes,
            format: stream.format,
            tree,
            beside,
            fields,
            unknown: stream.unknown_fields,
            event_time: stream.event_time.as_ref().and_then(index),
            partition: stream.partition_by.columns.iter().filter_map(index).collect(),
            unwanted_nulls,
            key,
        };
        contract.check(stream)?;
        Ok(contract)
    }

    fn check(&self, stream: &Stream) -> Result<(), Error> {
        let hashed = stream.columns.iter().find(|field| field.mask == Some(Mask::Hash));
        if let (Some(field), None) = (hashed, &self.key) {
            let message = format!("{}: column `{}` is hashed: set MASK_KEY", stream.name, field.name);
            return Err(Error::misconfigured(Code::InvalidConfig, message));
        }
        let mut reader = Reader::new(self);
        for (index, column) in self.columns.iter().enumerate() {
            if let Err(refused) = reader.check_default(column) {
                let within = &refused.path()[1..];
                let message = format!("{}: $.columns[{index}].default{within}: {}", stream.name, refused.reason());
                return Err(Error::misconfigured(refused.code, message));
            }
        }
        Ok(())
    }

    /// The columns, in the order of the table.
    #[must_use]
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// How many nodes the columns' types have.
    #[must_use]
    pub fn nodes(&self) -> usize {
        self.nodes
    }

    /// Whether the table is partitioned by this column, which then is not in its files.
    #[must_use]
    pub fn is_partition(&self, column: usize) -> bool {
        self.partition.contains(&column)
    }

    /// Whether the table has the column of what no other takes.
    #[must_use]
    pub fn keeps_extra(&self) -> bool {
        self.unknown == UnknownFields::Keep
    }
}

fn read(folder: &Path, name: &str) -> Result<(PathBuf, Stream), Error> {
    let path = folder.join(format!("{name}.json"));
    let stream = Stream::load(&path)?;
    if stream.name != name {
        let what = format!("$.name: is `{}`: the file and the dataset must have the same name", stream.name);
        return Err(told(&path, &what));
    }
    Ok((path, stream))
}

fn told(path: &Path, what: &str) -> Error {
    Error::misconfigured(Code::InvalidConfig, format!("{}: {what}", path.display()))
}

fn column(stream: &Stream, field: &Field, nodes: &mut usize) -> Result<Column, Error> {
    let rule = Rule::of(field, Filter::of(&stream.name, &stream.filter, field)?)?;
    Ok(Column {
        name: field.name.clone(),
        node: Node::new(&field.name, &field.r#type, nodes),
        required: field.required && field.mask != Some(Mask::Erase),
        demanded: field.required,
        path: tree::path(stream, &field.path),
        fallback: field.fallback.as_ref().map(|path| tree::path(stream, path)),
        default: field.default.as_ref().filter(|value| !value.is_null()).map(ToString::to_string),
        plain: rule.is_none()
            && stream.event_time.as_ref() != Some(&field.name)
            && !stream.partition_by.columns.contains(&field.name),
        rule,
    })
}

impl Column {
    fn wants_null(&self) -> bool {
        self.rule.as_ref().is_none_or(|rule| rule.filter.wants_null())
    }

    fn is_erased(&self) -> bool {
        self.rule.as_ref().is_some_and(|rule| rule.mask == Some(Mask::Erase))
    }
}

#[cfg(test)]
mod tests;
