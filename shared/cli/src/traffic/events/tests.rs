//! What is wrapped → the same again, by the readers that functions have.

use std::collections::BTreeMap;

use bytes::Bytes;
use headgate::{
    decode::{compression::unpack, kpl},
    event::{firehose, kafka, kinesis},
    position::SequenceNumber,
};

use super::*;
use crate::traffic::{Kind, Options, Traffic};

/// A record as a function sees it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Seen {
    key: String,
    body: Option<Vec<u8>>,
}

/// By shard or partition, the places in the order they came.
type Places = BTreeMap<String, Vec<SequenceNumber>>;

const CAP: usize = 1 << 20;

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn sequence(number: &str) -> SequenceNumber {
    SequenceNumber::new(number).unwrap()
}

fn of_kinesis(event: &[u8], places: &mut Places) -> Vec<Seen> {
    let records: Vec<_> = kinesis::read(event).unwrap().into_iter().map(Result::unwrap).collect();
    assert!(records.iter().all(|record| record.shard == records[0].shard && record.stream == "stream-1"));
    let mut seen = Vec::new();
    for record in records {
        places.entry(record.shard.into_owned()).or_default().push(record.sequence);
        match kpl::deaggregate(&record.data) {
            kpl::Packed::Plain(data) => {
                seen.push(Seen { key: record.partition_key.into_owned(), body: Some(data.to_vec()) });
            }
            kpl::Packed::Aggregate(aggregate) => seen.extend(aggregate.sub_records().map(|sub| {
                let sub = sub.unwrap();
                Seen { key: text(&sub.partition_key), body: Some(sub.data.to_vec()) }
            })),
        }
    }
    seen
}

/// Firehose tells the key only where the source is a stream.
fn of_firehose(event: &[u8], places: &mut Places) -> Vec<Seen> {
    let request = firehose::read(event).unwrap();
    assert!(request.delivery_stream_arn.ends_with("/stream-1") && request.invocation_id.len() == 36);
    let seen = request.records.into_iter().map(|record| {
        let record = record.unwrap();
        let (mut key, mut shard) = (String::new(), String::new());
        if let firehose::Origin::Kinesis(origin) = record.origin {
            assert_eq!((origin.arrived, origin.sub_sequence), (record.arrived, Some(0)));
            (key, shard) = (origin.partition_key.unwrap().into_owned(), origin.shard.unwrap().into_owned());
        }
        places.entry(shard).or_default().push(sequence(&record.id));
        Seen { key, body: Some(record.data.to_vec()) }
    });
    seen.collect()
}

fn of_kafka(event: &[u8], places: &mut Places) -> Vec<Seen> {
    let seen = kafka::read(event).unwrap().into_iter().map(|record| {
        let record = record.unwrap();
        assert!(record.topic == "stream-1" && record.timestamp.is_some());
        assert!(record.headers[1].value.as_ref().unwrap()[0] >= 0x80, "a negative byte");
        places.entry(record.partition.to_string()).or_default().push(sequence(&record.offset.to_string()));
        Seen { key: text(&record.key.unwrap()), body: record.value.map(|value| value.to_vec()) }
    });
    seen.collect()
}

/// The lines of bodies, none of which has a line break; no keys.
fn of_lines(event: &[u8]) -> Vec<Seen> {
    let lines = unpack(&Bytes::copy_from_slice(event), usize::MAX).unwrap();
    let lines = lines.strip_suffix(b"\n").unwrap();
    lines.split(|byte| *byte == b'\n').map(|line| Seen { key: String::new(), body: Some(line.to_vec()) }).collect()
}

/// Wraps `count` records, reads them back, and gives the events and all places.
fn check(wrapping: &Wrapping, count: usize) -> (Vec<Event>, Places) {
    let options = Options { bad: 0.1, duplicate: 0.05, late: 0.05, ..Options::default() };
    let tombstones = if wrapping.format == Format::Kafka { 0.1 } else { 0.0 };
    let records = || Traffic::new(Kind::Clickstream, 3, Options { tombstones, ..options }).take(count);
    let events: Vec<_> = Events::new(records(), wrapping.clone()).collect();
    assert_eq!(events, Events::new(records(), wrapping.clone()).collect::<Vec<_>>(), "the same again");
    let (mut places, mut all) = (Places::new(), Vec::new());
    for event in &events {
        assert!(event.bytes.len() <= wrapping.max_bytes, "{} bytes", event.bytes.len());
        let mut seen = match wrapping.format {
            Format::Ndjson => of_lines(&event.bytes),
            Format::Kinesis => of_kinesis(&event.bytes, &mut places),
            Format::Firehose | Format::FirehoseKinesis => of_firehose(&event.bytes, &mut places),
            Format::Kafka => of_kafka(&event.bytes, &mut places),
        };
        assert_eq!(seen.len(), event.records);
        if wrapping.gzip && wrapping.format != Format::Ndjson {
            let plain = |body: Vec<u8>| unpack(&body.into(), CAP).unwrap().to_vec();
            for seen in &mut seen {
                seen.body = seen.body.take().map(plain);
            }
        }
        all.extend(seen);
    }
    let keyed = wrapping.format.has_lanes();
    let expected = records().map(|record| Seen {
        key: if keyed { record.key } else { String::new() },
        body: (record.case != crate::traffic::Case::Tombstone).then_some(record.body),
    });
    let mut expected: Vec<_> = expected.collect();
    expected.sort();
    all.sort();
    assert!(all == expected, "other records: {} of {}", all.len(), expected.len());
    assert!(places.values().all(|places| places.is_sorted_by(|one, next| one < next)));
    (events, places)
}

