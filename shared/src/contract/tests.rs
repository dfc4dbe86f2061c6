//! Contracts and records: the rows and refusals they make, through a sink that holds readers to its protocol.

use serde_json::{Value as Json, json};

use self::recorder::Recorder;
use super::*;

mod fields;
mod filter;
mod grammar;
mod keys;
mod masks;
mod property;
mod recorder;
mod types;
mod unknown;

const KEY: &[u8] = b"a key of 16 byte";

/// A stream with these columns, each a type or its description, and whatever else `more` says.
fn stream(columns: &Json, more: &Json) -> Stream {
    let columns: Vec<Json> =
        columns.as_object().unwrap().iter().map(|(name, column)| described(name, column)).collect();
    let mut document = json!({
        "name": "events", "kind": "stream", "source": {"type": "kinesis"}, "columns": columns,
        "target": {"prefix": "raw/events/"},
    });
    document.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    Stream::parse("events.json", &document.to_string()).unwrap()
}

fn described(name: &str, column: &Json) -> Json {
    let mut column = if column.is_string() { json!({"type": column}) } else { column.clone() };
    column["name"] = json!(name);
    column
}

fn contract(columns: &Json, more: &Json) -> Contract {
    Contract::new(&stream(columns, more), Some(MaskKey::new(KEY).unwrap())).unwrap()
}

/// What the record becomes: its row, why it is dropped, or the refusal with its code.
fn read(contract: &Contract, text: &str) -> String {
    let mut reader = Reader::new(contract);
    let mut sink = Recorder::new(contract);
    let mut outcome = || match reader.read(text, 0, &mut sink) {
        Ok(Row { dropped: Some(reason), .. }) => format!("{reason:?}").to_lowercase(),
        Ok(_) => sink.rows.pop().unwrap(),
        Err(refused) => format!("{} {refused}", refused.code.as_str()),
    };
    let first = outcome();
    assert_eq!(outcome(), first, "nothing stays behind in the reader: {text}");
    assert_eq!(sink.rows, [""; 0], "one row at most: {text}");
    first
}

/// By columns and whatever else the dataset says, the record becomes this.
fn check_more(columns: &Json, more: &Json, text: &str, want: &str) {
    assert_eq!(read(&contract(columns, more), text), want, "{text}\nby {columns}");
}

fn check(columns: &Json, text: &str, want: &str) {
    check_more(columns, &json!({}), text, want);
}

/// The contract cannot be made.
fn check_contract(columns: &Json, key: Option<MaskKey>, want: &str) {
    assert_eq!(Contract::new(&stream(columns, &json!({})), key).unwrap_err().message, want);
}
