//! The same over S3's wire protocol: files in any order, merges at once, answers that are lost.

use std::{sync::Arc, thread};

use headgate::{
    clock::SystemClock,
    dataset::Dataset,
    store::{Condition, Store},
};
use headgate_aws::{Aws, Endpoint, S3Store};
use headgate_columnar::merge::{MergeReport, Options, Outcome, Silent, merge};
use headgate_tests::ministack::{Fault, Ministack, Proxy};

use super::{
    file::{File, Format},
    lake::{Lake, MANIFEST, SNAPSHOT, Setup, table},
    replay::Table,
};

/// A lake in a bucket of its own.
struct Bucket {
    store: Arc<dyn Store>,
    dataset: Dataset,
    model: Lake,
    uri: String,
}

impl Bucket {
    async fn new(url: String, name: &str, versioned: bool) -> Self {
        let store = Arc::new(S3Store::new(&Aws::connect(Endpoint::Emulator(url)).await, name, "lake"));
        let model = Lake::new(Setup { versioned, ..Setup::default() });
        let uri = store.uri("");
        Self { store, dataset: model.dataset.clone(), model, uri }
    }

    async fn put(&self, file: &File) {
        let body = file.bytes(Format::Parquet, &self.model.setup.keys, false);
        self.store.put(&self.model.key(file), body, Condition::Always).await.expect("an answer");
    }

    async fn merge(&self) -> MergeReport {
        let options = Options { memory: 1, ..Options::default() };
        merge(&self.store, &self.dataset, &options, &SystemClock, &Silent).await
    }

    async fn table(&self) -> Table {
        let key = if self.model.setup.versioned {
            let (_, line) = self.store.get(MANIFEST).await.expect("an answer").expect("a manifest");
            let line = String::from_utf8(line.to_vec()).expect("text");
            line.trim().strip_prefix(&self.uri).expect("an address in the lake").to_owned()
        } else {
            SNAPSHOT.to_owned()
        };
        let snapshot = self.store.get(&key).await.expect("an answer");
        snapshot.map_or_else(Table::default, |(_, bytes)| table(bytes, &self.model.setup.keys))
    }

    async fn is_done(&self, files: &[File]) {
        assert_eq!(self.table().await, self.model.replay(files));
        let report = self.merge().await;
        assert_eq!((report.outcome, report.error), (Outcome::UpToDate, None));
    }
}

/// Without a full load: the bucket's own times are now, and the names' are long ago.
fn files() -> Vec<File> {
    let change = |minute: u8, lines: &[&str]| File::of(&format!("20240115-10{minute:02}00000"), "id note", lines);
    vec![
        change(0, &["I 1 a", "I 2 a", "I 3 a"]),
        change(1, &["U 1 b", "D 2 -"]),
        change(2, &["I 2 c", "I 4 c"]),
        change(3, &["D 1 -", "I 5 d"]),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn files_in_any_order_make_the_table() {
    let Some(server) = Ministack::shared() else { return };
    for (versioned, name) in [(false, "merge-replace"), (true, "merge-versioned")] {
        server.create_bucket(name);
        let bucket = Bucket::new(server.url(), name, versioned).await;
        let files = files();
        let mut there = Vec::new();
        for at in [1, 3, 0, 2] {
            bucket.put(&files[at]).await;
            there.push(files[at].clone());
            let report = bucket.merge().await;
            assert_eq!((report.outcome, report.error), (Outcome::Merged, None));
            bucket.is_done(&there).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn merges_at_once_lose_nothing_over_the_wire() {
    let Some(server) = Ministack::shared() else { return };
    for (versioned, name) in [(false, "race-replace"), (true, "race-versioned")] {
        server.create_bucket(name);
        let bucket = Bucket::new(server.url(), name, versioned).await;
        let files = files();
        for file in &files {
            bucket.put(file).await;
        }
        // Each with connections and a runtime of its own, as functions have.
        let merge = || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async { Bucket::new(server.url(), name, versioned).await.merge().await })
        };
        let merging = || {
            thread::scope(|scope| {
                let running = [scope.spawn(merge), scope.spawn(merge), scope.spawn(merge)];
                running.map(|running| running.join().expect("a merge that ends"))
            })
        };
        let reports = tokio::task::block_in_place(merging);
        for report in &reports {
            assert!(matches!(report.outcome, Outcome::Merged | Outcome::UpToDate), "{report:#?}");
        }
        let publishes: u64 = reports.iter().map(|report| report.publishes).sum();
        assert_eq!(publishes, files.len() as u64, "each file is published once");
        bucket.is_done(&files).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_answers_and_lost_races_are_made_good() {
    let Some(server) = Ministack::shared() else { return };
    for (versioned, name, written) in
        [(false, "lost-replace", "snapshot.parquet"), (true, "lost-versioned", "_current/manifest")]
    {
        server.create_bucket(name);
        let proxy = Proxy::before(server);
        let bucket = Bucket::new(proxy.url(), name, versioned).await;
        let files = files();
        let precondition = "<Error><Code>PreconditionFailed</Code></Error>";
        let faults = [
            ("PUT", written, Fault::LoseAnswer),
            ("PUT", written, Fault::Answer("412 Precondition Failed", precondition)),
            ("GET", "orders/snapshot", Fault::CutAnswer),
            ("GET", "list-type", Fault::Answer("503 Slow Down", "<Error><Code>SlowDown</Code></Error>")),
        ];
        for (at, (method, part, fault)) in faults.into_iter().enumerate() {
            bucket.put(&files[at]).await;
            proxy.fail(method, part, fault);
            let report = bucket.merge().await;
            assert_eq!((report.outcome, report.error), (Outcome::Merged, None));
            bucket.is_done(&files[..=at]).await;
        }
    }
}
