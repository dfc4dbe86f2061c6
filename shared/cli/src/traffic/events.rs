//! Records → the events that AWS invokes a function with.
//!
//! An event is closed before it is larger than a Lambda payload may be. Memory holds the open events and one more: of
//! Kinesis one a shard, for a batch is of one shard alone.

mod batch;
mod firehose;
mod kafka;
mod kinesis;
mod lane;

use std::{collections::VecDeque, io::Write as _};

use base64::prelude::{BASE64_STANDARD, Engine};
use clap::ValueEnum;
use flate2::{Compression, write::GzEncoder};

use self::{
    batch::{Batch, Item},
    lane::Lane,
};
use super::{Generated, draw::Draw};

/// As what records come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Lines, for a file or a producer
    Ndjson,
    /// What an event source mapping of a Kinesis stream hands over
    Kinesis,
    /// A Firehose transformation, of records put directly
    Firehose,
    /// A Firehose transformation, of a Kinesis stream's records
    FirehoseKinesis,
    /// What an event source mapping of an MSK topic hands over
    Kafka,
}

impl Format {
    /// Whether records go to shards or partitions by their keys.
    #[must_use]
    pub fn has_lanes(self) -> bool {
        matches!(self, Self::Kinesis | Self::FirehoseKinesis | Self::Kafka)
    }
}

/// Below 6 MiB, which is Lambda's limit of a payload.
pub const MAX_EVENT_BYTES: usize = 6_000_000;
/// Room for one record of any kind.
pub const SMALLEST_EVENT: usize = 16 << 10;
/// 1 MiB is a Kinesis record's usual limit; this leaves room for its own key.
const MAX_AGGREGATE_BYTES: usize = 1_000_000;

/// How records become events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrapping {
    /// As what they come.
    pub format: Format,
    /// The stream's, delivery stream's or topic's name: letters, digits, `_`, `.`, `-`.
    pub name: String,
    /// Records per event at most, 1 at least; an aggregate counts as one.
    pub records: usize,
    /// Bytes per event at most, [`SMALLEST_EVENT`] at least.
    pub max_bytes: usize,
    /// Shards or partitions, 1 at least.
    pub lanes: usize,
    /// User records per KPL aggregate; 0 for none. For [`Format::Kinesis`] alone: Firehose takes aggregates apart.
    pub aggregate: usize,
    /// Whether each body is packed with gzip; of [`Format::Ndjson`] each event as a whole.
    pub gzip: bool,
    /// By which sequence numbers, offsets and ids differ.
    pub seed: u64,
}

impl Wrapping {
    /// Of one shard or partition, up to 100 records an event, not packed.
    #[must_use]
    pub fn new(format: Format, name: impl Into<String>) -> Self {
        let (name, max_bytes) = (name.into(), MAX_EVENT_BYTES);
        Self { format, name, records: 100, max_bytes, lanes: 1, aggregate: 0, gzip: false, seed: 0 }
    }
}

/// An event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// One JSON object without a line break, or of [`Format::Ndjson`] lines.
    pub bytes: Vec<u8>,
    /// How many of the producers' records are in it.
    pub records: usize,
}

/// The events of records: each as soon as it is full, the others when the records end.
#[derive(Debug)]
pub struct Events<I> {
    records: I,
    wrapping: Wrapping,
    lanes: Vec<Lane>,
    open: Vec<Batch>,
    closed: VecDeque<Event>,
    ids: Draw,
}

impl<I: Iterator<Item = Generated>> Events<I> {
    /// Wraps `records`.
    pub fn new(records: I, wrapping: Wrapping) -> Self {
        let lanes: Vec<_> = (0..wrapping.lanes.max(1)).map(|number| Lane::new(number, &wrapping)).collect();
        // Of Kafka one batch holds several partitions.
        let batches = if wrapping.format == Format::Kafka { 1 } else { lanes.len() };
        let mut ids = Draw::new(wrapping.seed);
        let open = (0..batches).map(|_| begun(&wrapping, &mut ids)).collect();
        Self { records, wrapping, lanes, open, closed: VecDeque::new(), ids }
    }

    fn put(&mut self, record: Generated) {
        let lane = if self.wrapping.format.has_lanes() { lane::of(&record.key, self.lanes.len()) } else { 0 };
        for item in self.lanes[lane].items(record, &self.wrapping) {
            self.add(lane, &item);
        }
    }

    fn add(&mut self, lane: usize, item: &Item) {
        let part =
            if self.wrapping.format == Format::Kafka { kafka::part(&self.wrapping, lane) } else { String::new() };
        let batch = lane.min(self.open.len() - 1);
        if !self.open[batch].fits(&part, item, self.wrapping.max_bytes) {
            self.close(batch);
        }
        self.open[batch].add(part, item);
        if self.open[batch].items() >= self.wrapping.records {
            self.close(batch);
        }
    }

    fn close(&mut self, batch: usize) {
        if self.open[batch].items() == 0 {
            return;
        }
        let next = begun(&self.wrapping, &mut self.ids);
        let mut event = std::mem::replace(&mut self.open[batch], next).end();
        if self.wrapping.format == Format::Ndjson && self.wrapping.gzip {
            event.bytes = gzip(&event.bytes);
        }
        self.closed.push_back(event);
    }

    fn close_all(&mut self) {
        for lane in 0..self.lanes.len() {
            if let Some(item) = self.lanes[lane].rest() {
                self.add(lane, &item);
            }
        }
        (0..self.open.len()).for_each(|batch| self.close(batch));
    }
}

impl<I: Iterator<Item = Generated>> Iterator for Events<I> {
    type Item = Event;

    fn next(&mut self) -> Option<Event> {
        while self.closed.is_empty() {
            let Some(record) = self.records.next() else {
                self.close_all();
                break;
            };
            self.put(record);
        }
        self.closed.pop_front()
    }
}

fn begun(wrapping: &Wrapping, ids: &mut Draw) -> Batch {
    match wrapping.format {
        Format::Ndjson => Batch::new(String::new(), &batch::LINES),
        Format::Kinesis => Batch::new(kinesis::HEAD.to_owned(), &batch::LIST),
        Format::Firehose | Format::FirehoseKinesis => Batch::new(firehose::head(wrapping, &ids.uuid()), &batch::LIST),
        Format::Kafka => Batch::new(kafka::head(), &batch::MAP_OF_LISTS),
    }
}

fn base64(bytes: &[u8]) -> String {
    BASE64_STANDARD.encode(bytes)
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    let written = packed.write_all(bytes).and_then(|()| packed.finish());
    // A vector takes all that is written.
    written.unwrap_or_default()
}

#[cfg(test)]
mod tests;
