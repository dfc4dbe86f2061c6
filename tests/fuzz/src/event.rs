//! Bytes → the events of `headgate::event`, whose records are as many as the JSON has.
//!
//! A record that cannot be read is there as a refused one: none is lost, whatever is wrong with it.

use headgate::event::{firehose, http, kafka, kinesis};
use serde_json::Value;

/// A batch of a Kinesis stream, the quick way and the careful one, and the document in which a failed one is kept.
pub fn kinesis(input: &[u8]) {
    let read = kinesis::read(input);
    if let Ok(records) = &read {
        as_many(records.len(), input, |event| event["Records"].as_array().map(Vec::len));
        for record in records.iter().flatten() {
            assert!(record.position(Some(1)) > record.position(None));
        }
    }
    // An escape is odd enough for the careful way.
    if let Some(members) = input.strip_prefix(b"{").filter(|members| members.starts_with(b"\"")) {
        let odd = [br#"{"\u0078":0,"#, members].concat();
        assert_eq!(kinesis::read(&odd).ok(), read.ok());
    }
    let _ = kinesis::failed_event(input);
}

/// A request to transform.
pub fn firehose(input: &[u8]) {
    let Ok(request) = firehose::read(input) else { return };
    as_many(request.records.len(), input, |event| event["records"].as_array().map(Vec::len));
    for record in request.records.into_iter().flatten() {
        assert!(record.position.is_none() || request.source.stream().is_some());
    }
}

/// A batch of Kafka topics, and the document in which a failed one is kept.
pub fn kafka(input: &[u8]) {
    let _ = kafka::failed_event(input);
    let Ok(records) = kafka::read(input) else { return };
    assert_eq!(kafka::texts(input).map(|texts| texts.len()), Ok(records.len()));
    if let Ok(Value::Object(event)) = serde_json::from_slice(input) {
        // A partition without a list is one refused record. A name may come twice, and `serde_json` then takes the last.
        let count = |list: &Value| list.as_array().map_or(usize::from(!list.is_null()), Vec::len);
        let told: usize = event["records"].as_object().into_iter().flat_map(|lists| lists.values()).map(count).sum();
        assert!(records.len() >= told);
    }
    for record in records.into_iter().flatten() {
        assert!(record.timestamp.is_none_or(|at| at.0 >= 0));
        assert!(record.position().to_string().contains(" offset "));
    }
}

/// A request over HTTP.
pub fn http(input: &[u8]) {
    let Ok(request) = http::read(input) else { return };
    for (name, value) in request.headers() {
        assert_eq!(request.header(&name.to_ascii_uppercase()), Some(value));
    }
}

/// Where `serde_json` has no value for a text in the event, it cannot be asked.
fn as_many(records: usize, event: &[u8], count: impl Fn(&Value) -> Option<usize>) {
    if let Ok(value) = serde_json::from_slice::<Value>(event) {
        assert_eq!(count(&value), Some(records));
    }
}
