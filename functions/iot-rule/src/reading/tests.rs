//! Messages, and what is seen of them.

use headgate::contract::Contract;
use serde_json::{Value as Json, json};

use super::*;

fn dataset(change: impl FnOnce(&mut Json)) -> (Stream, Contract, Watching) {
    let mut document = json!({
        "name": "x", "kind": "stream", "source": {"type": "kinesis"}, "target": {"prefix": "x/"},
        "columns": [
            {"name": "device", "type": "int64", "path": "meta.device", "required": true},
            {"name": "at", "type": "timestamp(us)", "required": true},
            {"name": "rx", "type": "timestamp(us)"},
            {"name": "topic", "type": "string"},
            {"name": "id", "type": "string", "default": "none"},
            {"name": "v", "type": "decimal(5,2)", "max": 100},
            {"name": "w", "type": "uint64"},
        ],
        "event_time": "at", "filter": [{"column": "w", "min": 1, "null": true}],
        "watch": {
            "device": "device", "topic": "topic", "arrival": "rx", "message_id": "id",
            "alerts": [
                {"name": "a", "column": "w", "levels": [{"severity": "s", "above": 1}]},
                {"name": "b", "column": "v", "levels": [{"severity": "s", "above": 1}]},
                {"name": "c", "column": "w", "levels": [{"severity": "s", "below": 1}]},
            ],
        },
    });
    change(&mut document);
    let stream = Stream::parse("x.json", &document.to_string()).unwrap();
    let contract = Contract::new(&stream, None).unwrap();
    let watching = Watching::new("x", stream.watch.clone().unwrap());
    (stream, contract, watching)
}

fn read(change: impl FnOnce(&mut Json), message: &Json, request: &str) -> Result<Result<Reading, Dropped>, Why> {
    let (stream, contract, watching) = dataset(change);
    let mut readings = Readings::new(&stream, &contract, &watching);
    let arrival = Arrival { now: Timestamp(1_000_000), request, index: 3 };
    readings.read(message.to_string().into(), arrival)
}

fn message() -> Json {
    json!({"meta": {"device": 7}, "at": 1_795_599_060.5, "topic": "a\tb", "v": 99.5, "rx": "2026-11-25T09:31:00Z"})
}

#[test]
fn a_reading_is_what_is_watched() {
    let reading = read(|_| {}, &message(), "r").unwrap().unwrap();
    let Reading { device, place, values, topic, future, raw } = reading;
    assert_eq!((device.as_str(), place.0, place.1), ("7", 1_795_599_060_500, xxh3_64(b"none")));
    assert_eq!((values, topic.as_deref(), future), (vec![None, Some(99.5)], Some("a b"), false));
    assert_eq!(serde_json::from_slice::<Json>(&raw).unwrap(), message());
}

#[test]
fn nothing_stays_of_the_message_before() {
    let (stream, contract, watching) = dataset(|_| {});
    let mut readings = Readings::new(&stream, &contract, &watching);
    let arrival = Arrival { now: Timestamp(0), request: "r", index: 0 };
    let mut bad = message();
    bad["at"] = json!("never");
    let refused = readings.read(bad.to_string().into(), arrival).unwrap_err();
    assert_eq!((refused.code, refused.path.as_deref()), (Code::InvalidValue, Some("$.at")));
    let plain = json!({"meta": {"device": 8}, "at": 0, "w": 5});
    let reading = readings.read(plain.to_string().into(), arrival).unwrap().unwrap();
    assert_eq!((reading.device.as_str(), reading.values, reading.topic), ("8", vec![Some(5.0), None], None));
}

#[test]
fn what_the_contract_does_not_want_is_none() {
    let mut unwanted = message();
    unwanted["w"] = json!(0);
    assert_eq!(read(|_| {}, &unwanted, "r"), Ok(Err(Dropped::Filtered)));
    let mut over = message();
    over["v"] = json!(100.01);
    assert_eq!(read(|_| {}, &over, "r").unwrap_err().code, Code::CheckFailed);
    let text = |document: &mut Json| document["columns"][0]["type"] = json!("string");
    let mut long = message();
    long["meta"]["device"] = json!("x".repeat(513));
    assert_eq!(read(text, &long, "r").unwrap_err().code, Code::InvalidValue);
}

#[test]
fn a_clock_that_is_ahead_is_seen() {
    let mut ahead = message();
    ahead["at"] = json!("2026-11-25T09:36:00.001Z");
    assert!(read(|_| {}, &ahead, "r").unwrap().unwrap().future);
    ahead["at"] = json!("2026-11-25T09:36:00Z");
    assert!(!read(|_| {}, &ahead, "r").unwrap().unwrap().future);
    ahead.as_object_mut().unwrap().remove("rx");
    assert!(read(|_| {}, &ahead, "r").unwrap().unwrap().future, "it arrived when it came here: in 1970");
}

#[test]
fn a_message_is_told_from_others_by_what_it_has() {
    let id =
        |change: fn(&mut Json), message: &Json, request: &str| read(change, message, request).unwrap().unwrap().place.1;
    let unnamed = |document: &mut Json| drop(document["watch"].as_object_mut().unwrap().remove("message_id"));
    assert_eq!(id(unnamed, &message(), "r"), id(unnamed, &message(), "s"));
    let mut other = message();
    other["v"] = json!(98);
    assert_ne!(id(unnamed, &message(), "r"), id(unnamed, &other, "r"));
    let timeless = |document: &mut Json| {
        document.as_object_mut().unwrap().remove("event_time");
        document["watch"].as_object_mut().unwrap().remove("message_id");
        document["watch"].as_object_mut().unwrap().remove("arrival");
    };
    assert_ne!(id(timeless, &message(), "r"), id(timeless, &message(), "s"));
    assert_eq!(id(timeless, &message(), "r"), id(timeless, &message(), "r"));
    assert_eq!(read(timeless, &message(), "r").unwrap().unwrap().place.0, 1_000_000);
}
