//! Whole invocations over ports in memory: what lands, and what the event source mapping is told.

use std::{collections::BTreeMap, sync::Mutex};

use async_trait::async_trait;
use base64::{Engine, prelude::BASE64_STANDARD};
use headgate::{
    clock::ManualClock,
    dataset::Stream,
    decode::registry::SchemaId,
    registry::{Registry, SchemaText},
    state::{StateError, memory::MemoryState},
    store::memory::MemoryStore,
};
use headgate_columnar::rows;
use serde_json::{Value, json};

use super::*;

const NOW: Timestamp = Timestamp(1_795_348_800_000);
const AT: i64 = 1_795_348_700_000;

/// A registry with three versions of a schema, which may be down.
#[derive(Debug, Default)]
struct Schemata {
    down: Mutex<bool>,
    asked: Mutex<u64>,
}

#[async_trait]
impl Registry for Schemata {
    async fn schema(&self, id: SchemaId) -> Result<Option<SchemaText>, Error> {
        *self.asked.lock().unwrap() += 1;
        if *self.down.lock().unwrap() {
            return Err(Error::retry(Code::Unavailable, "the registry does not answer"));
        }
        let field = |name: &str, r#type: Value| json!({"name": name, "type": r#type});
        let fields = match id {
            SchemaId::Confluent(1) => vec![field("id", json!("long"))],
            SchemaId::Confluent(2) => vec![field("state", json!(["null", "string"])), field("id", json!("long"))],
            SchemaId::Confluent(3) => vec![field("id", json!("int"))],
            _ => return Ok(None),
        };
        let schema = json!({"type": "record", "name": "order", "fields": fields}).to_string();
        Ok(Some(SchemaText { schema, references: Vec::new() }))
    }
}

struct Scene {
    ports: Ports,
    store: MemoryStore,
    state: MemoryState,
    registry: Arc<Schemata>,
    clock: Arc<ManualClock>,
}

fn scene(format: &str, columns: &Value) -> Scene {
    let clock = Arc::new(ManualClock::new(NOW));
    let (store, state) = (MemoryStore::new(clock.clone()), MemoryState::new(clock.clone()));
    let text = json!({
        "name": "orders", "kind": "stream", "source": {"type": "kafka", "format": format},
        "columns": columns, "partition_by": {"time": "day"}, "target": {"prefix": "raw/orders/"},
    });
    let stream = Stream::parse("orders.json", &text.to_string()).unwrap();
    let registry = Arc::new(Schemata::default());
    let ports = Ports {
        target: Target::Rows(Rows {
            contract: Contract::new(&stream, None).unwrap(),
            envelope: Envelope::of(&stream).unwrap(),
            stream,
        }),
        schemas: Schemas::new(vec![registry.clone()], clock.clone()),
        failures: Failures::Records,
        store: Arc::new(store.clone()),
        state: Arc::new(state.clone()),
        most: 1 << 20,
        clock: clock.clone(),
        emitter: Emitter::Memory(Arc::new(Mutex::new(Vec::new()))),
        function: "msk-consumer".to_owned(),
    };
    Scene { ports, store, state, registry, clock }
}

fn plain() -> Scene {
    scene("json", &json!([{"name": "id", "type": "int64", "required": true}, {"name": "state", "type": "string"}]))
}

fn record(partition: i32, offset: i64, value: Option<&[u8]>) -> Value {
    json!({"topic": "eu-orders", "partition": partition, "offset": offset, "timestamp": AT + offset,
        "timestampType": "CREATE_TIME", "key": BASE64_STANDARD.encode(format!("{{\"id\":{offset}}}")),
        "value": value.map(|value| BASE64_STANDARD.encode(value)), "headers": [{"trace": [104, -61, -87]}, {"raw": [-1]}]})
}

