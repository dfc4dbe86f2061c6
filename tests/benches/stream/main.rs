//! `cargo bench -p headgate-tests --bench stream` → how fast an event of a stream becomes Parquet, and where the time
//! goes.
//!
//! A figure is all that an invocation does, from the event's bytes to the answer's, on one thread, with lake and state in
//! memory. The events are generated: clickstream records, 6 MB an event. `HEADGATE_BENCH_EVENTS` is a folder of event
//! files to take instead, `HEADGATE_BENCH_BAD` the share of bad records. With `HEADGATE_BENCH_PEER=1` the same files go
//! through Python handlers as people write them (orjson and pyarrow; polars), in turn with ours, and the ratio is told. Times are the
//! processor's, so that a busy machine tells the same.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a bench fails by a panic")]
#![allow(clippy::print_stdout, reason = "its figures are for people")]

mod peer;
mod phases;

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::Duration,
};

use headgate::{
    clock::{Clock, SystemClock},
    config::{Settings, process_environment},
    contract::Contract,
    dataset::Stream,
    metrics::Emitter,
    state::memory::MemoryState,
    store::memory::MemoryStore,
};
use headgate_cli::traffic::{Events, Format, Kind, Options, Traffic, Wrapping};
use kinesis_consumer::handler::{Ports, handle};

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

const RUNS: usize = 5;
/// The clickstream, its addresses unmasked as the peers leave them.
fn dataset() -> String {
    let dataset = include_str!("../../../infra/datasets/clickstream.json");
    let mut dataset: serde_json::Value = serde_json::from_str(dataset).unwrap();
    for column in dataset["columns"].as_array_mut().unwrap() {
        column.as_object_mut().unwrap().remove("mask");
    }
    dataset.to_string()
}

fn main() {
    let mut settings = Settings::new(process_environment);
    let folder: Option<PathBuf> = settings.optional("HEADGATE_BENCH_EVENTS");
    let bad: f64 = settings.or("HEADGATE_BENCH_BAD", 0.0);
    let with_peer = settings.optional::<u8>("HEADGATE_BENCH_PEER").is_some();
    settings.finish(Some(())).unwrap();
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("stream");
    let folder = folder.unwrap_or_else(|| generated(&place, bad));
    let events = read(&folder);
    let bytes: usize = events.iter().map(Vec::len).sum();
    println!("{} events, {:.1} MB in all, from {}", events.len(), bytes as f64 / 1e6, folder.display());
    let peers = with_peer.then(|| peer::Peer::install(&place));
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    let mut rows = 0;
    for _ in 0..RUNS {
        let (milliseconds, landed) = kinesis(&events);
        ours.push(milliseconds);
        rows = landed;
        theirs.extend(peers.as_ref().map(|peers| peers.run(&folder)));
    }
    let ours = median(&mut ours);
    println!("kinesis-consumer  {ours:>7.2} ms an event, {rows} rows in all");
    phases::tell(&events, &dataset());
    for name in theirs.first().into_iter().flat_map(|run| run.keys()) {
        let theirs = median(&mut theirs.iter().map(|run| run[name]).collect::<Vec<_>>());
        println!("{name:<18}{theirs:>7.2} ms an event: {:.2} x ours", theirs / ours);
    }
}

/// Seconds of the processor that this process has used: what a function is billed for, whatever else the machine does.
fn cpu() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

fn median(of: &mut [f64]) -> f64 {
    of.sort_by(f64::total_cmp);
    of[of.len() / 2]
}

/// Events of 6 MB in a folder, the same ones every time.
fn generated(place: &Path, bad: f64) -> PathBuf {
    let folder = place.join(format!("events-{bad}"));
    if folder.exists() {
        return folder;
    }
    fs::create_dir_all(&folder).unwrap();
    let records = Traffic::new(Kind::Clickstream, 11, Options { bad, ..Options::default() }).take(60_000);
    let wrapping = Wrapping { records: 10_000, ..Wrapping::new(Format::Kinesis, "clicks") };
    for (number, event) in Events::new(records, wrapping).enumerate() {
        fs::write(folder.join(format!("{number:04}.json")), event.bytes).unwrap();
    }
    folder
}

fn read(folder: &Path) -> Vec<Vec<u8>> {
    let files = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<_> = files.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.iter().map(|file| fs::read(file).unwrap()).collect()
}

/// The milliseconds of an event, and the rows that landed.
fn kinesis(events: &[Vec<u8>]) -> (f64, u64) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let seen = Arc::new(Mutex::new(Vec::new()));
    let stream = Stream::parse("clickstream.json", &dataset()).unwrap();
    let ports = Ports {
        store: Arc::new(MemoryStore::new(Arc::clone(&clock))),
        state: Arc::new(MemoryState::new(Arc::clone(&clock))),
        contract: Contract::new(&stream, None).unwrap(),
        stream,
        most: 128 << 20,
        clock: Arc::clone(&clock),
        emitter: Emitter::Memory(Arc::clone(&seen)),
        function: "kinesis-consumer".to_owned(),
    };
    let started = cpu();
    for event in events {
        let deadline = clock.now().plus(Duration::from_mins(1));
        let answer = runtime.block_on(handle(event, deadline, &ports)).unwrap();
        assert_eq!(serde_json::to_string(&answer).unwrap(), r#"{"batchItemFailures":[]}"#);
    }
    let milliseconds = (cpu() - started) * 1000.0 / events.len() as f64;
    let rows = seen.lock().unwrap().iter().map(stored).sum();
    (milliseconds, rows)
}

fn stored(metrics: &headgate::metrics::Metrics) -> u64 {
    let mut line = Vec::new();
    metrics.emit(SystemClock.now(), &mut line).unwrap();
    let line: serde_json::Value = serde_json::from_slice(&line).unwrap();
    line["RowsStored"].as_u64().unwrap_or_default()
}
