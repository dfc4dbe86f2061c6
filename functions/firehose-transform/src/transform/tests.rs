//! Bodies of records → lines and a partition, or why not.

use std::io::Write;

use flate2::{Compression, write::GzEncoder};
use headgate::dataset::stream::{Bound, Condition};
use serde_json::{Value, json};

use super::*;

/// 2026-11-25T09:30:47Z
const ARRIVED: Timestamp = Timestamp(1_795_599_047_000);

fn dataset(format: &str) -> Stream {
    let columns = if format == "cloudwatch_logs" {
        json!([{"name": "id", "type": "string"}, {"name": "at", "type": "timestamp(ms)", "path": "timestamp"},
            {"name": "message", "type": "string"}, {"name": "log_group", "type": "string"},
            {"name": "fields", "type": "json", "path": "extracted_fields"}])
    } else {
        json!([{"name": "id", "type": "int64", "required": true}, {"name": "page", "type": "string"},
            {"name": "at", "type": "timestamp(ms)"}, {"name": "country", "type": "string"}])
    };
    let mut text = json!({
        "name": "clicks", "kind": "stream", "source": {"type": "firehose", "format": format}, "columns": columns,
        "unknown_fields": "drop", "target": {"prefix": "raw/clicks/"},
    });
    if format == "json" {
        text["partition_by"] = json!({"time": "day", "columns": ["country"]});
    }
    Stream::parse("clicks", &text.to_string()).unwrap()
}

/// What a body becomes: lines and keys, why it is dropped, or why it is refused.
fn told(format: &str, body: &[u8]) -> Value {
    told_by(&dataset(format), body)
}

fn told_by(dataset: &Stream, body: &[u8]) -> Value {
    let contract = Contract::new(dataset, None).unwrap();
    let mut transform = Transform::new(dataset, &contract, 2_000);
    match transform.record(&Bytes::copy_from_slice(body), ARRIVED) {
        Ok(Transformed::Kept(kept)) => {
            let Outcome::Ok { data, partition_keys } = transform.outcome(&kept.lines, kept.partition) else {
                unreachable!("it is kept")
            };
            assert_eq!(kept.documents, data.split(|byte| *byte == b'\n').count() as u64 - 1);
            json!([std::str::from_utf8(&data).unwrap(), partition_keys.iter().collect::<BTreeMap<_, _>>()])
        }
        Ok(Transformed::Dropped { reason, .. }) => json!(reason),
        Err(why) => json!(format!("{} in {} {}: {}", why.code, why.document, why.path.unwrap_or_default(), why.reason)),
    }
}

fn check(body: &[u8], expected: &Value) {
    assert_eq!(told("json", body), *expected, "{}", String::from_utf8_lossy(body));
}

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut out = GzEncoder::new(Vec::new(), Compression::fast());
    out.write_all(body).unwrap();
    out.finish().unwrap()
}

