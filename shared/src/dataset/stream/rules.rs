//! A `stream` dataset's fields → what in them cannot work together.
//!
//! No rule is about a field's JSON type.

use super::{EXTRA, Field, Mask, Stream, Transport, UnknownFields};
use crate::dataset::{ColumnType, json::Problems};

/// Path parts of time partitions: a column of that name would be there twice.
const TIME_PARTS: [&str; 4] = ["year", "month", "day", "hour"];

pub(super) fn together(stream: &Stream, problems: &mut Problems) {
    for (index, field) in stream.columns.iter().enumerate() {
        one(&format!("$.columns[{index}]"), field, problems);
        if field.name == EXTRA && stream.unknown_fields == UnknownFields::Keep {
            let taken = "is the column of unknown fields; choose another name, or another `unknown_fields`";
            problems.at(format!("$.columns[{index}].name"), format!("`{EXTRA}` {taken}"));
        }
        if stream.partition_by.time.is_some() && TIME_PARTS.contains(&field.name.as_str()) {
            let name = &field.name;
            problems.at(format!("$.columns[{index}].name"), format!("`{name}` is a part of the time partition"));
        }
    }
    if let Some(name) = &stream.event_time {
        event_time(name, stream, problems);
    }
    for (index, name) in stream.partition_by.columns.iter().enumerate() {
        partition(&format!("$.partition_by.columns[{index}]"), name, stream, problems);
    }
    if !stream.partition_by.columns.is_empty() && stream.partition_by.columns.len() == stream.columns.len() {
        problems.at("$.partition_by.columns", "takes all columns: none is left for the files");
    }
    if stream.transport == Transport::Firehose && stream.columns.iter().any(|field| field.r#type == ColumnType::Binary)
    {
        problems.at("$.columns", "a `binary` column cannot pass through Firehose, whose records are JSON");
    }
}

fn one(path: &str, field: &Field, problems: &mut Problems) {
    if field.path.iter().any(String::is_empty) {
        problems.at(format!("{path}.path"), "is names with a `.` between them, none of them empty");
    }
    let text = field.r#type == ColumnType::String;
    if matches!(field.mask, Some(Mask::Hash | Mask::KeepLast(_))) && !text {
        problems.at(format!("{path}.mask"), format!("needs a `string` column, not `{}`", field.r#type));
    }
    let checks = &field.checks;
    if (checks.min.is_some() || checks.max.is_some()) && !is_number(&field.r#type) {
        let which = if checks.min.is_some() { "min" } else { "max" };
        problems.at(format!("{path}.{which}"), format!("needs a column of numbers, not `{}`", field.r#type));
    }
    if checks.min.zip(checks.max).is_some_and(|(min, max)| min > max) {
        problems.at(format!("{path}.min"), "is above `max`");
    }
    if checks.pattern.is_some() && !text {
        problems.at(format!("{path}.pattern"), format!("needs a `string` column, not `{}`", field.r#type));
    }
    if let Some(Err(error)) = checks.pattern.as_deref().map(regex_lite::Regex::new) {
        problems.at(format!("{path}.pattern"), error);
    }
    if checks.one_of.is_some() && !text && !is_integer(&field.r#type) {
        problems.at(format!("{path}.one_of"), format!("needs a `string` or integer column, not `{}`", field.r#type));
    }
}

fn event_time(name: &str, stream: &Stream, problems: &mut Problems) {
    let path = "$.event_time";
    match stream.columns.iter().find(|field| field.name == *name) {
        None => problems.at(path, format!("`{name}` is not among the columns")),
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
    match stream.columns.iter().find(|field| field.name == *name) {
        None => problems.at(path, format!("`{name}` is not among the columns")),
        Some(field) if field.mask == Some(Mask::Erase) => problems.at(path, format!("`{name}` is erased")),
        Some(Field { r#type: ColumnType::String | ColumnType::Boolean | ColumnType::Date, .. }) => {}
        Some(field) if is_integer(&field.r#type) => {}
        Some(field) => {
            problems.at(path, format!("`{name}` is `{}`: must be text, an integer, a boolean or a date", field.r#type));
        }
    }
}

fn is_integer(r#type: &ColumnType) -> bool {
    matches!(r#type, ColumnType::Int32 | ColumnType::Int64 | ColumnType::Uint64)
}

fn is_number(r#type: &ColumnType) -> bool {
    is_integer(r#type) || matches!(r#type, ColumnType::Float32 | ColumnType::Float64 | ColumnType::Decimal(..))
}
