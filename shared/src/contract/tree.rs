//! A dataset's columns → which field of a record goes where.
//!
//! Compiled once; a reader looks a field up without hashing where records list their fields in one order.

use crate::dataset::{
    ColumnType,
    stream::{Field, RecordFormat, Stream, Transport},
};

/// What the names of columns begin with that are of a Kafka record's envelope. A record cannot give them itself.
pub const ENVELOPE: &str = "_kafka_";

fn is_beside(stream: &Stream, field: &Field) -> bool {
    stream.transport == Transport::Kafka && field.path.len() == 1 && field.path[0].starts_with(ENVELOPE)
}

/// A column's type with a number for each level of it: columns in order, each before what is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Its number.
    pub id: usize,
    /// Its type.
    pub r#type: ColumnType,
    /// The list's item, or the struct's members.
    pub inner: Vec<(String, Node)>,
}

impl Node {
    pub(super) fn new(r#type: &ColumnType, next: &mut usize) -> Self {
        let id = *next;
        *next += 1;
        let inner = match r#type {
            ColumnType::List(item) => vec![("item".to_owned(), Self::new(item, next))],
            ColumnType::Struct(members) => {
                members.iter().map(|member| (member.name.clone(), Self::new(&member.r#type, next))).collect()
            }
            _ => Vec::new(),
        };
        Self { id, r#type: r#type.clone(), inner }
    }
}

/// Who takes a field's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Taker {
    /// The column with this index.
    Column(usize),
    /// Whether it is a control record of DMS.
    RecordType,
}

/// The fields of an object that are asked for.
#[derive(Debug, Clone, Default)]
pub(super) struct Branch {
    steps: Vec<Step>,
}

/// A field that is asked for: by takers, and by takers of what is in it.
#[derive(Debug, Clone)]
pub(super) struct Step {
    pub(super) name: String,
    pub(super) takers: Vec<Taker>,
    pub(super) inner: Option<Branch>,
}

impl Branch {
    pub(super) fn of(stream: &Stream) -> Self {
        let mut root = Self::default();
        for (index, field) in stream.columns.iter().enumerate().filter(|(_, field)| !is_beside(stream, field)) {
            let outer = (stream.format == RecordFormat::DmsJson && field.path[0] != "metadata").then_some("data");
            let path: Vec<&str> = outer.into_iter().chain(field.path.iter().map(String::as_str)).collect();
            root.take(&path, Taker::Column(index));
        }
        if stream.format == RecordFormat::DmsJson {
            root.take(&["metadata", "record-type"], Taker::RecordType);
        }
        root
    }

    /// The columns whose values come beside the record: those of a Kafka record's envelope.
    pub(super) fn beside(stream: &Stream) -> Self {
        let mut root = Self::default();
        for (index, field) in stream.columns.iter().enumerate().filter(|(_, field)| is_beside(stream, field)) {
            root.take(&[&field.path[0]], Taker::Column(index));
        }
        root
    }

    fn take(&mut self, path: &[&str], taker: Taker) {
        let Some((name, rest)) = path.split_first() else { return };
        let at = self.steps.iter().position(|step| step.name == *name).unwrap_or_else(|| {
            self.steps.push(Step { name: (*name).to_owned(), takers: Vec::new(), inner: None });
            self.steps.len() - 1
        });
        let step = &mut self.steps[at];
        if rest.is_empty() {
            step.takers.push(taker);
        } else {
            step.inner.get_or_insert_default().take(rest, taker);
        }
    }

    /// The step of this name; `hint` is where it may well be, and afterwards where the next one may be.
    pub(super) fn find(&self, name: &str, hint: &mut usize) -> Option<&Step> {
        let near = self.steps.get(*hint).filter(|step| step.name == name).map(|_| *hint);
        let at = near.or_else(|| self.steps.iter().position(|step| step.name == name))?;
        *hint = at + 1;
        Some(&self.steps[at])
    }
}
