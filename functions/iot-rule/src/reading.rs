//! A message → a reading: whose, when, which values; or why it breaks the contract.

use bytes::Bytes;
use headgate::{
    Code,
    clock::Timestamp,
    contract::{Contract, Reader, Refused, Sink, Value},
    dataset::{
        ColumnType, TimeUnit,
        stream::{Stream, Watch},
    },
    fate::Dropped,
};
use xxhash_rust::xxh3::xxh3_64;

use crate::{ledger::Watching, machine::Place};

/// A device's name, and with it the key of its state, is no longer than this.
const DEVICE: usize = 512;

/// A message as far as it is watched.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Reading {
    pub(crate) device: String,
    pub(crate) place: Place,
    /// The values of the watched columns, in their order.
    pub(crate) values: Vec<Option<f64>>,
    pub(crate) topic: Option<String>,
    /// Whether it is from further ahead than a clock that is right may be.
    pub(crate) future: bool,
    /// The message.
    pub(crate) raw: Bytes,
}

/// Reads messages by a contract.
#[derive(Debug)]
pub(crate) struct Readings<'c> {
    reader: Reader<'c>,
    glance: Glance,
    watching: &'c Watching,
}

/// Why a message is refused.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Why {
    pub(crate) code: Code,
    /// What is wrong, for people; without content of the message.
    pub(crate) reason: String,
    /// Where in it, as a JSON path.
    pub(crate) path: Option<String>,
}

impl From<Refused> for Why {
    fn from(refused: Refused) -> Self {
        Self { code: refused.code, reason: refused.reason().to_owned(), path: Some(refused.path().to_owned()) }
    }
}

/// When a message arrived, if it does not say so itself, and what tells it from others, if nothing in it does.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Arrival<'a> {
    pub(crate) now: Timestamp,
    pub(crate) request: &'a str,
    /// Which of the event's messages it is.
    pub(crate) index: u64,
}

impl<'c> Readings<'c> {
    pub(crate) fn new(stream: &Stream, contract: &'c Contract, watching: &'c Watching) -> Self {
        Self { reader: Reader::new(contract), glance: Glance::new(stream, contract, watching), watching }
    }

    /// Reads a message; `Ok(Err(…))` where the contract does not want it.
    pub(crate) fn read(&mut self, raw: Bytes, arrival: Arrival<'_>) -> Result<Result<Reading, Dropped>, Why> {
        // Whoever found the message has checked that it is UTF-8.
        let text = std::str::from_utf8(&raw).unwrap_or_default();
        self.glance.clear();
        let row = self.reader.read(text, 0, &mut self.glance)?;
        if let Some(dropped) = row.dropped {
            return Ok(Err(dropped));
        }
        let seen = &mut self.glance.seen;
        if seen.device.len() > DEVICE {
            let reason = format!("the device's name has more than {DEVICE} bytes");
            return Err(Why { code: Code::InvalidValue, reason, path: None });
        }
        let event_time = self.reader.event_time();
        let arrived = seen.arrival.unwrap_or(arrival.now.0);
        let at = event_time.unwrap_or(arrived);
        // A message that says neither its name nor its time is told from others by the invocation, which keeps its id
        // when it is repeated.
        let id = match (&seen.message_id, event_time.or(seen.arrival)) {
            (Some(id), _) => xxh3_64(id.as_bytes()),
            (None, Some(_)) => xxh3_64(&raw),
            (None, None) => xxh3_64(format!("{}/{}", arrival.request, arrival.index).as_bytes()),
        };
        let ahead = i64::try_from(self.watching.watch.future.as_millis()).unwrap_or(i64::MAX);
        Ok(Ok(Reading {
            device: std::mem::take(&mut seen.device),
            place: Place(at, id),
            values: seen.values.clone(),
            topic: seen.topic.take(),
            future: at.saturating_sub(arrived) > ahead,
            raw,
        }))
    }
}

