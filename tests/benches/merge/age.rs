//! A year of change files, one a minute → what a merge of one more costs, against the first day's.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use headgate::{
    clock::{Clock, ManualClock, Timestamp},
    dataset::Dataset,
    store::{Store, memory::MemoryStore},
};
use headgate_columnar::{
    inspect::inspect,
    merge::{MergeReport, Options, Outcome, Silent, merge},
};
use time::{OffsetDateTime, macros::datetime};

use super::distant::Distant;

const DAY: i64 = 24 * 60;
const YEAR: i64 = 365 * DAY;
const KEYS: i64 = 10_000;
const RUNS: i64 = 9;
/// How far away the store is: less than S3's usual 100 ms, so that our own work shows.
const FAR: Duration = Duration::from_millis(30);
const START: OffsetDateTime = datetime!(2025-01-01 00:00 UTC);
/// Text, so that the year is read in a minute: what is measured does not depend on the format.
const DATASET: &str = r#"{
    "name": "orders",
    "kind": "cdc",
    "source": {"format": "csv", "prefix": "cdc/bench/orders/", "timestamp_column": "dms_ts"},
    "primary_key": ["id"],
    "columns": [{"name": "id", "type": "int64"}, {"name": "note", "type": "string"}],
    "target": {"snapshot": "curated/bench/orders/snapshot.parquet"}
}"#;

/// A table that gets a change file every minute.
struct Table {
    store: MemoryStore,
    clock: Arc<ManualClock>,
    dataset: Dataset,
}

impl Table {
    fn new() -> Self {
        let clock = Arc::new(ManualClock::new(Timestamp(START.unix_timestamp() * 1000)));
        let store = MemoryStore::new(Arc::clone(&clock) as Arc<dyn Clock>);
        let rows: Vec<_> = (0..KEYS).map(|id| format!("2024-12-31 23:00:00.000000,{id},loaded\n")).collect();
        let loaded = Timestamp((START.unix_timestamp() - 3600) * 1000);
        store.put_at("cdc/bench/orders/LOAD00000001.csv", rows.concat(), loaded);
        Self { store, clock, dataset: Dataset::parse("orders.json", DATASET).unwrap() }
    }

    /// The files of some minutes, as DMS writes them into a folder a day.
    fn arrive(&self, minutes: std::ops::Range<i64>) {
        for minute in minutes {
            let at = START + time::Duration::minutes(minute);
            let (date, hour, minute_of) = (at.date(), at.hour(), at.minute());
            let day = format!("{}/{:02}/{:02}", date.year(), u8::from(date.month()), date.day());
            let name = format!("{}-{hour:02}{minute_of:02}00000", day.replace('/', ""));
            let body = format!("U,{date} {hour:02}:{minute_of:02}:00.000000,{},changed {minute}\n", minute % KEYS);
            let now = Timestamp(at.unix_timestamp() * 1000);
            self.store.put_at(&format!("cdc/bench/orders/{day}/{name}.csv"), body, now);
            self.clock.set(now);
        }
    }

    async fn merge(&self, away: Duration) -> MergeReport {
        let store: Arc<dyn Store> = Arc::new(Distant { inner: self.store.clone(), away });
        let options = Options { memory: 1 << 30, ..Options::default() };
        let report = merge(&store, &self.dataset, &options, self.clock.as_ref(), &Silent).await;
        assert_eq!(report.outcome, Outcome::Merged, "{:?}", report.error);
        report
    }

    /// Merges of one new file each, from this minute on: the median time, the most list requests, the ledger.
    async fn one_by_one(&self, from: i64, away: Duration) -> (f64, u64, u64) {
        let (mut seconds, mut requests) = (Vec::new(), 0);
        for minute in from..from + RUNS {
            self.arrive(minute..minute + 1);
            let started = Instant::now();
            let report = self.merge(away).await;
            seconds.push(started.elapsed().as_secs_f64());
            requests = requests.max(report.list_requests);
        }
        seconds.sort_by(f64::total_cmp);
        let store: Arc<dyn Store> = Arc::new(self.store.clone());
        let seen = inspect(&store, &self.dataset, self.clock.as_ref()).await.unwrap();
        (seconds[seconds.len() / 2], requests, seen.ledger_bytes)
    }
}

/// Measures and tells: in memory, where only our own work counts, and with calls that take as long as a near S3's.
pub(crate) fn bench() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let near = Duration::ZERO;
        let table = Table::new();
        table.arrive(0..DAY);
        table.merge(near).await;
        println!("{:<36}{:>9}{:>12}{:>11}", "one new file", "ms", "lists", "ledger KB");
        let mut young = Vec::new();
        for (round, away) in (0..).zip([near, FAR]) {
            young.push(table.one_by_one(DAY + round * RUNS, away).await);
        }
        table.arrive(DAY + 2 * RUNS..YEAR);
        table.merge(near).await;
        for ((round, away), young) in (0..).zip([near, FAR]).zip(young) {
            let old = table.one_by_one(YEAR + round * RUNS, away).await;
            tell("after a day", away, young);
            tell("after a year", away, old);
            println!("{:<36}{:>9.2}", "x the first day's", old.0 / young.0);
        }
    });
}

fn tell(what: &str, away: Duration, (seconds, requests, ledger): (f64, u64, u64)) {
    let what = format!("{what}, {} ms a call", away.as_millis());
    println!("{what:<36}{:>9.2}{requests:>12}{:>11}", seconds * 1000.0, ledger / 1000);
}
