//! Whole invocations over a store in memory.

mod events;
mod found;
mod late;
mod progress;
mod property;

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use headgate::{
    clock::ManualClock,
    faults::Call,
    flows::{self, RunId, memory::MemoryFlows},
    store::memory::{MemoryStore, Verb},
};
use headgate_columnar::rows;

use super::*;

/// 2026-11-29T00:00:00Z
const NOW: Timestamp = Timestamp(1_795_910_400_000);
const HOUR: i64 = 3_600_000;
/// Time enough.
const HOURS: Duration = Duration::from_hours(2);

/// A record: its key, when it was modified (`i64::MIN`: it does not say), whether it was deleted, and what tells it from others.
#[derive(Debug, Clone)]
struct Record {
    id: u8,
    modified: i64,
    deleted: bool,
    note: u16,
}

/// A function with one dataset, and what stands behind its ports.
struct Scene {
    ports: Ports,
    store: MemoryStore,
    flows: MemoryFlows,
    clock: Arc<ManualClock>,
}

fn dataset(change: impl Fn(&mut Value)) -> Saas {
    let mut document = json!({"name": "deals", "kind": "saas", "source": {"flow": "deals", "format": "json"},
        "primary_key": ["id"], "order_by": "modified", "deleted": {"column": "gone"}, "unknown_fields": "drop",
        "columns": [
            {"name": "id", "type": "int32", "required": true},
            {"name": "modified", "type": "timestamp(ms)"},
            {"name": "gone", "type": "boolean"},
            {"name": "note", "type": "int32"}],
        "target": {"snapshot": "curated/saas/deals/snapshot.parquet"}});
    change(&mut document);
    Saas::parse("deals.json", &document.to_string()).unwrap()
}

fn scene() -> Scene {
    scene_of(dataset(|_| {}))
}

fn scene_of(saas: Saas) -> Scene {
    let clock = Arc::new(ManualClock::new(NOW));
    let store = MemoryStore::new(clock.clone());
    let flows = MemoryFlows::default();
    let ports = Ports {
        store: Arc::new(store.clone()),
        flows: Arc::new(flows.clone()),
        objects: vec![Object::new(saas, None).unwrap()],
        lookback: Duration::from_hours(48),
        bounds: Bounds { threads: 1, memory: 256 << 20 },
        clock: clock.clone(),
        emitter: Emitter::Memory(Arc::new(Mutex::new(Vec::new()))),
        function: "appflow-process".to_owned(),
    };
    Scene { ports, store, flows, clock }
}

fn id(run: usize) -> RunId {
    format!("2c07e424-0000-4000-8000-{run:012}").parse().unwrap()
}

/// As a report has it: without the zone, to the millisecond.
fn moment(at: Timestamp) -> String {
    let at = time::OffsetDateTime::from_unix_timestamp_nanos(i128::from(at.0) * 1_000_000).unwrap();
    at.format(&time::format_description::well_known::Rfc3339).unwrap()
}

fn report(run: usize, started: Timestamp, records: usize, status: &str) -> Value {
    json!({"source": "aws.appflow", "detail-type": "AppFlow End Flow Run Report", "detail": {
        "flow-name": "deals", "execution-id": id(run), "status": status,
        "start-time": format!("{}[UTC]", moment(started)), "num-of-records-processed": records.to_string()}})
}

impl Scene {
    /// Writes the files of a run; two, where there are several records.
    fn files(&self, run: usize, records: &[Record]) {
        self.parts(run, records, records.len().div_ceil(2).max(1));
    }

    /// Writes the files of a run, with so many records each.
    fn parts(&self, run: usize, records: &[Record], each: usize) {
        for (part, records) in records.chunks(each).enumerate() {
            let line = |record: &Record| {
                let Record { id, modified, deleted, note } = record;
                let modified = if *modified == i64::MIN { "null".to_owned() } else { modified.to_string() };
                format!("{{\"id\":{id},\"modified\":{modified},\"gone\":{deleted},\"note\":{note}}}\n")
            };
            let text: String = records.iter().map(line).collect();
            self.store.put_at(&format!("raw/saas/deals/2026/11/28/{}/part-{part}", id(run)), text, NOW);
        }
    }

    async fn report(&self, run: usize, started: Timestamp, records: usize) -> Result<Value, Error> {
        self.deliver(&report(run, started, records, "Execution Successful")).await
    }

    async fn deliver(&self, event: &Value) -> Result<Value, Error> {
        self.within(Duration::from_mins(5), event).await
    }

    /// An invocation that may take so long.
    async fn within(&self, time: Duration, event: &Value) -> Result<Value, Error> {
        handle(event.to_string().as_bytes(), self.clock.now().plus(time), &self.ports).await
    }

    /// From here on every call of the store takes so long.
    fn slow(&self, time: Duration) {
        let clock = Arc::clone(&self.clock);
        self.store.faults().hook(Box::new(move |_| clock.advance(time)));
    }

    /// Before the call of this number, another invocation is there from its beginning to its end.
    fn other_at(&self, number: u64, event: &Value) {
        let (ports, event, deadline) = (self.ports.clone(), event.to_string(), self.clock.now().plus(HOURS));
        let hook = move |call: &Call<Verb>| {
            if call.number == number {
                let (ports, event) = (ports.clone(), event.clone());
                let other = move || {
                    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                    drop(runtime.block_on(handle(event.as_bytes(), deadline, &ports)));
                };
                std::thread::spawn(other).join().unwrap();
            }
        };
        self.store.faults().hook(Box::new(hook));
    }

    /// The table: by key, the note of its row.
    async fn table(&self) -> BTreeMap<String, String> {
        let Some((_, snapshot)) = self.store.get("curated/saas/deals/snapshot.parquet").await.unwrap() else {
            return BTreeMap::new();
        };
        let rows = rows::read(snapshot, None).unwrap().rows;
        let count = rows.len();
        let cell = |row: &Vec<Option<String>>, at: usize| row[at].clone().unwrap_or_default();
        let table: BTreeMap<_, _> = rows.iter().map(|row| (cell(row, 0), cell(row, 3))).collect();
        assert_eq!(table.len(), count, "a key is there twice");
        table
    }

    fn figure(&self, name: &str) -> u64 {
        let Emitter::Memory(seen) = &self.ports.emitter else { return 0 };
        let seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        let line = |metrics: &Metrics| {
            let mut out = Vec::new();
            metrics.emit(NOW, &mut out).unwrap();
            serde_json::from_slice::<Value>(&out).unwrap()
        };
        seen.iter().map(line).filter_map(|line| line.get(name)?.as_f64()?.to_string().parse::<u64>().ok()).sum()
    }
}
