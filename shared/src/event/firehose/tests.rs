//! Requests as Firehose sends them → records; and answers whose size is known.

use std::collections::BTreeMap;

use base64::prelude::{BASE64_STANDARD, Engine};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::{Class, Code, position::SequenceNumber};

/// What a request comes to: the source, then a line a record; or the failure's message.
fn check(event: &Value, expected: &[&str]) {
    let text = event.to_string();
    let told: Vec<_> = match read(text.as_bytes()) {
        Ok(request) => {
            let source = format!("{:?} {:?}", request.source, request.payload);
            std::iter::once(source).chain(request.records.iter().map(line)).collect()
        }
        Err(error) => vec![told(&error)],
    };
    assert_eq!(told, expected, "{event}");
}

fn line(read: &Result<Record<'_>, Box<Unreadable<'_>>>) -> String {
    let place = |position: &Option<Position>| position.as_ref().map_or("nowhere".to_owned(), ToString::to_string);
    match read {
        Ok(record) => {
            let (at, data) = (record.arrived.map(|at| at.0), String::from_utf8_lossy(&record.data));
            format!("{} {} {at:?}: {data}", record.id, place(&record.position))
        }
        Err(unreadable) => {
            let Unreadable { id, refused } = &**unreadable;
            format!("{id:?} {}: {} {}", place(&refused.position), told(&refused.error), refused.raw.len())
        }
    }
}

fn told(error: &Error) -> String {
    assert_eq!((error.class, error.code), (Class::Poison, Code::InvalidEvent));
    error.message.split(" (line").next().unwrap_or_default().to_owned()
}

fn put(records: &[Value]) -> Value {
    json!({"invocationId": "i-1", "deliveryStreamArn": "arn:aws:firehose:eu-west-1:1:deliverystream/clicks",
        "region": "eu-west-1", "records": records})
}

fn from_kinesis(records: &[Value]) -> Value {
    let mut request = put(records);
    request["sourceKinesisStreamArn"] = json!("arn:aws:kinesis:eu-west-1:1:stream/clicks");
    request
}

fn from_msk(records: &[Value]) -> Value {
    let mut request = put(records);
    request["sourceMSKArn"] = json!("arn:aws:kafka:eu-west-1:1:cluster/c/u-1");
    request
}

fn record(id: &str, data: &str) -> Value {
    json!({"recordId": id, "approximateArrivalTimestamp": 1_767_225_600_148_i64, "data": BASE64_STANDARD.encode(data)})
}

/// A record of a shard with `sub` as its sub-sequence number.
fn sharded(sub: &Value) -> Value {
    let mut record = record("r1", "x");
    record["kinesisRecordMetadata"] = json!({"shardId": "shardId-000000000001", "partitionKey": "k",
        "approximateArrivalTimestamp": "2026-01-01T00:00:00.148Z", "sequenceNumber": "21", "subsequenceNumber": sub});
    record
}

const KINESIS: &str = "Kinesis(\"arn:aws:kinesis:eu-west-1:1:stream/clicks\") Data";
const MSK: &str = "Msk(\"arn:aws:kafka:eu-west-1:1:cluster/c/u-1\") KafkaRecordValue";

#[test]
fn producers_may_put_by_themselves() {
    check(
        &put(&[record("r1", "{\"page\": 1}"), record("r2", "")]),
        &["DirectPut Data", "r1 nowhere Some(1767225600148): {\"page\": 1}", "r2 nowhere Some(1767225600148): "],
    );
    check(&put(&[]), &["DirectPut Data"]);
}

#[test]
fn times_come_in_many_forms() {
    for (time, at) in [
        (json!(1_767_225_600_050_i64), "Some(1767225600050)"),
        (json!("1767225600050"), "Some(1767225600050)"),
        (json!(1.767_225_600_05e12), "Some(1767225600050)"),
        (json!("2026-01-01T00:00:00.05Z"), "Some(1767225600050)"),
        (json!("soon"), "None"),
        (json!(null), "None"),
        (json!({}), "None"),
    ] {
        let mut record = record("r1", "x");
        record["approximateArrivalTimestamp"] = time;
        check(&put(&[record]), &["DirectPut Data", &format!("r1 nowhere {at}: x")]);
    }
}

#[test]
fn a_stream_gives_positions() {
    let here = "clicks shardId-000000000001 sequence 21";
    for (sub, place) in [
        (json!(0), format!("{here} sub-sequence 0")),
        (json!("17"), format!("{here} sub-sequence 17")),
        (json!(""), here.to_owned()),
        (json!(null), here.to_owned()),
        (json!([]), here.to_owned()),
    ] {
        check(&from_kinesis(&[sharded(&sub)]), &[KINESIS, &format!("r1 {place} Some(1767225600148): x")]);
    }
    check(&put(&[sharded(&json!(0))]), &["DirectPut Data", "r1 nowhere Some(1767225600148): x"]);
    check(&from_kinesis(&[record("r1", "x")]), &[KINESIS, "r1 nowhere Some(1767225600148): x"]);
    let event = from_kinesis(&[sharded(&json!(2))]).to_string();
    let request = read(event.as_bytes()).unwrap();
    assert_eq!(
        request.records[0].as_ref().unwrap().origin,
        Origin::Kinesis(KinesisMetadata {
            shard: Some("shardId-000000000001".into()),
            partition_key: Some("k".into()),
            sequence: SequenceNumber::new("21"),
            sub_sequence: Some(2),
            arrived: Some(Timestamp(1_767_225_600_148)),
        })
    );
}

