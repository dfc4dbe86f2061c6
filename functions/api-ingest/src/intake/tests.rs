//! Requests → what is sent of them: keys, sizes and the name of the request.

use headgate::stream::Limits;
use serde_json::{Value, json};

use super::*;

const NOW: Timestamp = Timestamp(1_795_348_800_000);

fn config(partition_key: &'static str) -> Config {
    let given = [
        ("DATASET", "orders"),
        ("STREAM", "s"),
        ("STATE", "dynamodb://t"),
        ("SIGNING_KEYS", "none"),
        ("PARTITION_KEY", partition_key),
    ];
    Config::read(|name| given.iter().find(|(given, _)| *given == name).map(|(_, text)| (*text).to_owned())).unwrap()
}

fn intake(headers: &Value, body: &str, partition_key: &'static str) -> Result<Intake, Refusal> {
    let event =
        json!({"rawPath": "/", "headers": headers, "body": body, "requestContext": {"http": {"method": "POST"}}});
    let event = event.to_string();
    let request = headgate::event::http::read(event.as_bytes()).unwrap();
    read(&request, "orders", NOW, Limits::KINESIS, &config(partition_key))
}

#[test]
fn records_go_by_their_field_or_spread() {
    let read = intake(&json!({}), r#"{"c": {"id": "ada"}} {"c": 1} {"c": {"id": 7}}"#, "c.id").unwrap();
    let keys: Vec<_> = read.records.iter().map(|record| record.partition_key.as_str()).collect();
    assert_eq!((keys[0], keys[1].len(), keys[2]), ("ada", 32, "7"));
    assert_eq!((read.without_key, read.bytes, &read.records[1].data[..]), (1, 44, &br#"{"c": 1}"#[..]));
    let read = intake(&json!({}), "{} {}", "").unwrap();
    assert_eq!(read.without_key, 0);
    assert_ne!(read.records[0].partition_key, read.records[1].partition_key);
}

#[test]
fn a_record_beyond_the_streams_limit_is_named() {
    let large = format!(r#"[{{}}, {{"a": "{}"}}]"#, "x".repeat(1 << 20));
    let refused = intake(&json!({}), &large, "").unwrap_err();
    let bytes = (1 << 20) + r#"{"a": ""}"#.len() + 32;
    assert_eq!(refused, Refusal::RecordTooLarge { at: 1, bytes, most: 1 << 20 });
}

#[test]
fn a_record_for_firehose_is_one_line() {
    let body = "{\"id\":\r\n1,\n\"text\": \"a\\nb\"}";
    assert_eq!(on_one_line(Bytes::from(body)), Bytes::from("{\"id\":  1, \"text\": \"a\\nb\"}"));
    assert_eq!(on_one_line(Bytes::from("{}")), Bytes::from("{}"));
}

#[test]
fn a_key_names_the_body_however_it_is_sent() {
    let named =
        |key: &str, body: &str| intake(&json!({"Idempotency-Key": key}), body, "").unwrap().idempotency.unwrap();
    let one = named("k-1", "{}");
    assert!(one.key.starts_with("api-ingest/s/orders/") && one.key.len() == 20 + 64, "{}", one.key);
    assert_eq!(one, named("k-1", "{}"));
    assert_ne!(one.key, named("k-2", "{}").key);
    assert_ne!(one.fingerprint, named("k-1", "{ }").fingerprint);
    assert_eq!(intake(&json!({}), "{}", "").unwrap().idempotency, None);
    for key in ["", "a b", "é", &"k".repeat(256)] {
        assert_eq!(intake(&json!({"idempotency-key": key}), "{}", ""), Err(Refusal::InvalidKey), "{key}");
    }
}
