//! `events/msk-consumer/*.json` → what the function answers and lands, each event delivered twice.
//!
//! As in `events`: a sample without its answer in `snapshots/` fails, and so does an answer without its sample.

mod lake;

use std::collections::BTreeSet;

use headgate::config::process_environment;
use serde_json::{Value, json};

use self::lake::Lake;
use crate::events::{documents, folder, told};

/// Both answers, and what is in the lake after each.
async fn landed(name: &str, event: &Value) -> Value {
    let lake = Lake::new(if name.contains("avro") { "avro" } else { "json" });
    let first = told(lake.deliver(event).await);
    let objects = lake.objects().await;
    let second = told(lake.deliver(event).await);
    assert_eq!(lake.objects().await, objects, "{name}: the second delivery changed the lake");
    json!({"first": first, "second": second, "lake": objects, "metrics": lake.metrics()})
}

#[tokio::test]
async fn every_batch_of_msk_consumer_is_answered_as_agreed() {
    let (events, snapshots) = (documents(&folder("../events/msk-consumer")), folder("it/snapshots/msk-consumer"));
    let agreed = documents(&snapshots);
    let update = process_environment("HEADGATE_UPDATE").is_some();
    let mut wrong = Vec::new();
    for (name, event) in &events {
        let landed = landed(name, event).await;
        if update {
            std::fs::create_dir_all(&snapshots).unwrap();
            std::fs::write(snapshots.join(format!("{name}.json")), format!("{landed:#}\n")).unwrap();
        } else if agreed.get(name) != Some(&landed) {
            wrong.push(format!("{name}: answered {landed:#}\nagreed: {:#}", agreed.get(name).unwrap_or(&Value::Null)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    let idle: BTreeSet<_> = agreed.keys().filter(|name| !events.contains_key(*name)).collect();
    assert!(idle.is_empty(), "answers without an event: {idle:?}");
}
