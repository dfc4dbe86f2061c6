//! `cargo bench -p headgate-tests --bench merge` → how fast a merge is, how much memory it takes, how well it ages.
//!
//! The merge is that of the `headgate` binary, in a process of its own: a figure includes all that an operator waits
//! for. With `HEADGATE_BENCH_PEER=1` polars (from `PyPI`, in a virtual environment under `target/`) does the same job on
//! the same files between the runs, and the ratio is told. `HEADGATE_BENCH_ROWS` is the table's size. With the argument
//! `age` it measures that alone.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a bench fails by a panic")]
#![allow(clippy::cast_possible_wrap, reason = "a table's size")]
#![allow(clippy::print_stdout, reason = "its figures are for people")]

mod age;
mod distant;
mod lake;
mod measure;
mod orders;
mod peer;

use std::path::{Path, PathBuf};

use headgate::config::{Settings, process_environment};

use self::{
    lake::{Lake, Stage},
    measure::{Figures, build, median},
    orders::Spread,
    peer::Peer,
};

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

const RUNS: usize = 3;

/// What a run is asked for.
#[derive(Debug)]
struct Asked {
    rows: i64,
    threads: usize,
    binary: Option<PathBuf>,
    install_peer: bool,
}

impl Asked {
    fn read() -> Self {
        let mut settings = Settings::new(process_environment);
        let asked = Self {
            rows: settings.or("HEADGATE_BENCH_ROWS", 1_000_000),
            threads: settings.or("HEADGATE_THREADS", std::thread::available_parallelism().map_or(1, usize::from)),
            binary: settings.optional("HEADGATE_BENCH_BINARY"),
            install_peer: settings.optional::<String>("HEADGATE_BENCH_PEER").is_some(),
        };
        settings.finish(Some(asked)).expect("settings")
    }
}

fn main() {
    // `cargo test --all-targets` runs benches too, without this word: compiled is tested enough.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    if std::env::args().any(|argument| argument == "age") {
        return age::bench();
    }
    let asked = Asked::read();
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("bench");
    let binary = asked.binary.clone().unwrap_or_else(build);
    let peer = Peer::find(&place, asked.install_peer);
    println!("{} rows, {} threads, median of {RUNS}, zstd level 3\n", asked.rows, asked.threads);
    println!("{:<22}{:>9}{:>12}{:>11}{:>11}{:>11}", "", "wall s", "rows/s", "peak MB", "peer s", "x peer");
    for spread in [Spread::Uniform, Spread::Append] {
        let lake = Lake::make(&place, asked.rows, spread);
        for stage in [Stage::Full, Stage::Incremental] {
            compare(&lake, stage, &binary, peer.as_ref(), asked.threads);
        }
    }
    if peer.is_none() {
        println!("\nno peer: HEADGATE_BENCH_PEER=1 installs polars");
    }
    println!();
    age::bench();
}

/// The two by turns, so that whatever else the machine does meets both.
fn compare(lake: &Lake, stage: Stage, binary: &Path, peer: Option<&Peer>, threads: usize) {
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        lake.reset(stage);
        ours.push(lake.merge(stage, binary, threads));
        theirs.extend(peer.map(|peer| peer.merge(lake, stage, threads)));
    }
    let (ours, rows) = (median(ours), lake.rows(stage));
    print!("{:<22}", format!("{stage:?} {:?}", lake.spread()).to_lowercase());
    print!("{:>9.2}{:>12.0}{:>11}", ours.seconds, rows as f64 / ours.seconds, ours.peak_mb());
    if theirs.is_empty() {
        println!("{:>11}{:>11}", "-", "-");
        return;
    }
    let theirs: Figures = median(theirs);
    println!("{:>11.2}{:>11.2}   (peer's peak {} MB)", theirs.seconds, ours.seconds / theirs.seconds, theirs.peak_mb());
}
