//! A small lake in memory, and the function's handler on it.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use dms_merge::{
    handler::{Ports, handle},
    route::Address,
};
use headgate::{
    Error,
    clock::{Clock, ManualClock, Timestamp},
    dataset::Dataset,
    metrics::Emitter,
    store::{Store, memory::MemoryStore},
};
use headgate_columnar::{
    bounds::Bounds,
    rows,
    sample::{Column, Values, parquet},
};
use serde_json::{Value, json};

/// 2026-11-22T12:00:00Z, some time after the newest file.
const NOW: Timestamp = Timestamp(1_795_348_800_000);
const TIMEOUT: Duration = Duration::from_mins(1);

/// The state of the table `returns`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Table {
    /// It has no files yet.
    Empty,
    /// Its only file is no Parquet.
    Broken,
}

/// A lake with the tables `orders`, `returns` and `web_orders`.
pub struct Lake {
    ports: Ports,
    store: MemoryStore,
    clock: Arc<ManualClock>,
}

impl Lake {
    /// The lake before any merge.
    pub fn new(returns: Table) -> Self {
        let clock = Arc::new(ManualClock::new(NOW));
        let store = MemoryStore::new(clock.clone());
        let put = |key: &str, body: bytes::Bytes| drop(store.put_at(key, body, NOW.minus(TIMEOUT)));
        put("cdc/production/orders/LOAD00000001.parquet", load(&[1, 2, 3]));
        put("cdc/production/orders/2026/11/22/20261122-101500123.parquet", changes(&[("U", 1), ("D", 2), ("I", 4)]));
        put("cdc/production/orders/2026/11/22/20261122-101601823.parquet", changes(&[("I", 2), ("U", 9)]));
        put("cdc/shop=café/web orders/LOAD00000001.parquet", load(&[7]));
        if returns == Table::Broken {
            put("cdc/production/returns/LOAD00000001.parquet", "this is text".into());
        }
        let ports = Ports {
            store: Arc::new(store.clone()),
            address: Address { bucket: Some("headgate-lake".to_owned()), prefix: String::new() },
            datasets: vec![
                dataset("orders", "cdc/production/orders/"),
                dataset("returns", "cdc/production/returns/"),
                dataset("web_orders", "cdc/shop=café/web orders/"),
            ],
            bounds: Bounds { threads: 1, memory: 256 << 20 },
            clock: clock.clone(),
            emitter: Emitter::Memory(Arc::new(Mutex::new(Vec::new()))),
            function: "dms-merge".to_owned(),
        };
        Self { ports, store, clock }
    }

    /// The function's answer to one event.
    pub async fn deliver(&self, event: &Value) -> Result<Value, Error> {
        handle(event.to_string().as_bytes(), self.clock.now().plus(TIMEOUT), &self.ports).await
    }

    /// The rows of every table that has a snapshot, as text.
    pub async fn rows(&self) -> BTreeMap<String, Vec<String>> {
        let mut tables = BTreeMap::new();
        for dataset in &self.ports.datasets {
            if let Some((_, snapshot)) = self.store.get(&dataset.target.snapshot).await.unwrap() {
                let rows = rows::read(snapshot, None).unwrap();
                let line = |row: &Vec<Option<String>>| row.iter().flatten().cloned().collect::<Vec<_>>().join(" ");
                tables.insert(dataset.name.clone(), rows.rows.iter().map(line).collect());
            }
        }
        tables
    }

    /// What was emitted, a line each: dimensions and the figures that say what happened.
    pub fn metrics(&self) -> Vec<String> {
        let Emitter::Memory(seen) = &self.ports.emitter else { return Vec::new() };
        seen.lock()
            .unwrap()
            .iter()
            .map(|metrics| {
                let mut line = Vec::new();
                metrics.emit(NOW, &mut line).unwrap();
                summary(&serde_json::from_slice(&line).unwrap())
            })
            .collect()
    }
}

fn summary(line: &Value) -> String {
    let shown = ["Dataset", "Code", "Reason", "Failures", "FailuresByCode", "Files", "RowsIn", "Rows", "Ignored"];
    let shown = shown.iter().filter_map(|name| line.get(name).map(|value| format!("{name}={value}")));
    shown.collect::<Vec<_>>().join(" ")
}

fn dataset(name: &str, prefix: &str) -> Dataset {
    let text = json!({
        "name": name, "kind": "cdc", "primary_key": ["id"],
        "source": {"format": "parquet", "prefix": prefix, "op_column": "Op", "timestamp_column": "dms_ts"},
        "target": {"snapshot": format!("curated/production/{name}/snapshot.parquet"), "publish": "replace"},
    });
    Dataset::parse(name, &text.to_string()).unwrap()
}

fn load(ids: &[i64]) -> bytes::Bytes {
    let stamps = ids.iter().map(|_| "2026-11-22 09:15:00.000000".to_owned());
    file(vec![Column::added("dms_ts", stamps)], ids, "loaded")
}

fn changes(changes: &[(&str, i64)]) -> bytes::Bytes {
    let ids: Vec<_> = changes.iter().map(|(_, id)| *id).collect();
    let ops = changes.iter().map(|(op, _)| (*op).to_owned());
    let stamps = changes.iter().map(|_| "2026-11-22 10:14:58.000000".to_owned());
    file(vec![Column::added("Op", ops), Column::added("dms_ts", stamps)], &ids, "changed")
}

fn file(mut columns: Vec<Column>, ids: &[i64], state: &str) -> bytes::Bytes {
    columns.push(Column::optional("id", Values::Int64(ids.iter().copied().map(Some).collect())));
    columns.push(Column::optional("state", Values::Text(ids.iter().map(|_| Some(state.to_owned())).collect())));
    parquet(&columns).unwrap()
}
