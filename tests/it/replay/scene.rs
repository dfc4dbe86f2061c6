//! A lake with refused records, contracts that take them, and what is there afterwards.

use std::collections::BTreeMap;

use bytes::Bytes;
use headgate::{
    contract::{Contract, MaskKey},
    dataset::Stream,
    state::memory::MemoryState,
    store::memory::MemoryStore,
};
use headgate_columnar::replay::{Kind, Kinesis, Options, Origin, Report, Target, replay};
use serde_json::{Value, json};

pub use crate::consume::lake::{Lake, batch, clickstream};

/// A contract that records are read by.
pub struct Rules {
    pub stream: Stream,
    pub contract: Contract,
}

impl Rules {
    pub fn new(dataset: &Value) -> Self {
        let stream = Stream::parse("clickstream.json", &dataset.to_string()).unwrap();
        let contract = Contract::new(&stream, Some(MaskKey::new(&[7; 32]).unwrap())).unwrap();
        Self { stream, contract }
    }

    pub fn kind(&self) -> Kinesis<'_> {
        Kinesis { stream: &self.stream, contract: &self.contract }
    }

    pub async fn replay(&self, lake: &Lake, options: &Options) -> Report {
        replay(target(&self.kind(), &lake.store, &lake.state), options, &|_, _| {}).await
    }
}

pub fn target<'a, K: Kind>(kind: &'a K, store: &'a MemoryStore, state: &'a MemoryState) -> Target<'a, K> {
    Target { store, state, kind }
}

/// A contract that takes words for users, and has the table in partitions of this granularity.
pub fn lenient(time: &str) -> Rules {
    Rules::new(&clickstream(|dataset| {
        dataset["columns"][1]["type"] = json!("string");
        dataset["partition_by"] = json!({"time": time});
    }))
}

/// Writes what is replayed, of all that is in quarantine.
pub fn apply() -> Options {
    Options {
        origin: Origin::Quarantine,
        prefix: "quarantine/".to_owned(),
        reasons: Vec::new(),
        unclear: false,
        apply: true,
        most: 64 << 20,
    }
}

pub fn look() -> Options {
    Options { apply: false, ..apply() }
}

/// A record; `user` is no number where it is to be refused.
pub fn record(number: usize, hour: usize, user: &Value) -> Vec<u8> {
    let ts = format!("2026-01-01T{hour:02}:00:00Z");
    json!({"event_id": format!("e{number}"), "user_id": user, "event_type": "view", "ts": ts}).to_string().into_bytes()
}

/// Two batches of six records in all, of which every third is taken as it is.
pub async fn refused() -> Lake {
    let lake = Lake::new(&clickstream(|_| {}));
    let user = |number: usize| if number.is_multiple_of(3) { json!(number) } else { json!("word") };
    let bodies: Vec<_> = (0..6).map(|number| record(number, number % 4, &user(number))).collect();
    lake.land(&batch(0, &bodies[..3])).await;
    lake.land(&batch(3, &bodies[3..])).await;
    assert_eq!((lake.values("event_id").await.len(), lake.refused().await.len()), (2, 4));
    lake
}

/// All records of [`refused`], each once.
pub fn once() -> BTreeMap<String, u64> {
    (0..6).map(|number| (format!("e{number}"), 1)).collect()
}

/// The objects under a prefix.
pub async fn objects(lake: &Lake, prefix: &str) -> BTreeMap<String, Bytes> {
    lake.objects(prefix).await.into_iter().collect()
}

/// Whether the report's figures add up, and nothing went wrong.
#[track_caller]
pub fn adds_up(report: &Report) {
    let Report { replayed, repeated, unsettled, landed, unclear, late, .. } = report;
    let Report { other_datasets, other_reasons, unreadable, .. } = report;
    let refused: u64 = report.refused.values().map(|refused| refused.lines).sum();
    let sum = replayed + repeated + unsettled + landed + unclear + late;
    let sum = sum + other_datasets + other_reasons + unreadable + refused;
    assert_eq!((report.error.as_ref(), report.lines), (None, sum), "{report:#?}");
}
