//! `headgate inspect` and `merge` of a dataset that no DMS writes: an object of a `SaaS` product.

#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

use std::{fs, path::Path, process::Command};

use headgate_columnar::sample::{Column, Values, parquet};
use serde_json::Value;

fn headgate(command: &str, lake: &Path) -> Value {
    let preset = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../infra/datasets/presets/hubspot_contact.json");
    let output = Command::new(env!("CARGO_BIN_EXE_headgate"))
        .args([command, "--json", "--dataset"])
        .arg(preset)
        .arg("--lake")
        .arg(lake)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
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
