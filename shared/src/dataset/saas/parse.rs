//! The fields of a `saas` dataset file → a [`Saas`], with every problem noted.

use serde_json::Value;

use super::{Deleted, FileFormat, Saas};
use crate::dataset::{
    Column, ColumnType, Csv, Dataset, Format, OnTruncate, Source,
    json::{Object, Problems, expected},
    parse::{compression, delimiter, plain_name, primary_key, target},
    rules as common,
    stream::{
        EXTRA, Field, Mask, PartitionBy, RecordFormat, Stream, Transport, UnknownFields, conditions, fields, together,
        unknown_fields,
    },
};

/// The column with the operation, in the files of runs that came in.
const OP: &str = "Op";

/// Reads what a `saas` dataset has beside `kind` and the like.
pub(in crate::dataset) fn saas(mut root: Object<'_>, problems: &mut Problems) -> Option<Saas> {
    let name = plain_name(&mut root, problems);
    let source = source(&mut root, problems);
    let primary_key = primary_key(&mut root, problems);
    root.require("order_by", "the column that says when a record was last modified", problems);
    let order_by = root.filled("order_by", problems).map(str::to_owned);
    let deleted = deleted(&mut root, problems);
    root.require("columns", "list the table's columns", problems);
    let columns = fields(&mut root, problems);
    let filter = conditions(&mut root, columns.as_deref().unwrap_or_default(), problems);
    let unknown_fields = unknown_fields(&mut root, problems);
    let compression = compression(&mut root, problems);
    let target = target(&mut root, problems);
    root.finish(problems);
    let rows = Stream {
        name: name.clone().unwrap_or_default(),
        transport: Transport::AppFlow,
        format: RecordFormat::Json,
        columns: columns?,
        filter,
        window: None,
        compact: None,
        unknown_fields,
        event_time: None,
        partition_by: PartitionBy { time: None, columns: Vec::new() },
        compression,
        prefix: String::new(),
        watch: None,
    };
    together(&rows, problems);
    let columns = table_columns(&rows);
    let read = source?;
    let lands = Source {
        format: Format::Parquet,
        prefix: read.changes.or_else(|| name.as_ref().map(|name| format!("cdc/saas/{name}/")))?,
        op_column: OP.to_owned(),
        timestamp_column: None,
        order_column: None,
        before_image_prefix: None,
        reload_cutoff: None,
        lateness_hours: read.lateness_hours,
        on_truncate: OnTruncate::Keep,
    };
    common::together(Some(&lands), target.as_ref(), primary_key.as_deref(), Some(&columns), problems);
    checked(&rows, primary_key.as_deref(), order_by.as_deref(), deleted.as_ref(), problems);
    let table = Dataset {
        name: name?,
        source: lands,
        primary_key: primary_key?,
        order_by: Some(order_by?),
        columns: Some(columns),
        compression,
        target: target?,
    };
    let Read { flow, format, prefix, nulls, .. } = read;
    Some(Saas { flow, format, prefix, nulls, deleted, rows, table })
}

/// What the source says.
struct Read {
    flow: String,
    format: FileFormat,
    prefix: String,
    nulls: Vec<String>,
    changes: Option<String>,
    lateness_hours: u32,
}

fn source(root: &mut Object<'_>, problems: &mut Problems) -> Option<Read> {
    root.require("source", "which flow brings the records, and where", problems);
    let mut source = root.object("source", problems)?;
    source.require("flow", "the flow's name", problems);
    source.require("format", "must be `parquet`, `json` or `csv`", problems);
    let flow = source.filled("flow", problems).inspect(|flow| common::flow("$.source.flow", flow, problems));
    let named = source.one_of("format", &[("parquet", 'p'), ("json", 'j'), ("csv", 'c')], problems);
    let dialect = dialect(&mut source, problems);
    let format = match (named, dialect) {
        (Some('c'), dialect) => Some(FileFormat::Csv(dialect.unwrap_or_default())),
        (Some(_), Some(_)) => {
            problems.at(source.at("csv"), "is only for the format `csv`");
            None
        }
        (named, None) => named.map(|named| if named == 'p' { FileFormat::Parquet } else { FileFormat::Json }),
        (None, _) => None,
    };
    let mut folder = |name: &'static str, most: usize, problems: &mut Problems| {
        let prefix = source.filled(name, problems)?;
        common::prefix(&source.at(name), prefix, most, problems);
        Some(prefix.to_owned())
    };
    let (prefix, changes) =
        (folder("prefix", common::LONGEST_SOURCE, problems), folder("changes", common::LONGEST_TARGET, problems));
    let nulls = match source.list("nulls", problems) {
        Some(items) => texts(&source.at("nulls"), items, problems),
        None => vec![String::new()],
    };
    let lateness_hours = source.hours("lateness_hours", 1, problems).unwrap_or(72);
    source.finish(problems);
    let prefix = prefix.or_else(|| flow.map(|flow| format!("raw/saas/{flow}/")))?;
    if changes.as_ref().is_some_and(|changes| changes.starts_with(&prefix) || prefix.starts_with(changes.as_str())) {
        problems.at("$.source.changes", "must be apart from `prefix`, which the flow writes to");
    }
    Some(Read { flow: flow?.to_owned(), format: format?, prefix, nulls, changes, lateness_hours })
}

