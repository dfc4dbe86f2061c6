//! The same events → Python handlers, in a Python of their own.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Command,
};

/// The versions whose figures are told.
const PACKAGES: [&str; 3] = ["pyarrow==22.0.0", "orjson==3.11.4", "polars==2.1.0"];

/// A Python that has them.
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
            run(Command::new(&python).args(["-m", "pip", "install", "--quiet"]).args(PACKAGES));
        }
        Self { python }
    }

    /// Each handler's milliseconds of an event.
    pub fn run(&self, source: &str, events: &Path) -> BTreeMap<String, f64> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches").join("stream").join("peer.py");
        let told = Command::new(&self.python).arg(script).arg(source).arg(events).output().expect("python");
        assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
        serde_json::from_slice(&told.stdout).unwrap()
    }
}

fn run(command: &mut Command) {
    assert!(command.status().expect("python3").success(), "{command:?} failed");
}
