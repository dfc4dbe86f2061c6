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
    state::memory::MemoryState,
    store::memory::MemoryStore,
};
use msk_consumer::{
    config::Failures,
    envelope::Envelope,
    handler::{Ports, handle},
    schemas::{Registry, Schemas, Text},
};
use serde_json::{Value, json};

use crate::landed::Landed;

/// 2026-11-22T12:00:00Z, some time after the newest record.
const NOW: Timestamp = Timestamp(1_795_348_800_000);

/// Schemas 1 and 2, which is that of the Glue registry too, and 3, which is none.
#[derive(Debug)]
struct Known;

#[async_trait]
impl Registry for Known {
    async fn schema(&self, id: SchemaId) -> Result<Option<Text>, Error> {
        let amount = json!({"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2});
        let mut fields = vec![json!({"name": "id", "type": "long"}), json!({"name": "amount", "type": amount})];
        let schema = match id {
            SchemaId::Confluent(1) => json!({"type": "record", "name": "order", "fields": fields}),
            SchemaId::Confluent(2) | SchemaId::Glue(_) => {
                fields.insert(0, json!({"name": "state", "type": ["null", "string"]}));
                json!({"type": "record", "name": "order", "fields": fields})
            }
            SchemaId::Confluent(3) => json!({"type": "record"}),
            SchemaId::Confluent(_) => return Ok(None),
        };
        Ok(Some(Text { schema: schema.to_string(), references: Vec::new() }))
    }
}

/// A lake with the table `orders`.
pub struct Lake {
    ports: Ports,
    landed: Landed,
    clock: Arc<ManualClock>,
}

impl Lake {
    /// The lake before any record of this format; the dataset is what `change` makes of it.
    pub fn new(format: &str, change: impl FnOnce(&mut Value)) -> Self {
        let clock = Arc::new(ManualClock::new(NOW));
        let store = MemoryStore::new(clock.clone());
        let mut text = json!({
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
        change(&mut text);
        let stream = Stream::parse("orders.json", &text.to_string()).unwrap();
        let ports = Ports {
            contract: Contract::new(&stream, None).unwrap(),
            envelope: Envelope::of(&stream).unwrap(),
            schemas: Schemas::new(vec![Arc::new(Known)], clock.clone()),
            failures: Failures::Records,
            store: Arc::new(store.clone()),
            state: Arc::new(MemoryState::new(clock.clone())),
            stream,
            most: 1 << 20,
            clock: clock.clone(),
            emitter: Emitter::Memory(Arc::new(Mutex::new(Vec::new()))),
            function: "msk-consumer".to_owned(),
        };
        Self { ports, landed: Landed { store }, clock }
    }

    /// The function's answer to one event.
    pub async fn deliver(&self, event: &Value) -> Result<Value, Error> {
        let deadline = self.clock.now().plus(Duration::from_mins(1));
        let answer = handle(event.to_string().as_bytes(), deadline, &self.ports).await?;
        Ok(serde_json::to_value(answer).unwrap())
    }

    /// What was emitted, a line each.
    pub fn metrics(&self) -> Vec<String> {
        let Emitter::Memory(seen) = &self.ports.emitter else { return Vec::new() };
        let seen = seen.lock().unwrap();
        let line = |metrics: &headgate::metrics::Metrics| {
            let mut line = Vec::new();
            metrics.emit(NOW, &mut line).unwrap();
            summary(&serde_json::from_slice(&line).unwrap())
        };
        seen.iter().map(line).collect()
    }
}

impl Deref for Lake {
    type Target = Landed;

    fn deref(&self) -> &Landed {
        &self.landed
    }
}

/// The figures that are not 0.
fn summary(line: &Value) -> String {
    let names = ["Reason", "Failures", "Partitions", "Records", "RowsStored", "RowsQuarantined", "RowsRepeated"];
    let more = ["RowsTombstone", "RowsFiltered", "Objects", "OffsetsSkipped"];
    let shown = names.iter().chain(&more).filter_map(|name| line.get(name).map(|value| (name, value)));
    let shown = shown.filter(|(_, value)| **value != json!(0)).map(|(name, value)| format!("{name}={value}"));
    shown.collect::<Vec<_>>().join(" ")
}
