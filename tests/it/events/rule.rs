//! `iot-rule` with the published dataset: what subscribers are told, what goes on, what is set aside.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use headgate::{
    Error,
    clock::{Clock, ManualClock, Timestamp},
    contract::Contract,
    dataset::Stream,
    metrics::{Emitter, Metrics},
    notify::memory::MemoryNotify,
    quarantine::Line,
    runtime::Event,
    state::memory::MemoryState,
    store::{Store, memory::MemoryStore},
    stream::{Limits, memory::MemoryStream},
};
use iot_rule::{
    handler::{Ports, handle},
    ledger::Watching,
    sql::Sql,
};
use serde_json::{Value, json};

/// 2026-11-25T09:31:00Z, soon after the samples were taken.
const NOW: Timestamp = Timestamp(1_795_599_060_000);

/// The function, and all that it writes to.
pub struct Rule {
    ports: Ports,
    pub store: MemoryStore,
    pub clock: Arc<ManualClock>,
    notify: MemoryNotify,
    stream: MemoryStream,
}

impl Rule {
    /// The instance that serves temperatures; where the devices' payload is packed, by this field.
    pub fn new(payload: Option<&str>) -> Self {
        let mut dataset: Value =
            serde_json::from_str(include_str!("../../../infra/datasets/temperature.json")).unwrap();
        dataset["watch"]["payload"] = json!(payload);
        Self::of(&dataset)
    }

    /// The instance that serves this dataset, as the Terraform sets it up.
    pub fn of(dataset: &Value) -> Self {
        let dataset = Stream::parse("temperature.json", &dataset.to_string()).unwrap();
        let clock = Arc::new(ManualClock::new(NOW));
        let (store, notify) = (MemoryStore::new(clock.clone()), MemoryNotify::default());
        let stream = MemoryStream::new(Limits::KINESIS);
        let ports = Ports {
            store: Arc::new(store.clone()),
            state: Arc::new(MemoryState::new(clock.clone())),
            notify: Arc::new(notify.clone()),
            onward: Some(Arc::new(stream.clone())),
            contract: Contract::new(&dataset, None).unwrap(),
            sql: dataset
                .watch
                .as_ref()
                .map(|watch| Sql::new("sensors/+/temperature".parse().unwrap(), &dataset, watch).unwrap()),
            watching: Watching::new(&dataset.name, dataset.watch.clone().unwrap()),
            dataset,
            clock: clock.clone(),
            emitter: Emitter::Memory(Arc::new(Mutex::new(Vec::new()))),
            function: "iot-rule".to_owned(),
        };
        Self { ports, store, clock, notify, stream }
    }

    /// The function's answer to one event, as far as it is not nothing.
    pub async fn deliver(&self, event: &Value) -> Result<Value, Error> {
        let deadline = self.clock.now().plus(Duration::from_mins(1));
        let event = Event { body: event.to_string().into(), deadline, request_id: "r-1".to_owned() };
        let mut answer = json!(handle(&event, &self.ports).await?);
        answer.as_object_mut().unwrap().retain(|_, value| ![json!(0), json!(null)].contains(value));
        Ok(answer)
    }

    /// What all of it came to.
    pub async fn seen(&self) -> Value {
        let told = self.notify.published().into_iter().map(|notice| {
            let message: Value = serde_json::from_str(&notice.body).unwrap();
            json!({"subject": notice.subject, "message": message, "deduplication": notice.deduplication})
        });
        let sent = self.stream.records().into_iter().map(|record| {
            let data: Value = serde_json::from_slice(&record.data).unwrap();
            json!([record.partition_key, data["at"], data["temperature"]])
        });
        json!({"told": told.collect::<Vec<_>>(), "sent": sent.collect::<Vec<_>>(), "quarantine": self.lines().await})
    }

    async fn lines(&self) -> Vec<Value> {
        let mut lines = Vec::new();
        for object in self.store.list("", None).await.unwrap().objects {
            let (_, body) = self.store.get(&object.key).await.unwrap().unwrap();
            for line in std::str::from_utf8(&body).unwrap().lines() {
                let line: Line = serde_json::from_str(line).unwrap();
                let raw = String::from_utf8(line.bytes().unwrap()).unwrap();
                let place = line.path.as_deref().unwrap_or("-");
                let folder = object.key.rsplit_once('/').unwrap().0;
                lines.push(json!([
                    folder,
                    line.position.to_string(),
                    line.document,
                    line.code,
                    place,
                    line.reason,
                    raw
                ]));
            }
        }
        lines
    }

    /// What was emitted, a line each.
    pub fn metrics(&self) -> Vec<Value> {
        let Emitter::Memory(seen) = &self.ports.emitter else { return Vec::new() };
        let line = |metrics: &Metrics| {
            let mut line = Vec::new();
            metrics.emit(NOW, &mut line).unwrap();
            let mut line: Value = serde_json::from_slice(&line).unwrap();
            line.as_object_mut()
                .unwrap()
                .retain(|name, value| !["_aws", "Function", "Dataset"].contains(&&**name) && *value != json!(0));
            line
        };
        seen.lock().unwrap().iter().map(line).collect()
    }
}
