//! `events/dms-merge/*.json` → what the function answers, each event delivered twice.
//!
//! The samples are the contract: a new one without its answer in `snapshots/` fails, and so does an answer without its
//! sample. `HEADGATE_UPDATE=1 cargo test -p headgate-tests events` writes the answers anew; read them before they are
//! committed.

mod lake;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use headgate::{Error, config::process_environment};
use serde_json::{Value, json};

use self::lake::{Lake, Table};

pub fn folder(relative: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(relative)
}

/// The JSON files of a folder by their stems.
pub fn documents(folder: &Path) -> BTreeMap<String, Value> {
    let document = |path: PathBuf| {
        let text = fs::read_to_string(&path).unwrap();
        let value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        (path.file_stem().unwrap().to_string_lossy().into_owned(), value)
    };
    let entries = fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.extension().is_some_and(|extension| extension == "json")).map(document).collect()
}

/// What becomes of an event: the answers to both deliveries, and the rows of each table after each.
async fn played(name: &str, event: &Value) -> Value {
    let lake = Lake::new(if name.starts_with("bad-") { Table::Broken } else { Table::Empty });
    let first = told(lake.deliver(event).await);
    let rows = lake.rows().await;
    let second = told(lake.deliver(event).await);
    assert_eq!(lake.rows().await, rows, "{name}: the second delivery changed a table");
    json!({"first": first, "second": second, "rows": rows, "metrics": lake.metrics()})
}

pub fn told(answer: Result<Value, Error>) -> Value {
    match answer {
        Ok(answer) => json!({"answer": answer}),
        Err(error) => json!({"error": error}),
    }
}

#[tokio::test]
async fn every_event_is_answered_as_agreed() {
    let (events, snapshots) = (documents(&folder("../events/dms-merge")), folder("it/snapshots/dms-merge"));
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

#[test]
fn every_kind_of_event_has_its_samples() {
    let events = documents(&folder("../events/dms-merge"));
    let kinds: BTreeSet<_> = events.keys().filter_map(|name| name.split('-').next()).collect();
    assert_eq!(kinds, BTreeSet::from(["bad", "edge", "ok"]), "a sample's name begins with ok-, bad- or edge-");
}
