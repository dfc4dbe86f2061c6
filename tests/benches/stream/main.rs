//! `cargo bench -p headgate-tests --bench stream` → how fast an event of a stream is done with, and where the time goes.
//!
//! A figure is all that an invocation does, from the event's bytes to the answer's, on one thread, with lake and state in
//! memory: `kinesis-consumer` makes Parquet, `firehose-transform` masked lines with partition keys. The events are
//! generated: clickstream records, 6 MB an event. `HEADGATE_BENCH_EVENTS` is a folder with the folders `kinesis` and
//! `firehose` of event files to take instead, `HEADGATE_BENCH_BAD` the share of bad records. With
//! `HEADGATE_BENCH_PEER=1` the same files go through Python handlers as people write them, in turn with ours, and the
//! ratio is told. Times are the processor's, so that a busy machine tells nearly the same.

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

use firehose_transform::{handler as firehose, reingest::Reingest};
use headgate::{
    clock::{Clock, SystemClock},
    config::{Settings, process_environment},
    contract::Contract,
    dataset::Stream,
    event::firehose::RESPONSE_BUDGET,
    metrics::Emitter,
    state::memory::MemoryState,
    store::memory::MemoryStore,
};
use headgate_cli::traffic::{Events, Format, Kind, Options, Traffic, Wrapping};
use kinesis_consumer::handler as kinesis;
use serde_json::{Value, json};

const RUNS: usize = 5;
const SOURCES: [&str; 2] = ["kinesis", "firehose"];

/// The clickstream from `source`; the mask of addresses is one that the peers have too.
fn dataset(source: &str, mask: &Value) -> String {
    let dataset = include_str!("../../../infra/datasets/clickstream.json");
    let mut dataset: Value = serde_json::from_str(dataset).unwrap();
    dataset["source"]["type"] = json!(source);
    for column in dataset["columns"].as_array_mut().unwrap() {
        if let Some(Value::String(_)) = column.as_object_mut().unwrap().remove("mask")
            && !mask.is_null()
        {
            column["mask"] = mask.clone();
        }
    }
    dataset.to_string()
}

