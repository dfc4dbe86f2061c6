//! `appflow-process` with the presets, and runs of all of their flows in its lake.

use std::{
    collections::BTreeMap,
    fs,
    sync::{Arc, Mutex},
    time::Duration,
};

use appflow_process::handler::{Object, Ports, handle};
use bytes::Bytes;
use headgate::{
    Error,
    clock::{Clock, ManualClock, Timestamp},
    dataset::Datasets,
    flows::{Run, Status, memory::MemoryFlows},
    metrics::Emitter,
    store::{Store, memory::MemoryStore},
};
use headgate_columnar::{
    bounds::Bounds,
    rows,
    sample::{Column, Values, parquet},
};
use serde_json::{Map, Value, json};

use super::folder;

/// 2026-11-29T00:00:00Z
const NOW: Timestamp = Timestamp(1_795_910_400_000);
/// When the runs of the samples began.
const BEGAN: Timestamp = Timestamp(NOW.0 - 4 * 3_600_000);
/// The flows of the samples, by the last digits of their runs.
const FLOWS: [(&str, &str); 11] = [
    ("01", "salesforce-account"),
    ("02", "salesforce-opportunity"),
    ("03", "zendesk-ticket"),
    ("04", "servicenow-incident"),
    ("05", "hubspot-contact"),
    ("06", "google-analytics-sessions"),
    ("07", "slack-message"),
    ("08", "salesforce-contact"),
    ("11", "zendesk-ticket"),
    ("12", "google-analytics-sessions"),
    ("13", "salesforce-account"),
];
/// The same of what each product sends wrong, or in another form than before. Only their reports tell of these runs.
const DRIFTED: [(&str, &str); 8] = [
    ("21", "salesforce-account"),
    ("22", "salesforce-contact"),
    ("23", "salesforce-opportunity"),
    ("24", "zendesk-ticket"),
    ("25", "servicenow-incident"),
    ("26", "hubspot-contact"),
    ("27", "google-analytics-sessions"),
    ("28", "slack-message"),
];

/// The function, and its lake.
pub struct Runs {
    ports: Ports,
    store: MemoryStore,
    clock: Arc<ManualClock>,
}

impl Runs {
    /// An empty table of each preset, and the files of every sample.
    pub fn new() -> Self {
        let clock = Arc::new(ManualClock::new(NOW));
        let (store, flows) = (MemoryStore::new(clock.clone()), MemoryFlows::default());
        for file in fs::read_dir(folder("it/samples/appflow")).unwrap() {
            let path = file.unwrap().path();
            let (name, body) = (path.file_name().unwrap().to_string_lossy().into_owned(), fs::read(&path).unwrap());
            let (run, ending) = name.split_once('.').unwrap();
            let of = |flows: &[(&str, &'static str)]| Some(flows.iter().find(|(digits, _)| run.ends_with(digits))?.1);
            let listed = of(&FLOWS);
            let flow = listed.or_else(|| of(&DRIFTED)).unwrap();
            let body = if ending == "parquet.jsonl" { texts(&body) } else { body.into() };
            store.put_at(&format!("raw/saas/{flow}/2026/11/28/{run}/part-00000"), body, NOW);
            let (id, records) = (run.parse().unwrap(), None);
            let run = Run { id, started: BEGAN, ended: None, status: Status::Succeeded, records };
            if let Some(flow) = listed {
                flows.add(flow, run);
            }
        }
        let presets = Datasets::load(&folder("../infra/datasets/presets")).unwrap();
        let key = || Some("a key that nobody knows".parse().unwrap());
        let ports = Ports {
            store: Arc::new(store.clone()),
            flows: Arc::new(flows),
            objects: presets.saas().map(|saas| Object::new(saas.clone(), key()).unwrap()).collect(),
            lookback: Duration::from_hours(48),
            bounds: Bounds { threads: 1, memory: 256 << 20 },
            clock: clock.clone(),
            emitter: Emitter::Memory(Arc::new(Mutex::new(Vec::new()))),
            function: "appflow-process".to_owned(),
        };
        Self { ports, store, clock }
    }

    /// The function's answer to one event.
    pub async fn deliver(&self, event: &Value) -> Result<Value, Error> {
        let deadline = self.clock.now().plus(Duration::from_mins(5));
        handle(event.to_string().as_bytes(), deadline, &self.ports).await
    }

    /// The rows of every table that there is, and what is set aside of each dataset.
    pub async fn seen(&self) -> Value {
        let (mut tables, mut aside) = (BTreeMap::new(), BTreeMap::new());
        for object in &self.ports.objects {
            if let Some((_, snapshot)) = self.store.get(&object.saas.table.target.snapshot).await.unwrap() {
                let rows = rows::read(snapshot, None).unwrap().rows;
                let line = |row: &Vec<Option<String>>| {
                    row.iter().map(|cell| cell.as_deref().unwrap_or("-")).collect::<Vec<_>>().join(" | ")
                };
                tables.insert(object.saas.name(), rows.iter().map(line).collect::<Vec<_>>());
            }
        }
        for object in self.store.list("quarantine/", None).await.unwrap().objects {
            let (_, body) = self.store.get(&object.key).await.unwrap().unwrap();
            let lines = body.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
            let told = lines.map(|line| {
                let line: Value = serde_json::from_slice(line).unwrap();
                json!([line["position"]["row"]["row"], line["code"], line["path"], line["reason"]])
            });
            aside.insert(object.key, told.collect::<Vec<_>>());
        }
        json!({"tables": tables, "aside": aside})
    }

    /// What was emitted, a line each: dimensions and what is not 0.
    pub fn metrics(&self) -> Vec<String> {
        let Emitter::Memory(seen) = &self.ports.emitter else { return Vec::new() };
        let line = |metrics: &headgate::metrics::Metrics| {
            let mut line = Vec::new();
            metrics.emit(NOW, &mut line).unwrap();
            let mut line: Map<String, Value> = serde_json::from_slice(&line).unwrap();
            // What depends on the machine, or on how well a file is compressed.
            line.retain(|name, value| {
                let varies = ["_aws", "Function", "MergeTime", "BytesWritten", "BytesIn"].contains(&name.as_str());
                !varies && value.as_f64() != Some(0.0)
            });
            line.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" ")
        };
        seen.lock().unwrap().iter().map(line).collect()
    }
}

/// Lines of flat objects as Parquet in which every column is text, as `AppFlow` writes it by default.
fn texts(lines: &[u8]) -> Bytes {
    let lines = lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let rows: Vec<Map<String, Value>> = lines.map(|line| serde_json::from_slice(line).unwrap()).collect();
    let column = |name: &String| {
        let values = rows.iter().map(|row| row[name].as_str().map(str::to_owned)).collect();
        Column::optional(name.clone(), Values::Text(values))
    };
    parquet(&rows[0].keys().map(column).collect::<Vec<_>>()).unwrap()
}
