//! The longest of what a key is made of → keys that fit S3, of each function that writes rows, changes or tables.
//!
//! What a dataset file may say at most is told by parsing it; what a service calls its streams at most is its own rule.

use headgate::{
    clock::Timestamp,
    dataset::{Dataset, Saas, Stream},
    landing::{Mark, object_name},
    partition::Partitions,
    quarantine,
    store::LONGEST_KEY,
};
use serde_json::{Value, json};

use super::{
    super::plan::{has_room, output_name},
    scene::THEN,
};
use crate::merge::{
    of_partition,
    publish::{manifest, report_key, version},
};

/// An hour's folder.
const HOUR: &str = "year=2023/month=11/day=14/hour=22/";

/// The longest text that is taken, of these lengths and with this end.
fn longest<T>(end: &str, parse: impl Fn(&str) -> Option<T>) -> T {
    (1..1_100).rev().find_map(|length| parse(&("x".repeat(length) + end))).unwrap()
}

fn with(document: &Value, pointer: &str, text: &str) -> String {
    let mut document = document.clone();
    *document.pointer_mut(pointer).unwrap() = json!(text);
    document.to_string()
}

fn columns() -> Value {
    json!([{"name": "id", "type": "int64", "required": true}, {"name": "at", "type": "timestamp(ms)", "required": true},
        {"name": "a", "type": "string"}, {"name": "b", "type": "string"}, {"name": "c", "type": "string"}])
}

fn stream() -> Stream {
    let document = json!({"name": "t", "kind": "stream", "source": {"type": "kafka"}, "columns": columns(),
        "event_time": "at", "partition_by": {"time": "hour", "columns": ["a", "b", "c"]}, "target": {"prefix": "x/"}});
    longest("/", |prefix| Stream::parse("t.json", &with(&document, "/target/prefix", prefix)).ok())
}

/// The longest path of a partition.
fn path(stream: &Stream) -> String {
    let text = |length: usize| Some("x".repeat(length));
    let mut partitions = Partitions::new(stream.partition_by.clone(), usize::MAX);
    for length in 1..=200 {
        // Those that are too long have no partition.
        let _ = partitions.of(THEN, &[text(180), text(180), text(length)]);
    }
    partitions.paths().iter().max_by_key(|path| path.len()).unwrap().clone()
}

#[track_caller]
fn fits(key: &str) {
    assert!(key.len() <= LONGEST_KEY, "{} bytes: {key}", key.len());
}

fn last() -> Mark {
    Mark::from(u64::MAX)
}

/// The names of objects of the streams and topics with the longest names: 128 and 249 of `a-zA-Z0-9._-`.
fn names(letter: &str, ending: &str) -> [String; 2] {
    let (stream, topic) = (letter.repeat(128), letter.repeat(249));
    let sequence = Mark::new(&"9".repeat(56)).unwrap();
    let kinesis = object_name(&stream, "shardId-000000000003", &sequence, ending);
    [kinesis, object_name(&topic, &i32::MAX.to_string(), &last(), ending)]
}

#[test]
fn what_lands_in_the_longest_partition_fits_and_so_does_what_it_is_compacted_to() {
    let stream = stream();
    let (prefix, path) = (&stream.prefix, path(&stream));
    assert_eq!((prefix.len(), path.len()), (128, 440));
    for name in names("x", "parquet") {
        fits(&format!("{prefix}{path}{name}"));
    }
    assert!(has_room(&format!("{prefix}{path}")));
    fits(&format!("{prefix}{path}{}", output_name(&[])));
    // A window's path is of its time alone, whatever the stream is called.
    let [kinesis, _] = names("-", "parquet");
    fits(&format!("{prefix}{HOUR}{kinesis}"));
}

fn table() -> Value {
    json!({"name": "t", "kind": "cdc", "source": {"format": "debezium_json", "prefix": "x/"}, "primary_key": ["id"],
        "target": {"snapshot": "s.parquet"}})
}

#[test]
fn files_of_changes_fit() {
    let parse = |prefix: &str| Dataset::parse("t.json", &with(&table(), "/source/prefix", prefix)).ok();
    let prefix = longest("/", parse).source.prefix;
    let [_, topic] = names("x", "jsonl.gz");
    fits(&format!("{prefix}{}", of_partition(Timestamp(THEN), &topic)));
}

#[test]
fn what_is_refused_fits_whatever_a_stream_is_called() {
    let name = longest("", |name| Some(Dataset::parse("t.json", &with(&table(), "/name", name)).ok()?.name));
    for letter in ["x", "-"] {
        for object in names(letter, "jsonl") {
            fits(&format!("{}{HOUR}{object}", quarantine::prefix(&name)));
        }
    }
}

#[test]
fn what_a_run_of_a_flow_becomes_fits_whatever_the_flow_is_called() {
    let document = json!({"name": "t", "kind": "saas", "source": {"flow": "f", "format": "json"},
        "primary_key": ["id"], "order_by": "at", "columns": columns(), "target": {"snapshot": "c/s.parquet"}});
    let named: Saas = longest("", |name| Saas::parse("t.json", &with(&document, "/name", name)).ok());
    let changes = longest("/", |folder| {
        let mut document = document.clone();
        document["source"]["changes"] = json!(folder);
        Some(Saas::parse("t.json", &document.to_string()).ok()?.table.source.prefix)
    });
    let flow = longest("", |flow| Some(Saas::parse("t.json", &with(&document, "/source/flow", flow)).ok()?.flow));
    // `!`, `@` and `#` are allowed, and each takes three bytes; an id of a run has at most 64.
    let name = |ending| object_name(&"#".repeat(flow.len()), &"0".repeat(64), &last(), ending);
    for prefix in [&changes, &named.table.source.prefix] {
        fits(&format!("{prefix}{}", of_partition(Timestamp(THEN), &name("parquet"))));
    }
    fits(&format!("{}{HOUR}{}", quarantine::prefix(named.name()), name("jsonl")));
}

#[test]
fn a_snapshot_its_versions_and_what_stands_beside_it_fit() {
    let parse = |snapshot: &str| Dataset::parse("t.json", &with(&table(), "/target/snapshot", snapshot)).ok();
    for folder in ["", "f/"] {
        let table = longest(".parquet", |snapshot| parse(&format!("{folder}{snapshot}")));
        assert_eq!(table.target.snapshot.len(), 840);
        for key in [version(&table.target, u64::MAX), manifest(&table.target), report_key(&table)] {
            fits(&key);
        }
    }
    let deep = longest("/s.parquet", parse);
    fits(&manifest(&deep.target));
}
