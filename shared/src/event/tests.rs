//! What holds for every source: no input panics, and a full batch is read in no time.

use std::time::{Duration, Instant};

use base64::prelude::{BASE64_STANDARD, Engine};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;
use crate::Class;

/// Reads `event` as every source there is.
fn check(event: &[u8]) {
    let refused = |refused: &Refused<'_>| {
        assert_eq!((refused.error.class, refused.error.code), (Class::Poison, Code::InvalidEvent));
        assert!(serde_json::from_str::<&RawValue>(refused.raw).is_ok() && !format!("{refused:?}").is_empty());
    };
    for record in kinesis::read(event).into_iter().flatten() {
        record.map_or_else(|error| refused(&error), |record| assert!(!format!("{record:?}").is_empty()));
    }
    for record in kafka::read(event).into_iter().flatten() {
        record.map_or_else(|error| refused(&error), |record| assert!(!format!("{record:?}").is_empty()));
    }
    for record in firehose::read(event).into_iter().flat_map(|request| request.records) {
        record.map_or_else(|error| refused(&error.refused), |record| assert!(!format!("{record:?}").is_empty()));
    }
    if let Ok(request) = http::read(event) {
        assert!(!format!("{request:?}").is_empty() && request.headers().count() < 10_000);
    }
    let _ = kinesis::failed_event(event);
    let _ = (kafka::failed_event(event), kafka::texts(event));
    // The quick way reads what the careful one reads, or nothing.
    let text = str::from_utf8(event).ok();
    if let Some(records) = text.and_then(kinesis::sound::read) {
        assert_eq!(kinesis::carefully(event), Ok(records.into_iter().map(Ok).collect()));
    }
    if let Some(request) = text.and_then(firehose::sound::read) {
        assert_eq!(firehose::carefully(event), Ok(request));
    }
}

/// Any JSON, made of words that events are made of, so that it comes near to one.
fn any_json() -> impl Strategy<Value = Value> {
    let word = prop::sample::select(WORDS.to_vec());
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        prop::sample::select(TEXTS.to_vec()).prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 96, 12, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((word.clone(), inner), 0..12).prop_map(|members| members
                .into_iter()
                .map(|(k, v)| (k.to_owned(), v))
                .collect::<Map<_, _>>()
                .into()),
        ]
    })
}

const WORDS: [&str; 32] = [
    "Records",
    "kinesis",
    "eventID",
    "eventSourceARN",
    "sequenceNumber",
    "partitionKey",
    "data",
    "approximateArrivalTimestamp",
    "KinesisBatchInfo",
    "payload",
    "records",
    "deliveryStreamArn",
    "recordId",
    "kinesisRecordMetadata",
    "mskRecordMetadata",
    "kafkaRecordValue",
    "sourceMSKArn",
    "orders-0",
    "topic",
    "partition",
    "offset",
    "timestamp",
    "key",
    "value",
    "headers",
    "keySchemaMetadata",
    "rawPath",
    "requestContext",
    "http",
    "method",
    "body",
    "isBase64Encoded",
];

const TEXTS: [&str; 8] =
    ["", "shardId-1:21", "arn:aws:kinesis:r:1:stream/s", "21", "1.5e3", "2026-01-01T00:00:00Z", "aGk=", "-"];

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_json_is_too_odd(event in any_json()) {
        check(event.to_string().as_bytes());
        for list in ["Records", "records"] {
            check(json!({list: [event], "deliveryStreamArn": "d"}).to_string().as_bytes());
        }
        check(json!({"records": {"orders-0": [event], "orders": event}}).to_string().as_bytes());
    }

    #[test]
    fn no_bytes_are_too_odd(event: Vec<u8>) {
        check(&event);
    }

    #[test]
    fn no_cut_or_turned_byte_is_too_odd(at: prop::sample::Index, byte: u8) {
        for event in [kinesis_batch(2, 9), kafka_batch(2, 9), firehose_batch(2, 9)] {
            check(event.as_bytes());
            let at = at.index(event.len());
            check(&event.as_bytes()[..at]);
            let mut turned = event.into_bytes();
            turned[at] = byte;
            check(&turned);
        }
    }
}