fn main() {
    // As the functions do.
    headgate::runtime::keep_memory();
    let mut settings = Settings::new(process_environment);
    let folder: Option<PathBuf> = settings.optional("HEADGATE_BENCH_EVENTS");
    let bad: f64 = settings.or("HEADGATE_BENCH_BAD", 0.0);
    let with_peer = settings.optional::<u8>("HEADGATE_BENCH_PEER").is_some();
    settings.finish(Some(())).unwrap();
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("stream");
    let folder = folder.unwrap_or_else(|| generated(&place, bad));
    let peers = with_peer.then(|| peer::Peer::install(&place));
    for source in SOURCES {
        let folder = folder.join(source);
        let events = read(&folder);
        let bytes: usize = events.iter().map(Vec::len).sum();
        println!("{source}: {} events, {:.1} MB in all", events.len(), bytes as f64 / 1e6);
        let (mut ours, mut theirs, mut rows) = (Vec::new(), Vec::new(), 0);
        for _ in 0..RUNS {
            let run = if source == "kinesis" { Run::kinesis() } else { Run::firehose() };
            let (milliseconds, done) = run.of(&events);
            ours.push(milliseconds);
            rows = done;
            theirs.extend(peers.as_ref().map(|peers| peers.run(source, &folder)));
        }
        let ours = median(&mut ours);
        println!("  headgate          {ours:>7.2} ms an event, {rows} rows in all");
        for name in theirs.first().into_iter().flat_map(|run| run.keys()) {
            let theirs = median(&mut theirs.iter().map(|run| run[name]).collect::<Vec<_>>());
            println!("  {name:<18}{theirs:>7.2} ms an event: {:.2} x ours", theirs / ours);
        }
        if source == "kinesis" {
            phases::tell(&events, &dataset(source, &Value::Null));
        }
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
    for (source, format) in SOURCES.into_iter().zip([Format::Kinesis, Format::Firehose]) {
        let folder = folder.join(source);
        if folder.exists() {
            continue;
        }
        fs::create_dir_all(&folder).unwrap();
        let records = Traffic::new(Kind::Clickstream, 11, Options { bad, ..Options::default() }).take(60_000);
        let wrapping = Wrapping { records: 10_000, ..Wrapping::new(format, "clicks") };
        for (number, event) in Events::new(records, wrapping).enumerate() {
            fs::write(folder.join(format!("{number:04}.json")), event.bytes).unwrap();
        }
    }
    folder
}

fn read(folder: &Path) -> Vec<Vec<u8>> {
    let files = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<_> = files.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.iter().map(|file| fs::read(file).unwrap()).collect()
}

/// A function that is ready for its first event, and the metrics it will emit.
struct Run {
    function: Function,
    clock: Arc<dyn Clock>,
    seen: Arc<Mutex<Vec<headgate::metrics::Metrics>>>,
}

enum Function {
    Kinesis(kinesis::Ports),
    Firehose(firehose::Ports),
}

impl Run {
    fn kinesis() -> Self {
        let (clock, seen): (Arc<dyn Clock>, _) = (Arc::new(SystemClock), Arc::default());
        let stream = Stream::parse("clickstream.json", &dataset("kinesis", &Value::Null)).unwrap();
        let function = Function::Kinesis(kinesis::Ports {
            store: Arc::new(MemoryStore::new(Arc::clone(&clock))),
            state: Arc::new(MemoryState::new(Arc::clone(&clock))),
            contract: Contract::new(&stream, None).unwrap(),
            stream,
            most: 128 << 20,
            clock: Arc::clone(&clock),
            emitter: Emitter::Memory(Arc::clone(&seen)),
            function: "kinesis-consumer".to_owned(),
        });
        Self { function, clock, seen }
    }

    fn firehose() -> Self {
        let (clock, seen): (Arc<dyn Clock>, _) = (Arc::new(SystemClock), Arc::default());
        let dataset = Stream::parse("clickstream.json", &dataset("firehose", &json!("keep_last(11)"))).unwrap();
        let function = Function::Firehose(firehose::Ports {
            contract: Contract::new(&dataset, None).unwrap(),
            dataset,
            // The peers' answers are as long as they come out.
            budget: 2 * RESPONSE_BUDGET,
            partitions: 300,
            reingest: Reingest::Off,
            clock: Arc::clone(&clock),
            emitter: Emitter::Memory(Arc::clone(&seen)),
            function: "firehose-transform".to_owned(),
        });
        Self { function, clock, seen }
    }

    /// The milliseconds of an event, and the rows that were good.
    fn of(self, events: &[Vec<u8>]) -> (f64, u64) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let started = cpu();
        for event in events {
            let deadline = self.clock.now().plus(Duration::from_mins(1));
            let answer = match &self.function {
                Function::Kinesis(ports) => {
                    serde_json::to_vec(&runtime.block_on(kinesis::handle(event, deadline, ports)).unwrap())
                }
                Function::Firehose(ports) => {
                    serde_json::to_vec(&runtime.block_on(firehose::handle(event, deadline, ports)).unwrap())
                }
            };
            assert!(!answer.unwrap().is_empty());
        }
        let milliseconds = (cpu() - started) * 1000.0 / events.len() as f64;
        let rows = self.seen.lock().unwrap().iter().map(stored).sum();
        (milliseconds, rows)
    }
}

fn stored(metrics: &headgate::metrics::Metrics) -> u64 {
    let mut line = Vec::new();
    metrics.emit(SystemClock.now(), &mut line).unwrap();
    let line: Value = serde_json::from_slice(&line).unwrap();
    ["RowsStored", "RecordsOk"].iter().find_map(|name| line[name].as_u64()).unwrap_or_default()
}