/// What a node's value is to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Device,
    MessageId,
    Topic,
    /// In milliseconds, or in microseconds.
    Arrival(TimeUnit),
}

#[derive(Debug, Default)]
struct Seen {
    device: String,
    message_id: Option<String>,
    topic: Option<String>,
    arrival: Option<i64>,
    values: Vec<Option<f64>>,
}

/// Looks at the columns that are watched, and forgets the others.
#[derive(Debug)]
struct Glance {
    parts: Vec<Vec<Part>>,
    /// Of each node: its place among the watched columns, and what a decimal's digits are divided by.
    numbers: Vec<Option<(usize, f64)>>,
    seen: Seen,
}

impl Glance {
    fn new(stream: &Stream, contract: &Contract, watching: &Watching) -> Self {
        let Watch { device, message_id, topic, arrival, .. } = &watching.watch;
        let mut glance = Self {
            parts: vec![Vec::new(); contract.nodes()],
            numbers: vec![None; contract.nodes()],
            seen: Seen { values: vec![None; watching.columns.len()], ..Seen::default() },
        };
        for (column, field) in contract.columns().iter().zip(&stream.columns) {
            let unit =
                if field.r#type == ColumnType::Timestamp(TimeUnit::Micro) { TimeUnit::Micro } else { TimeUnit::Milli };
            for (name, part) in [
                (device, Part::Device),
                (message_id, Part::MessageId),
                (topic, Part::Topic),
                (arrival, Part::Arrival(unit)),
            ] {
                if name.as_ref() == Some(&column.name) {
                    glance.parts[column.node.id].push(part);
                }
            }
            let watched = watching.columns.iter().position(|name| *name == column.name);
            let divisor = match field.r#type {
                ColumnType::Decimal(_, scale) => 10_f64.powi(i32::from(scale)),
                _ => 1.0,
            };
            glance.numbers[column.node.id] = watched.map(|place| (place, divisor));
        }
        glance
    }

    fn clear(&mut self) {
        let Seen { device, message_id, topic, arrival, values } = &mut self.seen;
        device.clear();
        (*message_id, *topic, *arrival) = (None, None, None);
        values.fill(None);
    }
}

fn number(value: Value<'_>) -> Option<f64> {
    Some(match value {
        Value::Integer(number) => number as f64,
        Value::Unsigned(number) => number as f64,
        Value::Float(number) => number,
        Value::Decimal(number) => number as f64,
        Value::Boolean(_) | Value::Text(_) | Value::Bytes(_) => return None,
    })
}

fn text(value: Value<'_>) -> String {
    match value {
        Value::Text(text) => text.to_owned(),
        Value::Integer(number) => number.to_string(),
        Value::Unsigned(number) => number.to_string(),
        _ => String::new(),
    }
}

/// A topic without what separates the fields of a kept reading.
fn topic(value: Value<'_>) -> String {
    text(value).replace(['\t', '\n', '\r'], " ")
}

impl Sink for Glance {
    fn value(&mut self, node: usize, value: Value<'_>) {
        if let Some((place, divisor)) = self.numbers[node] {
            self.seen.values[place] = number(value).map(|number| number / divisor);
        }
        for part in &self.parts[node] {
            match part {
                Part::Device => self.seen.device = text(value),
                Part::MessageId => self.seen.message_id = Some(text(value)),
                Part::Topic => self.seen.topic = Some(topic(value)),
                Part::Arrival(unit) => {
                    if let Value::Integer(at) = value {
                        self.seen.arrival = Some(if *unit == TimeUnit::Micro { at.div_euclid(1000) } else { at });
                    }
                }
            }
        }
    }

    fn null(&mut self, _: usize) {}

    fn open(&mut self, _: usize) {}

    fn close(&mut self, _: usize) {}

    fn keep(&mut self, _: Option<&str>) {}

    fn forget(&mut self) {
        self.clear();
    }
}

#[cfg(test)]
mod tests;
