//! Whole invocations over a store in memory.

mod events;
mod property;

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use headgate::{
    clock::ManualClock,
    flows::{self, memory::MemoryFlows},
    store::memory::MemoryStore,
};
use headgate_columnar::rows;

use super::*;

/// 2026-11-29T00:00:00Z
const NOW: Timestamp = Timestamp(1_795_910_400_000);
const HOUR: i64 = 3_600_000;

/// A record: its key, when it was modified, whether it was deleted, and what tells it from others.
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

fn id(run: usize) -> String {
    format!("2c07e424-0000-4000-8000-{run:012}")
}

fn moment(at: Timestamp) -> String {
    let digits = at.0.rem_euclid(24 * HOUR);
    let (hour, rest) = (digits / HOUR, digits % HOUR);
    let day = if at.0 >= NOW.0 { 29 } else { 28 };
    format!("2026-11-{day}T{hour:02}:{:02}:{:02}.{:03}Z", rest / 60_000, rest / 1000 % 60, rest % 1000)
}

impl Scene {
    /// Writes the files of a run; two, where there are several records.
    fn files(&self, run: usize, records: &[Record]) {
        let (first, second) = records.split_at(records.len() / 2);
        for (part, records) in [first, second].into_iter().enumerate().filter(|(_, records)| !records.is_empty()) {
            let line = |record: &Record| {
                let Record { id, modified, deleted, note } = record;
                format!("{{\"id\":{id},\"modified\":{modified},\"gone\":{deleted},\"note\":{note}}}\n")
            };
            let text: String = records.iter().map(line).collect();
            self.store.put_at(&format!("raw/saas/deals/2026/11/28/{}/part-{part}", id(run)), text, NOW);
        }
    }

    async fn report(&self, run: usize, started: Timestamp, records: usize) -> Result<Value, Error> {
        let event = json!({"source": "aws.appflow", "detail-type": "AppFlow End Flow Run Report", "detail": {
            "flow-name": "deals", "execution-id": id(run), "status": "Execution Successful",
            "start-time": format!("{}[UTC]", moment(started)), "num-of-records-processed": records.to_string()}});
        self.deliver(&event).await
    }

    async fn deliver(&self, event: &Value) -> Result<Value, Error> {
        let deadline = self.clock.now().plus(Duration::from_mins(5));
        handle(event.to_string().as_bytes(), deadline, &self.ports).await
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
