//! A compaction over S3's wire protocol: answers that are lost, refused and cut, at each kind of request it makes.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use headgate::{
    clock::{Clock, ManualClock, SystemClock},
    dataset::Stream,
    store::{Condition, Store},
};
use headgate_aws::{Aws, Endpoint, S3Store};
use headgate_columnar::{
    compact::{Options, Outcome, Report, Target, compact},
    rows,
    sample::{Column, Values, parquet},
};
use headgate_tests::ministack::{Fault, Ministack, Proxy};

const FOLDER: &str = "raw/views/year=2026/month=11/day=01/";
const FILES: i64 = 7;
const ROWS: i64 = 1_000;
/// Bytes of a row: the new file is an upload of several parts.
const WIDE: i64 = 2_000;

/// A file's rows do not shrink when they are compressed.
fn file(file: i64) -> Bytes {
    let sign = |row: i64, at: i64| {
        let seed = ((file * ROWS + row) * WIDE + at).cast_unsigned().wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let mixed = (seed ^ (seed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        char::from(b' ' + (mixed >> 58) as u8)
    };
    let wide = |row: i64| Some((0..WIDE).map(|at| sign(row, at)).collect());
    let columns = [
        Column::optional("at", Values::Micros((0..ROWS).map(|row| Some(row * FILES + file)).collect())),
        Column::optional("wide", Values::Text((0..ROWS).map(wide).collect())),
    ];
    parquet(&columns).unwrap()
}

struct Table {
    store: Arc<dyn Store>,
    stream: Stream,
    clock: ManualClock,
}

impl Table {
    async fn new(url: String, bucket: &str) -> Self {
        let store = Arc::new(S3Store::new(&Aws::connect(Endpoint::Emulator(url)).await, bucket, "lake"));
        let dataset = r#"{"name": "views", "kind": "stream", "source": {"type": "firehose"},
            "columns": [{"name": "at", "type": "timestamp(us)", "required": true}, {"name": "wide", "type": "string"}],
            "event_time": "at", "partition_by": {"time": "day"}, "target": {"prefix": "raw/views/"}}"#;
        // A file is replaced when it is an hour old.
        let clock = ManualClock::new(SystemClock.now().plus(Duration::from_hours(48)));
        Self { store, stream: Stream::parse("views.json", dataset).unwrap(), clock }
    }

    async fn fill(&self, files: &[Bytes]) {
        for (number, file) in files.iter().enumerate() {
            let key = format!("{FOLDER}views-{number}.parquet");
            self.store.put(&key, file.clone(), Condition::Always).await.unwrap();
        }
    }

    async fn compact(&self) -> Report {
        let options = Options { apply: true, threads: 2, memory: 64 << 20, time_left: None };
        let target = Target { store: &self.store, state: None, stream: &self.stream, clock: &self.clock };
        compact(target, &options, &|_, _| {}).await
    }

    /// The files, and all rows in their order.
    async fn seen(&self) -> (usize, Vec<Vec<Option<String>>>) {
        let objects = self.store.list(&self.stream.prefix, None).await.unwrap().objects;
        let mut all = Vec::new();
        for object in &objects {
            let (_, body) = self.store.get(&object.key).await.unwrap().unwrap();
            all.extend(rows::read(body, None).unwrap().rows);
        }
        (objects.len(), all)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_files_become_one_whatever_the_network_does() {
    let Some(server) = Ministack::shared() else { return };
    let slow = || Fault::Answer("503 Slow Down", "<Error><Code>SlowDown</Code></Error>");
    let faults = [
        vec![],
        vec![("GET", "list-type", slow())],
        vec![("GET", "views-3", Fault::CutAnswer)],
        vec![("POST", "uploads", Fault::LoseAnswer)],
        vec![("PUT", "partNumber=1", Fault::LoseAnswer)],
        vec![("POST", "uploadId", Fault::LoseAnswer)],
        vec![("POST", "delete", Fault::LoseAnswer)],
        vec![("POST", "delete", slow())],
        vec![("PUT", "_headgate/compact", Fault::LoseAnswer)],
        vec![("PUT", "_headgate/compact", slow()), ("POST", "delete", Fault::LoseAnswer)],
    ];
    let content: Vec<_> = (0..FILES).map(file).collect();
    for (number, faults) in faults.into_iter().enumerate() {
        let bucket = format!("compact-{number}");
        server.create_bucket(&bucket);
        let proxy = Proxy::before(server);
        let table = Table::new(proxy.url(), &bucket).await;
        table.fill(&content).await;
        let (files, mut before) = table.seen().await;
        assert_eq!(files, usize::try_from(FILES).unwrap());
        let told = format!("{faults:?}");
        for (method, piece, fault) in faults {
            proxy.fail(method, piece, fault);
        }
        let mut reports = vec![table.compact().await];
        while reports.len() < 5 && reports.last().unwrap().outcome != Outcome::UpToDate {
            reports.push(table.compact().await);
        }
        assert_eq!(reports.last().unwrap().outcome, Outcome::UpToDate, "{told}: {reports:#?}");
        let (files, mut after) = table.seen().await;
        assert_eq!(files, 1, "{told}: {reports:#?}");
        before.sort_unstable();
        after.sort_unstable();
        assert!(after == before, "{told}: other rows");
    }
}