#[test]
fn a_topic_has_a_field_of_its_own() {
    let metadata = json!({"offset": "40", "partitionId": 3, "approximateArrivalTimestamp": 1_767_225_600_148_i64});
    let record = json!({"recordId": "r1", "mskRecordMetadata": metadata, "kafkaRecordValue": "eHk="});
    let tombstone = json!({"recordId": "r2", "mskRecordMetadata": 5, "kafkaRecordValue": null});
    let event = from_msk(&[record, tombstone]);
    check(&event, &[MSK, "r1 nowhere None: xy", "r2 nowhere None: "]);
    let text = event.to_string();
    let request = read(text.as_bytes()).unwrap();
    let arrived = Some(Timestamp(1_767_225_600_148));
    let origins: Vec<_> = request.records.iter().map(|read| read.as_ref().unwrap().origin.clone()).collect();
    let known = Origin::Kafka(KafkaMetadata { partition: Some(3), offset: Some(40), arrived });
    assert_eq!(origins, [known, Origin::Unknown]);
}

#[test]
fn a_bad_record_is_refused_alone() {
    let refused = |bad: Value, expected: &str| {
        let expected = format!("{expected} {}", bad.to_string().len());
        check(&from_kinesis(&[record("r0", "ok"), bad]), &[KINESIS, "r0 nowhere Some(1767225600148): ok", &expected]);
    };
    let mut bad = sharded(&json!("3"));
    bad["data"] = json!("*");
    refused(bad.clone(), "Some(\"r1\") clicks shardId-000000000001 sequence 21 sub-sequence 3: data is not base64");
    bad["data"] = json!({});
    bad["kinesisRecordMetadata"] = json!(null);
    refused(bad, "Some(\"r1\") nowhere: the record is not a Firehose record");
    refused(json!({"recordId": "r1"}), "Some(\"r1\") nowhere: data is missing");
    refused(json!({"data": "eA=="}), "None nowhere: the record is not a Firehose record");
    refused(json!(7), "None nowhere: the record is not a Firehose record");
}

#[test]
fn what_is_no_request_is_an_error() {
    let shape = "the event is not a Firehose transformation with deliveryStreamArn and a list of records";
    for event in [json!({}), json!({"records": []}), json!({"deliveryStreamArn": "d", "records": {}}), json!(1)] {
        check(&event, &[shape]);
    }
    check(&json!({"deliveryStreamArn": "d", "records": []}), &["DirectPut Data"]);
}

fn ok(data: &'static str, keys: &[(&str, &str)]) -> Outcome<'static> {
    let keys = keys.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
    let partition_keys = keys.collect::<BTreeMap<_, _>>().into();
    Outcome::Ok { data: data.as_bytes().into(), partition_keys }
}

#[test]
fn an_answer_says_what_became_of_each() {
    let mut response = Response::new(PayloadField::Data, 0);
    response.push("r1", &ok("{}\n", &[("year", "2026"), ("page", "a\"b")]));
    response.push("r2", &ok("x", &[]));
    response.push("r3", &Outcome::Dropped);
    response.push("r4", &Outcome::ProcessingFailed);
    let expected = concat!(
        r#"{"records":[{"recordId":"r1","result":"Ok","data":"e30K","#,
        r#""metadata":{"partitionKeys":{"page":"a\"b","year":"2026"}}},"#,
        r#"{"recordId":"r2","result":"Ok","data":"eA=="},"#,
        r#"{"recordId":"r3","result":"Dropped"},"#,
        r#"{"recordId":"r4","result":"ProcessingFailed"}]}"#
    );
    assert_eq!(serde_json::to_string(&response).unwrap(), expected);
    assert_eq!((response.size(), response.answers().unwrap().len()), (expected.len(), 4));

    let mut response = Response::new(PayloadField::KafkaRecordValue, 0);
    assert_eq!(serde_json::to_string(&response).unwrap(), r#"{"records":[]}"#);
    response.push("r1", &ok("x", &[]));
    let expected = r#"{"records":[{"recordId":"r1","result":"Ok","kafkaRecordValue":"eA=="}]}"#;
    assert_eq!(serde_json::to_string(&response).unwrap(), expected);
}

fn any_outcome() -> impl Strategy<Value = Outcome<'static>> {
    let data = any::<Vec<u8>>();
    let keys = prop::collection::btree_map(any::<String>(), any::<String>(), 0..4);
    prop_oneof![
        (data, keys).prop_map(|(data, partition_keys)| {
            Outcome::Ok { data: data.into(), partition_keys: partition_keys.into() }
        }),
        Just(Outcome::Dropped),
        Just(Outcome::ProcessingFailed),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_size_is_exact(
        answers in prop::collection::vec(("[\\x00-\\x7f]{0,20}|.*", any_outcome()), 0..6),
        kafka: bool,
    ) {
        let payload = if kafka { PayloadField::KafkaRecordValue } else { PayloadField::Data };
        let mut response = Response::new(payload, 0);
        let mut size = Response::EMPTY;
        for (index, (id, outcome)) in answers.iter().enumerate() {
            size += id_size(id) + outcome.size(payload) + usize::from(index > 0);
            response.push(id, outcome);
            prop_assert_eq!(response.size(), size);
            prop_assert_eq!(serde_json::to_vec(&response).unwrap().len(), size);
        }
        prop_assert_eq!(response.answers().unwrap(), answers);
    }
}
