//! `api-ingest` on a stream in memory: two datasets, narrow limits, and one partition key that is always throttled.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use api_ingest::{
    config::Config,
    handler::{Ports, handle},
};
use headgate::{
    Error,
    clock::{Clock, ManualClock, Timestamp},
    metrics::Emitter,
    state::memory::MemoryState,
    stream::{Limits, memory::MemoryStream},
};
use serde_json::{Value, json};

/// 2026-11-22T12:00:00Z, when the samples were signed.
const NOW: Timestamp = Timestamp(1_795_348_800_000);
const TIMEOUT: Duration = Duration::from_secs(30);

const SETTINGS: [(&str, &str); 7] = [
    ("DATASETS", "orders,returns"),
    ("STREAM", "ingest"),
    ("STATE", "dynamodb://state"),
    (
        "SIGNING_KEYS",
        "sample-secret-of-november-2026,sample-secret-of-october-2026,returns:sample-secret-of-returns-alone",
    ),
    ("PARTITION_KEY", "id"),
    ("MAX_BODY_BYTES", "5000"),
    ("MAX_RECORDS", "100"),
];

/// The function and what stands behind it.
pub struct Ingest {
    ports: Ports,
    stream: MemoryStream,
    clock: Arc<ManualClock>,
}

impl Ingest {
    /// A stream that is empty.
    pub fn new() -> Self {
        let lookup = |name: &str| SETTINGS.iter().find(|(given, _)| *given == name).map(|(_, text)| (*text).to_owned());
        let clock = Arc::new(ManualClock::new(NOW));
        let stream = MemoryStream::new(Limits { record: 3000, ..Limits::KINESIS });
        stream.throttle("hot", u64::MAX);
        let ports = Ports {
            config: Config::read(lookup).unwrap(),
            stream: Arc::new(stream.clone()),
            state: Arc::new(MemoryState::new(clock.clone())),
            clock: clock.clone(),
            emitter: Emitter::Memory(Arc::new(Mutex::new(Vec::new()))),
        };
        Self { ports, stream, clock }
    }

    /// The function's answer to one event, its body as JSON.
    pub async fn deliver(&self, event: &Value) -> Result<Value, Error> {
        let response = handle(event.to_string().as_bytes(), self.clock.now().plus(TIMEOUT), &self.ports).await?;
        let mut answer = serde_json::to_value(&response).unwrap();
        answer["body"] = serde_json::from_str(&response.body).unwrap();
        Ok(answer)
    }

    /// What the stream has: partition key and data.
    pub fn records(&self) -> Vec<String> {
        let line = |record: &headgate::stream::Outgoing| {
            format!("{} {}", record.partition_key, String::from_utf8_lossy(&record.data))
        };
        self.stream.records().iter().map(line).collect()
    }

    /// What was emitted, a line each, without what depends on how long pauses happened to be.
    pub fn metrics(&self) -> Vec<Value> {
        let Emitter::Memory(seen) = &self.ports.emitter else { return Vec::new() };
        let line = |metrics: &headgate::metrics::Metrics| {
            let mut line = Vec::new();
            metrics.emit(NOW, &mut line).unwrap();
            let mut line: Value = serde_json::from_slice(&line).unwrap();
            let random = ["_aws", "Function", "Puts", "Throttles", "hot"];
            line.as_object_mut().unwrap().retain(|name, value| !random.contains(&&**name) && *value != json!(0));
            line
        };
        seen.lock().unwrap().iter().map(line).collect()
    }
}
