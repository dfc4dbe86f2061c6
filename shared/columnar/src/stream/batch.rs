//! A batch of a Kinesis shard → its records, each with its place, or with what is there instead of one.

use bytes::Bytes;
use headgate::{
    Code, Error,
    clock::Timestamp,
    event::kinesis::{self, Record},
    landing::Mark,
    position::{Position, SequenceNumber},
};

use super::{Body, Gather, Intake, take_record};

/// A record, or what is there instead of one.
#[derive(Debug)]
pub struct Item<'a> {
    /// Its place in the shard.
    pub mark: Mark,
    read: Result<Record<'a>, (Position, &'a str, Error)>,
}

/// Records of one shard, in order; never none.
#[derive(Debug)]
pub struct Batch<'a> {
    /// The stream's name.
    pub stream: String,
    /// The shard's id.
    pub shard: String,
    /// The place of the first.
    pub first: SequenceNumber,
    /// The records.
    pub items: Vec<Item<'a>>,
}

impl<'a> Batch<'a> {
    /// Reads an event; `None` where there are no records at all.
    ///
    /// # Errors
    /// Poison, [`Code::InvalidEvent`]: the event is none of Kinesis', has records of two shards, or one that does not
    /// say its place.
    pub fn read(event: &'a [u8]) -> Result<Option<Self>, Error> {
        let read = kinesis::read(event)?;
        let mut items = Vec::with_capacity(read.len());
        for record in read {
            let (mark, read) = match record {
                Ok(record) => (Mark::from(&record.sequence), Ok(record)),
                Err(refused) => {
                    // Without its place nobody can tell whether it was here before.
                    let Some(position @ Position::Shard { sequence, .. }) = &refused.position else {
                        return Err(refused.error.clone());
                    };
                    (Mark::from(sequence), Err((position.clone(), refused.raw, refused.error.clone())))
                }
            };
            items.push(Item { mark, read });
        }
        let Some(first) = items.first() else { return Ok(None) };
        let Position::Shard { stream, shard, sequence: first, .. } = first.position() else { return Ok(None) };
        if let Some(other) = items.iter().find(|item| !item.is_of(&stream, &shard)) {
            let message = format!("a batch of two shards: {shard} and {}", other.position());
            return Err(Error::poison(Code::InvalidEvent, message));
        }
        Ok(Some(Self { stream, shard, first, items }))
    }

    /// When the newest record came in.
    #[must_use]
    pub fn newest(&self) -> Option<Timestamp> {
        self.items.iter().filter_map(|item| Some(item.read.as_ref().ok()?.arrived)).max()
    }
}

impl Item<'_> {
    /// Where it came from.
    #[must_use]
    pub fn position(&self) -> Position {
        match &self.read {
            Ok(record) => record.position(None),
            Err((position, ..)) => position.clone(),
        }
    }

    /// When it came in; what does not say so goes to 1970, whichever records it comes with.
    fn arrived(&self) -> Timestamp {
        self.read.as_ref().map_or(Timestamp(0), |record| record.arrived)
    }

    fn is_of(&self, stream: &str, shard: &str) -> bool {
        match &self.read {
            Ok(record) => record.stream == stream && record.shard == shard,
            Err((Position::Shard { stream: other, shard: place, .. }, ..)) => other == stream && place == shard,
            Err(_) => false,
        }
    }

    /// Hands it to the intake.
    pub fn take<R: Gather>(&self, intake: &mut Intake<'_, R>) {
        match &self.read {
            Ok(record) => take_record(record, &self.mark, intake),
            Err((position, raw, error)) => {
                let data = Bytes::copy_from_slice(raw.as_bytes());
                let position = || position.clone();
                let body = Body::new(&position, &self.mark, self.arrived(), data);
                intake.unread(&body, error.code, &error.message);
            }
        }
    }
}
