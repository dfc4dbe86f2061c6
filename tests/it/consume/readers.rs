//! Every type of column → what pyarrow and `DuckDB` read of it.

use std::{
    io::Write,
    process::{Command, Stdio},
};

use headgate_tests::python;
use serde_json::{Value, json};

use super::lake::{Lake, batch, clickstream};

/// What the files were tried with.
const PACKAGES: [&str; 2] = ["duckdb==2.0.1", "pyarrow==26.0.1"];
/// The types and values that it must find.
const CHECK: &str = include_str!("readers.py");

const TYPES: [(&str, &str); 17] = [
    ("string", "string"),
    ("int32", "int32"),
    ("int64", "int64"),
    ("uint64", "uint64"),
    ("float32", "float32"),
    ("float64", "float64"),
    ("money", "decimal(9,2)"),
    ("decimal", "decimal(38,10)"),
    ("boolean", "boolean"),
    ("date", "date"),
    ("ms", "timestamp(ms)"),
    ("us", "timestamp(us)"),
    ("time", "time"),
    ("binary", "binary"),
    ("json", "json"),
    ("list", "list<string>"),
    ("struct", "struct<a: int32, b: list<decimal(5,2)>, c: struct<d: timestamp(ms)>>"),
];

/// The least, the most, and nothing.
fn records() -> [Value; 3] {
    let least = json!({
        "string": "", "int32": i32::MIN, "int64": i64::MIN, "uint64": 0, "float32": -3.402_823_466_385_288_6e38,
        "float64": -5e-324, "money": "-9999999.99", "decimal": "-9999999999999999999999999999.9999999999",
        "boolean": false, "date": "0001-01-01", "ms": "1900-02-28T23:59:59.999Z", "us": "0001-01-01T00:00:00.000001Z",
        "time": "00:00:00", "binary": "", "json": [], "list": [],
        "struct": {"a": i32::MIN, "b": ["-999.99"], "c": {"d": "1969-12-31T23:59:59.999Z"}},
    });
    let most = json!({
        "string": "\u{0} \"é\" 漢字 🎈", "int32": i32::MAX, "int64": i64::MAX, "uint64": u64::MAX, "float32": 1e-45,
        "float64": f64::MAX, "money": 9_999_999.99, "decimal": "9999999999999999999999999999.9999999999",
        "boolean": true, "date": "9999-12-31", "ms": "9999-12-31T23:59:59.999Z", "us": "9999-12-31T23:59:59.999999Z",
        "time": "23:59:59.999999", "binary": "AP+A", "json": {"漢": [1, null]}, "list": ["a", null, "漢"],
        "struct": {"a": null, "b": [null, "0.01"], "c": null},
    });
    [least, most, json!({})]
}

#[tokio::test]
async fn other_readers_see_the_declared_types_and_the_values() {
    let Some(python) = python::with("readers-venv", &PACKAGES, "with pyarrow and DuckDB") else { return };
    let lake = Lake::new(&clickstream(|dataset| {
        dataset.as_object_mut().unwrap().remove("event_time");
        dataset["columns"] = TYPES.iter().map(|(name, kind)| json!({"name": name, "type": kind})).collect();
        dataset["partition_by"]["time"] = json!("none");
    }));
    lake.land(&batch(0, &records().map(|record| record.to_string().into_bytes()))).await;
    assert_eq!(lake.refused().await, []);
    let (_, file) = lake.objects("raw/").await.remove(0);
    let mut python = Command::new(python);
    python.args(["-c", CHECK]).env("TZ", "UTC");
    let mut reading = python.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // Its words tell more than a pipe that it closed.
    reading.stdin.take().unwrap().write_all(&file).ok();
    let ended = reading.wait_with_output().unwrap();
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
}