/// The header is always there, and what stands for NULL is in `nulls`.
fn dialect(source: &mut Object<'_>, problems: &mut Problems) -> Option<Csv> {
    let mut csv = source.object("csv", problems)?;
    let delimiter = delimiter(&mut csv, problems);
    csv.finish(problems);
    Some(Csv { header: true, delimiter: delimiter.unwrap_or(b','), ..Csv::default() })
}

fn texts(path: &str, items: &[Value], problems: &mut Problems) -> Vec<String> {
    let text = |(index, item): (usize, &Value)| match item {
        Value::String(text) => Some(text.clone()),
        other => {
            problems.at(format!("{path}[{index}]"), expected("a string", other));
            None
        }
    };
    items.iter().enumerate().filter_map(text).collect()
}

fn deleted(root: &mut Object<'_>, problems: &mut Problems) -> Option<Deleted> {
    let mut deleted = root.object("deleted", problems)?;
    deleted.require("column", "the column that tells it", problems);
    let column = deleted.filled("column", problems).map(str::to_owned);
    let items = deleted.array("one_of", problems).unwrap_or_default();
    let one_of = texts(&deleted.at("one_of"), items, problems);
    deleted.finish(problems);
    Some(Deleted { column: column?, one_of })
}

/// The columns as a merge knows them.
fn table_columns(rows: &Stream) -> Vec<Column> {
    let column = |field: &Field| Column { name: field.name.clone(), r#type: field.r#type.clone() };
    let extra = || Column { name: EXTRA.to_owned(), r#type: ColumnType::Json };
    let keeps = rows.unknown_fields == UnknownFields::Keep;
    rows.columns.iter().map(column).chain(keeps.then(extra)).collect()
}

/// What must fit together.
fn checked(
    rows: &Stream,
    key: Option<&[String]>,
    order_by: Option<&str>,
    deleted: Option<&Deleted>,
    problems: &mut Problems,
) {
    for (index, field) in rows.columns.iter().enumerate() {
        if matches!(&field.r#type, ColumnType::List(_) | ColumnType::Struct(_)) && !field.name.is_empty() {
            problems.at(format!("$.columns[{index}].type"), "must not be nested in a `saas` dataset: take `json`");
        }
    }
    let find = |name: &str| rows.columns.iter().find(|field| field.name == *name);
    for (index, field) in key.unwrap_or_default().iter().enumerate().filter_map(|(at, name)| Some((at, find(name)?))) {
        let path = format!("$.primary_key[{index}]");
        if !field.required && field.default.is_none() {
            problems.at(&path, format!("`{}` must be `required`: a row without its key is none", field.name));
        }
        if matches!(field.mask, Some(Mask::Erase | Mask::KeepLast(_))) {
            problems.at(path, format!("`{}` is masked beyond telling rows apart: take `hash`", field.name));
        }
    }
    let is_time = |r#type: &ColumnType| {
        matches!(r#type, ColumnType::Timestamp(_) | ColumnType::Date | ColumnType::Int32 | ColumnType::Int64)
    };
    decides("$.order_by", order_by, rows, "a timestamp, a date, `int32` or `int64`", is_time, problems);
    let Some(deleted) = deleted else { return };
    let (wanted, fits): (_, fn(&ColumnType) -> bool) = if deleted.one_of.is_empty() {
        ("`boolean`, or say by `one_of` which texts tell it", |r#type| *r#type == ColumnType::Boolean)
    } else {
        ("`string`", |r#type| *r#type == ColumnType::String)
    };
    decides("$.deleted.column", Some(&deleted.column), rows, wanted, fits, problems);
}

/// A column that decides on a row must be there as it is.
fn decides(
    path: &str,
    name: Option<&str>,
    rows: &Stream,
    wanted: &str,
    fits: impl Fn(&ColumnType) -> bool,
    problems: &mut Problems,
) {
    let Some(name) = name else { return };
    match rows.columns.iter().find(|field| field.name == *name) {
        None => problems.at(path, format!("`{name}` is not among the columns")),
        Some(field) if field.mask.is_some() => problems.at(path, format!("`{name}` may not be masked")),
        Some(field) if !fits(&field.r#type) => {
            problems.at(path, format!("`{name}` is `{}`: must be {wanted}", field.r#type));
        }
        Some(_) => {}
    }
}
