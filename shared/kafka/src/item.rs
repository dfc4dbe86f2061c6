//! A record of an event, or what is there instead → a body that can be set aside.

use bytes::Bytes;
use headgate::{
    Error,
    clock::Timestamp,
    event::{Read, kafka::Record},
    landing::Mark,
    position::Position,
    quarantine::Kafka,
};
use headgate_columnar::stream::Body;

/// A record that cannot be read.
#[derive(Debug)]
pub struct Unread<'a> {
    /// Where it came from.
    pub position: Position,
    /// Its JSON as it came.
    pub raw: &'a str,
    /// Why.
    pub error: Error,
}

/// A record, or what is there instead of one.
#[derive(Debug)]
pub struct Item<'a> {
    /// The place that the objects it goes to are named by.
    pub mark: Mark,
    /// What is there.
    pub read: Result<Record<'a>, Unread<'a>>,
}

impl<'a> Item<'a> {
    /// What was read of an event; the mark is made of its offset.
    ///
    /// # Errors
    /// Poison where it has no place: nobody could tell whether it was here before.
    pub fn of(read: Read<'a, Record<'a>>) -> Result<Self, Error> {
        let read = match read {
            Ok(record) => Ok(record),
            Err(refused) => {
                let position = refused.position.clone().ok_or_else(|| refused.error.clone())?;
                Err(Unread { position, raw: refused.raw, error: refused.error.clone() })
            }
        };
        let mut item = Self { mark: Mark::from(0), read };
        let Position::Offset { topic, partition, offset } = item.position() else { return Err(no_place("no offset")) };
        let below = |_| no_place(&format!("{topic}-{partition}: an offset below zero"));
        item.mark = u64::try_from(offset).map(Mark::from).map_err(below)?;
        Ok(item)
    }

    /// Where it came from.
    #[must_use]
    pub fn position(&self) -> Position {
        match &self.read {
            Ok(record) => record.position(),
            Err(unread) => unread.position.clone(),
        }
    }

    /// When it was, where it says so.
    #[must_use]
    pub fn at(&self) -> Option<Timestamp> {
        self.read.as_ref().ok().and_then(|record| record.timestamp)
    }

    /// The record as a body that can be set aside: its value, or its key where it has none.
    pub(crate) fn as_body<T>(&self, then: impl FnOnce(&Body<'_>) -> T) -> T {
        let data = match &self.read {
            Ok(record) => record.value.clone().or_else(|| record.key.clone()).unwrap_or_default(),
            Err(unread) => Bytes::copy_from_slice(unread.raw.as_bytes()),
        };
        // A record without a time is of 1970: at every delivery it must be of the same partition.
        let arrived = self.at().unwrap_or(Timestamp(0));
        let position = || self.position();
        let body = Body::new(&position, &self.mark, arrived, data);
        match &self.read {
            Ok(record) => then(&Body { kafka: Some(&|| Kafka::of(record)), ..body }),
            Err(_) => then(&body),
        }
    }
}

fn no_place(what: &str) -> Error {
    Error::poison(headgate::Code::InvalidEvent, what)
}
