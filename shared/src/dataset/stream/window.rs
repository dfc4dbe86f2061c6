//! The `window` of a `stream` dataset file → what is told of the records of a window of time, with every problem noted.
//!
//! How long a window is, the event source mapping says.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Field, Mask, Stream, Transport, UnknownFields, parse::UNTOLD, rules};
use crate::dataset::{
    ColumnType,
    json::{Object, Problems, expected},
};

/// The most columns of a key.
const KEYS: usize = 8;
/// The most measures.
const MEASURES: usize = 32;

/// Columns that the table of a window has beside those of its key and its measures.
pub const OWN: [&str; 3] = ["window_start", "window_end", "shard"];
/// What a column is called further that holds the sketch of a number of distinct values.
pub const SKETCH: &str = "_sketch";

/// What is told of the records of a window, for each value of the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    /// The key's columns, in order; with none, all records are told of together.
    pub key: Vec<String>,
    /// What is told.
    pub measures: Vec<Measure>,
    /// Whether the newest result of each key is kept in the state, too.
    pub latest: bool,
}

/// A column of the table that is made of many records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Measure {
    /// Its name in the table.
    pub name: String,
    /// How it is made.
    pub function: Function,
    /// What of; only a count may be of whole records.
    pub column: Option<String>,
}

/// How a measure is made of a column's values. Null is no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Function {
    /// How many there are.
    Count,
    /// Their exact sum.
    Sum,
    /// The least.
    Min,
    /// The greatest.
    Max,
    /// About how many different ones there are.
    Distinct,
    /// The one that came last.
    Last,
}

const FUNCTIONS: [(&str, Function); 6] = [
    ("count", Function::Count),
    ("sum", Function::Sum),
    ("min", Function::Min),
    ("max", Function::Max),
    ("distinct", Function::Distinct),
    ("last", Function::Last),
];

/// What is there of the window; what is wrong in it is noted, so that nobody sees the rest.
pub(super) fn window(root: &mut Object<'_>, problems: &mut Problems) -> Option<Window> {
    let mut window = root.object("window", problems)?;
    window.require("key", "the columns that results are told by, such as [\"page\"]; [] for all records", problems);
    window.require(
        "measures",
        "what is told of each key, such as {\"name\": \"views\", \"function\": \"count\"}",
        problems,
    );
    let mut key: Vec<String> = Vec::new();
    for (index, item) in window.list("key", problems).unwrap_or_default().iter().enumerate() {
        let path = format!("{}[{index}]", window.at("key"));
        match item {
            Value::String(name) if key.contains(name) => problems.at(path, format!("`{name}` is listed twice")),
            Value::String(name) => key.push(name.clone()),
            other => problems.at(path, expected("a column's name", other)),
        }
    }
    if key.len() > KEYS {
        problems.at(window.at("key"), format!("has {} columns: at most {KEYS}", key.len()));
    }
    let mut measures = Vec::new();
    for (index, item) in window.array("measures", problems).unwrap_or_default().iter().enumerate() {
        let path = format!("{}[{index}]", window.at("measures"));
        measures.extend(Object::new(path, item, problems).and_then(|object| measure(object, problems)));
    }
    if measures.len() > MEASURES {
        problems.at(window.at("measures"), format!("has {}: at most {MEASURES}", measures.len()));
    }
    let latest = window.boolean("latest", problems).unwrap_or(true);
    window.finish(problems);
    Some(Window { key, measures, latest })
}

fn measure(mut object: Object<'_>, problems: &mut Problems) -> Option<Measure> {
    object.require("name", "the measure's name", problems);
    object.require("function", "`count`, `sum`, `min`, `max`, `distinct` or `last`", problems);
    let name = object.filled("name", problems).map(str::to_owned);
    let function = object.one_of("function", &FUNCTIONS, problems);
    let column = object.filled("column", problems).map(str::to_owned);
    if function.is_some_and(|function| function != Function::Count) && object.field("column").is_none() {
        problems.at(object.at("column"), "missing: the column whose values it is made of");
    }
    object.finish(problems);
    Some(Measure { name: name?, function: function?, column })
}

