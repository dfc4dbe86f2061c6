//! `headgate inspect` of datasets that no DMS writes, and `merge` of those that have a table to keep.

#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

use headgate::{Code, clock::Timestamp, position::Position, quarantine::Line};
use headgate_columnar::sample::{Column, Values, parquet};
use serde_json::Value;

fn run(arguments: &[&str], dataset: &str, lake: &Path) -> Output {
    let dataset = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../infra/datasets").join(dataset);
    Command::new(env!("CARGO_BIN_EXE_headgate"))
        .args(arguments)
        .arg("--dataset")
        .arg(dataset)
        .arg("--lake")
        .arg(lake)
        .output()
        .unwrap()
}

fn told(arguments: &[&str], dataset: &str, lake: &Path) -> String {
    let output = run(arguments, dataset, lake);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn headgate(command: &str, lake: &Path) -> Value {
    serde_json::from_str(&told(&[command, "--json"], "presets/hubspot_contact.json", lake)).unwrap()
}

fn put(lake: &Path, key: &str, content: impl AsRef<[u8]>) {
    let path = lake.join(key);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

#[test]
fn an_object_of_a_saas_product_is_inspected_and_merged() {
    let lake = tempfile::tempdir().unwrap();
    let folder = lake.path().join("cdc/saas/hubspot_contact/2026/11/28");
    fs::create_dir_all(&folder).unwrap();
    let file = |op: &str, id: i64, modified: i64| {
        let columns = [
            Column::added("Op", [op.to_owned()]),
            Column::optional("id", Values::Int64(vec![Some(id)])),
            Column::optional("updated_at", Values::Micros(vec![Some(modified)])),
            Column::optional("archived", Values::Boolean(vec![Some(op == "D")])),
        ];
        parquet(&columns).unwrap()
    };
    let name = |at: u8| folder.join(format!("20261128-20000000{at}.hubspot-contact--run-{at}--{:020}.parquet", 0));
    fs::write(name(1), file("I", 7, 2_000)).unwrap();
    let seen = headgate("inspect", lake.path());
    assert_eq!((&seen["dataset"], seen["files_pending"].as_array().unwrap().len()), (&"hubspot_contact".into(), 1));
    assert_eq!(headgate("merge", lake.path())["rows"], 1);
    // It comes later, and is about an earlier version.
    fs::write(name(2), file("D", 7, 1_000)).unwrap();
    let merged = headgate("merge", lake.path());
    assert_eq!((&merged["rows"], &merged["superseded"], &merged["deletes"]), (&1.into(), &1.into(), &0.into()));
    let seen = headgate("inspect", lake.path());
    assert_eq!((&seen["rows"], &seen["files_applied"]), (&1.into(), &2.into()));
}

#[test]
fn the_table_of_a_stream_is_inspected() {
    let lake = tempfile::tempdir().unwrap();
    let empty = told(&["inspect"], "clickstream.json", lake.path());
    assert!(empty.contains("0 in 0 partitions, 0 B"), "{empty}");
    let rows = parquet(&[Column::optional("page", Values::Int64(vec![Some(1), None]))]).unwrap();
    let table = "raw/clickstream/year=2026/month=11/day=29/";
    for key in ["hour=08/a.parquet", "hour=08/b.parquet", "hour=09/c.parquet", "hour=09/_c.parquet", "hour=x/d.parquet"]
    {
        put(lake.path(), &format!("{table}{key}"), &rows);
    }
    let mut lines = Vec::new();
    for (row, code) in [(1, Code::InvalidJson), (2, Code::InvalidJson), (3, Code::TooLarge)] {
        let position = Position::Row { key: "a".to_owned(), row: Some(row) };
        Line::new("clickstream", code, "why".to_owned(), position, Timestamp(0), b"{}").write(&mut lines);
    }
    lines.extend(b"half a li");
    put(lake.path(), "quarantine/clickstream/year=2026/month=11/day=29/hour=01/a.jsonl", &lines);

    let seen: Value = serde_json::from_str(&told(&["inspect", "--json"], "clickstream.json", lake.path())).unwrap();
    assert_eq!((&seen["files"], &seen["small"], &seen["newest_rows"]), (&3.into(), &3.into(), &2.into()));
    assert_eq!(seen["partitions"]["year=2026/month=11/day=29/hour=08/"]["files"], 2);
    assert_eq!(seen["unrecognized"].as_array().unwrap().len(), 2);
    assert_eq!(seen["schema"], serde_json::json!([["page", "Int64"]]));
    let reasons = serde_json::json!({"invalid_json": 2, "not_a_line": 1, "too_large": 1});
    assert_eq!((&seen["refused"]["files"], &seen["refused"]["reasons"]), (&1.into(), &reasons));

    let text = told(&["inspect"], "clickstream.json", lake.path());
    for part in [
        "3 in 2 partitions",
        "2 invalid_json",
        "year=2026/month=11/day=29/hour=09/  1",
        "page  Int64",
        "hour=x/d.parquet",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    put(lake.path(), &format!("{table}hour=10/e.parquet"), "no Parquet");
    let output = run(&["inspect"], "clickstream.json", lake.path());
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && told.contains("hour=10/e.parquet"), "{told}");
}
