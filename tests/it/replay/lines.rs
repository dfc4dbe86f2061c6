//! Lines of every kind: what each becomes, and what is told of it.

use std::{collections::BTreeMap, io::Write};

use base64::{Engine, prelude::BASE64_STANDARD};
use flate2::{Compression, write::GzEncoder};
use headgate::{clock::Timestamp, quarantine::Part};
use headgate_columnar::replay::Options;
use serde_json::{Value, json};

use super::scene::{Lake, Rules, adds_up, apply, batch, clickstream, lenient, look, objects, once, record, refused};

#[tokio::test]
async fn what_is_still_refused_can_be_replayed_under_a_third_contract() {
    let lake = refused().await;
    let strict = Rules::new(&clickstream(|_| {}));
    let before = objects(&lake, "").await;
    let report = strict.replay(&lake, &apply()).await;
    adds_up(&report);
    let refused = &report.refused["invalid_value"];
    assert_eq!((refused.lines, refused.examples.len()), (4, 3));
    assert!(
        refused.examples[0].contains(".jsonl:1: ") && refused.examples[0].ends_with(" at $.user_id"),
        "{refused:?}"
    );
    assert!(objects(&lake, "").await == before, "nothing is written");
    let some = Rules::new(&clickstream(|dataset| {
        dataset["columns"][1]["type"] = json!("string");
        dataset["columns"][0]["one_of"] = json!(["e1", "e2"]);
    }));
    let report = some.replay(&lake, &apply()).await;
    adds_up(&report);
    assert_eq!((report.replayed, report.refused["check_failed"].lines), (2, 2));
    let report = lenient("hour").replay(&lake, &apply()).await;
    adds_up(&report);
    assert_eq!((report.replayed, report.repeated), (2, 2));
    assert_eq!(lake.values("event_id").await, once());
}