#[test]
fn the_quick_way_leaves_all_that_is_odd_to_the_careful_one() {
    let (kinesis, firehose) = (kinesis_batch(2, 9), firehose_batch(2, 9));
    assert!(kinesis::sound::read(&kinesis).is_some() && firehose::sound::read(&firehose).is_some());
    let odd = [
        kinesis.replace("arn:aws:kinesis:r:1:stream/clicks", ""),
        kinesis.replacen(r#""kinesis":{"#, r#""kinesis":{},"kinesis":{"#, 1),
        kinesis.replacen(r#""partitionKey":"k""#, r#""partitionKey":"k","partitionKey":"k""#, 1),
        kinesis.replacen(r#""partitionKey":"k""#, r#""partition\u004bey":"k""#, 1),
        format!("{kinesis}x"),
        firehose.replacen(r#""data":"#, r#""kafkaRecordValue":5,"data":"#, 1),
        firehose.replacen(r#""data":"#, r#""mskRecordMetadata":{"partitionId":"3"},"data":"#, 1),
        firehose.replacen(r#""data":"#, r#""data":"","data":"#, 1),
    ];
    for event in odd {
        check(event.as_bytes());
        assert!(kinesis::sound::read(&event).is_none() && firehose::sound::read(&event).is_none(), "{event}");
    }
}

#[test]
fn no_depth_is_too_great() {
    for depth in [0, 1, 100, 120, 127, 128, 129, 100_000] {
        let (open, close) = ("[".repeat(depth), "]".repeat(depth));
        check(open.as_bytes());
        check(format!("{{\"Records\":[{open}{close}]}}").as_bytes());
        check(format!("{{\"records\":[{open}{close}],\"deliveryStreamArn\":\"d\"}}").as_bytes());
        check(format!("{{\"records\":{{\"orders-0\":[{open}{close},{{\"offset\":{open}{close}}}]}}}}").as_bytes());
    }
}

fn kinesis_batch(records: usize, bytes: usize) -> String {
    let data = BASE64_STANDARD.encode(vec![b'x'; bytes]);
    let record = |n: usize| {
        json!({"eventID": format!("shardId-000000000000:{n}"), "eventSourceARN": "arn:aws:kinesis:r:1:stream/clicks",
            "kinesis": {"sequenceNumber": n.to_string(), "partitionKey": "k", "data": data,
                "approximateArrivalTimestamp": 1_767_225_600.25}})
    };
    json!({"Records": (0..records).map(record).collect::<Vec<_>>()}).to_string()
}

fn kafka_batch(records: usize, bytes: usize) -> String {
    let value = BASE64_STANDARD.encode(vec![b'x'; bytes]);
    let record = |n| json!({"topic": "orders", "partition": 0, "offset": n, "key": "aw==", "value": value});
    json!({"records": {"orders-0": (0..records).map(record).collect::<Vec<_>>()}}).to_string()
}

fn firehose_batch(records: usize, bytes: usize) -> String {
    let data = BASE64_STANDARD.encode(vec![b'x'; bytes]);
    let record = |n: usize| json!({"recordId": n.to_string(), "data": data});
    json!({"deliveryStreamArn": "d", "records": (0..records).map(record).collect::<Vec<_>>()}).to_string()
}

#[test]
fn a_full_batch_takes_no_time() {
    let started = Instant::now();
    let (kinesis, kafka, firehose) = (kinesis_batch(5000, 700), kafka_batch(5000, 840), firehose_batch(5000, 860));
    for event in [&kinesis, &kafka, &firehose] {
        assert!((5_600_000..6_300_000).contains(&event.len()), "{} bytes are not a full batch", event.len());
    }
    let built = started.elapsed();
    let started = Instant::now();
    assert_eq!(kinesis::read(kinesis.as_bytes()).unwrap().iter().filter(|read| read.is_ok()).count(), 5000);
    assert_eq!(kafka::read(kafka.as_bytes()).unwrap().iter().filter(|read| read.is_ok()).count(), 5000);
    assert_eq!(firehose::read(firehose.as_bytes()).unwrap().records.iter().filter(|read| read.is_ok()).count(), 5000);
    // Unoptimised, on a busy machine: only something quadratic takes longer.
    let read = started.elapsed();
    assert!(read < Duration::from_mins(1), "built in {built:?}, read in {read:?}");
}
