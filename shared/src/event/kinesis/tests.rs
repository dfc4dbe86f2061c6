//! Batches as Lambda sends them → records; and the answers there are.

use base64::prelude::{BASE64_STANDARD, Engine};
use serde_json::{Value, json};

use super::*;
use crate::{Class, Code};

/// What a batch comes to, a line a record; or the failure's message.
fn check(event: &Value, expected: &[&str]) {
    let text = event.to_string();
    let told: Vec<_> = match read(text.as_bytes()) {
        Ok(records) => records.iter().map(line).collect(),
        Err(error) => vec![told(&error)],
    };
    assert_eq!(told, expected, "{event}");
}

fn line(read: &Read<'_, Record<'_>>) -> String {
    match read {
        Ok(record) => {
            let data = String::from_utf8_lossy(&record.data);
            format!("{} {} at {}: {data}", record.position(None), record.partition_key, record.arrived.0)
        }
        Err(refused) => {
            let position = refused.position.as_ref().map_or("nowhere".to_owned(), ToString::to_string);
            format!("{position}: {} {}", told(&refused.error), refused.raw.len())
        }
    }
}

/// The message without the place in the JSON, which is not ours.
fn told(error: &Error) -> String {
    assert_eq!((error.class, error.code), (Class::Poison, Code::InvalidEvent));
    error.message.split(" (line").next().unwrap_or_default().to_owned()
}

const SEQUENCE: &str = "49668899013475926583124567890123456789012345678901234562";
const STREAM: &str = "arn:aws:kinesis:eu-west-1:111122223333:stream/clicks";

fn record(sequence: &str, data: &str) -> Value {
    json!({
        "eventSource": "aws:kinesis", "eventVersion": "1.0", "eventName": "aws:kinesis:record",
        "eventID": format!("shardId-000000000002:{sequence}"), "eventSourceARN": STREAM, "awsRegion": "eu-west-1",
        "kinesis": {
            "kinesisSchemaVersion": "1.0", "partitionKey": "visitor-7", "sequenceNumber": sequence,
            "data": BASE64_STANDARD.encode(data), "approximateArrivalTimestamp": 1_767_225_600.5,
        },
    })
}

/// A good record with `value` at `pointer`.
fn with(pointer: &str, value: Value) -> Value {
    let mut record = record("21", "x");
    *record.pointer_mut(pointer).unwrap() = value;
    record
}

fn without(parent: &str, name: &str) -> Value {
    let mut record = record("21", "x");
    record.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(name).unwrap();
    record
}

#[test]
fn records_come_in_order() {
    check(
        &json!({"Records": [record(SEQUENCE, "{\"page\": 1}"), record("22", "")]}),
        &[
            &format!("clicks shardId-000000000002 sequence {SEQUENCE} visitor-7 at 1767225600500: {{\"page\": 1}}"),
            "clicks shardId-000000000002 sequence 22 visitor-7 at 1767225600500: ",
        ],
    );
    check(&json!({"Records": []}), &[]);
}

#[test]
fn a_record_varies() {
    let read = |record: Value, at: &str, data: &str| {
        let expected = format!("clicks shardId-000000000002 sequence 21 visitor-7 at {at}: {data}");
        check(&json!({"Records": [record]}), &[&expected]);
    };
    let consumer = format!("{STREAM}/consumer/lambda:1767225600");
    read(with("/eventSourceARN", json!(consumer)), "1767225600500", "x");
    for (time, at) in [
        (json!(1_767_225_600), "1767225600000"),
        (json!(1_767_225_600.05), "1767225600050"),
        (json!(1_767_225_600.987), "1767225600987"),
        (json!("1767225600.9"), "1767225600900"),
        (json!("2026-01-01T00:00:00.009Z"), "1767225600009"),
    ] {
        read(with("/kinesis/approximateArrivalTimestamp", time), at, "x");
    }
    read(with("/kinesis/data", json!("eHk")), "1767225600500", "xy");
    read(without("/kinesis", "kinesisSchemaVersion"), "1767225600500", "x");
    read(with("/eventVersion", json!({"major": 2})), "1767225600500", "x");
}

