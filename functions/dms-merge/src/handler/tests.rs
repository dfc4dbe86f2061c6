//! Whole invocations over a store in memory: what is merged, and what the trigger is told.

use std::sync::Mutex;

use headgate::{
    Class,
    clock::ManualClock,
    store::memory::{MemoryStore, Verb},
};
use headgate_columnar::sample::{Column, Values, parquet};
use serde_json::json;

use super::*;

const NOW: Timestamp = Timestamp(1_795_348_800_000);

/// A function with two tables of one change each, and what stands behind its ports.
struct Scene {
    ports: Ports,
    store: MemoryStore,
    clock: Arc<ManualClock>,
}

fn scene() -> Scene {
    let clock = Arc::new(ManualClock::new(NOW));
    let store = MemoryStore::new(clock.clone());
    for table in ["items", "orders"] {
        let columns = [Column::added("Op", ["I".to_owned()]), Column::optional("id", Values::Int64(vec![Some(1)]))];
        store.put_at(&format!("cdc/{table}/20261122-101500123.parquet"), parquet(&columns).unwrap(), NOW);
    }
    let ports = Ports {
        store: Arc::new(store.clone()),
        address: Address::default(),
        datasets: ["items", "orders"].map(dataset).to_vec(),
        bounds: Bounds { threads: 1, memory: 256 << 20 },
        clock: clock.clone(),
        emitter: Emitter::Memory(Arc::new(Mutex::new(Vec::new()))),
        function: "dms-merge".to_owned(),
    };
    Scene { ports, store, clock }
}

fn dataset(name: &str) -> Dataset {
    let text = json!({
        "name": name, "kind": "cdc", "primary_key": ["id"],
        "source": {"format": "parquet", "prefix": format!("cdc/{name}/"), "op_column": "Op"},
        "target": {"snapshot": format!("curated/{name}/snapshot.parquet"), "publish": "replace"},
    });
    Dataset::parse(name, &text.to_string()).unwrap()
}

/// A message for each table, and one that pokes both twice.
fn queue() -> Value {
    let poke = |table: &str| json!({"s3": {"bucket": {"name": "b"}, "object": {"key": format!("cdc/{table}/x")}}});
    let message = |id: &str, pokes: &[Value]| json!({"messageId": id, "eventSource": "aws:sqs", "body": json!({"Records": pokes}).to_string()});
    let (items, orders) = (poke("items"), poke("orders"));
    let both = [items.clone(), orders.clone(), orders.clone(), items.clone()];
    json!({"Records": [message("items", &[items]), message("orders", &[orders]), message("both", &both)]})
}

fn failures(ids: &[&str]) -> Value {
    json!({"batchItemFailures": ids.iter().map(|id| json!({"itemIdentifier": id})).collect::<Vec<_>>()})
}

impl Scene {
    async fn handle(&self, event: Value, time: Duration) -> Result<Value, Error> {
        handle(event.to_string().as_bytes(), self.clock.now().plus(time), &self.ports).await
    }

    /// The tables that have a snapshot.
    async fn merged(&self) -> Vec<&str> {
        let mut merged = Vec::new();
        for dataset in &self.ports.datasets {
            if self.store.head(&dataset.target.snapshot).await.unwrap().is_some() {
                merged.push(dataset.name.as_str());
            }
        }
        merged
    }
}

const PLENTY: Duration = Duration::from_mins(1);

#[tokio::test]
async fn a_table_is_merged_once_however_many_events_name_it() {
    let scene = scene();
    assert_eq!(scene.handle(queue(), PLENTY).await, Ok(failures(&[])));
    assert_eq!(scene.merged().await, ["items", "orders"]);
    let Emitter::Memory(seen) = &scene.ports.emitter else { panic!("metrics are kept") };
    assert_eq!(seen.lock().unwrap().len(), 2, "one line a merge");
}

#[tokio::test]
async fn without_time_nothing_is_begun() {
    let scene = scene();
    assert_eq!(scene.handle(queue(), Duration::ZERO).await, Ok(failures(&["items", "orders", "both"])));
    let error = scene.handle(json!({"tables": "all"}), Duration::ZERO).await.unwrap_err();
    assert_eq!((error.class, error.code), (Class::Retry, Code::Deadline));
    assert_eq!(scene.store.faults().total(), 0);
}

#[tokio::test]
async fn a_table_whose_turn_comes_too_late_goes_back_alone() {
    let scene = scene();
    let clock = scene.clock.clone();
    // The first table's publish takes all the time there is.
    scene.store.faults().hook(Box::new(move |call| {
        if call.verb == Verb::Complete {
            clock.advance(PLENTY);
        }
    }));
    assert_eq!(scene.handle(queue(), PLENTY).await, Ok(failures(&["orders", "both"])));
    assert_eq!(scene.merged().await, ["items"]);
    assert_eq!(scene.handle(queue(), PLENTY).await, Ok(failures(&[])));
    assert_eq!(scene.merged().await, ["items", "orders"]);
}

#[tokio::test]
async fn a_store_that_fails_is_tried_again() {
    let scene = scene();
    scene.store.faults().crash_from(1);
    assert_eq!(scene.handle(queue(), PLENTY).await, Ok(failures(&["items", "orders", "both"])));
    let error = scene.handle(json!({"tables": ["orders"]}), PLENTY).await.unwrap_err();
    assert_eq!((error.class, error.code), (Class::Retry, Code::Unavailable));
    scene.store.faults().revive();
    let answer = json!({"tables": {"orders": "merged"}, "ignored": {}});
    assert_eq!(scene.handle(json!({"tables": ["orders"]}), PLENTY).await, Ok(answer));
}

#[test]
fn the_margin_suits_the_time() {
    let left = |seconds| Budget::new(NOW, NOW.plus(Duration::from_secs(seconds))).left(NOW);
    assert_eq!(left(0), None);
    assert_eq!(left(10), Some(Duration::from_secs(9)));
    assert_eq!(left(900), Some(Duration::from_secs(895)));
}
