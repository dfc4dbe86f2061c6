//! `headgate replay` as a process, on a lake and a state in directories.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test fails by a panic")]

use std::{
    fs,
    path::Path,
    process::{Command, Output},
    sync::Arc,
};

use bytes::Bytes;
use headgate::{
    Code,
    clock::{SystemClock, Timestamp},
    landing::{self, Mark, Object},
    position::{Position, SequenceNumber},
    quarantine::{After, Kafka, Line, Part, Place},
    state::file::FileState,
    store::{Store, directory::DirectoryStore},
};
use headgate_columnar::rows;
use serde_json::{Value, json};

const KEY: &str = "quarantine/clicks/year=2026/month=01/day=01/hour=00/clicks--shardId-0--00000000000000000001.jsonl";

/// A batch of one shard, all of which was refused.
async fn refused(root: &Path) {
    let (store, state) =
        (DirectoryStore::new(root.join("lake")), FileState::new(root.join("state"), Arc::new(SystemClock)));
    let shard = landing::open(&state, &landing::item_key("clicks", "clicks", "shardId-0")).await.unwrap();
    let mut body = Vec::new();
    for (sequence, user) in [(1, "a"), (2, "b"), (3, "")] {
        let sequence = SequenceNumber::from(sequence);
        let position = Position::Shard {
            stream: "clicks".to_owned(),
            shard: "shardId-0".to_owned(),
            sequence,
            sub_sequence: None,
        };
        let raw = json!({"user": user}).to_string();
        let line =
            Line::new("clicks", Code::InvalidValue, "no number".to_owned(), position, Timestamp(0), raw.as_bytes());
        Line { part: Part::Document, attempt: shard.attempt().to_string(), ..line }.write(&mut body);
    }
    let object = Object { key: KEY.to_owned(), first: Mark::from(1), body: body.into() };
    shard.land(&store, &state, vec![object], Mark::from(3)).await.unwrap();
}

fn dataset(root: &Path) {
    fs::create_dir_all(root.join("lake")).unwrap();
    let dataset = json!({"name": "clicks", "kind": "stream", "source": {"type": "kinesis"},
        "columns": [{"name": "user", "type": "string", "pattern": "."}], "partition_by": {"time": "day"},
        "target": {"prefix": "raw/clicks/"}});
    fs::write(root.join("clicks.json"), dataset.to_string()).unwrap();
}

fn headgate(root: &Path, arguments: &[&str]) -> Output {
    let state = ["--state", "state"];
    run(root, &[&["replay", "--dataset", "clicks.json", "--lake", "lake"], &state[..], arguments].concat())
}

fn run(root: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_headgate")).current_dir(root).args(arguments).output().unwrap()
}

#[track_caller]
fn report(output: &Output) -> Value {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[tokio::test]
async fn a_replay_looks_then_writes_then_has_nothing_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    dataset(root);
    refused(root).await;
    let store = DirectoryStore::new(root.join("lake"));
    let before = store.get(KEY).await.unwrap().unwrap();
    let told = headgate(root, &["--quarantine", "quarantine/clicks/"]);
    let text = String::from_utf8(told.stdout).unwrap();
    assert!(text.contains("nothing is written") && text.contains("2 year=1970/month=01/day=01/"), "{text}");
    assert!(text.contains(&format!("{KEY}:3: ")), "{text}");
    assert_eq!(store.list("raw/", None).await.unwrap().objects, []);
    let done = report(&headgate(root, &["--apply", "--json"]));
    assert_eq!((done["replayed"].as_u64(), done["refused"]["check_failed"]["lines"].as_u64()), (Some(2), Some(1)));
    let again = report(&headgate(root, &["--apply", "--json"]));
    assert_eq!(
        (again["replayed"].as_u64(), again["repeated"].as_u64(), again["written"].as_u64()),
        (Some(0), Some(2), Some(0))
    );
    let files = store.list("raw/", None).await.unwrap().objects;
    let (_, file) = store.get(&files[0].key).await.unwrap().unwrap();
    let users: Vec<_> = rows::read(file, None).unwrap().rows.into_iter().map(|row| row[0].clone().unwrap()).collect();
    assert_eq!((users, files.len()), (vec!["a".to_owned(), "b".to_owned()], 1));
    assert_eq!(store.get(KEY).await.unwrap().unwrap(), before, "quarantine stays as it is");
}

#[tokio::test]
async fn what_is_wrong_is_told_by_exit_status_and_place() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    dataset(root);
    let missing = headgate(root, &[]);
    let told = String::from_utf8(missing.stderr).unwrap();
    assert_eq!(
        (missing.status.code(), told.as_str()),
        (Some(2), "headgate: --state state: no such directory; correct the path\n")
    );
    refused(root).await;
    let store = DirectoryStore::new(root.join("lake"));
    let bad = Bytes::from_static(b"\n{}\n");
    store.put("quarantine/clicks/bad.jsonl", bad, headgate::store::Condition::Always).await.unwrap();
    let output = headgate(root, &["--apply"]);
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains("1 lines cannot be read: quarantine/clicks/bad.jsonl:2: is no line"), "{told}");
    assert_eq!(store.list("raw/", None).await.unwrap().objects.len(), 1, "the others are replayed");
}

