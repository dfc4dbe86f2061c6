//! The same job → polars, in a Python of its own.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

use super::{
    lake::{Lake, Stage},
    measure::{Figures, measured},
};

/// The version whose figures are told.
const PACKAGE: &str = "polars==2.1.0";

/// A Python that has polars.
#[derive(Debug)]
pub(crate) struct Peer {
    python: PathBuf,
    job: PathBuf,
}

impl Peer {
    /// The one that is there; made where `install` says so.
    pub(crate) fn find(place: &Path, install: bool) -> Option<Self> {
        let venv = place.join("venv");
        let python = venv.join("bin").join("python");
        if install && !python.exists() {
            run(Command::new("python3").args(["-m", "venv"]).arg(&venv));
            run(Command::new(&python).args(["-m", "pip", "install", "--quiet", PACKAGE]));
        }
        python.exists().then(|| Self { python, job: place.join("job.json") })
    }

    /// Its merge, and a look at what it made.
    pub(crate) fn merge(&self, lake: &Lake, stage: Stage, threads: usize) -> Figures {
        fs::write(&self.job, lake.job(stage).to_string()).unwrap();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches").join("merge").join("peer.py");
        let mut command = Command::new(&self.python);
        command.arg(script).arg(&self.job).env("POLARS_MAX_THREADS", threads.to_string());
        let (figures, told) = measured(&mut command);
        let told: Value = serde_json::from_str(&told).unwrap();
        assert_eq!(told["rows"], lake.rows(stage), "the peer's table has other rows");
        figures
    }
}

fn run(command: &mut Command) {
    assert!(command.status().expect("python3").success(), "{command:?} failed");
}
