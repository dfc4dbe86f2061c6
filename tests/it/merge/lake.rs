//! A table's change files and its snapshot in a store in memory, with a clock that stands.

use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;
use headgate::{
    clock::{ManualClock, Timestamp},
    dataset::{Dataset, moment},
    store::{ETag, Store, memory::MemoryStore},
};
use headgate_columnar::{
    inspect::inspect,
    merge::{MergeReport, Options, Outcome, Silent, merge},
    rows,
};

use super::{
    file::{BEFORE, File, Format},
    replay::{Table, replay},
};

pub const PREFIX: &str = "cdc/shop/orders/";
pub const SNAPSHOT: &str = "curated/orders/snapshot.parquet";
pub const MANIFEST: &str = "curated/orders/_current/manifest";

/// What a dataset says beyond the usual.
#[derive(Debug, Clone)]
pub struct Setup {
    pub format: Format,
    pub keys: Vec<String>,
    pub versioned: bool,
    pub before_images: bool,
    /// More members of `source`, as JSON, such as `"on_truncate": "follow"`.
    pub source: String,
}

impl Default for Setup {
    fn default() -> Self {
        let keys = vec!["id".to_owned()];
        Self { format: Format::Parquet, keys, versioned: false, before_images: false, source: String::new() }
    }
}

#[derive(Debug, Clone)]
pub struct Lake {
    pub store: MemoryStore,
    pub clock: Arc<ManualClock>,
    pub dataset: Dataset,
    pub setup: Setup,
}

impl Lake {
    pub fn new(setup: Setup) -> Self {
        let clock = Arc::new(ManualClock::new(at("20240115-120000000")));
        let dataset = Dataset::parse("orders.json", &setup.dataset()).expect("a dataset");
        Self { store: MemoryStore::new(clock.clone()), clock, dataset, setup }
    }

    pub fn port(&self) -> Arc<dyn Store> {
        Arc::new(self.store.clone())
    }

    pub fn key(&self, file: &File) -> String {
        let extension = match self.setup.format {
            Format::Parquet => "parquet",
            Format::Csv => "csv",
            Format::Json => "jsonl",
        };
        format!("{PREFIX}{}.{extension}", file.name)
    }

    /// Stores a file as if at the time in its name; a full load long before.
    pub fn put(&self, file: &File) -> String {
        self.put_at(file, if file.is_load() { at("20240101-000000000") } else { at(&file.name) })
    }

    pub fn put_at(&self, file: &File, stored: Timestamp) -> String {
        let key = self.key(file);
        self.store.put_at(&key, file.bytes(self.setup.format, &self.setup.keys, self.setup.before_images), stored);
        key
    }

    pub fn put_all(&self, files: &[File]) {
        for file in files {
            self.put(file);
        }
    }

    pub async fn merge(&self) -> MergeReport {
        self.merge_with(&Options::default()).await
    }

    pub async fn merge_with(&self, options: &Options) -> MergeReport {
        merge(&self.port(), &self.dataset, options, self.clock.as_ref(), &Silent).await
    }

    /// The object that readers see now.
    pub async fn visible(&self) -> Option<(ETag, Bytes)> {
        self.store.get(&self.visible_key().await?).await.expect("a store that answers")
    }

    pub async fn visible_key(&self) -> Option<String> {
        if !self.setup.versioned {
            return Some(SNAPSHOT.to_owned());
        }
        let (_, line) = self.store.get(MANIFEST).await.expect("a store that answers")?;
        let line = String::from_utf8(line.to_vec()).expect("text");
        let uri = line.strip_suffix('\n').filter(|uri| !uri.contains('\n')).expect("one line");
        Some(uri.strip_prefix("memory:///").expect("an address of this store").to_owned())
    }

    /// The table that readers see now.
    pub async fn table(&self) -> Table {
        match self.visible().await {
            Some((_, bytes)) => self.ordered(table(bytes, &self.setup.keys)),
            None => Table::default(),
        }
    }

    pub fn replay<'a>(&self, files: impl IntoIterator<Item = &'a File>) -> Table {
        self.ordered(replay(&self.setup.keys, files, self.setup.format != Format::Json))
    }

    /// Where files may leave columns out, none says their order.
    fn ordered(&self, table: Table) -> Table {
        if self.setup.format == Format::Json { table.by_name() } else { table }
    }

    pub async fn check<'a>(&self, files: impl IntoIterator<Item = &'a File>) {
        assert_eq!(self.table().await, self.replay(files));
    }

    /// Merges and compares; then once more, which must find nothing to do.
    pub async fn converges<'a>(&self, files: impl IntoIterator<Item = &'a File>) -> MergeReport {
        let report = self.merge().await;
        assert_eq!((report.outcome, &report.error), (Outcome::Merged, &None));
        self.check(files).await;
        self.rests().await;
        report
    }

    /// Another merge changes nothing.
    pub async fn rests(&self) {
        let before = self.visible().await;
        let report = self.merge().await;
        assert_eq!((report.outcome, report.publishes, &report.error), (Outcome::UpToDate, 0, &None));
        assert!(before == self.visible().await, "nothing is written where there is nothing new");
    }

    pub async fn is_sorted(&self) -> bool {
        inspect(&self.port(), &self.dataset, self.clock.as_ref()).await.expect("an inspection").sorted
    }
}

impl Setup {
    fn dataset(&self) -> String {
        let format = match self.format {
            Format::Parquet => r#""format": "parquet""#,
            Format::Csv => r#""format": "csv", "csv": {"header": true}"#,
            Format::Json => r#""format": "debezium_json""#,
        };
        let before = if self.before_images && self.format != Format::Json {
            format!(r#", "before_image_prefix": "{BEFORE}""#)
        } else {
            String::new()
        };
        let more = if self.source.is_empty() { String::new() } else { format!(", {}", self.source) };
        let publish = if self.versioned { "versioned" } else { "replace" };
        format!(
            r#"{{"kind": "cdc", "name": "orders", "primary_key": {keys:?},
                "source": {{{format}, "prefix": "{PREFIX}"{before}{more}}},
                "target": {{"snapshot": "{SNAPSHOT}", "publish": "{publish}", "keep_hours": 2}}}}"#,
            keys = self.keys
        )
    }
}

/// A snapshot's rows by key; no key may be there twice.
pub fn table(snapshot: Bytes, keys: &[String]) -> Table {
    let rows::Rows { columns, rows: all } = rows::read(snapshot, None).expect("a snapshot");
    let at: Vec<usize> =
        keys.iter().map(|key| columns.iter().position(|name| name == key).expect("a key column")).collect();
    let count = all.len();
    let keyed = |row: Vec<Option<String>>| (at.iter().map(|&at| row[at].clone().expect("a key")).collect(), row);
    let rows: BTreeMap<Vec<String>, _> = all.into_iter().map(keyed).collect();
    assert_eq!(rows.len(), count, "a key is there twice");
    Table { columns, rows }
}

/// The moment in a file's name, such as `20240115-101500000`.
pub fn at(name: &str) -> Timestamp {
    let name = name.rsplit('/').next().unwrap_or_default();
    moment(name).expect("a moment")
}