#[test]
fn records_of_a_run_come_again_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    dataset(root);
    fs::create_dir(root.join("state")).unwrap();
    let preset = concat!(env!("CARGO_MANIFEST_DIR"), "/../../infra/datasets/presets/zendesk_ticket.json");
    let output = run(root, &["replay", "--dataset", preset, "--lake", "lake", "--state", "state"]);
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{told}");
    assert!(told.contains(r#"{"dataset": "zendesk_ticket", "run": "<id>"}"#), "{told}");
}

/// Refused records of a topic-partition, a line each, whose checkpoint has passed.
async fn refused_of_topic(root: &Path, code: Code, place: Option<Place>, values: &[&[u8]]) {
    let (store, state) =
        (DirectoryStore::new(root.join("lake")), FileState::new(root.join("state"), Arc::new(SystemClock)));
    let shard = landing::open(&state, &landing::item_key("clicks", "clicks", "0")).await.unwrap();
    let mut body = Vec::new();
    for (offset, value) in (1..).zip(values) {
        let position = Position::Offset { topic: "clicks".to_owned(), partition: 0, offset };
        let line = Line::new("clicks", code, "why".to_owned(), position, Timestamp(0), value);
        let kafka = Kafka { key: Some("aw==".to_owned()), ..Kafka::default() };
        Line { kafka: Some(kafka), place, attempt: shard.attempt().to_string(), ..line }.write(&mut body);
    }
    let key = KEY.replace("clicks--shardId-0", "clicks--0");
    let object = Object { key, first: Mark::from(1), body: body.into() };
    shard.beginning(1).land(&store, &state, vec![object], Mark::from(9)).await.unwrap();
}

fn describe(root: &Path, dataset: &Value) {
    fs::create_dir_all(root.join("lake")).unwrap();
    fs::create_dir_all(root.join("state")).unwrap();
    fs::write(root.join("clicks.json"), dataset.to_string()).unwrap();
}

#[tokio::test]
async fn refused_records_of_a_topic_become_rows() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    describe(
        root,
        &json!({"name": "clicks", "kind": "stream", "source": {"type": "kafka", "format": "avro"},
        "columns": [{"name": "user", "type": "string"}, {"name": "_kafka_key", "type": "string"}],
        "partition_by": {"time": "day"}, "target": {"prefix": "raw/clicks/"}}),
    );
    refused_of_topic(root, Code::UnknownSchema, None, &[b"\0\0\0\0\x07\x02a", b"\0\0\0\0\x09\x02b"]).await;
    let told = |arguments: &[&str]| {
        let output = headgate(root, arguments);
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let without = "headgate: clicks: Avro needs schemas: give --registry or --schemas\n";
    assert_eq!(told(&["--apply"]), (Some(2), without.to_owned()));
    assert!(told(&["--registry", "glue"]).1.contains("as `<uuid>.avsc`"));
    assert!(told(&["--registry", "sr:8081"]).1.contains("--registry: `sr:8081` must be"));
    assert!(told(&["--schemas", "none"]).1.contains("--schemas none: no such directory"));
    fs::create_dir(root.join("schemas")).unwrap();
    let schema = r#"{"type": "record", "name": "click", "fields": [{"name": "user", "type": "string"}]}"#;
    fs::write(root.join("schemas/7.avsc"), schema).unwrap();
    for (replayed, repeated) in [(1, 0), (0, 1)] {
        let report = report(&headgate(root, &["--schemas", "schemas", "--apply", "--json"]));
        assert_eq!((report["replayed"].as_u64(), report["repeated"].as_u64()), (Some(replayed), Some(repeated)));
        assert_eq!(report["refused"]["unknown_schema"]["lines"], 1, "{report}");
    }
    let store = DirectoryStore::new(root.join("lake"));
    let files = store.list("raw/", None).await.unwrap().objects;
    let (_, file) = store.get(&files[0].key).await.unwrap().unwrap();
    let row = vec![Some("a".to_owned()), Some("k".to_owned()), None];
    assert_eq!((rows::read(file, None).unwrap().rows, files.len()), (vec![row], 1));
}

#[tokio::test]
async fn refused_changes_are_merged() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let mut dataset = json!({"name": "clicks", "kind": "cdc", "primary_key": ["id"],
        "source": {"format": "parquet", "prefix": "cdc/clicks/"}, "target": {"snapshot": "curated/clicks/now.parquet"}});
    describe(root, &dataset);
    let told = String::from_utf8(headgate(root, &["--apply"]).stderr).unwrap();
    assert!(told.contains("$.source.format: must be `debezium_json`"), "{told}");
    dataset["source"]["format"] = json!("debezium_json");
    describe(root, &dataset);
    let place = Place { at: 1_795_348_800_000, after: After::Nothing };
    let changes: [&[u8]; 2] = [br#"{"op": "c", "after": {"id": 1}}"#, br#"{"op": "c", "after": {"id": 2}}"#];
    refused_of_topic(root, Code::InvalidValue, Some(place), &changes).await;
    let report = report(&headgate(root, &["--apply", "--json"]));
    assert_eq!((report["replayed"].as_u64(), report["rows"]["2026/11/22/"].as_u64()), (Some(2), Some(2)), "{report}");
    let merged = run(root, &["merge", "--dataset", "clicks.json", "--lake", "lake"]);
    assert!(merged.status.success(), "{}", String::from_utf8_lossy(&merged.stderr));
    let store = DirectoryStore::new(root.join("lake"));
    let (_, table) = store.get("curated/clicks/now.parquet").await.unwrap().unwrap();
    let ids = rows::read(table, None).unwrap().rows.concat();
    assert_eq!(ids, ["1", "2"].map(|id| Some(id.to_owned())));
}
