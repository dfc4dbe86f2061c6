//! User records → an aggregate, as the Kinesis Producer Library writes it.

use std::collections::HashMap;

use bytes::{BufMut, Bytes, BytesMut};
use md5::{Digest, Md5};

use super::{MAGIC, field};

const VARINT: u32 = 0;
const BYTES: u32 = 2;

/// A record as a producer has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UserRecord<'a> {
    /// The partition key.
    pub partition_key: &'a str,
    /// The hash key in the stead of its MD5: a decimal number below 2^128.
    pub explicit_hash_key: Option<&'a str>,
    /// The data.
    pub data: &'a [u8],
}

/// Packs the records into one Kinesis record's data, in order; each key is in its table once.
///
/// How large that may be is the stream's business: 1 MiB by default, its partition key included.
#[must_use]
pub fn aggregate<'a>(records: impl IntoIterator<Item = UserRecord<'a>>) -> Bytes {
    let (mut partition_keys, mut explicit_hash_keys) = (Table::default(), Table::default());
    let mut bodies = BytesMut::new();
    for record in records {
        let mut body = BytesMut::new();
        put_varint(&mut body, field::PARTITION_KEY_INDEX, partition_keys.index(record.partition_key));
        if let Some(key) = record.explicit_hash_key {
            put_varint(&mut body, field::EXPLICIT_HASH_KEY_INDEX, explicit_hash_keys.index(key));
        }
        put_bytes(&mut body, field::DATA, record.data);
        put_bytes(&mut bodies, field::RECORDS, &body);
    }
    let mut message = BytesMut::new();
    for key in partition_keys.keys {
        put_bytes(&mut message, field::PARTITION_KEY_TABLE, key.as_bytes());
    }
    for key in explicit_hash_keys.keys {
        put_bytes(&mut message, field::EXPLICIT_HASH_KEY_TABLE, key.as_bytes());
    }
    message.put(bodies);
    seal(&message)
}

/// Puts magic and digest around a message.
pub(super) fn seal(message: &[u8]) -> Bytes {
    [&MAGIC, message, &Md5::digest(message)].concat().into()
}

/// Keys in the order of their first use.
#[derive(Default)]
struct Table<'a> {
    keys: Vec<&'a str>,
    places: HashMap<&'a str, u64>,
}

impl<'a> Table<'a> {
    fn index(&mut self, key: &'a str) -> u64 {
        let next = self.keys.len() as u64;
        *self.places.entry(key).or_insert_with(|| {
            self.keys.push(key);
            next
        })
    }
}

fn put_bytes(out: &mut BytesMut, number: u32, bytes: &[u8]) {
    varint(out, u64::from(number << 3 | BYTES));
    varint(out, bytes.len() as u64);
    out.put_slice(bytes);
}

fn put_varint(out: &mut BytesMut, number: u32, value: u64) {
    varint(out, u64::from(number << 3 | VARINT));
    varint(out, value);
}

fn varint(out: &mut BytesMut, mut value: u64) {
    while value >= 0x80 {
        out.put_u8(value as u8 | 0x80);
        value >>= 7;
    }
    out.put_u8(value as u8);
}
