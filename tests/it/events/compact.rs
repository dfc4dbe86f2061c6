//! A small lake in memory with closed partitions, and the function's handler on it.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use headgate::{
    Error,
    clock::{ManualClock, Timestamp},
    dataset::Stream,
    landing::{Mark, object_name},
    metrics::Emitter,
    store::{Store, memory::MemoryStore},
};
use headgate_columnar::{
    bounds::Bounds,
    rows,
    sample::{Column, Values, parquet},
};
use lake_compact::handler::{Ports, handle};
use serde_json::{Value, json};

/// 2026-11-22T12:00:00Z, days after the files.
const NOW: Timestamp = Timestamp(1_795_348_800_000);
const DAYS: Duration = Duration::from_hours(72);

/// A lake with the tables `broken`, `clicks` and `quiet`, the last of which does not say `compact`.
pub struct Compact {
    ports: Ports,
    store: MemoryStore,
}

fn stream(name: &str, more: &Value) -> Stream {
    let mut document = json!({
        "name": name, "kind": "stream", "source": {"type": "firehose"},
        "columns": [{"name": "id", "type": "int64"}, {"name": "at", "type": "timestamp(us)", "required": true}],
        "event_time": "at", "target": {"prefix": format!("raw/{name}/")},
    });
    document.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    Stream::parse(name, &document.to_string()).unwrap()
}

impl Compact {
    pub fn new() -> Self {
        let clock = Arc::new(ManualClock::new(NOW));
        let store = MemoryStore::new(clock.clone());
        for table in ["broken", "clicks", "quiet"] {
            for number in 0..4_u64 {
                let name = object_name("s", "0", &Mark::from(number), "parquet");
                let key = format!("raw/{table}/year=2026/month=11/day=19/hour=11/{name}");
                let id = number.cast_signed() * 7 % 4;
                let columns = [
                    Column::optional("id", Values::Int64(vec![Some(id)])),
                    Column::optional("at", Values::Micros(vec![Some(id)])),
                ];
                let broken = table == "broken" && number == 2;
                let body = if broken { "this is text".into() } else { parquet(&columns).unwrap() };
                store.put_at(&key, body, NOW.minus(DAYS));
            }
        }
        let ports = Ports {
            store: Arc::new(store.clone()),
            state: None,
            streams: vec![
                stream("broken", &json!({})),
                stream("clicks", &json!({"compact": {}})),
                stream("quiet", &json!({})),
            ],
            bounds: Bounds { threads: 1, memory: 256 << 20 },
            clock: clock.clone(),
            emitter: Emitter::Memory(Arc::new(Mutex::new(Vec::new()))),
            function: "lake-compact".to_owned(),
        };
        Self { ports, store }
    }

    pub async fn deliver(&self, event: &Value) -> Result<Value, Error> {
        let deadline = self.ports.clock.now().plus(Duration::from_mins(1));
        handle(event.to_string().as_bytes(), deadline, &self.ports).await
    }

    /// The numbers in each file.
    pub async fn files(&self) -> Value {
        let mut files = BTreeMap::new();
        for object in self.store.list("raw/", None).await.unwrap().objects {
            let (_, body) = self.store.get(&object.key).await.unwrap().unwrap();
            let ids =
                rows::read(body, None).map(|rows| rows.rows.into_iter().map(|row| row[0].clone()).collect::<Vec<_>>());
            files.insert(object.key, ids.ok());
        }
        json!(files)
    }

    /// The lines that were emitted, without the seconds.
    pub fn metrics(&self) -> Value {
        let Emitter::Memory(seen) = &self.ports.emitter else { panic!("metrics are kept") };
        let line = |metrics: &headgate::metrics::Metrics| {
            let mut out = Vec::new();
            metrics.emit(Timestamp(0), &mut out).unwrap();
            let mut line: Value = serde_json::from_slice(&out).unwrap();
            let timed = ["_aws", "BytesRead", "BytesReplaced", "BytesWritten", "CompactTime", "DoubledTime"];
            line.as_object_mut()
                .unwrap()
                .retain(|name, value| !timed.contains(&name.as_str()) && value.as_f64() != Some(0.0));
            line
        };
        seen.lock().unwrap().iter().map(line).collect()
    }
}