#[tokio::test]
async fn filters_leave_out_and_rubbish_is_named() {
    let lake = refused().await;
    let other = r#"{"dataset":"other","code":"invalid_value","reason":"","position":{"row":{"key":"a","row":1}},"document":0,"arrived":0,"attempt":"","raw":""}"#;
    let rubbish = format!("\nno json\n{other}\n{}\n", other.replace(r#""raw":"""#, r#""raw":"?""#));
    lake.store.put_at("quarantine/clickstream/by-hand.jsonl", rubbish, Timestamp(0));
    let report = lenient("hour").replay(&lake, &Options { reasons: vec!["missing_field".to_owned()], ..look() }).await;
    adds_up(&report);
    assert_eq!((report.lines, report.other_reasons, report.other_datasets, report.unreadable), (7, 4, 1, 2));
    assert_eq!(
        report.unreadable_at,
        [
            "quarantine/clickstream/by-hand.jsonl:2: is no line of a refused record (column 2)",
            "quarantine/clickstream/by-hand.jsonl:4: its `raw` is not base64",
        ]
    );
    let report = lenient("hour").replay(&lake, &Options { reasons: vec!["invalid_value".to_owned()], ..apply() }).await;
    adds_up(&report);
    assert_eq!((report.replayed, report.other_datasets), (4, 1));
    assert_eq!(lake.values("event_id").await, once());
}

#[tokio::test]
async fn of_a_line_with_good_and_bad_documents_each_is_somewhere_once() {
    let lake = Lake::new(&clickstream(|_| {}));
    let line = |number: usize| record(number, 0, &if number == 1_500 { json!(null) } else { json!("word") });
    let body = (0..2_000).map(line).collect::<Vec<_>>().join(&b'\n');
    lake.land(&batch(0, &[body])).await;
    let codes = BTreeMap::from([("invalid_value".to_owned(), 1_000), ("too_large".to_owned(), 1)]);
    assert_eq!(lake.reasons().await, codes);
    let before = objects(&lake, "quarantine/").await;
    for _ in 0..2 {
        let report = lenient("hour").replay(&lake, &apply()).await;
        adds_up(&report);
        let each = (0..2_000).filter(|number| *number != 1_500).map(|number| (format!("e{number}"), 1));
        assert_eq!(lake.values("event_id").await, each.collect());
    }
    let after = objects(&lake, "quarantine/").await;
    assert!(before.iter().all(|(key, body)| after.get(key) == Some(body)), "what was there stays");
    let new = lake.refused().await.into_iter().filter(|line| line.code == "missing_field");
    let new: Vec<_> = new.map(|line| (line.bytes().unwrap(), line.part)).collect();
    assert_eq!(new, [(line(1_500), Part::Document)]);
    let report = lenient("hour").replay(&lake, &look()).await;
    assert_eq!((report.refused["missing_field"].lines, report.repeated), (1, 1_001), "and can be replayed in its turn");
}

#[tokio::test]
async fn log_events_are_replayed_as_the_documents_they_were() {
    let dataset = |kind: &str| {
        let columns = json!([{"name": "message", "type": kind}, {"name": "log_group", "type": "string"}]);
        clickstream(|dataset| {
            dataset["source"]["format"] = json!("cloudwatch_logs");
            dataset["columns"] = columns;
            dataset.as_object_mut().unwrap().remove("event_time");
            dataset["unknown_fields"] = json!("drop");
        })
    };
    let lake = Lake::new(&dataset("int32"));
    let message = json!({"messageType": "DATA_MESSAGE", "owner": "1", "logGroup": "g", "logStream": "s",
        "logEvents": [{"id": "1", "timestamp": 0, "message": "word"}, {"id": "2", "timestamp": 0, "message": "7"}]});
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(message.to_string().as_bytes()).unwrap();
    // The second is JSON, and was never a log event.
    lake.land(&batch(0, &[packed.finish().unwrap(), br#"{"message": "1", "log_group": "x"}"#.to_vec()])).await;
    let report = Rules::new(&dataset("string")).replay(&lake, &apply()).await;
    adds_up(&report);
    assert_eq!((report.replayed, report.refused["invalid_event"].lines), (1, 1));
    assert_eq!(lake.values("message").await, BTreeMap::from([("7".to_owned(), 1), ("word".to_owned(), 1)]));
}

#[tokio::test]
async fn a_record_that_could_not_be_read_does_not_become_a_row_of_its_envelope() {
    let lake = Lake::new(&clickstream(|_| {}));
    let good = batch(0, &[record(0, 0, &json!(1)), record(1, 0, &json!(2))]);
    let data = BASE64_STANDARD.encode(record(1, 0, &json!(2)));
    lake.land(&good.replace(&data, "?")).await;
    assert_eq!(lake.refused().await[0].part, Part::Event);
    let anything = Rules::new(&clickstream(|dataset| {
        dataset["columns"] = json!([{"name": "event_id", "type": "string"}]);
        dataset.as_object_mut().unwrap().remove("event_time");
    }));
    let report = anything.replay(&lake, &apply()).await;
    adds_up(&report);
    assert_eq!((report.replayed, report.refused["invalid_event"].lines), (0, 1));
}

#[tokio::test]
async fn messages_of_devices_wait_for_nothing_and_land_once() {
    let lake = refused().await;
    let mut number = 0;
    for (key, body) in objects(&lake, "quarantine/").await {
        let mut lines = String::new();
        for line in std::str::from_utf8(&body).unwrap().lines() {
            let mut line: Value = serde_json::from_str(line).unwrap();
            line["position"] = json!({"message": {"topic": "sensors/a/temperature", "id": format!("{number:032x}")}});
            lines += &(line.to_string() + "\n");
            number += 1;
        }
        lake.store.put_at(&key, lines, Timestamp(0));
    }
    let rules = lenient("hour");
    let report = rules.replay(&lake, &apply()).await;
    adds_up(&report);
    assert_eq!((report.replayed, lake.values("event_id").await), (number, once()));
    let again = rules.replay(&lake, &apply()).await;
    adds_up(&again);
    assert_eq!((again.repeated, again.written), (number, 0));
}
