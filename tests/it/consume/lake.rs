//! A lake, a state and the function's handler; what is in the lake afterwards.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use headgate::{
    Error,
    clock::{ManualClock, Timestamp},
    contract::{Contract, MaskKey},
    dataset::Stream,
    event::kinesis::BatchResponse,
    metrics::Emitter,
    quarantine::Line,
    state::memory::MemoryState,
    store::{Store, memory::MemoryStore},
};
use headgate_columnar::rows;
use kinesis_consumer::handler::{Ports, handle};
use serde_json::{Value, json};

/// 2026-01-02T00:00:00Z, some time after generated traffic.
const NOW: Timestamp = Timestamp(1_767_312_000_000);

/// The function and what it works with.
pub struct Lake {
    pub ports: Ports,
    pub store: MemoryStore,
    pub state: MemoryState,
}

/// The clickstream of generated traffic, with what `change` makes of it.
pub fn clickstream(change: impl FnOnce(&mut Value)) -> Value {
    let mut dataset = serde_json::from_str(include_str!("../../../infra/datasets/clickstream.json")).unwrap();
    change(&mut dataset);
    dataset
}

impl Lake {
    pub fn new(dataset: &Value) -> Self {
        let clock = Arc::new(ManualClock::new(NOW));
        let (store, state) = (MemoryStore::new(clock.clone()), MemoryState::new(clock.clone()));
        let stream = Stream::parse("clickstream.json", &dataset.to_string()).unwrap();
        let contract = Contract::new(&stream, Some(MaskKey::new(&[7; 32]).unwrap())).unwrap();
        let ports = Ports {
            store: Arc::new(store.clone()),
            state: Arc::new(state.clone()),
            stream,
            contract,
            most: 64 << 20,
            clock: clock.clone(),
            emitter: Emitter::Memory(Arc::new(Mutex::new(Vec::new()))),
            function: "kinesis-consumer".to_owned(),
        };
        Self { ports, store, state }
    }

    /// The function's answer to one event.
    pub async fn deliver(&self, event: &str) -> Result<BatchResponse, Error> {
        handle(event, self.ports.clock.now().plus(Duration::from_mins(1)), &self.ports).await
    }

    /// An answer that says all is done.
    pub async fn land(&self, event: &str) {
        assert_eq!(self.deliver(event).await, Ok(BatchResponse::done()));
    }

    /// The objects under a prefix.
    pub async fn objects(&self, prefix: &str) -> Vec<(String, Bytes)> {
        let mut objects = Vec::new();
        for object in self.store.list(prefix, None).await.unwrap().objects {
            let (_, body) = self.store.get(&object.key).await.unwrap().unwrap();
            objects.push((object.key, body));
        }
        objects
    }

    /// How many objects the table has.
    pub async fn files(&self) -> usize {
        self.objects("raw/").await.len()
    }

    /// How often each value of the column is in the table.
    pub async fn values(&self, column: &str) -> BTreeMap<String, u64> {
        let mut values = BTreeMap::new();
        for (_, body) in self.objects("raw/").await {
            let rows = rows::read(body, None).unwrap();
            let at = rows.columns.iter().position(|name| name == column).unwrap();
            for row in &rows.rows {
                *values.entry(row[at].clone().unwrap_or_default()).or_default() += 1;
            }
        }
        values
    }

    /// The table's rows by object, with the names of the columns that are not null.
    pub async fn lines(&self) -> BTreeMap<String, Vec<String>> {
        let mut lines = BTreeMap::new();
        for (key, body) in self.objects("raw/").await {
            let rows = rows::read(body, None).unwrap();
            let line = |row: &Vec<Option<String>>| {
                let values = rows.columns.iter().zip(row);
                let there = values.filter_map(|(name, value)| Some(format!("{name}={}", value.as_ref()?)));
                there.collect::<Vec<_>>().join(" ")
            };
            lines.insert(key, rows.rows.iter().map(line).collect());
        }
        lines
    }

    /// What is in quarantine.
    pub async fn refused(&self) -> Vec<Line> {
        let objects = self.objects("quarantine/clickstream/").await;
        let lines = objects.iter().flat_map(|(_, body)| std::str::from_utf8(body).unwrap().lines());
        lines.map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// How many documents are refused for each reason.
    pub async fn reasons(&self) -> BTreeMap<String, u64> {
        let mut reasons = BTreeMap::new();
        for line in self.refused().await {
            *reasons.entry(line.code).or_default() += 1;
        }
        reasons
    }
}

/// A batch of one shard with these bodies, numbered from `first` on.
pub fn batch(first: usize, bodies: &[Vec<u8>]) -> String {
    use base64::{Engine, prelude::BASE64_STANDARD};
    let records = bodies.iter().enumerate().map(|(index, body)| {
        let sequence = format!("495903382714902566085596925383615{:023}", first + index);
        json!({
            "kinesis": {"kinesisSchemaVersion": "1.0", "partitionKey": "1", "sequenceNumber": sequence,
                "data": BASE64_STANDARD.encode(body), "approximateArrivalTimestamp": 1_767_225_600.05},
            "eventSource": "aws:kinesis", "eventVersion": "1.0", "eventName": "aws:kinesis:record",
            "eventID": format!("shardId-000000000006:{sequence}"), "awsRegion": "us-east-2",
            "eventSourceARN": "arn:aws:kinesis:us-east-2:123456789012:stream/clicks",
        })
    });
    json!({"Records": records.collect::<Vec<_>>()}).to_string()
}
