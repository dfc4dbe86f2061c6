//! `events/<function>/*.json` → what the function answers, each event delivered twice.
//!
//! The samples are the contract: a new one without its answer in `snapshots/` fails, and so does an answer without its
//! sample. `HEADGATE_UPDATE=1 cargo test -p headgate-tests events` writes the answers anew; read them before they are
//! committed.

mod compact;
mod flows;
mod ingest;
mod lake;
mod provision;
pub mod rule;
mod transform;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use headgate::{Error, config::process_environment};
use serde_json::{Value, json};

use crate::{
    consume::lake::{Lake as KinesisLake, clickstream},
    kafka::{changes::Changes, lake::Lake as KafkaLake},
};

use self::{
    compact::Compact,
    flows::Runs,
    ingest::Ingest,
    lake::{Lake, Table},
    provision::Provision,
    rule::Rule,
    transform::Transform,
};

fn folder(relative: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(relative)
}

/// The JSON files of a folder by their stems.
fn documents(folder: &Path) -> BTreeMap<String, Value> {
    let document = |path: PathBuf| {
        let text = fs::read_to_string(&path).unwrap();
        let value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        (path.file_stem().unwrap().to_string_lossy().into_owned(), value)
    };
    let entries = fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.extension().is_some_and(|extension| extension == "json")).map(document).collect()
}

/// What becomes of an event of `dms-merge`: the answers to both deliveries, and the rows of each table after each.
async fn merged(name: &str, event: &Value) -> Value {
    let lake = Lake::new(if name.starts_with("bad-") { Table::Broken } else { Table::Empty });
    let first = told(lake.deliver(event).await);
    let rows = lake.rows().await;
    let second = told(lake.deliver(event).await);
    assert_eq!(lake.rows().await, rows, "{name}: the second delivery changed a table");
    json!({"first": first, "second": second, "rows": rows, "metrics": lake.metrics()})
}

/// What becomes of a request to `api-ingest`: both answers, and what the stream has after each.
async fn ingested(name: &str, event: &Value) -> Value {
    let ingest = Ingest::new();
    let first = told(ingest.deliver(event).await);
    let records = ingest.records();
    assert!(!name.starts_with("bad-") || records.is_empty(), "{name}: something was sent");
    let second = told(ingest.deliver(event).await);
    json!({"first": first, "second": second, "records": records, "records_twice": ingest.records().len(),
        "metrics": ingest.metrics()})
}

