//! The `compact` of a `stream` dataset file → how its small files become few, with every problem noted.

use std::time::Duration;

use serde_json::Value;

use super::{EXTRA, Stream, UnknownFields, parse::UNTOLD, window::OWN};
use crate::dataset::{
    ColumnType,
    json::{Object, Problems, expected},
};

/// The most columns to sort by.
const COLUMNS: usize = 8;

/// How small files become few.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compact {
    /// About how large a file is to be, in bytes.
    pub target: u64,
    /// How long after its end a partition is closed.
    pub after: Duration,
    /// The columns that files are sorted by; none: by the event time, or as the rows came where there is none.
    pub order_by: Vec<String>,
    /// Fewer files than these are left as they are.
    pub min_files: usize,
}

impl Default for Compact {
    fn default() -> Self {
        Self { target: 256 << 20, after: Duration::from_hours(24), order_by: Vec::new(), min_files: 4 }
    }
}

impl Compact {
    /// The columns that files of this table are sorted by, the most significant first.
    #[must_use]
    pub fn order<'a>(&'a self, stream: &'a Stream) -> Vec<&'a str> {
        match (&self.order_by[..], &stream.window, &stream.event_time) {
            ([], Some(_), _) => vec![OWN[0]],
            ([], None, time) => time.iter().map(String::as_str).collect(),
            (columns, ..) => columns.iter().map(String::as_str).collect(),
        }
    }
}

/// What is there of it; what is wrong in it is noted, so that nobody sees the rest.
pub(super) fn compact(root: &mut Object<'_>, problems: &mut Problems) -> Option<Compact> {
    let mut compact = root.object("compact", problems)?;
    let default = Compact::default();
    let target = compact.whole("target_mb", "megabytes", 1..=1024, problems).map_or(default.target, |mb| mb << 20);
    let after =
        compact.hours("after_hours", 1, problems).map_or(default.after, |hours| Duration::from_hours(hours.into()));
    let min_files = compact.whole("min_files", "files", 2..=1000, problems);
    let min_files = min_files.and_then(|files| usize::try_from(files).ok()).unwrap_or(default.min_files);
    let mut order_by: Vec<String> = Vec::new();
    for (index, item) in compact.list("order_by", problems).unwrap_or_default().iter().enumerate() {
        let path = format!("{}[{index}]", compact.at("order_by"));
        match item {
            Value::String(name) if order_by.contains(name) => problems.at(path, format!("`{name}` is listed twice")),
            Value::String(name) => order_by.push(name.clone()),
            other => problems.at(path, expected("a column's name", other)),
        }
    }
    if order_by.len() > COLUMNS {
        problems.at(compact.at("order_by"), format!("has {} columns: at most {COLUMNS}", order_by.len()));
    }
    compact.finish(problems);
    Some(Compact { target, after, order_by, min_files })
}

/// What must fit together with the rest of the dataset.
pub(super) fn together(compact: &Compact, stream: &Stream, problems: &mut Problems) {
    for (index, name) in compact.order_by.iter().enumerate() {
        let path = format!("$.compact.order_by[{index}]");
        if let Some(window) = &stream.window {
            let measured = window.measures.iter().any(|measure| measure.name == *name);
            if !measured && !window.key.contains(name) && !OWN.contains(&name.as_str()) {
                problems.at(path, format!("`{name}` is not among the columns of the table of windows"));
            }
            continue;
        }
        let field = stream.columns.iter().find(|field| field.name == *name);
        match field.map(|field| &field.r#type) {
            None if name == EXTRA && stream.unknown_fields == UnknownFields::Keep => {}
            None => problems.at(path, format!("`{name}` is not among the columns")),
            _ if stream.partition_by.columns.contains(name) => {
                problems.at(path, format!("`{name}` is a column of the partition: it is equal in all rows of a file"));
            }
            Some(nested @ (ColumnType::List(_) | ColumnType::Struct(_))) if *nested != UNTOLD => {
                problems.at(path, format!("`{name}` is `{nested}`: must not be nested"));
            }
            Some(_) => {}
        }
    }
}
