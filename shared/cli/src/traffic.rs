//! A seed → records as producers put them, and events as AWS hands them to functions.
//!
//! The same kind, seed and options give the same bytes: nothing here reads a clock, a setting or the machine's
//! randomness. Only a skew asks the platform's `pow`, of which another platform may round the last bit otherwise.

mod clickstream;
mod draw;
mod events;
mod object;
mod orders;
mod sensors;

use std::{collections::VecDeque, time::Duration};

use clap::ValueEnum;
use headgate::clock::Timestamp;

pub use events::{Event, Events, Format, MAX_EVENT_BYTES, SMALLEST_EVENT, Wrapping};

use self::{draw::Draw, object::Flaw};

/// What producers send.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// Page views, clicks and purchases, keyed by user
    Clickstream,
    /// Orders as they change, keyed by order
    Orders,
    /// Measurements, keyed by device
    Sensors,
}

/// How the records are. The shares exclude each other and sum up to 1 at most.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Options {
    /// When the first record is put.
    pub start: Timestamp,
    /// Records per second of the records' own time, above 0.
    pub rate: f64,
    /// The exponent of Zipf's law by which users, orders and devices come up; 0 for all alike.
    pub skew: f64,
    /// The share of bad records, of all [`BadKind`]s alike.
    pub bad: f64,
    /// The share of records that one shortly before was already.
    pub duplicate: f64,
    /// The share of records whose own time is 1 to 48 hours before they are put.
    pub late: f64,
    /// The share of records without a body, which only Kafka has.
    pub tombstones: f64,
}

impl Options {
    /// 2026-01-01T00:00:00Z: a fixed day, for the wall clock would make other bytes each time.
    pub const START: Timestamp = Timestamp(1_767_225_600_000);
}

impl Default for Options {
    /// Good records only, 5 ms apart.
    fn default() -> Self {
        Self { start: Self::START, rate: 200.0, skew: 1.0, bad: 0.0, duplicate: 0.0, late: 0.0, tombstones: 0.0 }
    }
}

/// How a bad record is bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum BadKind {
    /// JSON that breaks off.
    Truncated,
    /// No `user_id`, `order_id` or `device_id`.
    MissingField,
    /// Text in `user_id`, `items` or `value`, which are a number, a list and a number.
    WrongType,
    /// No byte at all.
    Empty,
    /// JSON but for one byte, 0xff, in a string.
    InvalidUtf8,
    /// `duration_ms` beyond 32 bits, `placed_at` or `seq` beyond 64.
    OutOfRange,
}

impl BadKind {
    /// All there are.
    pub const ALL: [Self; 6] =
        [Self::Truncated, Self::MissingField, Self::WrongType, Self::Empty, Self::InvalidUtf8, Self::OutOfRange];
}

/// What a record is among the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Case {
    /// As it should be.
    Good,
    /// Good, with a time hours ago.
    Late,
    /// The key and the body of a good one shortly before.
    Duplicate,
    /// Not to be read, or not of its schema.
    Bad(BadKind),
    /// A key whose row is gone; the body is empty.
    Tombstone,
}

/// A record as its producer puts it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Generated {
    /// The partition key or message key.
    pub key: String,
    /// When it is put; records come in this order.
    pub at: Timestamp,
    /// The time within the body: up to 1.5 seconds before it is put, or hours for a late one.
    pub event_time: Timestamp,
    /// One JSON object, where it is not bad.
    pub body: Vec<u8>,
    /// What is to be expected of it.
    pub case: Case,
}

impl Generated {
    /// How it is bad, where it is.
    #[must_use]
    pub fn bad(&self) -> Option<BadKind> {
        match self.case {
            Case::Bad(kind) => Some(kind),
            _ => None,
        }
    }
}

/// Records without end.
#[derive(Debug)]
pub struct Traffic {
    kind: Kind,
    options: Options,
    draw: Draw,
    number: u64,
    /// What a duplicate is a duplicate of.
    recent: VecDeque<Generated>,
}

/// What a body is made from.
struct Scene {
    number: u64,
    start: Timestamp,
    time: Timestamp,
    skew: f64,
}

