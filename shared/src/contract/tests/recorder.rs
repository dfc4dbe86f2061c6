//! A sink → the rows it got as text, each held to the sink's protocol.

use std::collections::HashMap;

use serde_json::value::RawValue;

use crate::contract::{Column, Contract, Node, Sink, Value};
use crate::dataset::ColumnType;

#[derive(Debug, Clone)]
enum Event {
    Value(usize, String),
    Null(usize),
    Open(usize),
    Close(usize),
}

/// Its rows: `name=value`, a space between, then ` + ` and what no column took.
pub(super) struct Recorder<'c> {
    columns: &'c [Column],
    events: Vec<Event>,
    pub(super) rows: Vec<String>,
}

impl<'c> Recorder<'c> {
    pub(super) fn new(contract: &'c Contract) -> Self {
        Self { columns: contract.columns(), events: Vec::new(), rows: Vec::new() }
    }
}

impl Sink for Recorder<'_> {
    fn value(&mut self, node: usize, value: Value<'_>) {
        self.events.push(Event::Value(node, written(value)));
    }

    fn null(&mut self, node: usize) {
        self.events.push(Event::Null(node));
    }

    fn open(&mut self, node: usize) {
        self.events.push(Event::Open(node));
    }

    fn close(&mut self, node: usize) {
        self.events.push(Event::Close(node));
    }

    fn keep(&mut self, extra: Option<&str>) {
        let mut events = std::mem::take(&mut self.events).into_iter();
        let mut values: Vec<Option<String>> = vec![None; self.columns.len()];
        while let Some(event) = events.next() {
            let at = self.columns.iter().position(|column| column.node.id == id(&event)).expect("a column's node");
            let value = whole(&self.columns[at].node, event, &mut events);
            assert!(values[at].replace(value).is_none(), "column {at} comes twice");
        }
        let named = self.columns.iter().zip(values);
        let values = named.map(|(column, value)| {
            let value = value.unwrap_or_else(|| panic!("{} has no value", column.name));
            assert!(!column.required || value != "null", "{} is required", column.name);
            format!("{}={value}", column.name)
        });
        let extra = extra.map(|extra| {
            // Raw, for a record may hold numbers beyond serde_json's.
            let fields = serde_json::from_str::<HashMap<String, &RawValue>>(extra).expect("an object");
            assert!(!fields.is_empty(), "there is none rather than an empty one");
            format!(" + {extra}")
        });
        self.rows.push(values.collect::<Vec<_>>().join(" ") + &extra.unwrap_or_default());
    }

    fn forget(&mut self) {
        self.events.clear();
    }
}

fn id(event: &Event) -> usize {
    match event {
        Event::Value(id, _) | Event::Null(id) | Event::Open(id) | Event::Close(id) => *id,
    }
}

/// The value that begins with this event, which is the node's.
fn whole(node: &Node, event: Event, events: &mut impl Iterator<Item = Event>) -> String {
    assert_eq!(id(&event), node.id, "{event:?} is not for {node:?}");
    let nested = !node.inner.is_empty();
    match event {
        Event::Value(_, value) => {
            assert!(!nested, "a value for {node:?}");
            value
        }
        Event::Null(_) => "null".to_owned(),
        Event::Close(_) => panic!("nothing is open: {node:?}"),
        Event::Open(_) if matches!(node.r#type, ColumnType::List(_)) => {
            let mut items = Vec::new();
            while let Some(event) = within(node, events) {
                items.push(whole(&node.inner[0].1, event, events));
            }
            format!("[{}]", items.join(","))
        }
        Event::Open(_) => {
            assert!(nested, "opens {node:?}");
            let mut members: Vec<Option<String>> = vec![None; node.inner.len()];
            while let Some(event) = within(node, events) {
                let at = node.inner.iter().position(|(_, member)| member.id == id(&event)).expect("a member's node");
                let value = whole(&node.inner[at].1, event, events);
                assert!(members[at].replace(value).is_none(), "member {at} of {node:?} comes twice");
            }
            let members = node.inner.iter().zip(members);
            let members = members.map(|((name, _), value)| format!("{name}:{}", value.expect("every member")));
            format!("{{{}}}", members.collect::<Vec<_>>().join(","))
        }
    }
}

fn within(node: &Node, events: &mut impl Iterator<Item = Event>) -> Option<Event> {
    let event = events.next().expect("what is open is closed");
    (!matches!(event, Event::Close(id) if id == node.id)).then_some(event)
}

/// A value with its kind: `7`, `7u`, `7.0`, `700d`, `"text"`, `0x07`.
pub(super) fn written(value: Value<'_>) -> String {
    match value {
        Value::Boolean(value) => value.to_string(),
        Value::Integer(value) => value.to_string(),
        Value::Unsigned(value) => format!("{value}u"),
        Value::Float(value) => format!("{value:?}"),
        Value::Decimal(value) => format!("{value}d"),
        Value::Text(value) => format!("{value:?}"),
        Value::Bytes(value) => value.iter().fold("0x".to_owned(), |text, byte| format!("{text}{byte:02x}")),
    }
}
