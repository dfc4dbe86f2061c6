//! What is refused of an event → one object of lines in the dataset's quarantine.
//!
//! Its name is of the event's bytes, or of the message where AWS IoT tells it from others, so that a repeated event
//! writes no other one.

use headgate::{
    Code, Error,
    clock::Timestamp,
    dataset::stream::Granularity,
    partition::time_path,
    position::Position,
    quarantine::{self, Identity, Line, Part},
    store::{Condition, Store, StoreError},
};
use xxhash_rust::xxh3::xxh3_128;

use crate::reading::Why;

/// The refused messages of an event.
#[derive(Debug)]
pub(crate) struct Aside<'a> {
    dataset: &'a str,
    /// What tells the event from others.
    id: String,
    arrived: Timestamp,
    lines: Vec<Line>,
    /// Whether what is said of the event is said once, however much later it comes again.
    once: bool,
}

impl<'a> Aside<'a> {
    pub(crate) fn new(dataset: &'a str, event: &[u8], arrived: Timestamp) -> Self {
        Self { dataset, id: format!("{:032x}", xxh3_128(event)), arrived, lines: Vec::new(), once: false }
    }

    pub(crate) fn put(&mut self, topic: &str, document: u64, raw: &[u8], part: Part, why: Why) {
        let position = Position::Message { topic: topic.to_owned(), id: self.id.clone() };
        let Why { code, reason, path } = why;
        let line = Line::new(self.dataset, code, reason, position, self.arrived, raw);
        self.lines.push(Line { document, path, part, ..line });
    }

    /// Has what an earlier delivery wrote stay: the line says when the message arrived, and with another moment it would
    /// be another line, and be replayed as well. `message` tells it from others whatever else the event says.
    pub(crate) fn only_once(&mut self, message: Option<Identity>) {
        self.once = true;
        if let Some(message) = message {
            self.id = message.to_string();
        }
    }

    /// Writes the lines, if there are any.
    ///
    /// # Errors
    /// As the store's.
    pub(crate) async fn write(&self, store: &dyn Store) -> Result<(), Error> {
        if self.lines.is_empty() {
            return Ok(());
        }
        let mut body = Vec::new();
        for line in &self.lines {
            line.write(&mut body);
        }
        let (folder, condition) = if self.once {
            (String::new(), Condition::Absent)
        } else {
            (time_path(self.arrived.0, Granularity::Hour).unwrap_or_default(), Condition::Always)
        };
        let key = format!("{}{folder}iot-rule--{}.jsonl", quarantine::prefix(self.dataset), self.id);
        match store.put(&key, body.into(), condition).await {
            // It is there, or another delivery of the event is writing it, which comes again itself where that fails.
            Ok(_) | Err(StoreError::Changed { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

/// What cannot be a message at all.
pub(crate) fn unreadable(reason: impl Into<String>) -> Why {
    Why { code: Code::InvalidJson, reason: reason.into(), path: None }
}
