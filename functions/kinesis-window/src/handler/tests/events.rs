//! `events/kinesis-window/*.json` → what the function answers, each event delivered twice.
//!
//! `HEADGATE_UPDATE=1 cargo test -p kinesis-window events` writes the answers anew; read them before they are committed.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use headgate::config::process_environment;
use headgate_columnar::rows;
use serde_json::{Value, json};

use super::scene::Scene;

fn folder(relative: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(relative).join("kinesis-window")
}

fn documents(folder: &Path) -> BTreeMap<String, Value> {
    let document = |path: PathBuf| {
        let value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        (path.file_stem().unwrap().to_string_lossy().into_owned(), value)
    };
    fs::read_dir(folder).into_iter().flatten().map(|entry| document(entry.unwrap().path())).collect()
}

/// The rows of each object, and why records are refused.
async fn seen(scene: &Scene) -> Value {
    let mut told = BTreeMap::new();
    for (key, body) in scene.objects("").await {
        if !key.ends_with(".parquet") {
            let lines = std::str::from_utf8(&body).unwrap().lines();
            let lines: Vec<Value> = lines.map(|line| serde_json::from_str(line).unwrap()).collect();
            let lines = lines.iter().map(|line| format!("{} {}", line["position"], line["code"])).collect();
            told.insert(key, lines);
            continue;
        }
        let rows = rows::read(body, None).unwrap();
        let line = |row: &Vec<Option<String>>| {
            let values = rows.columns.iter().zip(row).filter(|(name, _)| !name.ends_with("_sketch"));
            let there = values.filter_map(|(name, value)| Some(format!("{name}={}", value.as_ref()?)));
            there.collect::<Vec<_>>().join(" ")
        };
        told.insert(key, rows.rows.iter().map(line).collect::<Vec<_>>());
    }
    json!(told)
}

async fn played(event: &Value) -> Value {
    let dataset = include_str!("../../../../../infra/datasets/page_views.json");
    let scene = Scene::of(&serde_json::from_str(dataset).unwrap(), 900_000);
    let told = |answer: Result<Value, headgate::Error>| match answer {
        Ok(answer) => json!({"answer": answer}),
        Err(error) => json!({"error": error}),
    };
    let first = told(scene.deliver(event).await);
    let lake = seen(&scene).await;
    assert_eq!(told(scene.deliver(event).await), first, "the second answer is another one");
    assert_eq!(seen(&scene).await, lake, "the second delivery changed the lake");
    json!({"both": first, "lake": lake})
}

#[tokio::test]
async fn every_event_is_answered_as_agreed() {
    let (events, snapshots) = (documents(&folder("events")), folder("tests/it/snapshots"));
    let agreed = documents(&snapshots);
    for (name, event) in &events {
        let played = played(event).await;
        if process_environment("HEADGATE_UPDATE").is_some() {
            fs::create_dir_all(&snapshots).unwrap();
            fs::write(snapshots.join(format!("{name}.json")), format!("{played:#}\n")).unwrap();
        } else {
            assert_eq!(agreed.get(name), Some(&played), "{name}");
        }
    }
    assert!(agreed.keys().all(|name| events.contains_key(name)), "answers without an event");
}
