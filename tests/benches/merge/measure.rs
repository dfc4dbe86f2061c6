//! A command → its wall time and the most memory it held.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use headgate::config::process_environment;

/// How often a running process is asked for its peak; the kernel keeps it, so only its last moment can be missed.
const POLL: Duration = Duration::from_millis(2);

/// What a process took.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Figures {
    /// From start to end.
    pub seconds: f64,
    /// The most memory it held, in KiB.
    peak: u64,
}

impl Figures {
    /// The most memory it held, in MB.
    pub(crate) fn peak_mb(self) -> u64 {
        self.peak * 1024 / 1_000_000
    }
}

/// Runs a command to its end; its output is in the answer.
///
/// # Panics
/// Where it fails.
pub(crate) fn measured(command: &mut Command) -> (Figures, String) {
    let started = Instant::now();
    let mut child = command.stdout(Stdio::piped()).spawn().expect("the command to start");
    let status = PathBuf::from(format!("/proc/{}/status", child.id()));
    let mut peak = 0;
    while child.try_wait().expect("a child").is_none() {
        peak = high_water(&status).unwrap_or(peak);
        thread::sleep(POLL);
    }
    let seconds = started.elapsed().as_secs_f64();
    let output = child.wait_with_output().expect("a child");
    assert!(output.status.success(), "{command:?}: {}", output.status);
    (Figures { seconds, peak }, String::from_utf8(output.stdout).expect("text"))
}

fn high_water(status: &Path) -> Option<u64> {
    let text = fs::read_to_string(status).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}

/// The run in the middle by its time.
pub(crate) fn median(mut runs: Vec<Figures>) -> Figures {
    runs.sort_by(|a, b| a.seconds.total_cmp(&b.seconds));
    runs[runs.len() / 2]
}

/// The binary that operators run, built as they build it.
pub(crate) fn build() -> PathBuf {
    let cargo = process_environment("CARGO").unwrap_or_else(|| "cargo".to_owned());
    let built = Command::new(cargo).args(["build", "--release", "-p", "headgate-cli"]).status();
    assert!(built.expect("cargo").success(), "headgate could not be built");
    // CARGO_TARGET_TMPDIR is `tmp` in the target directory.
    Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("release").join("headgate")
}
