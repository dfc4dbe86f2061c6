//! A test → a Python that has the packages it needs, in a virtual environment under `target/`.

#![expect(clippy::expect_used, reason = "a harness: its failure is the test's failure")]

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::Command,
};

/// The Python of the environment `name` with these packages, such as `duckdb==2.0.1`; it is made by whichever test
/// process is first. `None`, with a loud message that says what was not tested, where this machine has no Python 3.
///
/// # Panics
/// Where there is a Python but the packages cannot be installed.
#[must_use]
pub fn with(name: &str, packages: &[&str], tests: &str) -> Option<PathBuf> {
    if !is_there(tests) {
        return None;
    }
    let venv = target().join(name);
    fs::create_dir_all(target()).expect("target/ to be writable");
    let lock = File::create(target().join(format!("{name}.lock"))).expect("a lock file");
    lock.lock().expect("the lock");
    let python = venv.join("bin/python");
    // Written last, so a half-made environment is made anew.
    let made = venv.join(packages.join(" "));
    if !made.exists() {
        run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&venv));
        let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary", ":all:"];
        run(Command::new(&python).args(pip).args(packages));
        File::create(&made).expect("the mark");
    }
    Some(python)
}

/// Whether this machine has a Python 3; a loud message that says what was not tested, where it has none.
#[must_use]
pub fn is_there(tests: &str) -> bool {
    let found = Command::new("python3").arg("--version").output().is_ok();
    if !found {
        crate::shout(&format!("SKIPPED: no python3 on this machine, so nothing was tested {tests}"));
    }
    found
}

/// Where cargo and the tests put what they make.
pub(crate) fn target() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../target")
}

fn run(command: &mut Command) {
    let output = command.output().expect("python to start");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {}\n{told}", output.status);
}
