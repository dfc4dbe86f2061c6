//! A dataset file's text → a [`Dataset`], or every problem of the file.
//!
//! Reading goes on after a problem, so that one run tells them all.

use serde_json::Value;

use super::{
    Column, ColumnType, Compression, Csv, Dataset, Format, OnTruncate, Publish, Saas, Source, Stream, Target,
    json::{Object, Problems, expected},
    rules, saas, stream, text,
};
use crate::{
    clock::Timestamp,
    error::{Code, Error},
};

/// What a dataset file describes.
#[derive(Debug, Clone, PartialEq)]
pub enum Described {
    /// `cdc`: a table kept up to date from change files.
    Table(Dataset),
    /// `stream`: records that become rows as they arrive.
    Stream(Stream),
    /// `saas`: runs of a flow, and the table that their records come to.
    Saas(Box<Saas>),
}

impl Described {
    /// Reads and checks a dataset file of any kind; `file_name` is for the message.
    ///
    /// # Errors
    /// Misconfigured, listing every problem, a line each, with its JSON path.
    pub fn parse(file_name: &str, text: &str) -> Result<Self, Error> {
        let document: Value =
            serde_json::from_str(text).map_err(|error| refused(file_name, &[format!("$: {error}")]))?;
        let mut problems = Problems::default();
        let described = document_of(&document, &mut problems);
        match described {
            Some(described) if problems.0.is_empty() => Ok(described),
            _ => Err(refused(file_name, &problems.0)),
        }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Table(table) => &table.name,
            Self::Stream(stream) => &stream.name,
            Self::Saas(saas) => saas.name(),
        }
    }

    /// Its kind, as the file has it.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Table(_) => "cdc",
            Self::Stream(_) => "stream",
            Self::Saas(_) => "saas",
        }
    }

    fn is_none(&self, file_name: &str, wanted: &str) -> Error {
        refused(file_name, &[format!("$.kind: is `{}`: this takes `{wanted}`", self.kind())])
    }
}

impl Dataset {
    /// Reads and checks a `cdc` dataset file; `file_name` is for the message.
    ///
    /// # Errors
    /// Misconfigured, listing every problem, a line each, with its JSON path; also where it is of another kind.
    pub fn parse(file_name: &str, text: &str) -> Result<Self, Error> {
        match Described::parse(file_name, text)? {
            Described::Table(table) => Ok(table),
            other => Err(other.is_none(file_name, "cdc")),
        }
    }
}

impl Stream {
    /// Reads and checks a `stream` dataset file; `file_name` is for the message.
    ///
    /// # Errors
    /// Misconfigured, listing every problem, a line each, with its JSON path; also where it is of another kind.
    pub fn parse(file_name: &str, text: &str) -> Result<Self, Error> {
        match Described::parse(file_name, text)? {
            Described::Stream(stream) => Ok(stream),
            other => Err(other.is_none(file_name, "stream")),
        }
    }
}

impl Saas {
    /// Reads and checks a `saas` dataset file; `file_name` is for the message.
    ///
    /// # Errors
    /// Misconfigured, listing every problem, a line each, with its JSON path; also where it is of another kind.
    pub fn parse(file_name: &str, text: &str) -> Result<Self, Error> {
        match Described::parse(file_name, text)? {
            Described::Saas(saas) => Ok(*saas),
            other => Err(other.is_none(file_name, "saas")),
        }
    }
}

/// The failure that lists these problems of a file or folder.
pub(super) fn refused(name: &str, problems: &[String]) -> Error {
    let count = problems.len();
    let heading = format!("{name}: {count} problem{}", if count == 1 { "" } else { "s" });
    let lines: Vec<&str> = std::iter::once(heading.as_str()).chain(problems.iter().map(String::as_str)).collect();
    Error::misconfigured(
        Code::InvalidConfig,
        lines.join(
            "
  ",
        ),
    )
}

const KINDS: &str = "must be `cdc`, `stream` or `saas`";

