//! A lake, a state and the function's handler.

use std::{
    ops::Deref,
    sync::{Arc, Mutex},
    time::Duration,
};

use headgate::{
    Error,
    clock::{ManualClock, Timestamp},
    contract::{Contract, MaskKey},
    dataset::Stream,
    event::kinesis::BatchResponse,
    metrics::{Emitter, Metrics},
    state::memory::MemoryState,
    store::memory::MemoryStore,
};
use kinesis_consumer::handler::{Ports, handle};
use serde_json::{Value, json};

use crate::landed::Landed;

/// 2026-01-02T00:00:00Z, some time after generated traffic.
const NOW: Timestamp = Timestamp(1_767_312_000_000);

/// The function and what it works with.
pub struct Lake {
    pub ports: Ports,
    pub state: MemoryState,
    landed: Landed,
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
        Self { ports, state, landed: Landed { store } }
    }

    /// The function's answer to one event.
    pub async fn deliver(&self, event: &str) -> Result<BatchResponse, Error> {
        handle(event.as_bytes(), self.ports.clock.now().plus(Duration::from_mins(1)), &self.ports).await
    }

    /// The sum of the figures that were emitted with this name.
    pub fn figure(&self, name: &str) -> u64 {
        let Emitter::Memory(seen) = &self.ports.emitter else { return 0 };
        let figure = |metrics: &Metrics| {
            let mut line = Vec::new();
            metrics.emit(NOW, &mut line).unwrap();
            serde_json::from_slice::<Value>(&line).unwrap()[name].as_u64()
        };
        seen.lock().unwrap().iter().filter_map(figure).sum()
    }

    /// An answer that says all is done.
    pub async fn land(&self, event: &str) {
        assert_eq!(self.deliver(event).await, Ok(BatchResponse::done()));
    }
}

impl Deref for Lake {
    type Target = Landed;

    fn deref(&self) -> &Landed {
        &self.landed
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