#[test]
fn documents_become_lines_of_one_partition() {
    let keys = json!({"year": "2026", "month": "11", "day": "25", "country": "KR"});
    let one = br#"{"id": "1", "page": "/", "country": "KR", "more": 1}"#;
    check(one, &json!(["{\"id\":1,\"page\":\"/\"}\n", keys]));
    check(&gzip(one), &json!(["{\"id\":1,\"page\":\"/\"}\n", keys]));
    let both = json!(["{\"id\":1}\n{\"id\":2}\n", keys]);
    check(b"{\"id\":1,\"country\":\"KR\"}\n{\"id\":2,\"country\":\"KR\"}\n", &both);
    check(br#"{"id":1,"country":"KR"}{"id":2,"country":"KR"}"#, &both);
    check(br#" [{"id":1,"country":"KR"}, {"id":2,"country":"KR"}]"#, &both);
    let keys = json!({"year": "2026", "month": "11", "day": "25", "country": "a%2Fb"});
    check(br#"{"id":1,"country":"a/b"}"#, &json!(["{\"id\":1}\n", keys]));
    let keys = json!({"year": "2026", "month": "11", "day": "25", "country": "__HIVE_DEFAULT_PARTITION__"});
    for nothing in [r#"{"id":1,"country":""}"#, r#"{"id":1,"country":null}"#, r#"{"id":1}"#] {
        check(nothing.as_bytes(), &json!(["{\"id\":1}\n", keys]));
    }
}

#[test]
fn one_bad_document_refuses_its_record() {
    check(b"", &json!("invalid_json in 0 : empty"));
    check(b"{\"id\":1}\n{\"id\":\"x\"}\n{\"id\":3}", &json!("invalid_value in 1 $.id: not a value of type int64"));
    check(b"[{\"id\":1},{}]", &json!("missing_field in 1 $.id: the column is required"));
    check(b"{\"id\":1}\nnonsense", &json!("invalid_json in 1 : not JSON at byte 2"));
    check(b"{\"id\":1,\"page\":\"\xff\"}", &json!("invalid_json in 0 : not JSON at byte 16"));
    let mixed =
        "mixed_partitions in 1 : the record's documents belong to several partitions; put one document a record";
    check(br#"[{"id":1,"country":"KR"},{"id":2,"country":"JP"}]"#, &json!(mixed));
    let long = format!("{{\"id\":1,\"country\":\"{}\"}}", "x".repeat(300));
    let told = "invalid_value in 0 : the partition columns' values are too long for a key: 200 bytes each, 440 in all";
    check(long.as_bytes(), &json!(told));
    let year_0 = br#"{"id":1,"at":"0000-12-31"}"#;
    check(year_0, &json!("invalid_value in 0 : a moment is outside of the years 1 to 9999"));
    let many = "{\"id\":1}".repeat(500);
    check(many.as_bytes(), &json!("too_large in 222 : the record becomes more than 2000 bytes of lines"));
}

#[test]
fn what_cannot_be_unpacked_is_refused() {
    let bomb = gzip(&vec![b' '; 1 << 20]).repeat(UNPACKED / (1 << 20) + 1);
    assert!(bomb.len() < 1 << 20, "{} bytes", bomb.len());
    check(&bomb, &json!("too_large in 0 : gzip: unpacks to more than 33554432 bytes"));
    let whole = gzip(b"{\"id\":1}");
    check(&whole[..whole.len() - 4], &json!("invalid_compression in 0 : gzip: truncated"));
}

#[test]
fn what_has_nothing_for_the_table_is_dropped() {
    check(b"[]", &json!("empty"));
    check(&gzip(b" [ ] "), &json!("empty"));
    let control = br#"{"metadata": {"record-type": "control"}, "data": {}}"#;
    assert_eq!(told("dms_json", control), json!("control"));
    let probe = br#"{"messageType":"CONTROL_MESSAGE","owner":"CloudwatchLogs","logEvents":[]}"#;
    assert_eq!(told("cloudwatch_logs", &gzip(probe)), json!("control"));
}

#[test]
fn what_the_filter_does_not_want_is_left_out() {
    let filter = |condition: Condition| Stream { filter: vec![condition], ..dataset("json") };
    let bounds = vec![(Bound::Min, json!(5))];
    let wanted = filter(Condition { column: "id".to_owned(), bounds, ..Condition::default() });
    let keys = json!({"year": "2026", "month": "11", "day": "25", "country": "KR"});
    let left = |body: &str, lines: &str| {
        assert_eq!(told_by(&wanted, body.as_bytes()), json!([lines, keys]), "{body}");
    };
    left(r#"{"id":5,"country":"KR"}"#, "{\"id\":5}\n");
    left(r#"{"id":4,"country":"JP"}{"id":5,"country":"KR"}{"id":1}"#, "{\"id\":5}\n");
    left(r#"[{"id":6,"country":"KR"},{"id":4},{"id":5,"country":"KR"}]"#, "{\"id\":6}\n{\"id\":5}\n");
    for all in [r#"{"id":4}"#, r#"[{"id":4},{"id":1,"country":"KR"}]"#, "{\"id\":1}\n{\"id\":2}\n"] {
        assert_eq!(told_by(&wanted, all.as_bytes()), json!("filtered"), "{all}");
    }
    assert_eq!(told_by(&wanted, b"[]"), json!("empty"));
    for (bad, want) in [
        (r#"{"id":4}{"id":"x"}"#, "invalid_value in 1 $.id: not a value of type int64"),
        (r#"{"id":5}{"id":4,"page":[]}"#, "invalid_value in 1 $.page: an array is no value of this column"),
        (r#"{"id":4,"at":"0000-12-31"}"#, "invalid_value in 0 : a moment is outside of the years 1 to 9999"),
    ] {
        assert_eq!(told_by(&wanted, bad.as_bytes()), json!(want), "wanted or not");
    }
    let logs = Stream {
        filter: vec![Condition {
            column: "message".to_owned(),
            pattern: Some("ERROR".to_owned()),
            ..Condition::default()
        }],
        ..dataset("cloudwatch_logs")
    };
    let payload = |messages: [&str; 2]| {
        let events = messages.map(|message| json!({"id": "1", "timestamp": 1_795_599_047_016_i64, "message": message}));
        json!({"messageType": "DATA_MESSAGE", "owner": "1", "logGroup": "g", "logStream": "s",
            "subscriptionFilters": ["f"], "logEvents": events})
    };
    let told = told_by(&logs, &gzip(payload(["INFO a", "ERROR b"]).to_string().as_bytes()));
    assert!(told[0].as_str().unwrap().contains("ERROR b") && told[0].as_str().unwrap().lines().count() == 1, "{told}");
    assert_eq!(told_by(&logs, &gzip(payload(["INFO a", "INFO b"]).to_string().as_bytes())), json!("filtered"));
}

#[test]
fn each_log_event_is_a_document() {
    let payload = |events: Value| {
        let payload = json!({"messageType": "DATA_MESSAGE", "owner": "1", "logGroup": "g", "logStream": "s",
            "subscriptionFilters": ["f"], "logEvents": events});
        gzip(payload.to_string().as_bytes())
    };
    let events = json!([{"id": "1", "timestamp": 1_795_599_047_016_i64, "message": "a\nb"},
        {"id": "2", "timestamp": 1_795_599_047_999_i64, "message": "{}", "extractedFields": {"n": "1"}}]);
    let lines = "{\"id\":\"1\",\"at\":\"2026-11-25 09:30:47.016\",\"message\":\"a\\nb\",\"log_group\":\"g\"}\n\
        {\"id\":\"2\",\"at\":\"2026-11-25 09:30:47.999\",\"message\":\"{}\",\"log_group\":\"g\",\
        \"fields\":\"{\\\"n\\\":\\\"1\\\"}\"}\n";
    let keys = json!({"year": "2026", "month": "11", "day": "25", "hour": "09"});
    assert_eq!(told("cloudwatch_logs", &payload(events)), json!([lines, keys]));
    assert_eq!(told("cloudwatch_logs", &payload(json!([]))), json!("empty"));
    let other = "invalid_event in 0 : logs: messageType is neither DATA_MESSAGE nor CONTROL_MESSAGE";
    assert_eq!(told("cloudwatch_logs", br#"{"messageType":"OTHER"}"#), json!(other));
}

#[test]
fn a_control_document_spoils_no_record_after_it() {
    let dataset = dataset("dms_json");
    let contract = Contract::new(&dataset, None).unwrap();
    let mut transform = Transform::new(&dataset, &contract, 2_000);
    let row = r#"{"data":{"id":1,"at":"2026-11-25T09:30:47Z"},"metadata":{"record-type":"data","operation":"load"}}"#;
    let control = r#"{"data":{"id":2,"at":-99999999999},"metadata":{"record-type":"control"}}"#;
    for _ in 0..2 {
        let record = Bytes::from(format!("{row}{control}{row}"));
        let Ok(Transformed::Kept(kept)) = transform.record(&record, ARRIVED) else { panic!("it is not kept") };
        assert_eq!(kept.documents, 2);
    }
}
