//! A change file in plain values → its bytes in each format.

use std::fmt::{self, Write};

use bytes::Bytes;
use headgate_columnar::sample::{self, Column, Values};

/// A value as text; `None` is NULL.
pub type Value = Option<String>;

/// How a column's text is stored in Parquet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Int,
    Long,
    Unsigned,
    Text,
    /// As hexadecimal digits.
    Binary,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Parquet,
    Csv,
    Json,
}

/// One change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// `I`, `U`, `D`, or `T` where the format has it.
    pub op: char,
    /// The key before the change, where it is told.
    pub old: Option<Vec<String>>,
    pub values: Vec<Value>,
}

#[derive(Clone)]
pub struct File {
    /// Below the prefix, without the extension.
    pub name: String,
    pub columns: Vec<(String, Kind)>,
    pub rows: Vec<Row>,
}

/// As `20240115-100000000(id Int, note Text): I 1 red; D 2 -`.
impl fmt::Debug for File {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns: Vec<_> = self.columns.iter().map(|(name, kind)| format!("{name} {kind:?}")).collect();
        let shown = |value: &Value| value.clone().unwrap_or_else(|| "-".to_owned());
        let row = |row: &Row| {
            let old = row.old.as_ref().map_or(String::new(), |old| format!(" (was {})", old.join(" ")));
            format!("{} {}{old}", row.op, row.values.iter().map(shown).collect::<Vec<_>>().join(" "))
        };
        let rows: Vec<_> = self.rows.iter().map(row).collect();
        write!(f, "{}({}): {}", self.name, columns.join(", "), rows.join("; "))
    }
}

/// What before-image columns begin with.
pub const BEFORE: &str = "BI_";

/// A row's values from text: `-` is NULL.
pub fn row(op: char, values: &[&str]) -> Row {
    let values = values.iter().map(|text| (*text != "-").then(|| (*text).to_owned())).collect();
    Row { op, old: None, values }
}

impl File {
    /// A file with an integer key `id` and text columns of these names, from lines such as `I 1 red -`.
    pub fn of(name: &str, columns: &str, lines: &[&str]) -> Self {
        let kind = |name: &str| if name == "id" { Kind::Int } else { Kind::Text };
        let columns = columns.split(' ').map(|name| (name.to_owned(), kind(name))).collect();
        let change = |line: &&str| {
            let mut words = line.split(' ');
            let op = words.next().and_then(|op| op.chars().next()).expect("an operation");
            row(op, &words.collect::<Vec<_>>())
        };
        Self { name: name.to_owned(), columns, rows: lines.iter().map(change).collect() }
    }

    /// The same with a key column of another kind.
    pub fn keyed(mut self, kind: Kind) -> Self {
        self.columns[0].1 = kind;
        self
    }

    pub fn is_load(&self) -> bool {
        self.name.rsplit('/').next().is_some_and(|name| name.starts_with("LOAD"))
    }

    pub fn bytes(&self, format: Format, keys: &[String], before_images: bool) -> Bytes {
        match format {
            Format::Parquet => self.parquet(keys, before_images),
            Format::Csv => self.csv(keys, before_images).into(),
            Format::Json => self.json(keys).into(),
        }
    }

    fn parquet(&self, keys: &[String], before_images: bool) -> Bytes {
        let mut columns = Vec::new();
        if !self.is_load() {
            columns.push(Column::added("Op", self.rows.iter().map(|row| row.op.to_string())));
        }
        for (at, (name, kind)) in self.columns.iter().enumerate() {
            let values = self.rows.iter().map(|row| row.values[at].clone()).collect();
            columns.push(Column::optional(name, kind.values(values)));
        }
        for (at, key) in keys.iter().enumerate().filter(|_| before_images && !self.is_load()) {
            let kind = self.columns.iter().find(|(name, _)| name == key).map_or(Kind::Text, |(_, kind)| *kind);
            let old = self.rows.iter().map(|row| row.old.as_ref().map(|old| old[at].clone())).collect();
            columns.push(Column::optional(format!("{BEFORE}{key}"), kind.values(old)));
        }
        sample::parquet(&columns).expect("columns of one length")
    }

    fn csv(&self, keys: &[String], before_images: bool) -> String {
        let mut names: Vec<String> = self.columns.iter().map(|(name, _)| name.clone()).collect();
        if !self.is_load() {
            names.insert(0, "Op".to_owned());
            names.extend(keys.iter().filter(|_| before_images).map(|key| format!("{BEFORE}{key}")));
        }
        let mut text = names.join(",") + "\n";
        for row in &self.rows {
            let quoted = |text: &String| format!("\"{}\"", text.replace('"', "\"\""));
            let mut fields: Vec<String> =
                row.values.iter().map(|value| value.as_ref().map_or("NULL".to_owned(), quoted)).collect();
            if !self.is_load() {
                fields.insert(0, row.op.to_string());
                let old = |at: usize| row.old.as_ref().map_or("NULL".to_owned(), |old| quoted(&old[at]));
                fields.extend((0..keys.len()).filter(|_| before_images).map(old));
            }
            writeln!(text, "{}", fields.join(",")).expect("memory");
        }
        text
    }

    fn json(&self, keys: &[String]) -> String {
        let mut text = String::new();
        for row in &self.rows {
            let image = self.columns.iter().zip(&row.values).map(|((name, kind), value)| kind.field(name, value));
            let image = format!("{{{}}}", image.collect::<Vec<_>>().join(","));
            let old = row.old.as_ref().map_or("null".to_owned(), |old| {
                let kind = |key: &String| self.columns.iter().find(|(name, _)| name == key).map(|(_, kind)| *kind);
                let fields = keys.iter().zip(old).filter_map(|(key, v)| Some(kind(key)?.field(key, &Some(v.clone()))));
                format!("{{{}}}", fields.collect::<Vec<_>>().join(","))
            });
            let (before, after) = match row.op {
                'D' => (image, "null".to_owned()),
                'T' => ("null".to_owned(), "null".to_owned()),
                _ => (old, image),
            };
            let op = match row.op {
                'I' if self.is_load() => 'r',
                'I' => 'c',
                op => op.to_ascii_lowercase(),
            };
            writeln!(text, "{{\"op\":\"{op}\",\"before\":{before},\"after\":{after}}}").expect("memory");
        }
        text
    }
}

impl Kind {
    fn values(self, values: Vec<Value>) -> Values {
        match self {
            Self::Int => Values::Int32(numbers(&values)),
            Self::Long => Values::Int64(numbers(&values)),
            Self::Unsigned => Values::Unsigned(numbers(&values)),
            Self::Text => Values::Text(values),
            Self::Binary => Values::Binary(values.into_iter().map(|value| value.map(|hex| bytes_of(&hex))).collect()),
        }
    }

    fn field(self, name: &str, value: &Value) -> String {
        let text = match value {
            None => "null".to_owned(),
            Some(text) if matches!(self, Self::Text | Self::Binary) => {
                serde_json::Value::from(text.as_str()).to_string()
            }
            Some(number) => number.clone(),
        };
        format!("\"{name}\":{text}")
    }
}

fn numbers<N: std::str::FromStr<Err: std::fmt::Debug>>(values: &[Value]) -> Vec<Option<N>> {
    values.iter().map(|value| value.as_ref().map(|text| text.parse().expect("a number"))).collect()
}

fn bytes_of(hex: &str) -> Vec<u8> {
    let digits = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).expect("hexadecimal digits");
    (0..hex.len()).step_by(2).map(digits).collect()
}