fn document_of(document: &Value, problems: &mut Problems) -> Option<Described> {
    let mut root = Object::new("$".to_owned(), document, problems)?;
    root.require("kind", KINDS, problems);
    let kind = match root.field("kind").map(Value::as_str) {
        None => "cdc",
        Some(Some(kind @ ("cdc" | "stream" | "saas"))) => kind,
        Some(_) => {
            // The other fields mean something else in another kind.
            problems.at(root.at("kind"), KINDS);
            return None;
        }
    };
    root.text("$schema", problems);
    root.text("description", problems);
    match kind {
        "stream" => stream::stream(root, problems).map(Described::Stream),
        "saas" => saas::saas(root, problems).map(|saas| Described::Saas(Box::new(saas))),
        _ => table(root, problems).map(Described::Table),
    }
}

/// The name, which a dataset of any kind has.
pub(super) fn plain_name(root: &mut Object<'_>, problems: &mut Problems) -> Option<String> {
    root.require("name", "the table's name, and the file's without `.json`", problems);
    root.filled("name", problems).inspect(|name| rules::name(name, problems)).map(str::to_owned)
}

fn table(mut root: Object<'_>, problems: &mut Problems) -> Option<Dataset> {
    let name = plain_name(&mut root, problems);
    let source = source(&mut root, problems);
    let primary_key = primary_key(&mut root, problems);
    let columns = columns(&mut root, problems);
    let compression = compression(&mut root, problems);
    let target = target(&mut root, problems);
    root.finish(problems);
    rules::together(source.as_ref(), target.as_ref(), primary_key.as_deref(), columns.as_deref(), problems);
    Some(Dataset {
        name: name?,
        source: source?,
        primary_key: primary_key?,
        order_by: None,
        columns,
        compression,
        target: target?,
    })
}

pub(super) fn compression(root: &mut Object<'_>, problems: &mut Problems) -> Compression {
    let told = root.text("compression", problems);
    told.and_then(|text| parsed(&root.at("compression"), text, problems)).unwrap_or_default()
}

fn source(root: &mut Object<'_>, problems: &mut Problems) -> Option<Source> {
    root.require("source", "where the change files are", problems);
    let mut source = root.object("source", problems)?;
    source.require("format", "must be `parquet`, `csv` or `debezium_json`", problems);
    source.require("prefix", "the folder of the change files, such as `cdc/production/orders/`", problems);
    let format = format(&mut source, problems);
    let prefix = source
        .filled("prefix", problems)
        .inspect(|prefix| rules::prefix("$.source.prefix", prefix, rules::LONGEST_SOURCE, problems));
    let op_column = source.filled("op_column", problems).unwrap_or("Op").to_owned();
    let timestamp_column = source.nullable("timestamp_column", problems).map(str::to_owned);
    let order_column = source.nullable("order_column", problems).map(str::to_owned);
    let before_image_prefix = source.nullable("before_image_prefix", problems).map(str::to_owned);
    let reload_cutoff = reload_cutoff(&mut source, problems);
    let lateness_hours = source.hours("lateness_hours", 1, problems).unwrap_or(72);
    let on_truncate = [("keep", OnTruncate::Keep), ("follow", OnTruncate::Follow)];
    let on_truncate = source.one_of("on_truncate", &on_truncate, problems).unwrap_or(OnTruncate::Keep);
    source.finish(problems);
    Some(Source {
        format: format?,
        prefix: prefix?.to_owned(),
        op_column,
        timestamp_column,
        order_column,
        before_image_prefix,
        reload_cutoff,
        lateness_hours,
        on_truncate,
    })
}

fn format(source: &mut Object<'_>, problems: &mut Problems) -> Option<Format> {
    let named = source.one_of("format", &[("parquet", 'p'), ("csv", 'c'), ("debezium_json", 'd')], problems);
    let csv = csv(source, problems);
    match named? {
        'c' => return Some(Format::Csv(csv.unwrap_or_default())),
        _ if csv.is_some() => problems.at(source.at("csv"), "is only for the format `csv`"),
        'd' => return Some(Format::DebeziumJson),
        _ => return Some(Format::Parquet),
    }
    None
}

fn csv(source: &mut Object<'_>, problems: &mut Problems) -> Option<Csv> {
    let default = Csv::default();
    let mut csv = source.object("csv", problems)?;
    let header = csv.boolean("header", problems).unwrap_or(default.header);
    let null = csv.text("null", problems).map_or(default.null, str::to_owned);
    let delimiter = delimiter(&mut csv, problems);
    csv.finish(problems);
    Some(Csv { header, null, delimiter: delimiter.unwrap_or(default.delimiter) })
}

