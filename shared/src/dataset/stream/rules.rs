//! A `stream` dataset's fields → what in them cannot work together.
//!
//! No rule is about a field's JSON type.

use super::{Checks, EXTRA, Field, Mask, Stream, Transport, UnknownFields, compact, parse::UNTOLD, watch};
use crate::dataset::{ColumnType, json::Problems};

/// Path parts of time partitions, by granularity: a column of that name would be there twice.
const TIME_PARTS: [&str; 4] = ["year", "month", "day", "hour"];

/// What must fit together in a column.
pub(super) fn alone(path: &str, field: &Field, problems: &mut Problems) {
    let mut wrong = |name: &str, what: String| problems.at(format!("{path}.{name}"), what);
    // An empty path is told where it is read.
    if field.path.len() > 1 && field.path.iter().any(String::is_empty) {
        wrong("path", "is names with a `.` between them, none of them empty".to_owned());
    }
    if field.fallback.iter().flatten().any(String::is_empty) {
        wrong("fallback", "is names with a `.` between them, none of them empty".to_owned());
    }
    if field.fallback.as_ref() == Some(&field.path) {
        wrong("fallback", "is the same as `path`".to_owned());
    }
    let Checks { min, max, pattern, one_of } = &field.checks;
    if let Some((min, max)) = min.zip(*max).filter(|(min, max)| min > max) {
        wrong("min", format!("{min} is above `max`, {max}"));
    }
    if let Some(Err(error)) = pattern.as_deref().map(regex_lite::Regex::new) {
        wrong("pattern", error.to_string());
    }
    let r#type = &field.r#type;
    if *r#type == UNTOLD {
        return;
    }
    let (text, number, integer) = (*r#type == ColumnType::String, is_number(r#type), is_integer(r#type));
    for (name, there, fits, what) in [
        ("mask", matches!(field.mask, Some(Mask::Hash | Mask::KeepLast(_))), text, "a `string` column"),
        ("min", min.is_some(), number, "a column of numbers"),
        ("max", max.is_some(), number, "a column of numbers"),
        ("pattern", pattern.is_some(), text, "a `string` column"),
        ("one_of", one_of.is_some(), text || integer, "a `string` or integer column"),
    ] {
        if there && !fits {
            wrong(name, format!("needs {what}, not `{type}`"));
        }
    }
    for (index, allowed) in one_of.iter().flatten().enumerate().filter(|_| integer) {
        if allowed.parse::<i128>().is_err() {
            wrong(&format!("one_of[{index}]"), "no value of an integer column".to_owned());
        }
    }
}

/// What must fit together in the whole.
pub(in crate::dataset) fn together(stream: &Stream, problems: &mut Problems) {
    let parts = stream.partition_by.time.map_or(0, |finest| finest as usize + 1);
    for (index, field) in stream.columns.iter().enumerate() {
        let path = format!("$.columns[{index}]");
        if field.name == EXTRA && stream.unknown_fields == UnknownFields::Keep {
            let taken = "is the column of unknown fields; choose another name, or another `unknown_fields`";
            problems.at(format!("{path}.name"), format!("`{EXTRA}` {taken}"));
        }
        if TIME_PARTS[..parts].contains(&field.name.as_str()) {
            problems.at(format!("{path}.name"), format!("`{}` is a part of the time partition", field.name));
        }
        if stream.transport == Transport::Firehose && has_binary(&field.r#type) {
            problems.at(format!("{path}.type"), "`binary` cannot pass through Firehose, whose records are JSON");
        }
    }
    if let Some(window) = &stream.window {
        super::window::together(window, stream, problems);
    }
    if let Some(name) = &stream.event_time {
        event_time(name, stream, problems);
    }
    for (index, name) in stream.partition_by.columns.iter().enumerate() {
        partition(&format!("$.partition_by.columns[{index}]"), name, stream, problems);
    }
    if let Some(compact) = &stream.compact {
        compact::together(compact, stream, problems);
    }
    if let Some(watch) = &stream.watch {
        watch::together(watch, stream, problems);
    }
    if stream.columns.iter().all(|field| stream.partition_by.columns.contains(&field.name)) {
        problems.at("$.partition_by.columns", "takes all columns: none is left for the files");
    }
}

fn has_binary(r#type: &ColumnType) -> bool {
    match r#type {
        ColumnType::List(item) => has_binary(item),
        ColumnType::Struct(members) => members.iter().any(|member| has_binary(&member.r#type)),
        other => *other == ColumnType::Binary,
    }
}

fn event_time(name: &str, stream: &Stream, problems: &mut Problems) {
    let path = "$.event_time";
    match stream.columns.iter().find(|field| field.name == *name) {
        None => problems.at(path, format!("`{name}` is not among the columns")),
        Some(field) if field.r#type == UNTOLD => {}
        Some(field) if !matches!(field.r#type, ColumnType::Timestamp(_) | ColumnType::Date) => {
            problems.at(path, format!("`{name}` is `{}`: must be a timestamp or a date", field.r#type));
        }
        Some(field) if !field.required && field.default.is_none() => {
            problems.at(path, format!("`{name}` must be `required`, or have a `default`: each record needs a time"));
        }
        Some(field) if field.mask.is_some() => problems.at(path, format!("`{name}` may not be masked")),
        Some(_) => {}
    }
}

fn partition(path: &str, name: &str, stream: &Stream, problems: &mut Problems) {
    if name.contains(['/', '=']) || name.chars().any(char::is_control) {
        problems.at(path, "becomes a part of keys: may not contain `/`, `=` or control characters");
    }
    let Some(field) = stream.columns.iter().find(|field| field.name == *name) else {
        return problems.at(path, format!("`{name}` is not among the columns"));
    };
    let r#type = &field.r#type;
    let plain = matches!(r#type, ColumnType::String | ColumnType::Boolean | ColumnType::Date) || is_integer(r#type);
    if field.mask == Some(Mask::Erase) {
        problems.at(path, format!("`{name}` is erased"));
    } else if !plain && *r#type != UNTOLD {
        problems.at(path, format!("`{name}` is `{type}`: must be text, an integer, a boolean or a date"));
    }
}

pub(super) fn is_integer(r#type: &ColumnType) -> bool {
    matches!(r#type, ColumnType::Int32 | ColumnType::Int64 | ColumnType::Uint64)
}

pub(super) fn is_number(r#type: &ColumnType) -> bool {
    is_integer(r#type) || matches!(r#type, ColumnType::Float32 | ColumnType::Float64 | ColumnType::Decimal(..))
}
