//! A Kinesis record → the user records that the Kinesis Producer Library packed into it.
//!
//! `F3 89 9A C2 | AggregatedRecord, protobuf | MD5 of the protobuf, 16 bytes` (awslabs/amazon-kinesis-producer,
//! aggregation-format.md). What is not exactly that is a plain record that happens to begin so, and no error: the rules
//! are those of the Kinesis Client Library's `AggregatorUtil`. It also leaves out sub-records that hash outside the
//! shard; here none is left out, for Lambda does not tell the shard's range.

use std::ops::Range;

use bytes::Bytes;
use md5::{Digest, Md5};

use self::protobuf::{Fields, Malformed, Value};
use super::{RefusedPart, refuse};
use crate::error::Code;

mod encode;
mod protobuf;
#[cfg(test)]
mod tests;

pub use encode::{UserRecord, aggregate};

const MAGIC: [u8; 4] = [0xf3, 0x89, 0x9a, 0xc2];
const DIGEST: usize = 16;

/// The numbers of the fields in `messages.proto` (awslabs/amazon-kinesis-producer, aws/kinesis/protobuf; proto2).
mod field {
    /// `AggregatedRecord`.
    pub(super) const PARTITION_KEY_TABLE: u32 = 1;
    pub(super) const EXPLICIT_HASH_KEY_TABLE: u32 = 2;
    pub(super) const RECORDS: u32 = 3;
    /// `Record`.
    pub(super) const PARTITION_KEY_INDEX: u32 = 1;
    pub(super) const EXPLICIT_HASH_KEY_INDEX: u32 = 2;
    pub(super) const DATA: u32 = 3;
    pub(super) const TAGS: u32 = 4;
    /// `Tag`.
    pub(super) const KEY: u32 = 1;
}

/// What a Kinesis record is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Packed {
    /// One user record: the data as it came.
    Plain(Bytes),
    /// Any number of user records, none included.
    Aggregate(Aggregate),
}

/// The user records of an aggregate, in order. It keeps the Kinesis record's bytes, and for each of them at most 16
/// bytes more, where keys and sub-records are tiny.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Aggregate {
    message: Bytes,
    partition_keys: Vec<Range<usize>>,
    explicit_hash_keys: Vec<Range<usize>>,
    records: Vec<Entry>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    partition_key: u64,
    explicit_hash_key: Option<u64>,
    data: Range<usize>,
}

/// A user record out of an aggregate. All its bytes are slices of the Kinesis record, which lives as long as one does.
///
/// It has the sequence number, arrival time and encryption of the aggregate: together with the sub-sequence number they
/// tell it from all others of its shard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubRecord {
    /// Its place in the aggregate, the first being 0; refused ones count.
    pub subsequence: u64,
    /// The partition key: UTF-8 by contract, which the protocol does not enforce.
    pub partition_key: Bytes,
    /// The hash key that the producer chose in the MD5 of the partition key's stead: a decimal number.
    pub explicit_hash_key: Option<Bytes>,
    /// What the producer put.
    pub data: Bytes,
}

/// Opens a Kinesis record's data.
///
/// Plain is what is not longer than magic and digest, has another magic, a digest that does not fit, or a message that
/// is no `AggregatedRecord`; where a required field is missing, it is none.
#[must_use]
pub fn deaggregate(data: &Bytes) -> Packed {
    match parse(data) {
        Some(aggregate) => Packed::Aggregate(aggregate),
        None => Packed::Plain(data.clone()),
    }
}

impl Aggregate {
    /// How many sub-records there are, refused ones included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// The sub-records in order.
    ///
    /// # Errors
    /// [`Code::InvalidFraming`] for a sub-record of which a key's index is beyond its table; its data is the part's raw
    /// bytes. (The client library loses it and all that follow.)
    pub fn sub_records(&self) -> impl ExactSizeIterator<Item = Result<SubRecord, RefusedPart>> {
        self.records.iter().enumerate().map(|(subsequence, record)| self.sub_record(subsequence as u64, record))
    }

    fn sub_record(&self, subsequence: u64, record: &Entry) -> Result<SubRecord, RefusedPart> {
        let data = self.message.slice(record.data.clone());
        let refused = |reason: &'static str| {
            let raw = data.clone();
            RefusedPart { index: subsequence, raw, refusal: refuse(Code::InvalidFraming, reason) }
        };
        let entry = |table: &[Range<usize>], index: u64| {
            let range = table.get(usize::try_from(index).ok()?)?;
            Some(self.message.slice(range.clone()))
        };
        let partition_key = entry(&self.partition_keys, record.partition_key)
            .ok_or_else(|| refused("KPL: the partition key is not in the table"))?;
        let explicit_hash_key = record.explicit_hash_key.map(|index| {
            entry(&self.explicit_hash_keys, index)
                .ok_or_else(|| refused("KPL: the explicit hash key is not in the table"))
        });
        Ok(SubRecord { subsequence, partition_key, explicit_hash_key: explicit_hash_key.transpose()?, data })
    }
}

fn parse(data: &Bytes) -> Option<Aggregate> {
    let end = data.len().checked_sub(DIGEST).filter(|end| *end > MAGIC.len())?;
    let message = data.strip_prefix(&MAGIC).map(|_| data.slice(MAGIC.len()..end))?;
    if Md5::digest(&message)[..] != data[end..] {
        return None;
    }
    aggregated_record(message).ok()
}

fn aggregated_record(message: Bytes) -> Result<Aggregate, Malformed> {
    let (mut partition_keys, mut explicit_hash_keys, mut records) = (Vec::new(), Vec::new(), Vec::new());
    for field in Fields::of(&message, 0..message.len()) {
        match field? {
            (field::PARTITION_KEY_TABLE, Value::Bytes(key)) => partition_keys.push(key),
            (field::EXPLICIT_HASH_KEY_TABLE, Value::Bytes(key)) => explicit_hash_keys.push(key),
            (field::RECORDS, Value::Bytes(record)) => records.push(entry(&message, record)?),
            _ => {}
        }
    }
    Ok(Aggregate { message, partition_keys, explicit_hash_keys, records })
}

fn entry(message: &[u8], record: Range<usize>) -> Result<Entry, Malformed> {
    let (mut partition_key, mut explicit_hash_key, mut data) = (None, None, None);
    for field in Fields::of(message, record) {
        match field? {
            (field::PARTITION_KEY_INDEX, Value::Varint(index)) => partition_key = Some(index),
            (field::EXPLICIT_HASH_KEY_INDEX, Value::Varint(index)) => explicit_hash_key = Some(index),
            (field::DATA, Value::Bytes(bytes)) => data = Some(bytes),
            (field::TAGS, Value::Bytes(tag)) => check_tag(message, tag)?,
            _ => {}
        }
    }
    let (partition_key, data) = partition_key.zip(data).ok_or(Malformed)?;
    Ok(Entry { partition_key, explicit_hash_key, data })
}

fn check_tag(message: &[u8], tag: Range<usize>) -> Result<(), Malformed> {
    let mut has_key = false;
    for field in Fields::of(message, tag) {
        has_key |= matches!(field?, (field::KEY, Value::Bytes(_)));
    }
    if has_key { Ok(()) } else { Err(Malformed) }
}
