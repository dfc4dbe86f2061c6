//! The fields of a `stream` dataset file → a [`Stream`], with every problem noted.
//!
//! Rules that span fields are in `rules`.

use serde_json::Value;

use super::{Checks, Field, Granularity, Mask, PartitionBy, RecordFormat, Stream, Transport, UnknownFields, rules};
use crate::dataset::{
    ColumnType,
    json::{Object, Problems, expected},
    parse::{parsed, plain_name},
    rules as common,
};

/// Reads what a `stream` dataset has beside `kind`, `name` and the like.
pub(in crate::dataset) fn stream(mut root: Object<'_>, problems: &mut Problems) -> Option<Stream> {
    let name = plain_name(&mut root, problems);
    let source = source(&mut root, problems);
    root.require("columns", "list the table's columns", problems);
    let columns = fields(&mut root, problems);
    let unknown = [("keep", UnknownFields::Keep), ("drop", UnknownFields::Drop), ("reject", UnknownFields::Reject)];
    let unknown_fields = root.one_of("unknown_fields", &unknown, problems).unwrap_or(UnknownFields::Keep);
    let event_time = root.nullable("event_time", problems).map(str::to_owned);
    let partition_by = partition_by(&mut root, problems);
    let compression =
        root.text("compression", problems).and_then(|text| parsed(&root.at("compression"), text, problems));
    let prefix = target(&mut root, problems);
    root.finish(problems);
    let (transport, format) = source?;
    let stream = Stream {
        name: name?,
        transport,
        format,
        columns: columns?,
        unknown_fields,
        event_time,
        partition_by,
        compression: compression.unwrap_or_default(),
        prefix: prefix?,
    };
    rules::together(&stream, problems);
    Some(stream)
}

fn source(root: &mut Object<'_>, problems: &mut Problems) -> Option<(Transport, RecordFormat)> {
    root.require("source", "where the records come from", problems);
    let mut source = root.object("source", problems)?;
    source.require("type", "must be `kinesis`, `firehose` or `kafka`", problems);
    let types = [("kinesis", Transport::Kinesis), ("firehose", Transport::Firehose), ("kafka", Transport::Kafka)];
    let transport = source.one_of("type", &types, problems);
    let formats = [
        ("json", RecordFormat::Json),
        ("dms_json", RecordFormat::DmsJson),
        ("cloudwatch_logs", RecordFormat::CloudWatchLogs),
        ("avro", RecordFormat::Avro),
        ("debezium_json", RecordFormat::DebeziumJson),
        ("debezium_avro", RecordFormat::DebeziumAvro),
    ];
    let format = source.one_of("format", &formats, problems).unwrap_or(RecordFormat::Json);
    let of_kafka = format.is_avro() || format.is_debezium();
    if of_kafka && transport.is_some_and(|transport| transport != Transport::Kafka) {
        problems.at(source.at("format"), "comes through `kafka` only");
    }
    source.finish(problems);
    Some((transport?, format))
}

fn target(root: &mut Object<'_>, problems: &mut Problems) -> Option<String> {
    root.require("target", "where the table's files go", problems);
    let mut target = root.object("target", problems)?;
    target.require("prefix", "the folder of the table's files, such as `raw/clickstream/`", problems);
    let prefix = target.filled("prefix", problems);
    let prefix = prefix.inspect(|prefix| common::prefix(&target.at("prefix"), prefix, problems));
    target.finish(problems);
    prefix.map(str::to_owned)
}

fn fields(root: &mut Object<'_>, problems: &mut Problems) -> Option<Vec<Field>> {
    let items = root.array("columns", problems)?;
    let mut fields: Vec<Field> = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let path = format!("{}[{index}]", root.at("columns"));
        let Some(field) = field(path.clone(), item, problems) else { continue };
        if fields.iter().any(|known| known.name == field.name) {
            problems.at(format!("{path}.name"), format!("`{}` is listed twice", field.name));
        }
        fields.push(field);
    }
    Some(fields)
}

/// A column; one whose type is wrong still counts as named.
fn field(path: String, item: &Value, problems: &mut Problems) -> Option<Field> {
    let mut field = Object::new(path, item, problems)?;
    field.require("name", "the column's name", problems);
    field.require("type", "the column's type, such as `int64`", problems);
    let name = field.filled("name", problems);
    let r#type = field.text("type", problems).and_then(|text| parsed(&field.at("type"), text, problems));
    let path = field.filled("path", problems);
    let path = path.or(name.filter(|_| path.is_none())).unwrap_or_default();
    let required = field.boolean("required", problems).unwrap_or(false);
    let default = field.field("default").cloned();
    let mask = field.text("mask", problems).and_then(|text| mask(&field.at("mask"), text, problems));
    let checks = checks(&mut field, problems);
    let dotted = field.has("path");
    field.finish(problems);
    let path = if dotted { path.split('.').map(str::to_owned).collect() } else { vec![path.to_owned()] };
    let r#type = r#type.unwrap_or(ColumnType::String);
    Some(Field { name: name?.to_owned(), r#type, path, required, default, mask, checks })
}

fn mask(path: &str, text: &str, problems: &mut Problems) -> Option<Mask> {
    let kept = || text.strip_prefix("keep_last(")?.strip_suffix(')')?.parse().ok().filter(|kept| *kept <= 1024);
    let mask = match text {
        "erase" => Some(Mask::Erase),
        "hash" => Some(Mask::Hash),
        _ => kept().map(Mask::KeepLast),
    };
    if mask.is_none() {
        problems.at(path, format!("`{text}` must be `erase`, `hash` or `keep_last(N)` with N up to 1024"));
    }
    mask
}

fn checks(field: &mut Object<'_>, problems: &mut Problems) -> Checks {
    let min = field.number("min", problems);
    let max = field.number("max", problems);
    let pattern = field.filled("pattern", problems).map(str::to_owned);
    let one_of = field.array("one_of", problems).map(|items| {
        let path = field.at("one_of");
        let texts = items.iter().enumerate().filter_map(|(index, item)| match item {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            other => {
                problems.at(format!("{path}[{index}]"), expected("a string or a number", other));
                None
            }
        });
        texts.collect()
    });
    Checks { min, max, pattern, one_of }
}

fn partition_by(root: &mut Object<'_>, problems: &mut Problems) -> PartitionBy {
    let default = PartitionBy { time: Some(Granularity::Hour), columns: Vec::new() };
    let Some(mut by) = root.object("partition_by", problems) else { return default };
    let times = [
        ("none", None),
        ("year", Some(Granularity::Year)),
        ("month", Some(Granularity::Month)),
        ("day", Some(Granularity::Day)),
        ("hour", Some(Granularity::Hour)),
    ];
    let time = by.one_of("time", &times, problems).unwrap_or(default.time);
    let mut columns: Vec<String> = Vec::new();
    for (index, item) in by.array("columns", problems).unwrap_or_default().iter().enumerate() {
        let path = format!("{}[{index}]", by.at("columns"));
        match item {
            Value::String(name) if columns.contains(name) => problems.at(path, format!("`{name}` is listed twice")),
            Value::String(name) => columns.push(name.clone()),
            other => problems.at(path, expected("a column's name", other)),
        }
    }
    by.finish(problems);
    PartitionBy { time, columns }
}
