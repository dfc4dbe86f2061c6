//! A dataset's fields → what in them cannot work, alone or together.
//!
//! No rule is about a field's JSON type: those are in `json`.

use super::{Column, Format, Publish, Source, Target, json::Problems};

/// Folders of the lake that are ours: change files or snapshots in them would be mistaken for something else.
const RESERVED: [&str; 4] = [".headgate/", "_headgate/", "errors/", "quarantine/"];

/// The most bytes of a name, of a snapshot's key and of a flow's name: with a partition's path, what the writers call
/// their objects, and what stands beside a snapshot, a key fits [`LONGEST_KEY`](crate::store::LONGEST_KEY).
const LONGEST_NAME: usize = 64;
const LONGEST_SNAPSHOT: usize = 840;
const LONGEST_FLOW: usize = 200;

/// The most bytes of a folder in which objects have long names or partitions.
pub(super) const LONGEST_TARGET: usize = 128;
/// The most bytes of a folder of change files, or of those of a flow.
pub(super) const LONGEST_SOURCE: usize = 340;

/// The name becomes a part of keys and of the catalog's table name.
pub(super) fn name(name: &str, problems: &mut Problems) {
    fits("$.name", name, LONGEST_NAME, problems);
    if name.contains('/') || name.starts_with('.') || name.chars().any(char::is_control) {
        problems.at("$.name", "may not contain `/` or control characters, nor begin with `.`");
    }
}

/// The flow's name becomes a part of keys, in which a byte may need three.
pub(super) fn flow(path: &str, flow: &str, problems: &mut Problems) {
    fits(path, flow, LONGEST_FLOW, problems);
}

fn fits(path: &str, text: &str, most: usize, problems: &mut Problems) {
    if text.len() > most {
        let length = text.len();
        problems
            .at(path, format!("has {length} bytes: at most {most}, for S3's keys end at 1,024; choose a shorter one"));
    }
}

/// A folder of at most so many bytes.
pub(super) fn prefix(path: &str, prefix: &str, most: usize, problems: &mut Problems) {
    fits(path, prefix, most, problems);
    if prefix.starts_with('/') {
        problems.at(path, "may not begin with `/`: keys do not");
    }
    match prefix.strip_suffix('/') {
        None => problems.at(path, "must end in `/`: else it also takes in folders whose names begin the same"),
        Some(folder) => segments(path, folder.trim_start_matches('/'), problems),
    }
    reserved(path, prefix, problems);
}

pub(super) fn snapshot(key: &str, problems: &mut Problems) {
    let path = "$.target.snapshot";
    fits(path, key, LONGEST_SNAPSHOT, problems);
    if key.starts_with('/') {
        problems.at(path, "may not begin with `/`: keys do not");
    }
    if key.strip_suffix(".parquet").is_none_or(|stem| stem.is_empty() || stem.ends_with('/')) {
        problems.at(path, "must be a key that ends in a name with `.parquet`");
    }
    segments(path, key.trim_start_matches('/'), problems);
    reserved(path, key, problems);
}

fn segments(path: &str, key: &str, problems: &mut Problems) {
    if key.split('/').any(|segment| matches!(segment, "" | "." | "..")) || key.chars().any(char::is_control) {
        problems.at(path, "may not contain `//`, `.` or `..` as a segment, nor control characters");
    }
}

fn reserved(path: &str, key: &str, problems: &mut Problems) {
    for folder in RESERVED.iter().filter(|folder| key.starts_with(**folder)) {
        problems.at(path, format!("`{folder}` is kept for the lake's own objects"));
    }
}

/// What must fit together, as far as it is there.
pub(super) fn together(
    source: Option<&Source>,
    target: Option<&Target>,
    key: Option<&[String]>,
    columns: Option<&[Column]>,
    problems: &mut Problems,
) {
    let Some(source) = source else { return };
    if let Some(target) = target {
        apart(&source.prefix, &target.snapshot, problems);
        if target.publish == Publish::Versioned && !target.snapshot.contains('/') {
            problems.at("$.target.snapshot", "needs a folder of its own where `publish` is `versioned`");
        }
    }
    // An envelope keeps what describes a change apart from the table's columns by itself.
    if source.format != Format::DebeziumJson {
        header_columns(source, problems);
        operation(&source.op_column, key.unwrap_or_default(), columns.unwrap_or_default(), problems);
    }
    match (columns, &source.format) {
        (Some(columns), _) => key_columns(key.unwrap_or_default(), columns, problems),
        (None, Format::Csv(csv)) if !csv.header => {
            problems.at("$.columns", "missing: CSV files without a header do not say their columns");
        }
        _ => {}
    }
}

fn apart(prefix: &str, snapshot: &str, problems: &mut Problems) {
    // Versions and the manifest stand beside the snapshot, so its folder counts.
    let folder = snapshot.rfind('/').map_or("", |slash| &snapshot[..=slash]);
    if snapshot.starts_with(prefix) {
        problems.at("$.target.snapshot", "is under `source.prefix`: it would be read as a change file");
    } else if !folder.is_empty() && prefix.starts_with(folder) {
        problems.at("$.target.snapshot", "`source.prefix` is under its folder: give the snapshot a folder of its own");
    }
}

fn header_columns(source: &Source, problems: &mut Problems) {
    let named = [Some(&source.op_column), source.timestamp_column.as_ref(), source.order_column.as_ref()];
    let fields = ["op_column", "timestamp_column", "order_column"];
    for (index, (field, name)) in fields.iter().zip(named).enumerate() {
        if name.is_some() && named[..index].contains(&name) {
            problems.at(format!("$.source.{field}"), "names the same column as another field of the source");
        }
    }
}

fn operation(op_column: &str, key: &[String], columns: &[Column], problems: &mut Problems) {
    let refuse = |path: String, problems: &mut Problems| {
        problems.at(path, format!("`{op_column}` is the operation, not a column of the table"));
    };
    for index in (0..key.len()).filter(|index| key[*index] == op_column) {
        refuse(format!("$.primary_key[{index}]"), problems);
    }
    for index in (0..columns.len()).filter(|index| columns[*index].name == op_column) {
        refuse(format!("$.columns[{index}].name"), problems);
    }
}

fn key_columns(key: &[String], columns: &[Column], problems: &mut Problems) {
    for (index, key) in key.iter().enumerate() {
        if !columns.iter().any(|column| column.name == *key) {
            problems.at(format!("$.primary_key[{index}]"), format!("`{key}` is not among the columns"));
        }
    }
}
