//! The records of one shard or partition → their items, with their places.
//!
//! A place is given once and never again: sequence numbers grow, offsets follow each other.

use headgate::{clock::Timestamp, decode::kpl};
use md5::{Digest, Md5};

use super::{Format, MAX_AGGREGATE_BYTES, Wrapping, batch::Item, firehose, gzip, kafka, kinesis};
use crate::traffic::{Case, Generated, draw::Draw};

/// A shard, a partition, or the one way that there is.
#[derive(Debug)]
pub(super) struct Lane {
    pub(super) number: usize,
    pub(super) draw: Draw,
    sequence: u128,
    offset: u64,
    aggregate: Vec<Body>,
    aggregate_bytes: usize,
    stream: String,
}

/// A record's body as it is put.
#[derive(Debug)]
pub(super) struct Body {
    pub(super) key: String,
    pub(super) at: Timestamp,
    /// `None` is a tombstone.
    pub(super) bytes: Option<Vec<u8>>,
}

/// What an entry of an aggregate costs beside key and data, at most: tags, lengths, an index.
const ENTRY: usize = 32;

/// The lane that a key goes to: of as many equal ranges of its MD5, as Kinesis does it.
pub(super) fn of(key: &str, lanes: usize) -> usize {
    if lanes == 1 {
        return 0;
    }
    let range = u128::MAX / lanes as u128 + 1;
    (u128::from_be_bytes(Md5::digest(key.as_bytes()).into()) / range) as usize
}

impl Lane {
    pub(super) fn new(number: usize, wrapping: &Wrapping) -> Self {
        let mut draw = Draw::new(wrapping.seed ^ ((number as u64 + 1) << 32));
        Self {
            number,
            sequence: 10_u128.pow(35) + u128::from(draw.below(u64::MAX)) * 10_u128.pow(15),
            offset: draw.below(1 << 32),
            draw,
            aggregate: Vec::new(),
            aggregate_bytes: 0,
            stream: wrapping.name.clone(),
        }
    }

    /// What `record` completes: an item as a rule; of aggregates none, one, or two.
    pub(super) fn items(&mut self, record: Generated, wrapping: &Wrapping) -> Vec<Item> {
        let Generated { key, at, body, case, .. } = record;
        // Lines are packed all together, not each.
        let packs = wrapping.gzip && wrapping.format != Format::Ndjson;
        let bytes = (case != Case::Tombstone).then(|| if packs { gzip(&body) } else { body });
        let body = Body { key, at, bytes };
        let text = match wrapping.format {
            Format::Kinesis if wrapping.aggregate > 0 => return self.aggregated(body, wrapping),
            Format::Kinesis => kinesis::item(self, &body).into_bytes(),
            Format::Firehose => firehose::item(self, &body).into_bytes(),
            Format::FirehoseKinesis => firehose::item_of_stream(self, &body).into_bytes(),
            Format::Kafka => kafka::item(self, &body).into_bytes(),
            Format::Ndjson => [body.bytes.unwrap_or_default(), b"\n".to_vec()].concat(),
        };
        vec![Item { text, records: 1 }]
    }

    /// The aggregate that waits for more, where there is one.
    pub(super) fn rest(&mut self) -> Option<Item> {
        let records = std::mem::take(&mut self.aggregate);
        self.aggregate_bytes = 0;
        let last = records.last()?;
        let user_records = records.iter().map(|record| kpl::UserRecord {
            partition_key: &record.key,
            explicit_hash_key: None,
            data: record.bytes.as_deref().unwrap_or_default(),
        });
        let whole =
            Body { key: records[0].key.clone(), at: last.at, bytes: Some(kpl::aggregate(user_records).to_vec()) };
        Some(Item { text: kinesis::item(self, &whole).into_bytes(), records: records.len() })
    }

    fn aggregated(&mut self, body: Body, wrapping: &Wrapping) -> Vec<Item> {
        let mut done = Vec::new();
        let bytes = ENTRY + body.key.len() + body.bytes.as_ref().map_or(0, Vec::len);
        // Base64 makes four of three, and the record around it wants its room.
        let most = MAX_AGGREGATE_BYTES.min((wrapping.max_bytes - 2_048) / 4 * 3);
        if self.aggregate_bytes + bytes > most {
            done.extend(self.rest());
        }
        self.aggregate.push(body);
        self.aggregate_bytes += bytes;
        if self.aggregate.len() >= wrapping.aggregate {
            done.extend(self.rest());
        }
        done
    }

    /// The next sequence number: 56 digits, as AWS's are, and larger than the last by some random step.
    pub(super) fn sequence(&mut self) -> String {
        self.sequence += 1 + u128::from(self.draw.below(1 << 60));
        format!("49668899013475{:06}{:036}", self.number, self.sequence)
    }

    pub(super) fn offset(&mut self) -> u64 {
        self.offset += 1;
        self.offset - 1
    }

    pub(super) fn shard(&self) -> String {
        format!("shardId-{:012}", self.number)
    }

    pub(super) fn stream(&self) -> &str {
        &self.stream
    }
}
