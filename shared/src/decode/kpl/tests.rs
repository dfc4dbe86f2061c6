//! Aggregates, true, false and broken → what is in them.

use proptest::prelude::*;

use super::{encode::seal, *};

/// `Ok` with partition key, explicit hash key and data, or `Err` with the raw data.
type Told<'a> = Result<(&'a str, Option<&'a str>, &'a str), &'a str>;

fn open(data: &Bytes) -> Option<Vec<Result<SubRecord, RefusedPart>>> {
    match deaggregate(data) {
        Packed::Aggregate(aggregate) => Some(aggregate.sub_records().collect()),
        Packed::Plain(plain) => {
            assert_eq!((plain.as_ptr(), plain.len()), (data.as_ptr(), data.len()), "plain data is as it came");
            None
        }
    }
}

fn text(bytes: &Bytes) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn check(data: &Bytes, want: Option<&[Told<'_>]>) {
    let got = open(data).map(|records| {
        let told = records.into_iter().enumerate().map(|(at, record)| match record {
            Ok(record) => {
                assert_eq!(record.subsequence, at as u64);
                let explicit = record.explicit_hash_key.as_ref().map(text);
                Ok((text(&record.partition_key), explicit, text(&record.data)))
            }
            Err(part) => {
                assert_eq!((part.index, part.refusal.code), (at as u64, Code::InvalidFraming));
                Err(text(&part.raw))
            }
        });
        told.collect::<Vec<_>>()
    });
    let want = want.map(|want| {
        let owned = want.iter().map(|told| match told {
            Ok((key, explicit, data)) => Ok(((*key).to_owned(), explicit.map(str::to_owned), (*data).to_owned())),
            Err(raw) => Err((*raw).to_owned()),
        });
        owned.collect::<Vec<_>>()
    });
    assert_eq!(got, want);
}

/// A message with one partition key, one explicit hash key, and `records`: each at most 127 bytes.
fn message(records: &[&[u8]]) -> Vec<u8> {
    let mut message = b"\x0a\x01p\x12\x01e".to_vec();
    for record in records {
        message.extend([0x1a, record.len() as u8]);
        message.extend_from_slice(record);
    }
    message
}

#[test]
fn opens_an_aggregate() {
    let records = [
        UserRecord { partition_key: "a", explicit_hash_key: None, data: b"1" },
        UserRecord { partition_key: "b", explicit_hash_key: Some("7"), data: b"" },
        UserRecord { partition_key: "a", explicit_hash_key: Some("7"), data: b"3" },
    ];
    let data = aggregate(records);
    check(&data, Some(&[Ok(("a", None, "1")), Ok(("b", Some("7"), "")), Ok(("a", Some("7"), "3"))]));
    let Packed::Aggregate(aggregate) = deaggregate(&data) else { panic!("plain") };
    assert_eq!((aggregate.len(), aggregate.is_empty()), (3, false));
    let first = aggregate.sub_records().next().unwrap().unwrap();
    assert!(data.as_ptr_range().contains(&first.data.as_ptr()), "data is not copied");
}

#[test]
fn what_only_begins_like_an_aggregate_is_plain() {
    let data = aggregate([UserRecord { partition_key: "a", explicit_hash_key: None, data: b"1" }]);
    let mut other_digest = data.to_vec();
    *other_digest.last_mut().unwrap() ^= 1;
    let mut other_magic = data.to_vec();
    other_magic[0] ^= 1;
    let table = [
        Bytes::new(),
        Bytes::from_static(&MAGIC[..3]),
        Bytes::from_static(&MAGIC),
        Bytes::from_static(b"{\"a\":1}"),
        [&MAGIC[..], b"a text that begins with the magic and has no digest"].concat().into(),
        other_digest.into(),
        other_magic.into(),
        seal(b""),
        seal(b"no protobuf"),
        data.slice(..data.len() - 1),
    ];
    for data in table {
        check(&data, None);
    }
}

#[test]
fn a_key_beyond_its_table_costs_that_record_alone() {
    let good = b"\x08\x00\x1a\x01a".as_slice();
    let no_key = b"\x08\x01\x1a\x01b".as_slice();
    let no_hash_key = b"\x08\x00\x10\x01\x1a\x01c".as_slice();
    let far = b"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x1a\x01d".as_slice();
    let hashed = b"\x08\x00\x10\x00\x1a\x01e".as_slice();
    check(
        &seal(&message(&[good, no_key, no_hash_key, far, hashed])),
        Some(&[Ok(("p", None, "a")), Err("b"), Err("c"), Err("d"), Ok(("p", Some("e"), "e"))]),
    );
}

#[test]
fn reads_as_proto2() {
    let want: [Told<'_>; 1] = [Ok(("p", None, "a"))];
    let table: [(&[u8], bool); 11] = [
        (b"\x1a\x01a\x08\x00", true),
        // The last of two counts.
        (b"\x08\x05\x08\x00\x1a\x01b\x1a\x01a", true),
        // Unknown fields, and a known one of another wire type.
        (b"\x08\x00\x1a\x01a\x28\x01\x32\x01z\x39\0\0\0\0\0\0\0\0\x45\0\0\0\0\x4b\x4c", true),
        (b"\x08\x00\x1a\x01a\x0a\x01z\x18\x01", true),
        // Tags: a key, or a key and a value.
        (b"\x08\x00\x1a\x01a\x22\x03\x0a\x01k\x22\x06\x0a\x01k\x12\x01v", true),
        (b"\x08\x00\x1a\x01a\x22\x03\x12\x01v", false),
        (b"\x08\x00\x1a\x01a\x22\x00", false),
        (b"\x1a\x01a", false),
        (b"\x08\x00", false),
        (b"", false),
        (b"\x08\x00\x1a\x02a", false),
    ];
    for (record, is_one) in table {
        check(&seal(&message(&[record])), is_one.then_some(&want));
    }
    check(&seal(&message(&[])), Some(&[]));
}

proptest! {
    #[test]
    fn what_went_in_comes_out(
        records in prop::collection::vec(("[a-c]{0,2}", prop::option::of("[0-9]{1,2}"), any::<Vec<u8>>()), 1..30),
        cut: prop::sample::Index,
        flip: prop::sample::Index,
    ) {
        let data = aggregate(records.iter().map(|(key, explicit, data)| UserRecord {
            partition_key: key,
            explicit_hash_key: explicit.as_deref(),
            data,
        }));
        let opened: Option<Vec<_>> = open(&data).map(|records| records.into_iter().map(Result::unwrap).collect());
        let want: Vec<_> = records.iter().zip(0..).map(|((key, explicit, data), subsequence)| SubRecord {
            subsequence,
            partition_key: key.clone().into(),
            explicit_hash_key: explicit.clone().map(Bytes::from),
            data: data.clone().into(),
        }).collect();
        prop_assert_eq!(opened, Some(want));

        prop_assert_eq!(open(&data.slice(..cut.index(data.len()))), None);
        let mut flipped = data.to_vec();
        flipped[flip.index(data.len())] ^= 1;
        prop_assert_eq!(open(&flipped.into()), None);
        // With a digest that fits, so that the message is read.
        let message = &data[MAGIC.len()..data.len() - DIGEST];
        open(&seal(&message[..cut.index(message.len())]));
    }

    #[test]
    fn ends_on_any_bytes(message: Vec<u8>, record in prop::collection::vec(any::<u8>(), 0..100)) {
        open(&message.clone().into());
        open(&seal(&message));
        open(&seal(&self::message(&[&record])));
    }
}
