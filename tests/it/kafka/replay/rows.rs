//! Refused records → the rows that the function would have made of them under the corrected dataset.

use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use base64::{Engine, prelude::BASE64_STANDARD};
use headgate::{
    Error,
    clock::{SystemClock, Timestamp},
    contract::Contract,
    dataset::Stream,
    decode::registry::SchemaId,
    quarantine::Part,
    registry::{Registry, SchemaText},
    state::memory::MemoryState,
};
use headgate_columnar::replay::{Options, Report, replay};
use headgate_kafka::{Envelope, Rows, Target, replay::Rows as Kind, schemas::Schemas};
use serde_json::{Value, json};

use super::trouble::{self, Scene, ports};
use crate::{
    kafka::lake::Lake,
    landed::Landed,
    replay::scene::{adds_up, apply, target},
};

/// All columns of an envelope, and a number that may be a word.
fn described(format: &str, id: &str, with_tombstones: bool) -> Value {
    let mut columns = json!([
        {"name": "id", "type": id, "required": !with_tombstones},
        {"name": "state", "type": "string"},
        {"name": "_kafka_topic", "type": "string"},
        {"name": "_kafka_partition", "type": "int32"},
        {"name": "_kafka_offset", "type": "int64"},
        {"name": "_kafka_timestamp", "type": "timestamp(ms)"},
        {"name": "_kafka_key", "type": "string"},
        {"name": "_kafka_headers", "type": "json"},
    ]);
    if with_tombstones {
        columns.as_array_mut().unwrap().push(json!({"name": "_kafka_tombstone", "type": "boolean"}));
    }
    if format.starts_with("debezium") {
        columns.as_array_mut().unwrap().push(json!({"name": "op", "type": "string", "path": "envelope.op"}));
    }
    json!({"name": "orders", "kind": "stream", "source": {"type": "kafka", "format": format}, "columns": columns,
        "partition_by": {"time": "day"}, "target": {"prefix": "raw/orders/"}})
}

fn rows(dataset: &Value) -> Rows {
    let stream = Stream::parse("orders.json", &dataset.to_string()).unwrap();
    Rows { contract: Contract::new(&stream, None).unwrap(), envelope: Envelope::of(&stream).unwrap(), stream }
}

/// A registry that has one schema more than the function had: 5 and, of Glue, all.
#[derive(Debug)]
struct Later;

#[async_trait]
impl Registry for Later {
    async fn schema(&self, id: SchemaId) -> Result<Option<SchemaText>, Error> {
        let fields = json!([{"name": "id", "type": "long"}, {"name": "state", "type": ["null", "string"]}]);
        let row = json!({"type": "record", "name": "order", "fields": fields});
        Ok(match id {
            SchemaId::Confluent(5) | SchemaId::Glue(_) => {
                Some(SchemaText { schema: row.to_string(), references: Vec::new() })
            }
            SchemaId::Confluent(_) => None,
        })
    }
}

/// Replays under this dataset.
async fn replays(lake: &Lake, dataset: &Value, options: &Options) -> Report {
    let (rows, schemas) = (rows(dataset), Schemas::new(vec![Arc::new(Later)], Arc::new(SystemClock)));
    let kind = Kind { rows: &rows, schemas: &schemas };
    replay(target(&kind, &lake.store, &lake.state), options, &|_, _| {}).await
}

/// All rows of the table, wherever they are.
async fn all(lake: &Landed) -> Vec<String> {
    let mut rows: Vec<String> = Vec::new();
    for (key, lines) in lake.lines().await {
        let day = key.rsplit_once('/').unwrap().0.to_owned();
        rows.extend(lines.into_iter().map(|line| format!("{day} {line}")));
    }
    rows.sort();
    rows
}

/// A lake whose function has this dataset.
fn lake(dataset: &Value) -> Lake {
    let mut lake = Lake::new("json");
    lake.ports.target = Target::Rows(rows(dataset));
    lake
}

fn record(offset: i64, value: Option<&[u8]>, more: &Value) -> Value {
    let mut record = json!({"topic": "orders", "partition": 3, "offset": offset,
        "timestamp": 1_795_348_700_000_i64 + offset % 2 * 86_400_000, "timestampType": "CREATE_TIME",
        "key": BASE64_STANDARD.encode(format!("{{\"id\": {offset}}}")), "headers": [{"a": [120]}, {"a": [-1]}, {"b": null}],
        "value": value.map(|value| BASE64_STANDARD.encode(value))});
    for (name, value) in more.as_object().into_iter().flatten() {
        record[name] = value.clone();
    }
    record
}

