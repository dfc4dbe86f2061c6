//! `headgate check` of a folder of dataset files.

#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

fn check(folder: &Path) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } =
        Command::new(env!("CARGO_BIN_EXE_headgate")).arg("check").arg(folder).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code(), text(stdout), text(stderr))
}

#[test]
fn what_is_shipped_is_well() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../infra/datasets");
    for (folder, line) in [(folder.join("presets"), "zendesk_ticket"), (folder, "clickstream")] {
        let (code, told, _) = check(&folder);
        assert_eq!(code, Some(0), "{told}");
        assert!(told.lines().any(|told| told.trim_start().starts_with(line)), "{told}");
    }
}

#[test]
fn every_problem_of_every_file_is_told() {
    let folder = tempfile::tempdir().unwrap();
    assert!(check(folder.path()).2.contains("no dataset file"));
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../infra/datasets/clickstream.json");
    let shipped = fs::read_to_string(shipped).unwrap();
    for (name, from, to) in [
        ("one", "\"kind\": \"stream\"", "\"kind\": \"streem\""),
        ("two", "\"columns\"", "\"colums\""),
        ("three", "raw/clickstream/", "raw/clickstream"),
    ] {
        let file = shipped.replace("\"clickstream\"", &format!("\"{name}\"")).replacen(from, to, 1);
        fs::write(folder.path().join(format!("{name}.json")), file).unwrap();
    }
    let (code, _, told) = check(folder.path());
    assert_eq!(code, Some(2), "{told}");
    for part in ["one.json", "$.kind", "two.json", "$.colums", "three.json", "$.target.prefix"] {
        assert!(told.contains(part), "{part}: {told}");
    }
}