/// What must fit together in a dataset that tells of windows.
pub(super) fn together(window: &Window, stream: &Stream, problems: &mut Problems) {
    if stream.transport != Transport::Kinesis {
        problems.at("$.window", format!("windows are made of a stream of `kinesis`, not of `{}`", stream.transport));
    }
    if stream.unknown_fields == UnknownFields::Keep {
        let what = "a table of windows has no place for unknown fields: must be `drop` or `reject`";
        problems.at("$.unknown_fields", what);
    }
    if !stream.partition_by.columns.is_empty() {
        problems.at("$.partition_by.columns", "a table of windows is partitioned by their time alone");
    }
    for (index, name) in window.key.iter().enumerate() {
        let path = format!("$.window.key[{index}]");
        let Some(field) = known(&path, name, stream, problems) else { continue };
        let r#type = &field.r#type;
        if !is_key(r#type) {
            problems.at(
                path,
                format!("`{name}` is `{type}`: must be text, a whole or decimal number, a boolean or a time"),
            );
        } else if field.mask == Some(Mask::Erase) {
            problems.at(path, format!("`{name}` is erased"));
        }
    }
    let mut names: Vec<String> = OWN.iter().map(|name| (*name).to_owned()).chain(window.key.clone()).collect();
    for (index, measure) in window.measures.iter().enumerate() {
        let path = format!("$.window.measures[{index}]");
        for name in measure.columns() {
            if names.iter().any(|known| super::is_same(known, &name)) {
                problems.at(format!("{path}.name"), format!("`{name}` is a column of the table already"));
            }
            names.push(name);
        }
        let Some(column) = &measure.column else { continue };
        let path = format!("{path}.column");
        let Some(field) = known(&path, column, stream, problems) else { continue };
        if let Some(what) = measure.function.wants(&field.r#type) {
            problems.at(path, format!("`{column}` is `{}`: must be {what}", field.r#type));
        }
    }
}

impl Measure {
    /// The columns it has in the table.
    #[must_use]
    pub fn columns(&self) -> Vec<String> {
        let sketch = (self.function == Function::Distinct).then(|| format!("{}{SKETCH}", self.name));
        std::iter::once(self.name.clone()).chain(sketch).collect()
    }
}

impl Function {
    /// What it needs, unless a column of this type is that.
    fn wants(self, r#type: &ColumnType) -> Option<&'static str> {
        let (fits, what) = match self {
            Self::Count => (true, "of any type"),
            Self::Sum => (rules::is_number(r#type), "a number"),
            Self::Min | Self::Max => (rules::is_number(r#type) || is_time(r#type), "a number or a time"),
            Self::Distinct | Self::Last => (
                is_key(r#type) || matches!(r#type, ColumnType::Float32 | ColumnType::Float64),
                "text, a number, a boolean or a time",
            ),
        };
        (!fits).then_some(what)
    }
}

fn known<'s>(path: &str, name: &str, stream: &'s Stream, problems: &mut Problems) -> Option<&'s Field> {
    let field = stream.columns.iter().find(|field| field.name == name);
    if field.is_none() {
        problems.at(path, format!("`{name}` is not among the columns"));
    }
    // What has no type is told where it is read.
    field.filter(|field| field.r#type != UNTOLD)
}

fn is_key(r#type: &ColumnType) -> bool {
    let decimal = matches!(r#type, ColumnType::Decimal(..));
    let plain = matches!(r#type, ColumnType::String | ColumnType::Boolean);
    decimal || plain || is_time(r#type) || rules::is_integer(r#type)
}

fn is_time(r#type: &ColumnType) -> bool {
    matches!(r#type, ColumnType::Date | ColumnType::Timestamp(_) | ColumnType::Time)
}
