//! Batches as Lambda sends them → records; and the answers there are.

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
            let at = record.timestamp.map(|at| at.0);
            let text =
                |bytes: &Option<Bytes>| bytes.as_deref().map(|bytes| String::from_utf8_lossy(bytes).into_owned());
            let (key, value) = (text(&record.key), text(&record.value));
            format!("{} {:?} {at:?}: {key:?} {value:?}", record.position(), record.timestamp_type)
        }
        Err(refused) => {
            let position = refused.position.as_ref().map_or("nowhere".to_owned(), ToString::to_string);
            format!("{position}: {} {}", told(&refused.error), refused.raw.len())
        }
    }
}

fn told(error: &Error) -> String {
    assert_eq!((error.class, error.code), (Class::Poison, Code::InvalidEvent));
    error.message.split(" (line").next().unwrap_or_default().to_owned()
}

fn record(offset: i64) -> Value {
    json!({"topic": "eu-orders", "partition": 3, "offset": offset, "timestamp": 1_767_225_600_050_i64,
        "timestampType": "CREATE_TIME", "key": "azE=", "value": "dmFsdWU=", "headers": [{"trace": [97, 98]}]})
}

/// A good record at offset 7 with `value` as its `name`.
fn with(name: &str, value: Value) -> Value {
    let mut record = record(7);
    record[name] = value;
    record
}

fn without(name: &str) -> Value {
    let mut record = record(7);
    record.as_object_mut().unwrap().remove(name).unwrap();
    record
}

fn batch(records: &Value) -> Value {
    json!({"eventSource": "aws:kafka", "eventSourceArn": "arn:aws:kafka:eu-west-1:1:cluster/c/u-1",
        "bootstrapServers": "b-1:9092", "records": {"eu-orders-3": records}})
}

const GOOD: &str = "eu-orders-3 offset 7 Created Some(1767225600050): Some(\"k1\") Some(\"value\")";

#[test]
fn partitions_come_one_after_the_other() {
    check(
        &json!({"eventSource": "SelfManagedKafka", "bootstrapServers": "b-1:9092", "records": {
            "eu-orders-3": [record(7), record(8)],
            "eu-orders-4": [{"offset": 1, "value": ""}],
            "eu-orders-5": [], "eu-orders-6": null,
        }}),
        &[
            GOOD,
            "eu-orders-3 offset 8 Created Some(1767225600050): Some(\"k1\") Some(\"value\")",
            "eu-orders-4 offset 1 Unknown None: None Some(\"\")",
        ],
    );
    check(&json!({"records": {}}), &[]);
}

#[test]
fn a_record_varies() {
    let read = |record: Value, expected: &str| check(&batch(&json!([record])), &[expected]);
    for (name, value) in [
        ("offset", json!("7")),
        ("partition", json!("3")),
        ("partition", json!(null)),
        ("topic", json!(null)),
        ("timestamp", json!("1767225600050")),
        ("headers", json!(null)),
        ("valueSchemaMetadata", json!(null)),
        ("more", json!({"a": 1})),
    ] {
        read(with(name, value), GOOD);
    }
    for name in ["topic", "partition", "headers"] {
        read(without(name), GOOD);
    }
    let here = |rest: &str| format!("eu-orders-3 offset 7 {rest}");
    for record in [with("value", json!(null)), without("value")] {
        read(record, &here("Created Some(1767225600050): Some(\"k1\") None"));
    }
    read(without("key"), &here("Created Some(1767225600050): None Some(\"value\")"));
    read(
        with("timestampType", json!("LOG_APPEND_TIME")),
        &here("Appended Some(1767225600050): Some(\"k1\") Some(\"value\")"),
    );
    read(
        with("timestampType", json!("NO_TIMESTAMP_TYPE")),
        &here("Unknown Some(1767225600050): Some(\"k1\") Some(\"value\")"),
    );
    for record in [with("timestamp", json!(-1)), with("timestamp", json!(null)), without("timestamp")] {
        read(record, &here("Created None: Some(\"k1\") Some(\"value\")"));
    }
}

#[test]
fn a_bad_record_is_refused_alone() {
    let refused = |bad: Value, position: &str, what: &str| {
        let expected = format!("{position}: {what} {}", bad.to_string().len());
        check(&batch(&json!([record(7), bad, record(7)])), &[GOOD, &expected, GOOD]);
    };
    let here = "eu-orders-3 offset 7";
    let shape = "the record is not a Kafka record";
    refused(with("value", json!("*")), here, "value is not base64");
    refused(with("key", json!("*")), here, "key is not base64");
    refused(with("value", json!({})), here, shape);
    refused(with("timestamp", json!("soon")), here, "timestamp is no time in ms");
    refused(with("partition", json!(1.5)), here, "partition is no number");
    refused(with("partition", json!(5_000_000_000_i64)), here, "partition is no number");
    refused(with("offset", json!(1.5)), "nowhere", "offset is no number");
    refused(with("offset", json!(null)), "nowhere", "offset is no number");
    refused(without("offset"), "nowhere", shape);
    refused(with("headers", json!([{"trace": [256]}])), here, "a header has a number that is no byte");
    refused(with("headers", json!([{"trace": [-129]}])), here, "a header has a number that is no byte");
    refused(with("headers", json!({"trace": [1]})), here, shape);
    refused(with("valueSchemaMetadata", json!({"dataFormat": "AVRO"})), here, shape);
    refused(with("valueSchemaMetadata", json!({"dataFormat": "AVRO", "schemaId": []})), here, shape);
    refused(json!(null), "nowhere", shape);
}