/// The fields that bad records are bad in, with JSON to put there.
struct Flaws {
    required: &'static str,
    wrong_type: (&'static str, &'static str),
    out_of_range: (&'static str, &'static str),
}

const RECENT: usize = 64;
const USUAL_DELAY: u64 = 1_500;
const HOUR: u64 = 3_600_000;
const LATEST: u64 = 48 * HOUR;

impl Traffic {
    /// Records of `kind`, always the same ones for the same seed and options.
    #[must_use]
    pub fn new(kind: Kind, seed: u64, options: Options) -> Self {
        Self { kind, options, draw: Draw::new(seed), number: 0, recent: VecDeque::new() }
    }

    fn case(&mut self) -> Case {
        let Options { tombstones, duplicate, bad, late, .. } = self.options;
        let mut at = self.draw.unit();
        let mut is = |share: f64| {
            at -= share;
            at < 0.0
        };
        if is(tombstones) {
            Case::Tombstone
        } else if is(duplicate) {
            Case::Duplicate
        } else if is(bad) {
            Case::Bad(self.draw.one_of(&BadKind::ALL))
        } else if is(late) {
            Case::Late
        } else {
            Case::Good
        }
    }

    fn made(&mut self, at: Timestamp, case: Case) -> Generated {
        let delay = match case {
            Case::Late => HOUR + self.draw.below(LATEST - HOUR),
            _ => self.draw.below(USUAL_DELAY),
        };
        let Options { start, skew, .. } = self.options;
        let event_time = at.minus(Duration::from_millis(delay));
        let scene = Scene { number: self.number, start, time: event_time, skew };
        let (flaws, write) = match self.kind {
            Kind::Clickstream => (&clickstream::FLAWS, clickstream::record as fn(&mut Draw, &Scene, Option<Flaw>) -> _),
            Kind::Orders => (&orders::FLAWS, orders::record as _),
            Kind::Sensors => (&sensors::FLAWS, sensors::record as _),
        };
        let (key, mut body) = write(&mut self.draw, &scene, flaws.of(case));
        match case {
            Case::Bad(kind) => self.spoil(&mut body, kind),
            Case::Tombstone => body.clear(),
            Case::Good | Case::Late | Case::Duplicate => {}
        }
        Generated { key, at, event_time, body, case }
    }

    fn spoil(&mut self, body: &mut Vec<u8>, kind: BadKind) {
        match kind {
            // An object without its last brace is none.
            BadKind::Truncated => body.truncate(1 + self.draw.below(body.len() as u64 - 1) as usize),
            BadKind::Empty => body.clear(),
            BadKind::InvalidUtf8 => {
                let value = body.windows(2).position(|two| two == b":\"").unwrap_or_default() + 2;
                body.iter_mut().skip(value).take(1).for_each(|byte| *byte = 0xff);
            }
            BadKind::MissingField | BadKind::WrongType | BadKind::OutOfRange => {}
        }
    }

    fn remember(&mut self, record: &Generated) {
        if self.options.duplicate > 0.0 && matches!(record.case, Case::Good | Case::Late) {
            self.recent.truncate(RECENT - 1);
            self.recent.push_front(record.clone());
        }
    }
}

impl Iterator for Traffic {
    type Item = Generated;

    fn next(&mut self) -> Option<Generated> {
        let since = Duration::from_secs_f64(self.number as f64 / self.options.rate);
        let at = self.options.start.plus(since);
        let case = self.case();
        let record = match case {
            Case::Duplicate if !self.recent.is_empty() => {
                let again = self.draw.below(self.recent.len() as u64) as usize;
                Generated { at, case, ..self.recent[again].clone() }
            }
            // The very first has nothing before it.
            Case::Duplicate => self.made(at, Case::Good),
            _ => self.made(at, case),
        };
        self.remember(&record);
        self.number += 1;
        Some(record)
    }
}

impl Flaws {
    fn of(&self, case: Case) -> Option<Flaw> {
        match case {
            Case::Bad(BadKind::MissingField) => Some(Flaw::Missing(self.required)),
            Case::Bad(BadKind::WrongType) => Some(Flaw::Instead(self.wrong_type.0, self.wrong_type.1)),
            Case::Bad(BadKind::OutOfRange) => Some(Flaw::Instead(self.out_of_range.0, self.out_of_range.1)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
