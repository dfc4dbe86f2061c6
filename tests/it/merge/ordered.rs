//! Tables where a column decides between versions, and not the files' names: a backlog larger than the memory.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use headgate::store::memory::Verb;
use headgate_columnar::{
    merge::{Options, Outcome},
    sample::{Column, Values, parquet},
};

use super::lake::{Lake, PREFIX, Setup, at};

const FILES: u16 = 12;
/// Rows of a file: each has all keys, of another version.
const KEYS: i64 = 50;

/// The version of a key that a file has.
fn version(file: u16, key: i64) -> i64 {
    (i64::from(file) * 7 + key * 5) % 13
}

fn lake() -> Lake {
    let mut lake = Lake::new(Setup::default());
    lake.dataset.order_by = Some("version".to_owned());
    for file in 0..FILES {
        let columns = [
            Column::added("Op", (0..KEYS).map(|_| "I".to_owned())),
            Column::optional("id", Values::Int64((0..KEYS).map(Some).collect())),
            Column::optional("version", Values::Int64((0..KEYS).map(|key| Some(version(file, key))).collect())),
            Column::optional("file", Values::Int64((0..KEYS).map(|_| Some(file.into())).collect())),
        ];
        let name = format!("20240115-1000{file:02}000");
        lake.store.put_at(&format!("{PREFIX}{name}.parquet"), parquet(&columns).unwrap(), at(&name));
    }
    lake
}

#[tokio::test]
async fn a_backlog_is_read_as_far_as_the_memory_goes() {
    let lake = lake();
    let reads = Arc::new(Mutex::new(BTreeMap::<String, u64>::new()));
    let seen = Arc::clone(&reads);
    lake.store.faults().hook(Box::new(move |call| {
        if matches!(call.verb, Verb::Get | Verb::GetRange) && call.key.starts_with(PREFIX) {
            *seen.lock().unwrap().entry(call.key.clone()).or_default() += 1;
        }
    }));
    // Hardly a file's rows: a publish ends after each.
    let options = Options { memory: 1 << 10, threads: 1, ..Options::default() };
    let report = lake.merge_with(&options).await;
    assert_eq!((report.outcome, report.publishes), (Outcome::Merged, FILES.into()), "{:?}", report.error);

    for (key, row) in lake.table().await.rows {
        let id: i64 = key[0].parse().unwrap();
        let last = (0..FILES).max_by_key(|file| (version(*file, id), *file)).unwrap();
        assert_eq!(row[2].as_deref(), Some(last.to_string().as_str()), "{id}");
    }
    // Of what waits no more is read than a few files ahead, each time; of what is in, all that is within the horizon.
    let reads = reads.lock().unwrap();
    let newest = reads.iter().next_back().unwrap();
    assert!(*newest.1 <= 4, "{newest:?}");
}