#[test]
fn a_bad_partition_is_refused_alone() {
    let event = json!({"records": {"eu-orders-3": {"offset": 9}, "nonsense": [without("topic"), record(7)]}});
    let partial = without("topic").to_string().len();
    check(
        &event,
        &[
            "eu-orders-3 offset 9: a partition's records are no list 12",
            &format!("nowhere: the record has no topic {partial}"),
            GOOD,
        ],
    );
}

#[test]
fn what_is_no_batch_is_an_error() {
    let shape = "the event is not a Kafka batch with records by partition";
    for event in [json!({}), json!({"records": null}), json!({"records": []}), json!([]), json!([{}]), json!("x")] {
        check(&event, &[shape]);
    }
}

#[test]
fn header_bytes_are_signed_or_not() {
    let headers = json!([{"trace": [104, -61, 169, 195, -128, 255]}, {"empty": []}, {"none": null}, {},
        {"a": [1], "b": [2]}, {"trace": [0]}]);
    let event = batch(&json!([with("headers", headers)])).to_string();
    let record = read(event.as_bytes()).unwrap().pop().unwrap().unwrap();
    let headers: Vec<_> = record.headers.iter().map(|header| (&*header.name, header.value.as_deref())).collect();
    let expected: [(&str, Option<&[u8]>); 6] = [
        ("trace", Some(&[104, 195, 169, 195, 128, 255])),
        ("empty", Some(&[])),
        ("none", None),
        ("a", Some(&[1])),
        ("b", Some(&[2])),
        ("trace", Some(&[0])),
    ];
    assert_eq!(headers, expected);
    assert_eq!(format!("{:?}", record.headers[0]), "trace Some(6) bytes");
    assert_eq!(format!("{record:?}"), "eu-orders-3 offset 7 key Some(2) value Some(5) bytes");
}

#[test]
fn schemas_are_kept() {
    let mut kafka = with("keySchemaMetadata", json!({"dataFormat": "JSON", "schemaId": "a-b-c"}));
    kafka["valueSchemaMetadata"] = json!({"dataFormat": "AVRO", "schemaId": 12, "more": 1});
    let event = batch(&json!([kafka])).to_string();
    let record = read(event.as_bytes()).unwrap().pop().unwrap().unwrap();
    let schema = |format: &'static str, id: &'static str| {
        Some(SchemaMetadata { data_format: format.into(), schema_id: id.into() })
    };
    assert_eq!((record.key_schema, record.value_schema), (schema("JSON", "a-b-c"), schema("AVRO", "12")));
}

#[test]
fn an_answer_names_each_failure_by_an_object() {
    let mut response = BatchResponse::done();
    assert_eq!(serde_json::to_string(&response).unwrap(), r#"{"batchItemFailures":[]}"#);
    response.fail("eu-orders", 3, 123);
    response.fail("eu-orders", 4, 0);
    let expected = concat!(
        r#"{"batchItemFailures":[{"itemIdentifier":{"partition":"eu-orders-3","offset":123}},"#,
        r#"{"itemIdentifier":{"partition":"eu-orders-4","offset":0}}]}"#
    );
    assert_eq!(serde_json::to_string(&response).unwrap(), expected);
}

#[test]
fn a_failed_event_comes_out_of_its_wrapping_and_its_records_have_their_texts() {
    let event = json!({"records": {"a-0": [record(1), {"offset": "b"}], "a-1": null, "a-2": 5}});
    let object = json!({"requestContext": {}, "KafkaBatchInfo": {"batchSize": 2}, "payload": event.to_string()});
    let text = object.to_string();
    let payload = failed_event(text.as_bytes()).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&payload).unwrap(), event);
    let texts = texts(payload.as_bytes()).unwrap();
    assert_eq!(texts[1..], [r#"{"offset":"b"}"#, "5"]);
    let records = read(payload.as_bytes()).unwrap();
    assert_eq!((records.len(), records[1].as_ref().unwrap_err().raw), (3, texts[1]));
    let other = json!({"KinesisBatchInfo": {}, "payload": "{}"}).to_string();
    assert_eq!(failed_event(other.as_bytes()).unwrap_err().message, "the document has no KafkaBatchInfo");
}
