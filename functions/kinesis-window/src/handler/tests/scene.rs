//! A function on a lake and a state in memory, the events of a mapping, and what they should come to.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use headgate::{
    Error,
    clock::{ManualClock, Timestamp},
    contract::Contract,
    dataset::Stream,
    metrics::{Emitter, Metrics},
    state::{State, memory::MemoryState},
    store::{Store, memory::MemoryStore},
};
use headgate_columnar::rows;
use serde_json::{Value, json};

use crate::handler::{Ports, handle};

/// 2026-01-01T00:10:00Z
const NOW: Timestamp = Timestamp(1_767_226_200_000);

pub struct Scene {
    pub ports: Ports,
    pub store: MemoryStore,
    pub state: MemoryState,
}

/// A record: its key and its value; a bad one where the value is `None`.
pub type Record = (u8, Option<i64>);

pub fn dataset() -> Value {
    json!({
        "name": "views", "kind": "stream", "source": {"type": "kinesis"}, "unknown_fields": "drop",
        "columns": [
            {"name": "page", "type": "string"}, {"name": "value", "type": "int64", "required": true},
            {"name": "price", "type": "float64"},
        ],
        "window": {"key": ["page"], "measures": [
            {"name": "views", "function": "count"},
            {"name": "total", "function": "sum", "column": "value"},
            {"name": "least", "function": "min", "column": "value"},
            {"name": "most", "function": "max", "column": "value"},
            {"name": "last", "function": "last", "column": "value"},
            {"name": "revenue", "function": "sum", "column": "price"},
            {"name": "values", "function": "distinct", "column": "value"},
        ]},
        "target": {"prefix": "windows/views/"},
    })
}

impl Scene {
    pub fn new(most_state: usize) -> Self {
        Self::of(&dataset(), most_state)
    }

    pub fn of(dataset: &Value, most_state: usize) -> Self {
        let clock = Arc::new(ManualClock::new(NOW));
        let (store, state) = (MemoryStore::new(clock.clone()), MemoryState::new(clock.clone()));
        let stream = Stream::parse("views.json", &dataset.to_string()).unwrap();
        let ports = Ports {
            store: Arc::new(store.clone()),
            state: Arc::new(state.clone()),
            contract: Contract::new(&stream, None).unwrap(),
            stream,
            most: 64 << 20,
            most_state,
            clock,
            emitter: Emitter::Memory(Arc::new(Mutex::new(Vec::new()))),
            function: "kinesis-window".to_owned(),
        };
        Self { ports, store, state }
    }

    /// The function's answer as JSON.
    pub async fn deliver(&self, event: &Value) -> Result<Value, Error> {
        let deadline = self.ports.clock.now().plus(Duration::from_mins(1));
        let answer = handle(event.to_string().as_bytes(), deadline, &self.ports).await?;
        let answer = serde_json::to_value(&answer).unwrap();
        assert!(answer["state"].is_object() && answer["batchItemFailures"].is_array(), "{answer}");
        Ok(answer)
    }

    /// The state that an answer without a failure hands on.
    pub async fn count(&self, event: &Value) -> Value {
        let answer = self.deliver(event).await.unwrap();
        assert_eq!(answer["batchItemFailures"], json!([]));
        answer["state"].clone()
    }

    pub async fn objects(&self, prefix: &str) -> Vec<(String, Bytes)> {
        let mut objects = Vec::new();
        for object in self.store.list(prefix, None).await.unwrap().objects {
            let (_, body) = self.store.get(&object.key).await.unwrap().unwrap();
            objects.push((object.key, body));
        }
        objects
    }

    /// What all objects come to by page: the numbers are added, the extremes compared.
    pub async fn told(&self) -> BTreeMap<String, Told> {
        let mut told: BTreeMap<String, Told> = BTreeMap::new();
        for (_, body) in self.objects("windows/").await {
            let rows = rows::read(body, None).unwrap();
            for row in &rows.rows {
                let at = |name: &str| {
                    let at = rows.columns.iter().position(|column| column == name).unwrap();
                    row[at].clone().unwrap_or_default()
                };
                told.entry(at("page")).or_default().add(&Told::read(at));
            }
        }
        told
    }