fn good(partition: i32, offset: i64) -> Value {
    record(partition, offset, Some(format!(r#"{{"id":{offset},"state":"new"}}"#).as_bytes()))
}

fn event(records: &[Value]) -> String {
    let mut partitions: BTreeMap<String, Vec<&Value>> = BTreeMap::new();
    for record in records {
        partitions.entry(format!("eu-orders-{}", record["partition"])).or_default().push(record);
    }
    json!({"eventSource": "aws:kafka", "bootstrapServers": "b-1:9092", "records": partitions}).to_string()
}

impl Scene {
    /// The failures of the answer, `partition:offset` each; or the error's code.
    async fn deliver(&self, records: &[Value]) -> Vec<String> {
        let deadline = self.clock.now().plus(Duration::from_mins(1));
        match handle(event(records).as_bytes(), deadline, &self.ports).await {
            Ok(response) => {
                let response = serde_json::to_value(&response).unwrap();
                let item = |failure: &Value| {
                    let item = &failure["itemIdentifier"];
                    format!("{}:{}", item["partition"].as_str().unwrap(), item["offset"])
                };
                response["batchItemFailures"].as_array().unwrap().iter().map(item).collect()
            }
            Err(error) => vec![error.code.to_string()],
        }
    }

    /// All rows and refused records by the objects they are in.
    async fn lake(&self) -> BTreeMap<String, Vec<String>> {
        let mut lake = BTreeMap::new();
        for object in self.store.list("", None).await.unwrap().objects {
            let (_, body) = self.store.get(&object.key).await.unwrap().unwrap();
            let lines = if object.key.starts_with("quarantine/") {
                let text = String::from_utf8(body.to_vec()).unwrap();
                text.lines()
                    .map(|line| {
                        let line: Value = serde_json::from_str(line).unwrap();
                        format!("{} {}", line["code"].as_str().unwrap(), line["position"]["offset"]["offset"])
                    })
                    .collect()
            } else {
                let value = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
                let row = |row: &Vec<Option<String>>| row.iter().map(value).collect::<Vec<_>>().join(" ");
                rows::read(body, None).unwrap().rows.iter().map(row).collect()
            };
            lake.insert(object.key, lines);
        }
        lake
    }

    /// The first column of all rows, in order; and all refused records.
    async fn ids(&self) -> (Vec<i64>, Vec<String>) {
        let (mut ids, mut refused) = (Vec::new(), Vec::new());
        for (key, lines) in self.lake().await {
            if key.starts_with("quarantine/") {
                refused.extend(lines);
            } else {
                ids.extend(lines.iter().map(|line| line.split(' ').next().unwrap().parse::<i64>().unwrap()));
            }
        }
        ids.sort_unstable();
        (ids, refused)
    }
}

const NONE: [&str; 0] = [];

#[tokio::test]
async fn each_partition_lands_in_the_order_of_its_offsets() {
    let scene = plain();
    let batch = [good(1, 8), good(0, 12), good(1, 7), record(0, 13, Some(b"{\"id\":\"x\"}")), record(0, 14, None)];
    for _ in 0..2 {
        assert_eq!(scene.deliver(&batch).await, NONE);
        let lake = scene.lake().await;
        let lines: Vec<_> = lake.iter().map(|(key, lines)| format!("{key}: {}", lines.join(", "))).collect();
        assert_eq!(
            lines,
            [
                "quarantine/orders/year=2026/month=11/day=22/hour=11/eu-orders--0--00000000000000000013.jsonl: \
                 invalid_value 13",
                "raw/orders/year=2026/month=11/day=22/eu-orders--0--00000000000000000012.parquet: 12 new -",
                "raw/orders/year=2026/month=11/day=22/eu-orders--1--00000000000000000007.parquet: 7 new -, 8 new -",
            ]
        );
    }
}

#[tokio::test]
async fn batches_with_other_bounds_bring_no_row_twice() {
    let scene = plain();
    let batch = |offsets: std::ops::Range<i64>| offsets.map(|offset| good(0, offset)).collect::<Vec<_>>();
    let calls = Arc::new(Mutex::new(0));
    for (round, range) in [0..5, 0..3, 2..9, 0..9, 9..10, 20..24].into_iter().enumerate() {
        // Each batch fails at another call first: nothing of it, or all of it, may be written by then.
        let number = scene.state.faults().total() + 1 + round as u64 % 3;
        scene.state.faults().fail_after(number);
        let first = scene.deliver(&batch(range.clone())).await;
        *calls.lock().unwrap() += first.len();
        scene.state.faults().revive();
        assert_eq!(scene.deliver(&batch(range)).await, NONE);
    }
    assert!(*calls.lock().unwrap() > 0, "no batch failed");
    let expected: Vec<_> = (0..10).chain(20..24).collect();
    assert_eq!(scene.ids().await, (expected, vec![]));
}

#[tokio::test]
async fn a_partition_that_fails_is_told_whole_and_the_others_are_done() {
    let scene = plain();
    let batch = [good(0, 5), good(0, 6), good(1, 1), good(0, 9)];
    let down = StateError::Unavailable { key: "x".to_owned(), reason: "no answer".to_owned() };
    scene.state.faults().fail_before(1, down.clone());
    assert_eq!(scene.deliver(&batch).await, ["eu-orders-0:5", "eu-orders-0:6", "eu-orders-0:9"]);
    assert_eq!(scene.ids().await, (vec![1], vec![]));
    assert_eq!(scene.deliver(&[good(0, 5), good(0, 6), good(0, 9)]).await, NONE);
    assert_eq!(scene.ids().await, (vec![1, 5, 6, 9], vec![]));

    let scene = Scene { ports: Ports { failures: Failures::Batch, ..plain().ports }, ..plain() };
    let scene = Scene { ports: Ports { state: Arc::new(scene.state.clone()), ..scene.ports }, ..scene };
    scene.state.faults().fail_before(1, down);
    assert_eq!(scene.deliver(&batch).await, ["unavailable"]);
    assert_eq!(scene.deliver(&batch).await, NONE);
}

#[tokio::test]
async fn a_batch_that_is_too_large_is_cut_short() {
    let mut scene = plain();
    scene.ports.most = 60;
    let batch: Vec<_> = (0..5).map(|offset| good(0, offset)).collect();
    assert_eq!(scene.deliver(&batch).await, ["eu-orders-0:2", "eu-orders-0:3", "eu-orders-0:4"]);
    assert_eq!(scene.deliver(&batch[2..4]).await, NONE);
    assert_eq!(scene.deliver(&batch[4..]).await, NONE);
    assert_eq!(scene.ids().await, ((0..5).collect(), vec![]));
}

#[tokio::test]
async fn an_envelope_has_columns() {
    let columns = json!([
        {"name": "id", "type": "int64", "required": true}, {"name": "state", "type": "string"},
        {"name": "place", "path": "_kafka_offset", "type": "int64"}, {"name": "_kafka_partition", "type": "int32"},
        {"name": "_kafka_topic", "type": "string"}, {"name": "_kafka_timestamp", "type": "timestamp(ms)", "required": true},
        {"name": "_kafka_key", "type": "string"}, {"name": "_kafka_headers", "type": "json"},
        {"name": "_kafka_tombstone", "type": "boolean"},
    ]);
    let scene = scene("json", &columns);
    let batch = [
        record(0, 5, Some(br#"{"id":1,"state":"new"}{"id":2,"_kafka_offset":9}"#)),
        record(0, 6, None),
        record(0, 7, Some(b"\0\0\0\0\x09{\"id\":3}")),
        record(0, 8, Some(b"\0\0\0\0\x09{\"id\":3}}")),
    ];
    assert_eq!(scene.deliver(&batch).await, NONE);
    let lake: Vec<_> = scene.lake().await.into_values().flatten().collect();
    let envelope = |offset: i64, tombstone: bool, extra: &str| {
        let at = format!("2026-11-22T11:58:20.{offset:03}");
        let headers = r#"{"raw":"/w==","trace":"hé"}"#;
        format!(r#"{offset} 0 eu-orders {at} {{"id":{offset}}} {headers} {tombstone} {extra}"#)
    };
    assert_eq!(
        lake,
        [
            "invalid_json 8".to_owned(),
            format!("1 new {}", envelope(5, false, "-")),
            format!("2 - {}", envelope(5, false, r#"{"_kafka_offset":9}"#)),
            format!("6 - {}", envelope(6, true, "-")),
            format!("3 - {}", envelope(7, false, "-")),
        ]
    );
}

#[test]
fn an_envelope_has_no_other_columns() {
    for (name, r#type) in [("_kafka_offset", "string"), ("_kafka_epoch", "int32")] {
        let columns = json!([{"name": "id", "type": "int64"}, {"name": name, "type": r#type}]);
        let text = json!({"name": "x", "kind": "stream", "source": {"type": "kafka"}, "columns": columns,
            "target": {"prefix": "raw/x/"}});
        let error = Envelope::of(&Stream::parse("x.json", &text.to_string()).unwrap()).unwrap_err();
        assert!(error.message.starts_with(&format!("x: $.columns[1]: `{name}` as {type} must be")), "{error}");
    }
}

fn avro() -> Scene {
    scene("avro", &json!([{"name": "id", "type": "int64"}, {"name": "state", "type": "string"}]))
}

/// An order behind the header of schema 1, 2 or 3.
fn order(offset: i64, schema: u8) -> Value {
    let id = u8::try_from(offset * 2).unwrap();
    let datum = if schema == 2 { vec![2, 6, b'n', b'e', b'w', id] } else { vec![id] };
    record(0, offset, Some(&[&[0, 0, 0, 0, schema], datum.as_slice()].concat()))
}

#[tokio::test]
async fn schemas_that_alternate_become_one_file() {
    let scene = avro();
    let batch = [order(1, 3), order(2, 2), order(3, 1), order(4, 2)];
    assert_eq!(scene.deliver(&batch).await, NONE);
    let lake: Vec<_> = scene.lake().await.into_values().collect();
    assert_eq!(lake, [["1 - -", "2 new -", "3 - -", "4 new -"]]);
    assert_eq!(*scene.registry.asked.lock().unwrap(), 3);
}

#[tokio::test]
async fn a_schema_nobody_has_refuses_its_records_alone() {
    let scene = avro();
    let batch =
        [order(1, 1), order(2, 9), order(3, 9), record(0, 4, Some(b"{}")), record(0, 5, Some(&[0, 0, 0, 0, 1]))];
    assert_eq!(scene.deliver(&batch).await, NONE);
    let refused = ["unknown_schema 2", "unknown_schema 3", "invalid_framing 4", "invalid_avro 5"];
    assert_eq!(scene.ids().await, (vec![1], refused.map(str::to_owned).to_vec()));
    assert_eq!(*scene.registry.asked.lock().unwrap(), 2);
    assert_eq!(scene.deliver(&[order(6, 9)]).await, NONE);
    assert_eq!(*scene.registry.asked.lock().unwrap(), 2, "it is known to be unknown");
    scene.clock.set(NOW.plus(Duration::from_mins(1)));
    assert_eq!(scene.deliver(&[order(7, 9)]).await, NONE);
    assert_eq!(*scene.registry.asked.lock().unwrap(), 3, "but not for long");
}

#[tokio::test]
async fn a_registry_that_is_down_refuses_nothing() {
    let scene = avro();
    *scene.registry.down.lock().unwrap() = true;
    assert_eq!(scene.deliver(&[order(1, 1), order(2, 2)]).await, ["eu-orders-0:1", "eu-orders-0:2"]);
    assert_eq!(scene.lake().await.len(), 0);
    *scene.registry.down.lock().unwrap() = false;
    assert_eq!(scene.deliver(&[order(1, 1), order(2, 2)]).await, NONE);
    assert_eq!(scene.ids().await, (vec![1, 2], vec![]));
}

#[tokio::test]
async fn a_mapping_may_know_the_schema() {
    let scene = avro();
    let mut order = record(0, 1, Some(&[2, 6, b'n', b'e', b'w', 2]));
    order["valueSchemaMetadata"] = json!({"dataFormat": "AVRO", "schemaId": "2"});
    assert_eq!(scene.deliver(&[order]).await, NONE);
    assert_eq!(scene.ids().await, (vec![1], vec![]));
}

#[tokio::test]
async fn change_events_become_rows() {
    let columns = json!([{"name": "id", "type": "int64"}, {"name": "state", "type": "string"},
        {"name": "_op", "path": "envelope.op", "type": "string", "required": true},
        {"name": "lsn", "path": "envelope.source.lsn", "type": "int64"}]);
    let scene = scene("debezium_json", &columns);
    let change = |op: &str, before: Value, after: Value| json!({"before": before, "after": after, "source": {"lsn": 7}, "op": op, "ts_ms": 1, "transaction": null});
    let row = |id: i64, state: &str| json!({"id": id, "state": state});
    let mut offset = 0;
    let mut record = |event: Value| {
        offset += 1;
        record(0, offset, Some(event.to_string().as_bytes()))
    };
    let decimal = json!({"fields": [{"name": "org.apache.kafka.connect.data.Decimal"}]});
    let batch = [
        record(change("c", Value::Null, row(1, "new"))),
        record(json!({"schema": {"type": "struct"}, "payload": change("u", row(1, "new"), row(1, "paid"))})),
        record(change("d", row(1, "paid"), Value::Null)),
        record(change("d", Value::Null, Value::Null)),
        record(change("r", Value::Null, json!({}))),
        record(change("t", Value::Null, Value::Null)),
        record(change("x", Value::Null, row(1, "new"))),
        record(change("u", row(1, "new"), Value::Null)),
        record(row(1, "new")),
        record(json!({"schema": decimal, "payload": change("c", Value::Null, row(1, "new"))})),
        record(json!([])),
        record(json!([{"type": "struct"}, change("c", Value::Null, row(1, "new"))])),
    ];
    assert_eq!(scene.deliver(&batch).await, NONE);
    let lake: Vec<_> = scene.lake().await.into_values().collect();
    let refused = [
        "unknown_op 7",
        "invalid_json 8",
        "unknown_op 9",
        "incompatible_type 10",
        "invalid_json 11",
        "invalid_json 12",
    ]
    .map(str::to_owned);
    let rows = ["1 new c 7 -", "1 paid u 7 -", "1 paid d 7 -", "4 - d 7 -", "- - r 7 -"].map(str::to_owned);
    assert_eq!(lake, [refused.to_vec(), rows.to_vec()]);
}

#[tokio::test]
async fn what_is_no_batch_is_an_error() {
    let scene = plain();
    let deadline = NOW.plus(Duration::from_mins(1));
    for text in ["{}", r#"{"records":{"t-0":[{"value":"e30="}]}}"#, r#"{"records":{"t-0":[{"offset":-1}]}}"#] {
        let error = handle(text.as_bytes(), deadline, &scene.ports).await.unwrap_err();
        assert_eq!((error.class, error.code), (Class::Poison, Code::InvalidEvent), "{text}");
    }
    assert_eq!(scene.deliver(&[]).await, NONE);
}
