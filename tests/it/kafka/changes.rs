//! `msk-consumer` for change topics and the merge of `dms-merge`, on one lake in memory.

use std::{
    collections::BTreeMap,
    ops::Deref,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use headgate::{
    Error,
    clock::{Clock, ManualClock, Timestamp},
    dataset::Dataset,
    decode::{compression, registry::SchemaId},
    metrics::Emitter,
    registry::{Registry, SchemaText},
    state::memory::MemoryState,
    store::{Store, memory::MemoryStore},
};
use headgate_columnar::{
    inspect::inspect,
    merge::{MergeReport, Options, Silent, merge},
    rows,
};
use headgate_kafka::{Target, schemas::Schemas};
use msk_consumer::{
    config::Failures,
    handler::{Ports, handle},
};
use serde_json::{Value, json};

use super::lake::summary;
use crate::landed::Landed;

/// 2026-11-22T12:00:00Z.
const NOW: Timestamp = Timestamp(1_795_348_800_000);
pub const PREFIX: &str = "cdc/shop/orders/";

/// What the connector registers for the table `orders`: schema 7, and that of the Glue registry; 8 where it is all.
#[derive(Debug)]
pub struct Known {
    pub all: bool,
}

#[async_trait]
impl Registry for Known {
    async fn schema(&self, id: SchemaId) -> Result<Option<SchemaText>, Error> {
        if matches!(id, SchemaId::Confluent(number) if number != 7 && (number != 8 || !self.all)) {
            return Ok(None);
        }
        let optional = |r#type: Value| json!(["null", r#type]);
        let decimal = json!({"type": "bytes", "scale": 2, "precision": 9, "connect.version": 1,
            "connect.parameters": {"scale": "2", "connect.decimal.precision": "9"},
            "connect.name": "org.apache.kafka.connect.data.Decimal", "logicalType": "decimal"});
        let day = json!({"type": "int", "connect.version": 1, "connect.name": "io.debezium.time.Date"});
        let row = json!({"type": "record", "name": "Value", "fields": [
            {"name": "id", "type": "long"},
            {"name": "state", "type": optional(json!("string"))},
            {"name": "amount", "type": optional(decimal)},
            {"name": "day", "type": optional(day)},
        ]});
        let source = json!({"type": "record", "name": "Source", "namespace": "io.debezium.connector.postgresql",
            "fields": [{"name": "lsn", "type": optional(json!("long"))}]});
        let schema = json!({"type": "record", "name": "Envelope", "namespace": "shop.public.orders", "fields": [
            {"name": "before", "type": optional(row)},
            {"name": "after", "type": optional(json!("Value"))},
            {"name": "source", "type": source},
            {"name": "op", "type": "string"},
            {"name": "ts_ms", "type": optional(json!("long"))},
        ]});
        Ok(Some(SchemaText { schema: schema.to_string(), references: Vec::new() }))
    }
}

/// A lake with the table `orders`, which its change topic keeps up to date.
pub struct Changes {
    pub ports: Ports,
    pub dataset: Dataset,
    landed: Landed,
    pub state: MemoryState,
    pub clock: Arc<ManualClock>,
}

/// The table's dataset; `amount`: it says the columns, and this type of the amounts.
pub fn dataset(amount: Option<&str>) -> Dataset {
    let mut text = json!({
        "name": "orders", "kind": "cdc", "primary_key": ["id"],
        "source": {"format": "debezium_json", "prefix": PREFIX},
        "target": {"snapshot": "curated/orders/snapshot.parquet"},
    });
    if let Some(amount) = amount {
        text["columns"] = json!([
            {"name": "id", "type": "int64"}, {"name": "state", "type": "string"},
            {"name": "amount", "type": amount}, {"name": "day", "type": "date"},
        ]);
    }
    Dataset::parse("orders.json", &text.to_string()).unwrap()
}

impl Changes {
    /// The lake before any change; `declared`: the dataset says the columns, for events that do not.
    pub fn new(declared: bool) -> Self {
        Self::of(dataset(declared.then_some("decimal(9,2)")))
    }

    /// The same for this dataset.
    pub fn of(dataset: Dataset) -> Self {
        let clock = Arc::new(ManualClock::new(NOW));
        let (store, state) = (MemoryStore::new(clock.clone()), MemoryState::new(clock.clone()));
        let ports = Ports {
            target: Target::Changes(dataset.clone()),
            schemas: Schemas::new(vec![Arc::new(Known { all: false })], clock.clone()),
            failures: Failures::Records,
            store: Arc::new(store.clone()),
            state: Arc::new(state.clone()),
            most: 1 << 20,
            clock: clock.clone(),
            emitter: Emitter::Memory(Arc::new(Mutex::new(Vec::new()))),
            function: "msk-consumer".to_owned(),
        };
        Self { ports, dataset, landed: Landed { store }, state, clock }
    }

    /// The function's answer to one event.
    pub async fn deliver(&self, event: &Value) -> Result<Value, Error> {
        let deadline = self.clock.now().plus(Duration::from_mins(1));
        let answer = handle(event.to_string().as_bytes(), deadline, &self.ports).await?;
        Ok(serde_json::to_value(answer).unwrap())
    }

    pub fn port(&self) -> Arc<dyn Store> {
        Arc::new(self.landed.store.clone())
    }

    pub async fn merge(&self) -> MergeReport {
        merge(&self.port(), &self.dataset, &Options::default(), self.clock.as_ref(), &Silent).await
    }

    /// The snapshot's rows by key, as text.
    pub async fn table(&self) -> BTreeMap<i64, Vec<Option<String>>> {
        let Some((_, snapshot)) = self.landed.store.get(&self.dataset.target.snapshot).await.unwrap() else {
            return BTreeMap::new();
        };
        let rows::Rows { columns, rows } = rows::read(snapshot, None).unwrap();
        let value = |row: &[Option<String>], name: &str| row[columns.iter().position(|known| known == name)?].clone();
        let keyed = |row: &Vec<Option<String>>| {
            (
                value(row, "id").unwrap().parse().unwrap(),
                ["state", "amount", "day"].map(|name| value(row, name)).to_vec(),
            )
        };
        let table: BTreeMap<_, _> = rows.iter().map(keyed).collect();
        assert_eq!(table.len(), rows.len(), "a key is there twice");
        table
    }

    /// The snapshot's columns and their types.
    pub async fn columns(&self) -> BTreeMap<String, String> {
        let inspection = inspect(&self.port(), &self.dataset, self.clock.as_ref()).await.unwrap();
        inspection.schema.into_iter().collect()
    }

    /// The files of changes, by key below the prefix: their lines but the first.
    pub async fn files(&self) -> BTreeMap<String, Vec<String>> {
        let mut files = BTreeMap::new();
        for key in self.landed.store.list_keys(PREFIX, None).await.unwrap().keys {
            let (_, body) = self.landed.store.get(&key).await.unwrap().unwrap();
            let text = compression::unpack(&body, 1 << 20).unwrap();
            let text = std::str::from_utf8(&text).unwrap();
            let mut lines = text.lines().map(str::to_owned);
            assert!(lines.next().unwrap().starts_with(r#"{"headgate":{"attempt":""#), "{text}");
            files.insert(key[PREFIX.len()..].to_owned(), lines.collect());
        }
        files
    }

    /// All that is there, in a form that does not change from run to run, and the table that a merge makes of it.
    pub async fn seen(&self) -> Value {
        let report = self.merge().await;
        let refused = self.landed.seen().await["refused"].take();
        json!({"files": self.files().await, "refused": refused, "merge": report.outcome, "table": self.table().await})
    }

    /// What was emitted, a line each.
    pub fn metrics(&self) -> Vec<String> {
        summary(&self.ports.emitter)
    }
}

impl Deref for Changes {
    type Target = Landed;

    fn deref(&self) -> &Landed {
        &self.landed
    }
}