fn wrapping(format: Format) -> Wrapping {
    Wrapping { records: 70, ..Wrapping::new(format, "stream-1") }
}

const FORMATS: [Format; 5] =
    [Format::Ndjson, Format::Kinesis, Format::Firehose, Format::FirehoseKinesis, Format::Kafka];

#[test]
fn every_event_is_read_back() {
    for format in FORMATS {
        for gzip in [false, true] {
            let (events, _) = check(&Wrapping { gzip, ..wrapping(format) }, 300);
            assert_eq!(events.iter().map(|event| event.records).collect::<Vec<_>>(), [vec![70; 4], vec![20]].concat());
        }
    }
}

#[test]
fn keys_go_to_shards_and_partitions() {
    for format in FORMATS.into_iter().filter(|format| format.has_lanes()) {
        let (_, places) = check(&Wrapping { lanes: 5, seed: 9, ..wrapping(format) }, 2_000);
        assert_eq!(places.len(), 5);
        assert!(places.values().all(|places| places.len() > 100), "{format:?}");
    }
    let (_, places) = check(&Wrapping { lanes: 4, ..wrapping(Format::Kinesis) }, 500);
    assert!(places.contains_key("shardId-000000000003"));
    assert!(places.values().flatten().all(|sequence| sequence.as_str().len() == 56));
}

#[test]
fn offsets_follow_each_other() {
    let (_, places) = check(&Wrapping { lanes: 3, ..wrapping(Format::Kafka) }, 1_000);
    for places in places.values() {
        let offsets: Vec<u64> = places.iter().map(|offset| offset.as_str().parse().unwrap()).collect();
        assert!(offsets.is_sorted_by(|one, next| one + 1 == *next));
    }
}

#[test]
fn aggregates_hold_what_they_are_told_to() {
    for gzip in [false, true] {
        let wrapping = Wrapping { aggregate: 10, records: 7, gzip, ..wrapping(Format::Kinesis) };
        let (events, places) = check(&wrapping, 305);
        assert_eq!(events[0].records, 70);
        assert_eq!(places.values().map(Vec::len).sum::<usize>(), 31);
    }
    check(&Wrapping { aggregate: 9, lanes: 3, ..wrapping(Format::Kinesis) }, 500);
    // An aggregate ends before it is too large for a record or an event.
    let (events, places) = check(&Wrapping { aggregate: 10_000, ..wrapping(Format::Kinesis) }, 3_000);
    assert_eq!((events.len(), places.values().map(Vec::len).sum::<usize>()), (1, 3));
    check(&Wrapping { aggregate: 10_000, max_bytes: SMALLEST_EVENT, ..wrapping(Format::Kinesis) }, 200);
}

#[test]
fn an_event_is_closed_before_it_is_too_large() {
    for format in FORMATS {
        let most = Wrapping { records: 10_000, lanes: 3, ..wrapping(format) };
        let small = Wrapping { max_bytes: SMALLEST_EVENT, ..most.clone() };
        let (events, _) = check(&small, 300);
        // A record is below 3 kB: events are full.
        let full = events.iter().filter(|event| event.bytes.len() > SMALLEST_EVENT - 3_000).count();
        assert!(full * 2 > events.len(), "{format:?}: {full} of {}", events.len());
    }
    let most = Wrapping { records: 10_000, ..wrapping(Format::Kinesis) };
    let (events, _) = check(&most, 5_000);
    assert!(events[0].bytes.len() > MAX_EVENT_BYTES - 3_000 && events.len() == 2);
}

#[test]
fn another_seed_is_another_place() {
    let first = |seed| check(&Wrapping { seed, ..wrapping(Format::Kinesis) }, 10).1.pop_first();
    assert_ne!(first(1), first(2));
}
