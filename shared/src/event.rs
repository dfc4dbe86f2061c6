//! What AWS sends to a function → our own nouns, and our outcomes → what AWS wants back.
//!
//! Pure, one source a file. The wire shapes end here: a missing extra or an unknown field never costs a record, and a
//! record that cannot be read never costs its batch.

mod destination;
pub mod firehose;
pub mod http;
pub mod kafka;
pub mod kinesis;
mod moment;
mod sound;
mod wire;

use std::fmt;

use serde_json::value::RawValue;

use crate::{
    error::{Code, Error},
    position::Position,
};

/// A record of a batch, or why it is none.
pub type Read<'a, T> = Result<T, Box<Refused<'a>>>;

/// A record that cannot be read: to be set aside, not to be delivered again.
///
/// Its `Debug` leaves the record's text out, so that it may be logged.
#[derive(Clone, PartialEq, Eq)]
pub struct Refused<'a> {
    /// Where it came from, where it says enough to tell.
    pub position: Option<Position>,
    /// The record's JSON as it came.
    pub raw: &'a str,
    /// Poison, `invalid_event`: what cannot be read; without a value of the record.
    pub error: Error,
}

impl<'a> Refused<'a> {
    fn new(raw: &'a RawValue, position: Option<Position>, error: Error) -> Self {
        Self { position, raw: raw.get(), error }
    }
}

impl fmt::Debug for Refused<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("refused ")?;
        if let Some(position) = &self.position {
            write!(f, "{position} ")?;
        }
        write!(f, "{} bytes: {}", self.raw.len(), self.error)
    }
}

fn invalid(what: impl fmt::Display) -> Error {
    Error::poison(Code::InvalidEvent, what.to_string())
}

#[cfg(test)]
mod tests;
