//! A dataset's columns → which field of a record goes where.
//!
//! Compiled once; a reader looks a field up without hashing where records list their fields in one order.

use super::{Column, known::Known};
use crate::{
    dataset::{
        ColumnType,
        stream::{RecordFormat, Stream, Transport},
    },
    lexer::written,
};

/// What the names of columns begin with that are of a Kafka record's envelope. A record cannot give them itself.
pub const ENVELOPE: &str = "_kafka_";

fn is_beside(stream: &Stream, path: &[String]) -> bool {
    stream.transport == Transport::Kafka && matches!(path, [name] if name.starts_with(ENVELOPE))
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
    /// How a struct's member begins in a text.
    pub(super) written: String,
}

impl Node {
    pub(super) fn new(name: &str, r#type: &ColumnType, next: &mut usize) -> Self {
        let id = *next;
        *next += 1;
        let inner = match r#type {
            ColumnType::List(item) => vec![("item".to_owned(), Self::new("item", item, next))],
            ColumnType::Struct(members) => members
                .iter()
                .map(|member| (member.name.clone(), Self::new(&member.name, &member.r#type, next)))
                .collect(),
            _ => Vec::new(),
        };
        Self { id, r#type: r#type.clone(), inner, written: written(name) }
    }
}

/// Who takes a field's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Taker {
    /// The column with this index.
    Column(usize),
    /// The column with this index, where nothing is at its path.
    Fallback(usize),
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
    /// How it begins in a text.
    pub(super) written: String,
    pub(super) takers: Vec<Taker>,
    pub(super) inner: Option<Branch>,
    /// Its number: fields come once.
    pub(super) id: usize,
    /// What is taken of it, where it has several takers.
    pub(super) known: Known,
    /// Whether it describes the record, so that what is left of it is not unknown.
    pub(super) envelope: bool,
}

/// Where a column's value is in the record, with the names of the transport's envelope.
pub(super) fn path(stream: &Stream, path: &[String]) -> Vec<String> {
    let own = match path {
        _ if stream.format != RecordFormat::DmsJson => true,
        [first, _, ..] => first == "metadata",
        path => is_beside(stream, path),
    };
    let outer = (!own).then(|| "data".to_owned());
    outer.into_iter().chain(path.iter().cloned()).collect()
}

impl Branch {
    /// The trees of the columns that are in a record and of those beside it, and how many fields both have.
    pub(super) fn of(stream: &Stream, columns: &[Column]) -> (Self, Self, usize) {
        let (mut root, mut beside) = (Self::default(), Self::default());
        for (index, column) in columns.iter().enumerate() {
            let tree = if is_beside(stream, &column.path) { &mut beside } else { &mut root };
            tree.take(&column.path, Taker::Column(index));
        }
        for (index, column) in columns.iter().enumerate() {
            root.take(column.fallback.as_deref().unwrap_or_default(), Taker::Fallback(index));
        }
        if stream.format == RecordFormat::DmsJson {
            root.take(&["metadata".to_owned(), "record-type".to_owned()], Taker::RecordType);
            root.steps.iter_mut().filter(|step| step.name == "metadata").for_each(|step| step.envelope = true);
        }
        let nodes: Vec<_> = columns.iter().map(|column| (&column.node, column.is_erased())).collect();
        let mut next = 0;
        root.number(&nodes, &mut next);
        beside.number(&nodes, &mut next);
        (root, beside, next)
    }

    fn number(&mut self, nodes: &[(&Node, bool)], next: &mut usize) {
        for step in &mut self.steps {
            step.id = *next;
            *next += 1;
            step.known = Known::of(step, nodes);
            if let Some(inner) = &mut step.inner {
                inner.number(nodes, next);
            }
        }
    }

    fn take(&mut self, path: &[String], taker: Taker) {
        let Some((name, rest)) = path.split_first() else { return };
        let at = self.steps.iter().position(|step| step.name == *name).unwrap_or_else(|| {
            self.steps.push(Step::new(name));
            self.steps.len() - 1
        });
        let step = &mut self.steps[at];
        if rest.is_empty() {
            step.takers.push(taker);
        } else {
            step.inner.get_or_insert_default().take(rest, taker);
        }
    }

    pub(super) fn steps(&self) -> &[Step] {
        &self.steps
    }
}

impl Step {
    fn new(name: &str) -> Self {
        let (takers, inner, known) = (Vec::new(), None, Known::default());
        Self { name: name.to_owned(), written: written(name), takers, inner, id: 0, known, envelope: false }
    }
}