fn event(records: &[Value]) -> Value {
    json!({"eventSource": "aws:kafka", "bootstrapServers": "b-1:9092", "records": {"orders-3": records}})
}

async fn land(lake: &Lake, event: &Value) {
    assert_eq!(lake.deliver(event).await, Ok(json!({"batchItemFailures": []})));
}

/// These records land under one dataset and are replayed under another: then the table is as if it had been there from
/// the start.
async fn check(before: &Value, after: &Value, records: &[Value], replayed: u64) {
    let (strict, mut known) = (lake(before), lake(after));
    known.ports.schemas = Schemas::new(vec![Arc::new(Later)], Arc::new(SystemClock));
    land(&strict, &event(records)).await;
    land(&known, &event(records)).await;
    for (replayed, repeated) in [(replayed, 0), (0, replayed)] {
        let report = replays(&strict, after, &apply()).await;
        adds_up(&report);
        assert_eq!((report.replayed, report.repeated), (replayed, repeated), "{report:#?}");
    }
    assert_eq!(all(&strict).await, all(&known).await);
    assert_eq!(known.refused().await.len() as u64 + replayed, strict.refused().await.len() as u64);
}

fn order(id: &Value) -> Vec<u8> {
    json!({"id": id, "state": "new", "more": [1]}).to_string().into_bytes()
}

#[tokio::test]
async fn rows_have_all_that_their_records_had() {
    let (word, number) = (order(&json!("word")), order(&json!(7)));
    let without = json!({"timestamp": -1, "key": null, "headers": []});
    let records = [
        record(10, Some(&word), &json!({})),
        record(11, Some(&number), &json!({})),
        record(12, Some(&word), &without),
        record(13, Some(&[&word[..], b"\n", &number, &word].concat()), &json!({})),
        record(15, Some(b"[1"), &json!({})),
        // Behind a Confluent header.
        record(16, Some(&[&[0, 0, 0, 0, 1], &word[..]].concat()), &json!({"key": BASE64_STANDARD.encode([255, 0])})),
        record(17, None, &json!({})),
        record(18, Some(b"{}"), &json!({"value": "?"})),
    ];
    check(&described("json", "int64", false), &described("json", "string", false), &records, 5).await;
}