/// What becomes of a batch of `firehose-transform`: the answer, which is the same twice, and what its source has again.
async fn transformed(name: &str, event: &Value) -> Value {
    let transform = Transform::of(event);
    let answer = told(transform.deliver(event).await);
    let (put, metrics) = (transform.put(), transform.metrics());
    assert!(!name.starts_with("bad-") || !answer.to_string().contains(r#""Ok""#), "{name}: something is delivered");
    assert_eq!(told(transform.deliver(event).await), answer, "{name}: the second answer is another one");
    assert_eq!(transform.put().len(), 2 * put.len(), "{name}");
    let mut played = answer;
    played["put"] = json!(put);
    played["metrics"] = json!(metrics);
    played
}

/// What becomes of a batch of `kinesis-consumer`: both answers, and what is in the lake after each.
async fn consumed(name: &str, event: &Value) -> Value {
    let lake = KinesisLake::new(&clickstream(|dataset| {
        if name.contains("filtered") {
            let person = json!({"column": "is_bot", "one_of": [true], "not": true, "null": true});
            dataset["filter"] = json!([{"column": "value", "above": 10_000}, person]);
        }
    }));
    let event = event.to_string();
    let told = |answer: Result<_, Error>| told(answer.map(|answer| json!(answer)));
    let first = told(lake.deliver(&event).await);
    let seen = lake.seen().await;
    let second = told(lake.deliver(&event).await);
    assert_eq!(lake.seen().await, seen, "{name}: the second delivery changed the lake");
    json!({"first": first, "second": second, "lake": seen})
}

/// What becomes of a batch of `msk-consumer`: both answers, what is in the lake after each, and the figures.
async fn topics_consumed(name: &str, event: &Value) -> Value {
    if name.contains("debezium") {
        return changes_consumed(name, event).await;
    }
    let lake = KafkaLake::with(if name.contains("avro") { "avro" } else { "json" }, |dataset| {
        if name.contains("filtered") {
            let state = json!({"column": "state", "one_of": ["new"], "not": true});
            dataset["filter"] = json!([{"column": "amount", "min": 10}, state]);
        }
    });
    let first = told(lake.deliver(event).await);
    let seen = lake.seen().await;
    let second = told(lake.deliver(event).await);
    assert_eq!(lake.seen().await, seen, "{name}: the second delivery changed the lake");
    json!({"first": first, "second": second, "lake": seen, "metrics": lake.metrics()})
}

/// The same of change topics, with the table that `dms-merge` makes of what landed.
async fn changes_consumed(name: &str, event: &Value) -> Value {
    let lake = Changes::new(name.contains("declared"));
    let first = told(lake.deliver(event).await);
    let seen = lake.seen().await;
    let second = told(lake.deliver(event).await);
    assert_eq!(lake.files().await, serde_json::from_value(seen["files"].clone()).unwrap(), "{name}: delivered twice");
    json!({"first": first, "second": second, "lake": seen, "metrics": lake.metrics()})
}

/// What becomes of a rule's result in `iot-rule`: both answers, and what was told, sent and set aside.
async fn ruled(name: &str, event: &Value) -> Value {
    let rule = Rule::new(name.contains("payload").then_some("data"));
    let first = told(rule.deliver(event).await);
    let seen = rule.seen().await;
    assert!(!name.starts_with("bad-") || !seen["quarantine"].as_array().unwrap().is_empty(), "{name}: nothing is bad");
    let second = told(rule.deliver(event).await);
    let again = rule.seen().await;
    assert_eq!((&again["told"], &again["quarantine"]), (&seen["told"], &seen["quarantine"]), "{name}: told again");
    json!({"first": first, "second": second, "seen": seen, "metrics": rule.metrics()})
}

/// What becomes of an event of `appflow-process`: both answers, and what is in the lake after each.
async fn flown(name: &str, event: &Value) -> Value {
    let lake = Runs::new();
    let first = told(lake.deliver(event).await);
    let seen = lake.seen().await;
    for (file, lines) in seen["aside"].as_object().unwrap() {
        let records: BTreeSet<_> = lines.as_array().unwrap().iter().map(|line| line[0].as_u64()).collect();
        assert_eq!(records.len(), lines.as_array().unwrap().len(), "{name}: a record is twice in {file}");
    }
    let metrics = lake.metrics();
    let second = told(lake.deliver(event).await);
    assert_eq!(lake.seen().await, seen, "{name}: the second delivery changed the lake");
    json!({"first": first, "second": second, "lake": seen, "metrics": metrics})
}

/// What becomes of an event of `iot-provision`: both answers, and who came in.
async fn provisioned(name: &str, event: &Value) -> Value {
    let provision = Provision::new().await;
    let first = told(provision.deliver(event).await);
    let seen = provision.seen().await;
    let denied = first["answer"]["allowProvisioning"] == false || first.get("error").is_some();
    assert!(!name.starts_with("bad-") || denied, "{name}: let in");
    let second = told(provision.deliver(event).await);
    assert_eq!(provision.seen().await, seen, "{name}: the second delivery changed something");
    json!({"first": first, "second": second, "seen": seen, "metrics": provision.metrics()})
}

/// What becomes of a schedule's event of `lake-compact`: both answers, and the files of all tables.
async fn compacted(name: &str, event: &Value) -> Value {
    let lake = Compact::new();
    let before = lake.files().await;
    let first = told(lake.deliver(event).await);
    let files = lake.files().await;
    assert!(!name.starts_with("bad-") || files == before, "{name}: something was replaced");
    let second = told(lake.deliver(event).await);
    assert_eq!(lake.files().await, files, "{name}: the second delivery changed a table");
    json!({"first": first, "second": second, "files": files, "metrics": lake.metrics()})
}

fn told(answer: Result<Value, Error>) -> Value {
    match answer {
        Ok(answer) => json!({"answer": answer}),
        Err(error) => json!({"error": error}),
    }
}

async fn agree(function: &str, played: impl AsyncFn(&str, &Value) -> Value) {
    let (events, snapshots) = (samples(function), folder("it/snapshots").join(function));
    let agreed = documents(&snapshots);
    let update = process_environment("HEADGATE_UPDATE").is_some();
    let mut wrong = Vec::new();
    for (name, event) in &events {
        let played = played(name, event).await;
        if update {
            fs::create_dir_all(&snapshots).unwrap();
            fs::write(snapshots.join(format!("{name}.json")), format!("{played:#}\n")).unwrap();
        } else if agreed.get(name) != Some(&played) {
            wrong.push(format!("{name}: answered {played:#}\nagreed: {:#}", agreed.get(name).unwrap_or(&Value::Null)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));

    let idle: BTreeSet<_> = agreed.keys().filter(|name| !events.contains_key(*name)).collect();
    assert!(idle.is_empty(), "answers without an event: {idle:?}");
}

fn samples(function: &str) -> BTreeMap<String, Value> {
    documents(&folder("../events").join(function))
}

#[tokio::test]
async fn every_event_of_dms_merge_is_answered_as_agreed() {
    agree("dms-merge", merged).await;
}

#[tokio::test]
async fn every_report_to_appflow_process_is_answered_as_agreed() {
    agree("appflow-process", flown).await;
}

#[tokio::test]
async fn every_batch_of_kinesis_consumer_is_answered_as_agreed() {
    agree("kinesis-consumer", consumed).await;
}

#[tokio::test]
async fn every_batch_of_msk_consumer_is_answered_as_agreed() {
    agree("msk-consumer", topics_consumed).await;
}

#[tokio::test]
async fn every_event_of_lake_compact_is_answered_as_agreed() {
    agree("lake-compact", compacted).await;
}

#[tokio::test]
async fn every_event_of_iot_provision_is_answered_as_agreed() {
    agree("iot-provision", provisioned).await;
}

#[tokio::test]
async fn every_result_of_a_rule_is_answered_as_agreed() {
    agree("iot-rule", ruled).await;
}

#[tokio::test(start_paused = true)]
async fn every_request_to_api_ingest_is_answered_as_agreed() {
    agree("api-ingest", ingested).await;
}

#[tokio::test(start_paused = true)]
async fn every_batch_of_firehose_transform_is_answered_as_agreed() {
    agree("firehose-transform", transformed).await;
}

#[test]
fn every_preset_has_a_run_that_is_as_it_should_be_and_one_that_is_not() {
    let presets = documents(&folder("../infra/datasets/presets"));
    let events = samples("appflow-process");
    for (preset, flow) in presets.iter().map(|(name, dataset)| (name, dataset["source"]["flow"].as_str().unwrap())) {
        for name in [format!("ok-{flow}"), format!("bad-{flow}")] {
            let event = events.get(&name).unwrap_or_else(|| panic!("{preset}: no events/appflow-process/{name}.json"));
            assert_eq!(event["detail"]["flow-name"], flow, "{name}");
        }
    }
}

#[test]
fn every_kind_of_event_has_its_samples() {
    for function in fs::read_dir(folder("../events")).unwrap() {
        let function = function.unwrap().file_name().to_string_lossy().into_owned();
        let events = samples(&function);
        let kinds: BTreeSet<_> = events.keys().filter_map(|name| name.split('-').next()).collect();
        assert_eq!(kinds, BTreeSet::from(["bad", "edge", "ok"]), "{function}: names begin with ok-, bad- or edge-");
    }
}
