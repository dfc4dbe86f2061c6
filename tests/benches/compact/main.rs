//! `cargo bench -p headgate-tests --bench compact` → how fast small files become few, and how much memory it takes.
//!
//! The compaction is that of the `headgate` binary, in a process of its own, on clickstream files as `kinesis-consumer`
//! writes them: sorted by the event time, which the files about are already, and by a column that they are not. With
//! `HEADGATE_BENCH_PEER=1` `DuckDB` (from `PyPI`, in a virtual environment under `target/`) does the same between the runs:
//! `COPY (SELECT * FROM read_parquet(…) ORDER BY …)`. `HEADGATE_BENCH_FILES` and `HEADGATE_BENCH_ROWS` say how many files
//! there are, and how many rows a file; `HEADGATE_BENCH_TARGET_MB` how large the new ones are to be.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a bench fails by a panic")]
#![allow(clippy::print_stdout, reason = "its figures are for people")]

#[path = "../merge/measure.rs"]
mod measure;
mod peer;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, SystemTime},
};

use headgate::{
    config::{Settings, process_environment},
    contract::{Contract, Reader},
    dataset::Stream,
};
use headgate_cli::traffic::{Kind, Options, Traffic};
use headgate_columnar::stream::{Rows, encode};
use serde_json::{Value, json};

use self::{
    measure::{build, measured, median},
    peer::Peer,
};

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

const RUNS: usize = 3;
const FOLDER: &str = "raw/clickstream/year=2026/month=01/day=01/hour=00";

/// What a run is asked for.
struct Asked {
    files: usize,
    rows: usize,
    target: u64,
    threads: usize,
    binary: Option<PathBuf>,
    peer: bool,
}

impl Asked {
    fn read() -> Self {
        let mut settings = Settings::new(process_environment);
        let asked = Self {
            files: settings.or("HEADGATE_BENCH_FILES", 500),
            rows: settings.or("HEADGATE_BENCH_ROWS", 13_000),
            target: settings.or("HEADGATE_BENCH_TARGET_MB", 1024),
            threads: settings.or("HEADGATE_THREADS", std::thread::available_parallelism().map_or(1, usize::from)),
            binary: settings.optional("HEADGATE_BENCH_BINARY"),
            peer: settings.optional::<String>("HEADGATE_BENCH_PEER").is_some(),
        };
        settings.finish(Some(asked)).expect("settings")
    }
}

/// The clickstream as a dataset that needs no state, sorted by these columns.
fn dataset(target: u64, order_by: &[&str]) -> Value {
    let dataset = include_str!("../../../infra/datasets/clickstream.json");
    let mut dataset: Value = serde_json::from_str(dataset).unwrap();
    dataset["source"]["type"] = json!("firehose");
    for column in dataset["columns"].as_array_mut().unwrap() {
        column.as_object_mut().unwrap().remove("mask");
    }
    dataset["compact"] = json!({"target_mb": target, "order_by": order_by});
    dataset
}

fn main() {
    // `cargo test --all-targets` runs benches too, without this word: compiled is tested enough.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let asked = Asked::read();
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("compact");
    let binary = asked.binary.clone().unwrap_or_else(build);
    let peer = asked.peer.then(|| Peer::install(&place));
    let files = generated(&place, &asked);
    let bytes: u64 = files.iter().map(|file| fs::metadata(file).unwrap().len()).sum();
    println!(
        "{} files of {:.1} MB, {} rows each; {} threads, median of {RUNS}\n",
        asked.files,
        bytes as f64 / 1e6 / asked.files as f64,
        asked.rows,
        asked.threads
    );
    println!("{:<12}{:>9}{:>9}{:>11}{:>11}{:>9}", "sorted by", "wall s", "peak MB", "peer s", "peer MB", "x peer");
    for (name, order_by, sql) in [("ts", &[][..], "ts"), ("user_id", &["user_id", "ts"][..], "user_id, ts")] {
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for _ in 0..RUNS {
            let lake = lake(&place, &files);
            let file = place.join("clickstream.json");
            fs::write(&file, dataset(asked.target, order_by).to_string()).unwrap();
            let mut command = Command::new(&binary);
            command.args(["compact", "--apply", "--json", "--dataset"]).arg(&file).arg("--lake").arg(&lake);
            let (figures, told) = measured(command.env("HEADGATE_THREADS", asked.threads.to_string()));
            let told: Value = serde_json::from_str(&told).unwrap();
            assert_eq!(told["rows"], asked.files * asked.rows, "{told}");
            ours.push(figures);
            theirs.extend(peer.as_ref().map(|peer| peer.run(&place.join("files"), sql, asked.threads)));
        }
        let ours = median(ours);
        print!("{name:<12}{:>9.2}{:>9}", ours.seconds, ours.peak_mb());
        if theirs.is_empty() {
            println!("{:>11}{:>11}{:>9}", "-", "-", "-");
            continue;
        }
        let theirs = median(theirs);
        println!("{:>11.2}{:>11}{:>9.2}", theirs.seconds, theirs.peak_mb(), ours.seconds / theirs.seconds);
    }
}

/// The files, the same ones every time.
fn generated(place: &Path, asked: &Asked) -> Vec<PathBuf> {
    let folder = place.join("files");
    let made = place.join(format!("made-{}-{}", asked.files, asked.rows));
    let name = |number: usize| folder.join(format!("clicks--0--{number:020}.parquet"));
    if !made.exists() {
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        let stream = Stream::parse("clickstream.json", &dataset(asked.target, &[]).to_string()).unwrap();
        let contract = Contract::new(&stream, None).unwrap();
        let mut traffic = Traffic::new(Kind::Clickstream, 11, Options::default());
        for number in 0..asked.files {
            let (mut rows, mut reader) = (Rows::new(&contract), Reader::new(&contract));
            while rows.len() < asked.rows {
                let record = traffic.next().unwrap();
                let text = String::from_utf8(record.body).unwrap_or_default();
                // A bad record is part of the traffic.
                let _ = reader.read(&text, 0, &mut rows).is_ok();
            }
            let file = encode(&rows.finish().unwrap(), None, stream.compression, &[]).unwrap();
            fs::write(name(number), file).unwrap();
        }
        fs::write(made, "").unwrap();
    }
    (0..asked.files).map(name).collect()
}

/// A lake with links to the files, which are old enough: a compaction removes the links.
fn lake(place: &Path, files: &[PathBuf]) -> PathBuf {
    let lake = place.join("lake");
    let _ = fs::remove_dir_all(&lake);
    fs::create_dir_all(lake.join(FOLDER)).unwrap();
    #[expect(clippy::disallowed_methods, reason = "the files' own time is the machine's")]
    let then = SystemTime::now() - Duration::from_hours(100);
    for file in files {
        fs::File::options().write(true).open(file).unwrap().set_modified(then).unwrap();
        fs::hard_link(file, lake.join(FOLDER).join(file.file_name().unwrap())).unwrap();
    }
    lake
}
