//! A dataset's window → what is kept of each key, and the table that comes of it.
//!
//! A plan is written down with what was counted by it: where the dataset changes within a window, what came before is
//! closed as it was begun.

use std::fmt;

use headgate::{
    Code, Error,
    contract::Contract,
    dataset::{
        ColumnType, Stream, TimeUnit,
        stream::{
            Checks, Field, PartitionBy, UnknownFields,
            window::{Function, OWN, SKETCH},
        },
    },
};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::tally::Tally;

/// What is kept of each key of a window.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The key's columns.
    pub key: Vec<Named>,
    /// What is told of each.
    pub measures: Vec<Measured>,
}

/// A column of the key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Named {
    /// Its name.
    pub name: String,
    /// Its type.
    pub kind: Kind,
}

/// A measure.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// Its name.
    pub name: String,
    /// How it is made.
    pub function: Function,
    /// What of: the column and its type; `None` for whole records.
    pub of: Option<Named>,
}

/// A column's type as a dataset file spells it.
#[derive(Debug, Clone, PartialEq)]
pub struct Kind(pub ColumnType);

impl Serialize for Kind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Kind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map(Self).map_err(D::Error::custom)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Plan {
    /// The plan of the dataset, which must have a `window`.
    ///
    /// # Errors
    /// Misconfigured: it has none.
    pub fn of(stream: &Stream) -> Result<Self, Error> {
        let Some(window) = &stream.window else {
            let what =
                format!("{}.json: $.window: missing: what is told of each window, and by which key", stream.name);
            return Err(Error::misconfigured(Code::InvalidConfig, what));
        };
        let named = |name: &String| {
            let field = stream.columns.iter().find(|field| field.name == *name);
            field.map(|field| Named { name: name.clone(), kind: Kind(field.r#type.clone()) })
        };
        let measured = window.measures.iter().map(|measure| Measured {
            name: measure.name.clone(),
            function: measure.function,
            of: measure.column.as_ref().and_then(named),
        });
        Ok(Self { key: window.key.iter().filter_map(named).collect(), measures: measured.collect() })
    }

    /// What is told of a key that has no records yet.
    ///
    /// # Errors
    /// Retry, [`Code::Internal`]: a sketch cannot be made.
    pub fn nothing(&self) -> Result<Vec<Tally>, Error> {
        self.measures.iter().map(Tally::nothing).collect()
    }

    /// The table of the results: the window and the shard, the key, then the measures.
    ///
    /// # Errors
    /// As [`Contract::new`].
    pub fn table(&self, stream: &Stream) -> Result<(Stream, Contract), Error> {
        let [start, end, shard] = OWN;
        let moment = ColumnType::Timestamp(TimeUnit::Milli);
        let mut columns =
            vec![required(start, moment.clone()), required(end, moment), required(shard, ColumnType::String)];
        columns.extend(self.key.iter().map(|named| field(&named.name, named.kind.0.clone())));
        for measure in &self.measures {
            columns.push(field(&measure.name, measure.result()));
            if measure.function == Function::Distinct {
                columns.push(field(&format!("{}{SKETCH}", measure.name), ColumnType::Binary));
            }
        }
        let table = Stream {
            columns,
            filter: Vec::new(),
            window: None,
            event_time: None,
            unknown_fields: UnknownFields::Drop,
            partition_by: PartitionBy { time: stream.partition_by.time, columns: Vec::new() },
            ..stream.clone()
        };
        let contract = Contract::new(&table, None)?;
        Ok((table, contract))
    }
}

impl Measured {
    /// The type of the values it is made of.
    pub fn source(&self) -> Option<&ColumnType> {
        self.of.as_ref().map(|of| &of.kind.0)
    }

    fn result(&self) -> ColumnType {
        let source = self.source().cloned().unwrap_or(ColumnType::Int64);
        match self.function {
            Function::Count | Function::Distinct => ColumnType::Int64,
            Function::Min | Function::Max | Function::Last => source,
            Function::Sum => match source {
                ColumnType::Decimal(_, scale) => ColumnType::Decimal(38, scale),
                ColumnType::Float32 | ColumnType::Float64 => ColumnType::Float64,
                _ => ColumnType::Decimal(38, 0),
            },
        }
    }
}

fn field(name: &str, r#type: ColumnType) -> Field {
    let (name, path) = (name.to_owned(), vec![name.to_owned()]);
    Field { name, r#type, path, fallback: None, required: false, default: None, mask: None, checks: Checks::default() }
}

fn required(name: &str, r#type: ColumnType) -> Field {
    Field { required: true, ..field(name, r#type) }
}