    /// The refused records' lines.
    pub async fn refused(&self) -> usize {
        let objects = self.objects("quarantine/").await;
        objects.iter().map(|(_, body)| std::str::from_utf8(body).unwrap().lines().count()).sum()
    }

    pub async fn latest(&self, page: &str) -> Value {
        let item = self.state.get(&format!("latest/views/%5B%22{page}%22%5D")).await.unwrap();
        item.unwrap().value["parts"].clone()
    }

    pub fn figure(&self, name: &str) -> u64 {
        let Emitter::Memory(seen) = &self.ports.emitter else { return 0 };
        let figure = |metrics: &Metrics| {
            let mut line = Vec::new();
            metrics.emit(NOW, &mut line).unwrap();
            serde_json::from_slice::<Value>(&line).unwrap()[name].as_u64()
        };
        seen.lock().unwrap().iter().filter_map(figure).sum()
    }
}

/// What is told of a page.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Told {
    pub views: u64,
    pub total: i64,
    least: Option<i64>,
    most: Option<i64>,
    revenue: f64,
}

impl Told {
    fn read(at: impl Fn(&str) -> String) -> Self {
        let number = |name: &str| at(name).parse().ok();
        let (least, most) = (number("least"), number("most"));
        let revenue = at("revenue").parse().unwrap();
        Self { views: at("views").parse().unwrap(), total: at("total").parse().unwrap(), least, most, revenue }
    }

    fn add(&mut self, part: &Self) {
        self.views += part.views;
        self.total += part.total;
        self.least = self.least.into_iter().chain(part.least).min();
        self.most = self.most.max(part.most);
        self.revenue += part.revenue;
    }

    /// What the records come to, looked at together.
    pub fn of(records: &[Record]) -> BTreeMap<String, Self> {
        let mut told: BTreeMap<String, Self> = BTreeMap::new();
        for (page, value) in records {
            let Some(value) = *value else { continue };
            let revenue = value as f64 / 4.0;
            let part = Self { views: 1, total: value, least: Some(value), most: Some(value), revenue };
            told.entry(format!("p{page}")).or_default().add(&part);
        }
        told
    }
}

/// An event of the window `minute` of a shard, whose records are numbered from `first` on.
pub fn event(shard: &str, minute: i64, first: usize, records: &[Record], state: &Value, last: bool) -> Value {
    let arn = "arn:aws:kinesis:us-east-2:123456789012:stream/clicks";
    let record = |(index, (page, value)): (usize, &Record)| {
        let sequence = format!("49590338271490256608559692538361571095921{:015}", first + index);
        let mut body = json!({"page": format!("p{page}")});
        if let Some(value) = value {
            body["value"] = json!(value);
            body["price"] = json!(*value as f64 / 4.0);
        }
        json!({
            "kinesis": {"kinesisSchemaVersion": "1.0", "partitionKey": "1", "sequenceNumber": sequence,
                "data": BASE64_STANDARD.encode(body.to_string()), "approximateArrivalTimestamp": 1_767_225_600.05},
            "eventSource": "aws:kinesis", "eventVersion": "1.0", "eventName": "aws:kinesis:record",
            "eventID": format!("{shard}:{sequence}"), "awsRegion": "us-east-2", "eventSourceARN": arn,
        })
    };
    let (start, end) = (format!("2026-01-01T00:0{minute}:00Z"), format!("2026-01-01T00:0{}:00Z", minute + 1));
    json!({
        "Records": records.iter().enumerate().map(record).collect::<Vec<_>>(),
        "window": {"start": start, "end": end}, "state": state, "shardId": shard, "eventSourceARN": arn,
        "isFinalInvokeForWindow": last, "isWindowTerminatedEarly": false,
    })
}