#[tokio::test]
async fn a_tombstone_that_was_refused_is_a_row() {
    let gone = |offset| record(offset, None, &json!({"key": BASE64_STANDARD.encode(r#"{"id": "word"}"#)}));
    let records = [gone(10), record(11, Some(&order(&json!("word"))), &json!({})), gone(12)];
    check(&described("json", "int64", true), &described("json", "string", true), &records, 3).await;
}

#[tokio::test]
async fn avro_is_read_when_its_schema_is_there() {
    let datum = b"\x0e\x02\x06new";
    let told = json!({"valueSchemaMetadata": {"dataFormat": "AVRO", "schemaId": "5"}});
    let records = [
        record(10, Some(&[&[0, 0, 0, 0, 5], &datum[..]].concat()), &json!({})),
        record(11, Some(datum), &told),
        record(12, Some(&[&[0, 0, 0, 0, 6], &datum[..]].concat()), &json!({})),
    ];
    let dataset = described("avro", "int64", false);
    check(&dataset, &dataset, &records, 2).await;
}

#[tokio::test]
async fn a_delete_is_read_by_its_key() {
    let delete = |offset| record(offset, Some(br#"{"op": "d", "before": null}"#), &json!({}));
    let records = [delete(10), record(11, Some(br#"{"op": "c", "after": {"id": "word"}}"#), &json!({})), delete(12)];
    let after = described("debezium_json", "string", false);
    let mut before = after.clone();
    before["columns"][0]["pattern"] = json!("^none$");
    check(&before, &after, &records, 3).await;
}

#[tokio::test]
async fn a_partition_that_the_row_could_not_have_does_not_hide_what_it_was_made_of() {
    let (mut before, after) = (described("avro", "int64", false), described("avro", "int64", false));
    before["partition_by"] = json!({"time": "none", "columns": ["state"]});
    let long = "s".repeat(2_000);
    let datum = [&[0, 0, 0, 0, 5, 14, 2][..], &[0xa0, 0x1f], long.as_bytes()].concat();
    let mut strict = lake(&before);
    strict.ports.schemas = Schemas::new(vec![Arc::new(Later)], Arc::new(SystemClock));
    land(&strict, &event(&[record(10, Some(&datum), &json!({}))])).await;
    assert_eq!(strict.refused().await.iter().map(|line| line.part).collect::<Vec<_>>(), [Part::Record]);
    let report = replays(&strict, &after, &apply()).await;
    adds_up(&report);
    assert_eq!((report.replayed, strict.values("id").await), (1, BTreeMap::from([("7".to_owned(), 1)])));
}

#[tokio::test]
async fn a_line_without_its_key_and_headers_is_told() {
    let strict = lake(&described("json", "int64", false));
    land(&strict, &event(&[record(10, Some(&order(&json!("word"))), &json!({}))])).await;
    let (key, body) = strict.objects("quarantine/").await.remove(0);
    let mut line: Value = serde_json::from_slice(&body).unwrap();
    assert!(line.as_object_mut().unwrap().remove("kafka").is_some());
    strict.store.put_at(&key, line.to_string(), Timestamp(0));
    let report = replays(&strict, &described("json", "string", false), &apply()).await;
    adds_up(&report);
    let refused = &report.refused["invalid_event"];
    assert_eq!((refused.lines, report.written), (1, 0));
    assert!(refused.examples[0].contains("read the topic again from its offset"), "{refused:?}");
}

#[tokio::test]
async fn lines_whose_batch_may_come_again_wait() {
    let strict = lake(&described("json", "int64", false));
    let records = [record(10, Some(&order(&json!("word"))), &json!({})), record(11, Some(b"{}"), &json!({}))];
    // The state is read, claimed, and then the checkpoint moves.
    strict.state.faults().crash_from(strict.state.faults().total() + 3);
    strict.deliver(&event(&records)).await.unwrap();
    strict.state.faults().revive();
    let lenient = described("json", "string", false);
    let report = replays(&strict, &lenient, &apply()).await;
    adds_up(&report);
    assert_eq!((report.unsettled, report.written), (2, 0));
    land(&strict, &event(&records)).await;
    let report = replays(&strict, &lenient, &apply()).await;
    adds_up(&report);
    assert_eq!((report.replayed, report.refused["missing_field"].lines), (1, 1));
    assert_eq!(strict.values("id").await, BTreeMap::from([("word".to_owned(), 1)]));
}

/// Records of two partitions, of two days, of which some were refused.
struct Refused(Lake);

impl Scene for Refused {
    async fn new() -> Self {
        let lake = lake(&described("json", "int64", false));
        for partition in [3, 4] {
            let records: Vec<_> = (10..16)
                .map(|offset| {
                    let id = if offset % 3 == 0 { json!(offset) } else { json!(format!("word{partition}-{offset}")) };
                    record(offset, Some(&order(&id)), &json!({"partition": partition}))
                })
                .collect();
            for records in records.chunks(3) {
                land(&lake, &event(records)).await;
            }
        }
        Self(lake)
    }

    fn landed(&self) -> &Landed {
        &self.0
    }

    fn state(&self) -> &MemoryState {
        &self.0.state
    }

    fn replayer(&self) -> impl AsyncFnOnce(&Options) -> Report + Send + use<> + 'static {
        let (store, state) = ports(self);
        async move |options: &Options| {
            let (rows, schemas) =
                (rows(&described("json", "string", false)), Schemas::new(Vec::new(), Arc::new(SystemClock)));
            let kind = Kind { rows: &rows, schemas: &schemas };
            replay(target(&kind, &store, &state), options, &|_, _| {}).await
        }
    }

    async fn check(&self, told: &str) {
        let mut expected = BTreeMap::from([("12".to_owned(), 2), ("15".to_owned(), 2)]);
        for partition in [3, 4] {
            expected.extend([10, 11, 13, 14].map(|offset| (format!("word{partition}-{offset}"), 1)));
        }
        assert_eq!(self.0.values("id").await, expected, "{told}");
    }
}

#[tokio::test]
async fn a_failure_anywhere_is_cured_by_another_replay() {
    trouble::fails_anywhere::<Refused>().await;
}

#[tokio::test]
async fn two_replays_at_once_store_nothing_twice() {
    trouble::races::<Refused>().await;
}

#[tokio::test]
async fn looking_changes_nothing_and_tells_the_same() {
    trouble::looks::<Refused>().await;
}
