//! What is refused of an event → one object of lines in the dataset's quarantine.
//!
//! Its name is of the event's bytes, so that a repeated event overwrites it.

use headgate::{
    Code, Error,
    clock::Timestamp,
    dataset::stream::Granularity,
    partition::time_path,
    position::Position,
    quarantine::{self, Line, Part},
    store::{Condition, Store},
};
use xxhash_rust::xxh3::xxh3_128;

use crate::reading::Why;

/// The refused messages of an event.
#[derive(Debug)]
pub(crate) struct Aside<'a> {
    dataset: &'a str,
    event: String,
    arrived: Timestamp,
    lines: Vec<Line>,
}

impl<'a> Aside<'a> {
    pub(crate) fn new(dataset: &'a str, event: &[u8], arrived: Timestamp) -> Self {
        Self { dataset, event: format!("{:032x}", xxh3_128(event)), arrived, lines: Vec::new() }
    }

    pub(crate) fn put(&mut self, topic: &str, document: u64, raw: &[u8], part: Part, why: Why) {
        let position = Position::Message { topic: topic.to_owned(), id: self.event.clone() };
        let Why { code, reason, path } = why;
        let line = Line::new(self.dataset, code, reason, position, self.arrived, raw);
        self.lines.push(Line { document, path, part, ..line });
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
        let hour = time_path(self.arrived.0, Granularity::Hour).unwrap_or_default();
        let key = format!("{}{hour}iot-rule--{}.jsonl", quarantine::prefix(self.dataset), self.event);
        store.put(&key, body.into(), Condition::Always).await?;
        Ok(())
    }
}

/// What cannot be a message at all.
pub(crate) fn unreadable(reason: impl Into<String>) -> Why {
    Why { code: Code::InvalidJson, reason: reason.into(), path: None }
}
