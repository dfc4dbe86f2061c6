//! A directory → a lake with the bench's files, brought to where a merge begins.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::{Value, json};

use super::{
    measure::{Figures, measured},
    orders::{File, Source, Spread},
};

/// Which merge is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// The full load and the first round of changes: there is no snapshot.
    Full,
    /// The second round of changes, over the snapshot that the first left.
    Incremental,
}

const PREFIX: &str = "cdc/bench/orders";
const SNAPSHOT: &str = "curated/bench/orders/snapshot.parquet";

/// The lake of one spread.
#[derive(Debug)]
pub(crate) struct Lake {
    folder: PathBuf,
    spread: Spread,
    loads: Vec<String>,
    rounds: [Vec<String>; 2],
    rows: [u64; 2],
}

impl Lake {
    /// Writes all files, outside the lake; [`Lake::reset`] links them in.
    pub(crate) fn make(place: &Path, rows: i64, spread: Spread) -> Self {
        let folder = place.join(format!("{spread:?}").to_lowercase());
        if folder.exists() {
            fs::remove_dir_all(&folder).unwrap();
        }
        fs::create_dir_all(folder.join("files")).unwrap();
        let mut source = Source::new(spread);
        let mut lake = Self { folder, spread, loads: Vec::new(), rounds: Default::default(), rows: [0; 2] };
        source.load(rows, |file| lake.loads.push(write(&lake.folder, file)));
        for round in 0..2 {
            source.changes(|file| lake.rounds[round].push(write(&lake.folder, file)));
            lake.rows[round] = source.rows();
        }
        lake
    }

    pub(crate) fn spread(&self) -> Spread {
        self.spread
    }

    /// Rows in the table after a stage.
    pub(crate) fn rows(&self, stage: Stage) -> u64 {
        self.rows[stage as usize]
    }

    fn root(&self) -> PathBuf {
        self.folder.join("lake")
    }

    /// The snapshot before the incremental stage, kept apart.
    fn base(&self) -> PathBuf {
        self.folder.join("base.parquet")
    }

    /// A lake in which this stage's merge is the next thing to happen.
    pub(crate) fn reset(&self, stage: Stage) {
        let root = self.root();
        if root.exists() {
            fs::remove_dir_all(&root).unwrap();
        }
        fs::create_dir_all(root.join(PREFIX)).unwrap();
        let second: &[String] = if stage == Stage::Incremental { &self.rounds[1] } else { &[] };
        for name in self.loads.iter().chain(&self.rounds[0]).chain(second) {
            let to = root.join(PREFIX).join(name);
            fs::create_dir_all(to.parent().unwrap()).unwrap();
            fs::hard_link(self.folder.join("files").join(name), to).unwrap();
        }
        if stage == Stage::Incremental {
            let snapshot = root.join(SNAPSHOT);
            fs::create_dir_all(snapshot.parent().unwrap()).unwrap();
            fs::copy(self.base(), snapshot).unwrap();
        }
    }

    /// `headgate merge`, and a look at what it made.
    pub(crate) fn merge(&self, stage: Stage, binary: &Path, threads: usize) -> Figures {
        let dataset = self.folder.join("orders.json");
        fs::write(&dataset, dataset_file().to_string()).unwrap();
        let mut command = Command::new(binary);
        command.arg("merge").arg("--dataset").arg(dataset).arg("--lake").arg(self.root()).arg("--json");
        let (figures, report) = measured(command.env("HEADGATE_THREADS", threads.to_string()));
        let report: Value = serde_json::from_str(&report).unwrap();
        assert_eq!(report["outcome"], "merged", "{report}");
        assert_eq!(report["rows"], self.rows(stage), "{report}");
        if stage == Stage::Full {
            fs::copy(self.root().join(SNAPSHOT), self.base()).unwrap();
        }
        figures
    }

    /// The same job for a peer: what is merged over what, and where to.
    pub(crate) fn job(&self, stage: Stage) -> Value {
        let files =
            |names: &[String]| names.iter().map(|name| self.folder.join("files").join(name)).collect::<Vec<_>>();
        let (base, changes) = match stage {
            Stage::Full => (files(&self.loads), &self.rounds[0]),
            Stage::Incremental => (vec![self.base()], &self.rounds[1]),
        };
        json!({"base": base, "changes": files(changes), "out": self.folder.join("peer.parquet")})
    }
}

fn write(folder: &Path, file: File) -> String {
    let path = folder.join("files").join(&file.name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, file.body).unwrap();
    file.name
}

fn dataset_file() -> Value {
    json!({
        "name": "orders",
        "kind": "cdc",
        "source": {"format": "parquet", "prefix": format!("{PREFIX}/"), "timestamp_column": "dms_ts"},
        "primary_key": ["id"],
        "compression": "zstd(3)",
        "target": {"snapshot": SNAPSHOT}
    })
}