#[test]
fn a_bad_record_is_refused_alone() {
    let refused = |bad: Value, position: &str, what: &str| {
        let good = "clicks shardId-000000000002 sequence 20 visitor-7 at 1767225600500: ok";
        let expected = format!("{position}: {what} {}", bad.to_string().len());
        check(&json!({"Records": [record("20", "ok"), bad]}), &[good, &expected]);
    };
    let here = "clicks shardId-000000000002 sequence 21";
    let (shape, time) = ("the record is not a Kinesis record", "approximateArrivalTimestamp is no time in seconds");
    refused(with("/kinesis/data", json!("not base64!")), here, "data is not base64");
    refused(with("/kinesis/data", json!(5)), here, shape);
    refused(with("/kinesis/data", json!(null)), here, shape);
    refused(without("/kinesis", "data"), here, shape);
    refused(without("/kinesis", "partitionKey"), here, shape);
    refused(with("/kinesis", json!("x")), here, shape);
    refused(with("/kinesis/approximateArrivalTimestamp", json!("soon")), here, time);
    refused(with("/kinesis/approximateArrivalTimestamp", json!(null)), here, time);
    refused(without("/kinesis", "approximateArrivalTimestamp"), here, shape);
    refused(with("/kinesis/sequenceNumber", json!("LATEST")), here, "sequenceNumber is no number");
    refused(with("/eventID", json!("21")), "nowhere", "eventID names no shard");
    refused(with("/eventID", json!(":21")), "nowhere", "eventID names no shard");
    refused(with("/eventSourceARN", json!("arn:aws:sqs:r:1:q")), "nowhere", "eventSourceARN names no stream");
    refused(without("", "eventSourceARN"), "nowhere", shape);
    let mut deep = json!(0);
    (0..100).for_each(|_| deep = json!([deep]));
    refused(with("/kinesis/partitionKey", deep), here, shape);
    refused(json!(null), "nowhere", shape);
    refused(json!([{"kinesis": 1}]), "nowhere", shape);
    // serde reads an array as the struct whose members it has.
    refused(with("/kinesis", json!(["21", "visitor-7", "eA==", 1_767_225_600.5])), here, shape);
    refused(json!(["shardId-1:21", STREAM, record("21", "x")["kinesis"]]), "nowhere", shape);
}

#[test]
fn what_is_no_batch_is_an_error() {
    let shape = "the event is not a Kinesis batch with a list of Records";
    for event in [json!({}), json!({"Records": null}), json!({"Records": {}}), json!([]), json!([[]]), json!("x")] {
        check(&event, &[shape]);
    }
    assert_eq!(told(&read(b"{\"Records\": [").unwrap_err()), shape);
    assert_eq!(told(&read(b"\xff").unwrap_err()), "the event is not UTF-8");
}

#[test]
fn a_position_tells_records_of_an_aggregate_apart() {
    let event = json!({"Records": [record("21", "x")]}).to_string();
    let record = read(event.as_bytes()).unwrap().pop().unwrap().unwrap();
    assert_eq!(record.position(Some(3)).to_string(), "clicks shardId-000000000002 sequence 21 sub-sequence 3");
    assert_eq!(format!("{record:?}"), "clicks shardId-000000000002 sequence 21 1 bytes at 1767225600500");
}

#[test]
fn nothing_is_copied_that_can_be_borrowed() {
    let event = json!({"Records": [record("21", "x")]}).to_string();
    let record = read(event.as_bytes()).unwrap().pop().unwrap().unwrap();
    for text in [&record.source_arn, &record.stream, &record.shard, &record.partition_key] {
        assert!(matches!(text, Cow::Borrowed(_)), "{text}");
    }
}

#[test]
fn an_answer_names_one_record_or_none() {
    let json = |response: &BatchResponse| serde_json::to_string(response).unwrap();
    assert_eq!(json(&BatchResponse::done()), r#"{"batchItemFailures":[]}"#);
    let failed = BatchResponse::failed_at(SequenceNumber::new(SEQUENCE).unwrap());
    assert_eq!(json(&failed), format!(r#"{{"batchItemFailures":[{{"itemIdentifier":"{SEQUENCE}"}}]}}"#));
}

#[test]
fn a_failed_event_comes_out_of_its_wrapping() {
    let unwrapped = |document: &Value| match failed_event(document.to_string().as_bytes()) {
        Ok(event) => event.into_owned(),
        Err(error) => told(&error),
    };
    let event = json!({"Records": [record("21", "\"quoted\"")]});
    let mut document = json!({
        "requestContext": {"requestId": "r-1", "condition": "RetryAttemptsExhausted", "approximateInvokeCount": 3},
        "responseContext": {"statusCode": 200, "functionError": "Unhandled"},
        "version": "1.0", "timestamp": "2026-01-01T00:00:00.000Z",
        "KinesisBatchInfo": {"shardId": "shardId-000000000002", "batchSize": 1, "streamArn": STREAM},
        "payload": event.to_string(),
    });
    assert_eq!(unwrapped(&document), event.to_string());
    document["payload"] = event.clone();
    assert_eq!(unwrapped(&document), event.to_string());
    document["payload"] = json!(5);
    assert_eq!(unwrapped(&document), "the payload is no event");
    document.as_object_mut().unwrap().remove("payload");
    assert_eq!(unwrapped(&document), "the document has no payload; only S3 destinations are given it");
    assert_eq!(unwrapped(&json!({"payload": "{}"})), "the document has no KinesisBatchInfo");
    assert_eq!(unwrapped(&json!({})), "the document has no KinesisBatchInfo");
    assert_eq!(unwrapped(&json!("x")), "the event is not what Lambda sends to an on-failure destination");
}
