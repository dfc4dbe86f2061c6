//! The same files → `DuckDB`, in a Python of its own.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use super::measure::{Figures, measured};

/// The version whose figures are told.
const PACKAGE: &str = "duckdb==2.0.1";

/// A Python that has it.
#[derive(Debug)]
pub struct Peer {
    python: PathBuf,
}

impl Peer {
    /// Makes it where it is not there yet.
    pub fn install(place: &Path) -> Self {
        let venv = place.join("venv");
        let python = venv.join("bin").join("python");
        if !python.exists() {
            run(Command::new("python3").args(["-m", "venv"]).arg(&venv));
            run(Command::new(&python).args(["-m", "pip", "install", "--quiet", PACKAGE]));
        }
        Self { python }
    }

    /// Sorts the files of a folder by these columns into one file.
    pub fn run(&self, files: &Path, order: &str, threads: usize) -> Figures {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches").join("compact").join("peer.py");
        let mut command = Command::new(&self.python);
        measured(command.arg(script).arg(files).arg(order).arg(threads.to_string())).0
    }
}

fn run(command: &mut Command) {
    assert!(command.status().expect("python3").success(), "{command:?} failed");
}