impl Default for Csv {
    /// What DMS writes when it is not told otherwise.
    fn default() -> Self {
        Self { header: false, null: "NULL".to_owned(), delimiter: b',' }
    }
}

pub(super) fn delimiter(csv: &mut Object<'_>, problems: &mut Problems) -> Option<u8> {
    let text = csv.text("delimiter", problems)?;
    match *text.as_bytes() {
        [byte] if byte.is_ascii() && !matches!(byte, b'"' | b'\r' | b'\n' | 0) => Some(byte),
        _ => {
            problems.at(csv.at("delimiter"), "must be one ASCII character, not a quote, a line end or NUL");
            None
        }
    }
}

fn reload_cutoff(source: &mut Object<'_>, problems: &mut Problems) -> Option<Timestamp> {
    let text = source.nullable("reload_cutoff", problems)?;
    let moment = text::moment(text);
    moment.map_err(|error| problems.at(source.at("reload_cutoff"), error)).ok()
}

pub(super) fn primary_key(root: &mut Object<'_>, problems: &mut Problems) -> Option<Vec<String>> {
    root.require("primary_key", "list the key columns, such as [\"id\"]", problems);
    let items = root.array("primary_key", problems)?;
    let mut key: Vec<String> = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let path = format!("{}[{index}]", root.at("primary_key"));
        match item {
            Value::String(name) if name.is_empty() => problems.at(path, "may not be empty"),
            Value::String(name) if key.contains(name) => problems.at(path, format!("`{name}` is listed twice")),
            Value::String(name) => key.push(name.clone()),
            other => problems.at(path, expected("a column's name", other)),
        }
    }
    Some(key)
}

fn columns(root: &mut Object<'_>, problems: &mut Problems) -> Option<Vec<Column>> {
    let items = root.array("columns", problems)?;
    let mut columns: Vec<Column> = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let path = format!("{}[{index}]", root.at("columns"));
        let Some(column) = column(path.clone(), item, problems) else { continue };
        if columns.iter().any(|known| known.name == column.name) {
            problems.at(format!("{path}.name"), format!("`{}` is listed twice", column.name));
        }
        columns.push(column);
    }
    Some(columns)
}

/// A column; one whose type is wrong still counts as named.
fn column(path: String, item: &Value, problems: &mut Problems) -> Option<Column> {
    let mut column = Object::new(path, item, problems)?;
    column.require("name", "the column's name", problems);
    column.require("type", "the column's type, such as `int64`", problems);
    let name = column.filled("name", problems);
    let r#type = column.text("type", problems).and_then(|text| parsed(&column.at("type"), text, problems));
    if matches!(r#type, Some(ColumnType::List(_) | ColumnType::Struct(_))) {
        problems.at(column.at("type"), "must not be nested in a `cdc` dataset: take `json`");
    }
    column.finish(problems);
    Some(Column { name: name?.to_owned(), r#type: r#type.unwrap_or(ColumnType::String) })
}

pub(super) fn target(root: &mut Object<'_>, problems: &mut Problems) -> Option<Target> {
    root.require("target", "where the snapshot goes", problems);
    let mut target = root.object("target", problems)?;
    target.require("snapshot", "the snapshot's key, such as `curated/production/orders/snapshot.parquet`", problems);
    let snapshot = target.filled("snapshot", problems).inspect(|key| rules::snapshot(key, problems));
    let publish = [("replace", Publish::Replace), ("versioned", Publish::Versioned)];
    let publish = target.one_of("publish", &publish, problems).unwrap_or(Publish::Replace);
    let keep_hours = target.hours("keep_hours", 0, problems).unwrap_or(24);
    target.finish(problems);
    Some(Target { snapshot: snapshot?.to_owned(), publish, keep_hours })
}

/// A short text as what it stands for.
pub(super) fn parsed<T: std::str::FromStr<Err = text::TextError>>(
    path: &str,
    text: &str,
    problems: &mut Problems,
) -> Option<T> {
    text.parse().map_err(|error| problems.at(path, format!("`{text}` {error}"))).ok()
}
