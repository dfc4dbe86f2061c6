//! `headgate compact` as a process, on a lake in a directory.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test fails by a panic")]

use std::{
    fs,
    path::Path,
    process::{Command, Output},
    time::Duration,
};

use headgate::clock::{Clock, SystemClock};
use headgate_columnar::{
    rows,
    sample::{Column, Values, parquet},
};
use serde_json::{Value, json};

const FOLDER: &str = "lake/raw/clicks/year=2026/month=01/day=01/hour=00";

fn lake(root: &Path, source: &str) {
    let dataset = json!({
        "name": "clicks", "kind": "stream", "source": {"type": source},
        "columns": [{"name": "id", "type": "int64"}], "compact": {"order_by": ["id"]},
        "target": {"prefix": "raw/clicks/"},
    });
    fs::write(root.join("clicks.json"), dataset.to_string()).unwrap();
    fs::create_dir_all(root.join(FOLDER)).unwrap();
    let now = Duration::from_millis(u64::try_from(SystemClock.now().0).unwrap());
    for number in 0..4_i64 {
        let file = parquet(&[Column::optional("id", Values::Int64(vec![Some(number * 3 % 4)]))]).unwrap();
        let path = root.join(FOLDER).join(format!("a-{number}.parquet"));
        fs::write(&path, file).unwrap();
        let then = std::time::UNIX_EPOCH + now - Duration::from_hours(2);
        fs::File::options().write(true).open(path).unwrap().set_modified(then).unwrap();
    }
}

fn headgate(root: &Path, more: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_headgate"));
    command.current_dir(root).args(["compact", "--dataset", "clicks.json", "--lake", "lake"]).args(more);
    command.output().unwrap()
}

/// The numbers in each file.
fn files(root: &Path) -> Vec<Vec<String>> {
    let files = fs::read_dir(root.join(FOLDER)).unwrap().map(|entry| entry.unwrap().path());
    let read = |path| rows::read(fs::read::<std::path::PathBuf>(path).unwrap().into(), None).unwrap().rows;
    files.map(|path| read(path).into_iter().flatten().flatten().collect()).collect()
}

#[test]
fn it_looks_first_and_then_replaces() {
    let root = tempfile::tempdir().unwrap();
    lake(root.path(), "firehose");
    let looked = headgate(root.path(), &[]);
    let told = String::from_utf8(looked.stdout).unwrap();
    assert!(looked.status.success() && told.starts_with("clicks: nothing is written; --apply writes\n"), "{told}");
    assert_eq!(files(root.path()).len(), 4);
    let done = headgate(root.path(), &["--apply", "--json"]);
    let report: Value = serde_json::from_slice(&done.stdout).unwrap();
    assert_eq!(
        (&report["outcome"], &report["rows"], &report["applied"]),
        (&json!("compacted"), &json!(4), &json!(true))
    );
    assert_eq!(files(root.path()), [["0", "1", "2", "3"]]);
    let again = headgate(root.path(), &["--apply"]);
    assert!(String::from_utf8(again.stdout).unwrap().starts_with("clicks: nothing to compact\n"));
}

#[test]
fn without_the_checkpoints_of_its_shards_a_table_is_left_alone() {
    let root = tempfile::tempdir().unwrap();
    lake(root.path(), "kinesis");
    let refused = headgate(root.path(), &["--apply"]);
    let told = String::from_utf8(refused.stderr).unwrap();
    assert_eq!(refused.status.code(), Some(1), "{told}");
    assert!(told.contains("the state with the checkpoints of its shards is needed"), "{told}");
    assert_eq!(files(root.path()).len(), 4);
    assert_eq!(headgate(root.path(), &["--apply", "--dry-run"]).status.code(), Some(2));
    assert_eq!(headgate(root.path(), &["--state", "nowhere"]).status.code(), Some(2));
}
