//! A table, a consumer that lands records in it exactly once, and what a reader sees.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use arrow::{
    array::{ArrayRef, Int64Array, RecordBatch, StringArray, TimestampMillisecondArray},
    datatypes::{DataType, Field, Schema, TimeUnit},
};
use futures::FutureExt;
use headgate::{
    Error,
    clock::{ManualClock, Timestamp},
    dataset::{Compression, Stream},
    landing::{self, Mark, Object, object_name},
    state::memory::MemoryState,
    store::{Store, memory::MemoryStore},
};
use serde_json::{Value, json};

use super::super::{Options, Report, Target, compact};
use crate::{rows, stream::encode};

pub(super) const HOUR: Duration = Duration::from_hours(1);
/// Within the hour of the partition.
pub(super) const THEN: i64 = 1_700_000_000_000;
pub(super) const FOLDER: &str = "raw/clicks/year=2023/month=11/day=14/hour=22/";
const PLENTY: u64 = 512 << 20;

#[derive(Clone)]
pub(super) struct Scene {
    pub(super) store: MemoryStore,
    pub(super) state: Arc<MemoryState>,
    pub(super) clock: Arc<ManualClock>,
    pub(super) stream: Stream,
    pub(super) options: Options,
}

pub(super) fn stream(more: impl FnOnce(&mut Value)) -> Stream {
    let mut document = json!({
        "name": "clicks", "kind": "stream", "source": {"type": "kinesis"},
        "columns": [{"name": "id", "type": "int64"}, {"name": "at", "type": "timestamp(ms)", "required": true},
            {"name": "page", "type": "string"}],
        "event_time": "at", "target": {"prefix": "raw/clicks/"},
    });
    more(&mut document);
    Stream::parse("clicks.json", &document.to_string()).unwrap()
}

/// A record's row: number, time, text.
pub(super) type Row = (i64, i64, String);

/// The row of a record: late by up to a minute, and with others at the same time.
pub(super) fn row(shard: u64, record: u64) -> Row {
    let id = shard * 1_000_000 + record;
    let at = THEN + (record * 20).cast_signed() - (id * 7919 % 60_000).cast_signed() / 1000 * 1000;
    (id.cast_signed(), at, format!("/{}", id % 3))
}

pub(super) fn batch(rows: &[Row]) -> RecordBatch {
    let at = DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into()));
    let fields = [("id", DataType::Int64), ("at", at), ("page", DataType::Utf8)];
    let columns: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.0))),
        Arc::new(TimestampMillisecondArray::from_iter_values(rows.iter().map(|row| row.1)).with_timezone("UTC")),
        Arc::new(rows.iter().map(|row| Some(row.2.clone())).collect::<StringArray>()),
    ];
    let fields: Vec<_> = fields.into_iter().map(|(name, of)| Field::new(name, of, name != "at")).collect();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap()
}

impl Scene {
    pub(super) fn new() -> Self {
        let clock = Arc::new(ManualClock::new(Timestamp(THEN)));
        Self {
            store: MemoryStore::new(clock.clone()),
            state: Arc::new(MemoryState::new(clock.clone())),
            clock,
            stream: stream(|_| {}),
            options: Options { apply: true, threads: 2, memory: PLENTY, time_left: None },
        }
    }

    /// A table with records of two shards in eight files, all of them done, and old enough.
    pub(super) async fn full() -> Self {
        let scene = Self::new();
        for last in [10, 20, 30, 40] {
            for shard in [0, 1] {
                scene.deliver(shard, 0, last).await.unwrap();
            }
        }
        scene.clock.advance(HOUR * 30);
        scene
    }

    /// A batch of a shard, its records from one to the other, which may have come before.
    pub(super) async fn deliver(&self, shard: u64, from: u64, to: u64) -> Result<(), Error> {
        let name = shard.to_string();
        let item = landing::item_key("clicks", "clicks", &name);
        let shard_state = landing::open(self.state.as_ref(), &item).await?;
        let new: Vec<u64> = (from..to).filter(|record| !shard_state.is_done(&Mark::from(*record))).collect();
        let mut objects = Vec::new();
        if let Some(first) = new.first() {
            let rows: Vec<_> = new.iter().map(|record| row(shard, *record)).collect();
            let attempt = shard_state.attempt().as_str().to_owned();
            let body = encode(&batch(&rows), None, Compression::Zstd(1), &[("headgate.attempt", &attempt)]).unwrap();
            let first = Mark::from(*first);
            let key = format!("{FOLDER}{}", object_name("clicks", &name, &first, "parquet"));
            objects.push(Object { key, first, body });
        }
        shard_state.land(&self.store, self.state.as_ref(), objects, Mark::from(to - 1)).await.map(|_| ())
    }

    pub(super) async fn compact(&self) -> Report {
        let store: Arc<dyn Store> = Arc::new(self.store.clone());
        let state = Some(self.state.as_ref() as _);
        let target = Target { store: &store, state, stream: &self.stream, clock: self.clock.as_ref() };
        compact(target, &self.options, &|_, _| ()).await
    }

    /// Compacts until there is nothing to do.
    pub(super) async fn settle(&self) {
        self.store.faults().revive();
        for _ in 0..10 {
            let report = self.compact().await;
            assert!(report.error.is_none() && report.failed.is_empty() && report.left.is_empty(), "{report:?}");
            if report.outcome == super::super::Outcome::UpToDate {
                return;
            }
            self.clock.advance(HOUR * 2);
        }
        panic!("compactions do not come to an end");
    }

    /// The files of the table, by name.
    pub(super) fn files(&self) -> BTreeMap<String, rows::Rows> {
        let mut files = BTreeMap::new();
        for object in self.store.list("raw/", None).now_or_never().unwrap().unwrap().objects {
            let (_, body) = self.store.get(&object.key).now_or_never().unwrap().unwrap().unwrap();
            files.insert(object.key, rows::read(body, None).unwrap());
        }
        files
    }

    /// How often a reader sees each record, by its number.
    pub(super) fn seen(&self) -> BTreeMap<String, u64> {
        let mut seen = BTreeMap::new();
        for rows in self.files().into_values() {
            let id = rows.columns.iter().position(|column| column == "id").unwrap();
            for row in rows.rows {
                *seen.entry(row[id].clone().unwrap()).or_default() += 1;
            }
        }
        seen
    }

    /// Every record of these, and each once.
    pub(super) fn holds(&self, shards: u64, records: u64, when: &str) {
        let seen = self.seen();
        let wrong: Vec<_> = seen.iter().filter(|(_, times)| **times != 1).collect();
        assert!(wrong.is_empty(), "{when}: twice: {wrong:?}");
        let expected = (0..shards).flat_map(|shard| (0..records).map(move |record| row(shard, record).0.to_string()));
        let missing: Vec<_> = expected.filter(|id| !seen.contains_key(id)).collect();
        assert!(missing.is_empty(), "{when}: lost: {missing:?}");
        assert_eq!(seen.len() as u64, shards * records, "{when}");
    }
}
