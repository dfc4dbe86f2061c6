//! Text → rows by contracts of every type, held to `serde_json`.
//!
//! What is JSON and what is not is never another matter for us, and what we write is JSON.

use std::sync::LazyLock;

use headgate::{
    Code,
    contract::{Contract, MaskKey, Reader, Refused, Row, json::Lines},
    dataset::stream::Stream,
};
use serde_json::{Map, Value};

/// Takes any object.
static ANYTHING: LazyLock<Contract> =
    LazyLock::new(|| contract("json", r#"[{"name": "a", "type": "json"}]"#, "keep", "[]"));

static TYPED: LazyLock<[Contract; 3]> = LazyLock::new(|| {
    let columns = r#"[
        {"name": "b", "type": "boolean"}, {"name": "i", "type": "int32", "min": 0, "default": 1},
        {"name": "l", "type": "int64"}, {"name": "u", "type": "uint64"}, {"name": "f", "type": "float32"},
        {"name": "d", "type": "float64"}, {"name": "n", "type": "decimal(20,4)"}, {"name": "s", "type": "string"},
        {"name": "dt", "type": "date"}, {"name": "ms", "type": "timestamp(ms)"}, {"name": "us", "type": "timestamp(us)"},
        {"name": "t", "type": "time"}, {"name": "bin", "type": "binary"}, {"name": "j", "type": "json"},
        {"name": "hidden", "type": "string", "path": "o.p", "mask": "hash"},
        {"name": "last", "type": "string", "path": "o.q", "mask": "keep_last(2)"},
        {"name": "word", "type": "string", "path": "s", "pattern": "^[a-z]*$"},
        {"name": "list", "type": "list<struct<x: int32, y: list<string>>>"},
        {"name": "st", "type": "struct<x: json, y: struct<z: decimal(5,2)>>"}, {"name": "st_x", "type": "json", "path": "st.x"}
    ]"#;
    let filter = r#"[{"column": "i", "min": 1}, {"column": "s", "one_of": ["x"], "not": true, "null": true}]"#;
    [
        contract("json", columns, "keep", "[]"),
        contract("dms_json", columns, "drop", filter),
        contract("json", columns, "reject", filter),
    ]
});

fn contract(format: &str, columns: &str, unknown: &str, filter: &str) -> Contract {
    let dataset = format!(
        r#"{{"name": "events", "kind": "stream", "source": {{"type": "kinesis", "format": "{format}"}},
            "columns": {columns}, "unknown_fields": "{unknown}", "filter": {filter}, "target": {{"prefix": "raw/events/"}}}}"#
    );
    let stream = Stream::parse("events.json", &dataset).expect("a dataset");
    Contract::new(&stream, Some(MaskKey::new(&[7; 16]).expect("a key"))).expect("a contract")
}

/// The first object of the text, by each contract.
pub fn rows(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    grammar(text);
    for contract in &*TYPED {
        let (read, line) = line(contract, text);
        if let Ok(row) = read {
            assert!(text.is_char_boundary(row.end));
            assert!(row.dropped.is_some() || text[..row.end].ends_with('}'));
        }
        assert_eq!(read.is_ok_and(|row| row.dropped.is_none()), !line.is_empty());
    }
}

/// What the text becomes, twice: nothing stays behind in a reader.
fn line(contract: &Contract, text: &str) -> (Result<Row, Refused>, String) {
    let (mut reader, mut lines) = (Reader::new(contract), Lines::new(contract));
    let mut read = || {
        lines.cut(0);
        (reader.read(text, 0, &mut lines), String::from_utf8(lines.bytes().to_vec()).unwrap())
    };
    let first = read();
    assert_eq!(read(), first);
    if let Some(line) = first.1.strip_suffix('\n') {
        assert!(!line.contains('\n'));
        let row: Map<String, Value> = serde_json::from_str(line).unwrap();
        for json in ["_extra", "j", "st_x"] {
            // What is kept of a record was not read: a number in it may be beyond all floats.
            assert!(row.get(json).and_then(Value::as_str).is_none_or(is_json), "{json}");
        }
    }
    first
}

fn is_json(text: &str) -> bool {
    serde_json::from_str::<Value>(text).map_or_else(|error| is_out_of_range(&error), |_| true)
}

/// Numbers beyond its floats are JSON, though `serde_json` has no place for them.
fn is_out_of_range(error: &serde_json::Error) -> bool {
    error.to_string().starts_with("number out of range")
}

/// A contract that takes anything reads what `serde_json` reads, but for fields that occur twice.
fn grammar(text: &str) {
    let first = serde_json::Deserializer::from_str(text).into_iter::<Map<String, Value>>().next();
    match line(&ANYTHING, text).0 {
        Ok(_) => assert!(first.is_some_and(|first| first.is_ok() || first.is_err_and(|error| is_out_of_range(&error)))),
        Err(refused) if refused.code == Code::DuplicateField => {}
        Err(refused) => assert!(!matches!(first, Some(Ok(_))), "{refused}"),
    }
}
