//! Bytes → each room of `headgate::decode`, held to what it promises.
//!
//! Nothing is decoded here a second way, but where the second way is `serde_json`.

use std::io::Write;

use bytes::Bytes;
use flate2::{Compression, write};
use headgate::{
    Code,
    decode::{
        compression::{self, Packing},
        json,
        kpl::{self, Packed, SubRecord, UserRecord},
        logs::{self, Message},
        registry::{self, SchemaId},
    },
};
use md5::{Digest, Md5};
use serde_json::{Value, value::RawValue};

/// What may come out of packed bytes.
const CAP: usize = 1 << 20;

/// As a record's data, and as the message of an aggregate whose digest fits.
pub fn kpl(input: &[u8]) {
    let sealed = [&[0xf3, 0x89, 0x9a, 0xc2], input, &Md5::digest(input)].concat();
    let data = [Bytes::copy_from_slice(input), Bytes::from(sealed)];
    data.iter().for_each(opened);
}

fn opened(data: &Bytes) {
    let aggregate = match kpl::deaggregate(data) {
        Packed::Plain(plain) => return assert_eq!(plain, data),
        Packed::Aggregate(aggregate) => aggregate,
    };
    let records: Vec<_> = aggregate.sub_records().collect();
    assert_eq!((records.len(), records.is_empty()), (aggregate.len(), aggregate.is_empty()));
    for (index, record) in (0..).zip(&records) {
        assert_eq!(record.as_ref().map_or_else(|part| part.index, |record| record.subsequence), index);
    }
    let whole: Option<Vec<SubRecord>> = records.into_iter().map(Result::ok).collect();
    if let Some(records) = whole {
        packed_again(&records);
    }
}

/// A producer that has these records packs them so that they come out again.
fn packed_again(records: &[SubRecord]) {
    let users = records.iter().map(user).collect::<Option<Vec<_>>>().filter(|users| !users.is_empty());
    let Some(users) = users else { return };
    let Packed::Aggregate(again) = kpl::deaggregate(&kpl::aggregate(users)) else { panic!("no aggregate") };
    assert!(again.sub_records().map(Result::unwrap).eq(records.iter().cloned()));
}

/// The record as a producer has it, whose keys are text.
fn user(record: &SubRecord) -> Option<UserRecord<'_>> {
    let explicit_hash_key = record.explicit_hash_key.as_deref();
    Some(UserRecord {
        partition_key: std::str::from_utf8(&record.partition_key).ok()?,
        explicit_hash_key: explicit_hash_key.map(std::str::from_utf8).transpose().ok()?,
        data: &record.data,
    })
}

/// The parts follow one another in the body, and a document is JSON that `serde_json` reads.
pub fn documents(input: &[u8]) {
    let body = Bytes::copy_from_slice(input);
    let (mut index, mut end) = (0, body.as_ptr() as usize);
    let mut kept = Vec::new();
    for part in json::documents(&body) {
        let (at, raw) = match part {
            Ok(document) => {
                legible(&document.raw);
                kept.push(document.raw.clone());
                (document.index, document.raw)
            }
            Err(part) => (part.index, part.raw),
        };
        assert_eq!(at, index);
        assert!(raw.is_empty() || raw.as_ptr() as usize >= end, "parts overlap");
        end = end.max(raw.as_ptr() as usize + raw.len());
        index += 1;
    }
    assert!(end <= body.as_ptr() as usize + body.len() && index <= body.len() as u64 + 1);
    let values: Result<Vec<&RawValue>, _> = serde_json::Deserializer::from_slice(input).into_iter().collect();
    if let Ok(values) = values
        && !values.is_empty()
        && values.iter().all(|value| value.get().starts_with('{') && value.get().matches(['{', '[']).count() < 128)
    {
        assert!(kept.iter().map(Bytes::as_ref).eq(values.iter().map(|value| value.get().as_bytes())));
        assert_eq!(kept.len() as u64, index);
    }
}

/// Numbers beyond a float and half surrogate pairs are JSON, though `serde_json` has no value for them.
fn legible(document: &[u8]) {
    if let Err(error) = serde_json::from_slice::<serde_json::Map<String, Value>>(document) {
        let told = error.to_string();
        let known = ["number out of range", "surrogate", "unexpected end of hex escape"];
        assert!(known.iter().any(|known| told.contains(known)), "{told}");
    }
}

/// Packed bytes stay within the cap; what is packed comes out again, and not with a byte less of a cap.
pub fn compression(input: &[u8]) {
    let bytes = Bytes::copy_from_slice(input);
    match compression::unpack(&bytes, CAP) {
        Ok(content) if Packing::sniff(input).is_none() => assert_eq!(content, bytes),
        Ok(content) => assert!(content.len() <= CAP),
        Err(refusal) => assert!(matches!(refusal.code, Code::TooLarge | Code::InvalidCompression)),
    }
    if let Ok(content) = compression::unpack_zlib(input, CAP) {
        assert!(content.len() <= CAP);
    }
    let mut gzip = write::GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(input).unwrap();
    unpacks(&gzip.finish().unwrap(), input, |packed, cap| compression::unpack(&Bytes::copy_from_slice(packed), cap));
    let mut zlib = write::ZlibEncoder::new(Vec::new(), Compression::fast());
    zlib.write_all(input).unwrap();
    unpacks(&zlib.finish().unwrap(), input, compression::unpack_zlib);
    let zstd = zstd::encode_all(input, 1).unwrap();
    unpacks(&zstd, input, |packed, cap| compression::unpack(&Bytes::copy_from_slice(packed), cap));
}

fn unpacks<E: std::fmt::Debug>(packed: &[u8], content: &[u8], unpack: impl Fn(&[u8], usize) -> Result<Bytes, E>) {
    assert_eq!(unpack(packed, content.len()).unwrap(), content);
    if let Some(less) = content.len().checked_sub(1) {
        assert!(unpack(packed, less).is_err(), "a cap of {less} is none");
    }
}

/// Each event of the list is there, if the payload is data at all.
pub fn logs(input: &[u8]) {
    if let Ok(Message::Data(batch)) = logs::parse(input)
        && let Ok(value) = serde_json::from_slice::<Value>(input)
    {
        assert_eq!(value["logEvents"].as_array().map(Vec::len), Some(batch.events.len()));
        assert_eq!(value["logGroup"].as_str(), Some(&*batch.log_group));
    }
}

/// A header and what follows it are the value again, where it is not packed; a schema's id is read as it is written.
pub fn registry(input: &[u8]) {
    let _ = std::str::from_utf8(input).map(SchemaId::parse);
    let Ok(framed) = registry::unframe(&Bytes::copy_from_slice(input), CAP) else { return };
    match framed.schema {
        SchemaId::Confluent(id) => assert_eq!([&[0], &id.to_be_bytes()[..], &framed.payload].concat(), input),
        SchemaId::Glue(_) if input[1] == 5 => assert!(framed.payload.len() <= CAP),
        SchemaId::Glue(uuid) => assert_eq!([&[3, 0], &uuid[..], &framed.payload].concat(), input),
    }
    assert_eq!(SchemaId::parse(&framed.schema.to_string()), Some(framed.schema));
    if let Ok(protobuf) = registry::protobuf(&framed.payload) {
        assert!((1..=100).contains(&protobuf.path.len()) && framed.payload.ends_with(&protobuf.message));
    }
}
