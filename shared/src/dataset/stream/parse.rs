//! The fields of a `stream` dataset file → a [`Stream`], with every problem noted.
//!
//! Rules that span fields are in `rules`.

use serde_json::Value;

use super::{
    Checks, Field, Granularity, Mask, PartitionBy, RecordFormat, Stream, Transport, UnknownFields, compact, filter,
    rules, watch, window,
};
use crate::dataset::{
    ColumnType,
    json::{Object, Problems, expected},
    parse::{compression, parsed, plain_name},
    rules as common,
};

/// Stands for a type that cannot be told, which no file can name; no rule says more of it.
pub(super) const UNTOLD: ColumnType = ColumnType::Struct(Vec::new());

/// Reads what a `stream` dataset has beside `kind`, `name` and the like.
pub(in crate::dataset) fn stream(mut root: Object<'_>, problems: &mut Problems) -> Option<Stream> {
    let name = plain_name(&mut root, problems);
    let source = source(&mut root, problems);
    root.require("columns", "list the table's columns", problems);
    let columns = fields(&mut root, problems);
    let filter = filter::conditions(&mut root, columns.as_deref().unwrap_or_default(), problems);
    let window = window::window(&mut root, problems);
    let unknown_fields = unknown_fields(&mut root, problems);
    let event_time = root.nullable("event_time", problems).map(str::to_owned);
    let partition_by = partition_by(&mut root, problems);
    let compression = compression(&mut root, problems);
    let prefix = target(&mut root, problems);
    let compact = compact::compact(&mut root, problems);
    let watch = watch::watch(&mut root, problems);
    root.finish(problems);
    // What is wrong by itself is told already; the rest is told of what is there.
    let (transport, format) = source;
    let whole = name.is_some() && transport.is_some() && prefix.is_some();
    let stream = Stream {
        name: name.unwrap_or_default(),
        transport: transport.unwrap_or(Transport::Kinesis),
        format,
        columns: columns?,
        filter,
        window,
        unknown_fields,
        event_time,
        partition_by,
        compression,
        prefix: prefix.unwrap_or_default(),
        compact,
        watch,
    };
    rules::together(&stream, problems);
    whole.then_some(stream)
}

pub(in crate::dataset) fn unknown_fields(root: &mut Object<'_>, problems: &mut Problems) -> UnknownFields {
    let words = [("keep", UnknownFields::Keep), ("drop", UnknownFields::Drop), ("reject", UnknownFields::Reject)];
    root.one_of("unknown_fields", &words, problems).unwrap_or(UnknownFields::Keep)
}

fn source(root: &mut Object<'_>, problems: &mut Problems) -> (Option<Transport>, RecordFormat) {
    root.require("source", "where the records come from", problems);
    let Some(mut source) = root.object("source", problems) else { return (None, RecordFormat::Json) };
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
    if let Some(other) = transport.filter(|transport| *transport != Transport::Kafka && format.is_of_kafka()) {
        problems.at(source.at("format"), format!("Avro and Debezium come through `kafka` alone, not `{other}`"));
    }
    source.finish(problems);
    (transport, format)
}

fn target(root: &mut Object<'_>, problems: &mut Problems) -> Option<String> {
    root.require("target", "where the table's files go", problems);
    let mut target = root.object("target", problems)?;
    target.require("prefix", "the folder of the table's files, such as `raw/clickstream/`", problems);
    let prefix = target.filled("prefix", problems);
    let prefix =
        prefix.inspect(|prefix| common::prefix(&target.at("prefix"), prefix, common::LONGEST_TARGET, problems));
    target.finish(problems);
    prefix.map(str::to_owned)
}

/// The columns, each at its place in the file: one that cannot be told is there without a name.
pub(in crate::dataset) fn fields(root: &mut Object<'_>, problems: &mut Problems) -> Option<Vec<Field>> {
    let items = root.array("columns", problems)?;
    let mut fields: Vec<Field> = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let path = format!("{}[{index}]", root.at("columns"));
        let field = Object::new(path.clone(), item, problems).map(|object| field(object, problems));
        let field = field.unwrap_or_else(nameless);
        if !field.name.is_empty() && fields.iter().any(|known| known.name == field.name) {
            problems.at(format!("{path}.name"), format!("`{}` is listed twice", field.name));
        } else if let Some(known) = fields.iter().find(|known| is_same(&known.name, &field.name)) {
            let what = "differ in case alone, which the catalog does not tell apart";
            problems.at(format!("{path}.name"), format!("`{}` and `{}` {what}", field.name, known.name));
        }
        fields.push(field);
    }
    Some(fields)
}

/// Whether the catalog, which knows names in lower case, takes these for one.
pub(in crate::dataset) fn is_same(one: &str, other: &str) -> bool {
    !one.is_empty() && one.to_lowercase() == other.to_lowercase()
}

fn nameless() -> Field {
    let (name, path, fallback) = (String::new(), Vec::new(), None);
    Field {
        name,
        r#type: UNTOLD,
        path,
        fallback,
        required: false,
        default: None,
        mask: None,
        checks: Checks::default(),
    }
}

fn field(mut field: Object<'_>, problems: &mut Problems) -> Field {
    field.require("name", "the column's name", problems);
    field.require("type", "the column's type, such as `int64`", problems);
    let name = field.filled("name", problems).unwrap_or_default().to_owned();
    let r#type = field.text("type", problems).and_then(|text| parsed(&field.at("type"), text, problems));
    let names = |path: &str| path.split('.').map(str::to_owned).collect::<Vec<_>>();
    let path = if field.field("path").is_some() {
        names(field.filled("path", problems).unwrap_or_default())
    } else {
        vec![name.clone()]
    };
    let fallback = field.filled("fallback", problems).map(names);
    let required = field.boolean("required", problems).unwrap_or(false);
    let default = field.field("default").filter(|default| !default.is_null()).cloned();
    let mask = field.text("mask", problems).and_then(|text| mask(&field.at("mask"), text, problems));
    let checks = checks(&mut field, problems);
    let at = field.path.clone();
    field.finish(problems);
    let field = Field { name, r#type: r#type.unwrap_or(UNTOLD), path, fallback, required, default, mask, checks };
    rules::alone(&at, &field, problems);
    field
}

fn mask(path: &str, text: &str, problems: &mut Problems) -> Option<Mask> {
    let digits = text.strip_prefix("keep_last(").and_then(|rest| rest.strip_suffix(')'));
    let plain = digits.filter(|digits| *digits == "0" || digits.starts_with(|digit| matches!(digit, '1'..='9')));
    let kept = || plain?.parse().ok().filter(|kept| *kept <= 1024);
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
    for (index, item) in by.list("columns", problems).unwrap_or_default().iter().enumerate() {
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
