//! A lake in memory, and the function's handler on it.

use std::{
    ops::Deref,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use headgate::{
    Error,
    clock::{Clock, ManualClock, Timestamp},
    contract::Contract,
    dataset::Stream,
    decode::registry::SchemaId,
    metrics::Emitter,
    registry::{Registry, SchemaText},
    state::memory::MemoryState,
    store::memory::MemoryStore,
};
use headgate_kafka::{Envelope, Rows, Target, schemas::Schemas};
use msk_consumer::{
    config::Failures,
    handler::{Ports, handle},
};
use serde_json::{Value, json};

use crate::landed::Landed;

/// 2026-11-22T12:00:00Z, some time after the newest record.
const NOW: Timestamp = Timestamp(1_795_348_800_000);

/// Schemas 1 and 2, which is that of the Glue registry too; 3, which is none; 4, a list of nulls.
#[derive(Debug)]
struct Known;

#[async_trait]
impl Registry for Known {
    async fn schema(&self, id: SchemaId) -> Result<Option<SchemaText>, Error> {
        let amount = json!({"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2});
        let mut fields = vec![json!({"name": "id", "type": "long"}), json!({"name": "amount", "type": amount})];
        let schema = match id {
            SchemaId::Confluent(1) => json!({"type": "record", "name": "order", "fields": fields}),
            SchemaId::Confluent(2) | SchemaId::Glue(_) => {
                fields.insert(0, json!({"name": "state", "type": ["null", "string"]}));
                json!({"type": "record", "name": "order", "fields": fields})
            }
            SchemaId::Confluent(3) => json!({"type": "record"}),
            SchemaId::Confluent(4) => json!({"type": "array", "items": "null"}),
            SchemaId::Confluent(_) => return Ok(None),
        };
        Ok(Some(SchemaText { schema: schema.to_string(), references: Vec::new() }))
    }
}

/// A lake with the table `orders`.
pub struct Lake {
    pub ports: Ports,
    pub state: MemoryState,
    landed: Landed,
    clock: Arc<ManualClock>,
}

impl Lake {
    /// The lake before any record of this format.
    pub fn new(format: &str) -> Self {
        Self::with(format, |_| {})
    }

    /// The same with what `change` makes of the dataset.
    pub fn with(format: &str, change: impl FnOnce(&mut Value)) -> Self {
        let clock = Arc::new(ManualClock::new(NOW));
        let (store, state) = (MemoryStore::new(clock.clone()), MemoryState::new(clock.clone()));
        let mut dataset = json!({
            "name": "orders", "kind": "stream", "source": {"type": "kafka", "format": format},
            "columns": [
                {"name": "id", "type": "int64", "required": true},
                {"name": "state", "type": "string"},
                {"name": "amount", "type": "decimal(9,2)"},
                {"name": "_kafka_offset", "type": "int64"},
                {"name": "_kafka_headers", "type": "json"},
                {"name": "_kafka_tombstone", "type": "boolean"},
            ],
            "partition_by": {"time": "day"}, "target": {"prefix": "raw/orders/"},
        });
        change(&mut dataset);
        let stream = Stream::parse("orders.json", &dataset.to_string()).unwrap();
        let ports = Ports {
            target: Target::Rows(Rows {
                contract: Contract::new(&stream, None).unwrap(),
                envelope: Envelope::of(&stream).unwrap(),
                stream,
            }),
            schemas: Schemas::new(vec![Arc::new(Known)], clock.clone()),
            failures: Failures::Records,
            store: Arc::new(store.clone()),
            state: Arc::new(state.clone()),
            most: 1 << 20,
            clock: clock.clone(),
            emitter: Emitter::Memory(Arc::new(Mutex::new(Vec::new()))),
            function: "msk-consumer".to_owned(),
        };
        Self { ports, state, landed: Landed { store }, clock }
    }

    /// The function's answer to one event.
    pub async fn deliver(&self, event: &Value) -> Result<Value, Error> {
        let deadline = self.clock.now().plus(Duration::from_mins(1));
        let answer = handle(event.to_string().as_bytes(), deadline, &self.ports).await?;
        Ok(serde_json::to_value(answer).unwrap())
    }

    /// What was emitted, a line each.
    pub fn metrics(&self) -> Vec<String> {
        summary(&self.ports.emitter)
    }
}

impl Deref for Lake {
    type Target = Landed;

    fn deref(&self) -> &Landed {
        &self.landed
    }
}

/// The figures that are not 0, a line for each that was emitted.
pub fn summary(emitter: &Emitter) -> Vec<String> {
    let Emitter::Memory(seen) = emitter else { return Vec::new() };
    let names = ["Reason", "Failures", "Partitions", "Records", "RowsStored", "RowsQuarantined", "RowsRepeated"];
    let more = ["RowsTombstone", "RowsFiltered", "RowsControl", "Objects", "OffsetsSkipped"];
    let line = |metrics: &headgate::metrics::Metrics| {
        let mut line = Vec::new();
        metrics.emit(NOW, &mut line).unwrap();
        let line: Value = serde_json::from_slice(&line).unwrap();
        let shown = names.iter().chain(&more).filter_map(|name| line.get(name).map(|value| (name, value)));
        let shown = shown.filter(|(_, value)| **value != json!(0)).map(|(name, value)| format!("{name}={value}"));
        shown.collect::<Vec<_>>().join(" ")
    };
    seen.lock().unwrap().iter().map(line).collect()
}
