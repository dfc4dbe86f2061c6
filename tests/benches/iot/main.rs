//! `cargo bench -p headgate-tests --bench iot` → how many readings `iot-rule` sees to.
//!
//! A figure is all that an invocation does, from the event's bytes to the report, on one thread, with state, topic and
//! stream in memory: readings of 500 ovens by the published dataset, of which one in a thousand is hot. Once with a
//! message an event, once with batches of 500, after all devices have as many readings as are kept of them. Times are
//! the processor's, so that a busy machine tells nearly the same; `HEADGATE_BENCH_ROUNDS` is how often all devices send.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a bench fails by a panic")]
#![allow(clippy::print_stdout, reason = "its figures are for people")]

use std::sync::{Arc, Mutex};

use headgate::{
    clock::{Clock, SystemClock, Timestamp},
    config::{Settings, process_environment},
    contract::Contract,
    dataset::Stream,
    metrics::Emitter,
    notify::memory::MemoryNotify,
    runtime::Event,
    state::memory::MemoryState,
    store::memory::MemoryStore,
    stream::{Limits, memory::MemoryStream},
};
use iot_rule::{
    handler::{Ports, handle},
    ledger::Watching,
};
use serde_json::{Value, json};

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// How many devices there are, each with its readings kept: as many as a batch has readings.
const DEVICES: usize = 500;
/// What a figure must be: the floor of messages a second, and the most milliseconds of a batch.
const TARGETS: (f64, f64) = (2_000.0, 5.0);

fn main() {
    let mut settings = Settings::new(process_environment);
    let rounds: usize = settings.or("HEADGATE_BENCH_ROUNDS", 20);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async {
        for (named, one_device) in [("500 devices", false), ("one device", true)] {
            measure(rounds, named, one_device).await;
        }
    });
}

async fn measure(rounds: usize, named: &str, one_device: bool) {
    let (ports, begin) = (ports(), SystemClock.now());
    let batch = |round: usize| batch(begin, round, one_device);
    // As many as are kept, and more.
    let warm = 24;
    for round in 0..warm {
        deliver(&ports, &json!(batch(round)).to_string()).await;
    }
    let singles: Vec<String> =
        (warm..warm + rounds).flat_map(|round| batch(round).into_iter().map(|it| it.to_string())).collect();
    let before = cpu();
    for event in &singles {
        deliver(&ports, event).await;
    }
    let rate = singles.len() as f64 / (cpu() - before);
    let mut milliseconds: Vec<f64> = Vec::new();
    for round in warm + rounds..warm + 2 * rounds {
        let event = json!(batch(round)).to_string();
        let before = cpu();
        deliver(&ports, &event).await;
        milliseconds.push((cpu() - before) * 1000.0);
    }
    milliseconds.sort_by(f64::total_cmp);
    let median = milliseconds[milliseconds.len() / 2];
    println!("{named}:");
    println!("  a message an event   {rate:>9.0} messages/s   (at least {:.0})", TARGETS.0);
    println!("  a batch of {DEVICES}       {median:>9.2} ms           (at most {:.0})", TARGETS.1);
}

/// A reading of each device, or as many of one.
fn batch(begin: Timestamp, round: usize, one_device: bool) -> Vec<Value> {
    let reading = |device: usize| {
        let number = round * DEVICES + device;
        let hot = number.is_multiple_of(1000);
        let value = if hot { 85.0 } else { 60.0 + (number % 97) as f64 / 10.0 };
        // A second a round, and all of them in the past.
        let at = begin.0 - 60_000 + i64::try_from(round * 1000 + if one_device { device } else { 0 }).unwrap();
        let name = format!("oven-{}", if one_device { 0 } else { device });
        json!({"temperature": value, "humidity": 41.5, "at": at, "topic": format!("sensors/{name}/temperature"),
            "device": name, "rx_ts": at + 180, "mid": format!("0b0d4f6e-6a0c-4b3c-9b64-{number:012x}")})
    };
    (0..DEVICES).map(reading).collect()
}

fn ports() -> Ports {
    let dataset = Stream::parse("temperature.json", include_str!("../../../infra/datasets/temperature.json")).unwrap();
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    Ports {
        store: Arc::new(MemoryStore::new(Arc::clone(&clock))),
        state: Arc::new(MemoryState::new(Arc::clone(&clock))),
        notify: Arc::new(MemoryNotify::default()),
        onward: Some(Arc::new(MemoryStream::new(Limits::KINESIS))),
        contract: Contract::new(&dataset, None).unwrap(),
        sql: None,
        watching: Watching::new(&dataset.name, dataset.watch.clone().unwrap()),
        dataset,
        clock,
        emitter: Emitter::Memory(Arc::new(Mutex::new(Vec::new()))),
        function: "iot-rule".to_owned(),
    }
}

async fn deliver(ports: &Ports, event: &str) {
    let deadline = Timestamp(SystemClock.now().0 + 60_000);
    let event = Event { body: event.to_owned().into(), deadline, request_id: "r-1".to_owned() };
    let report = handle(&event, ports).await.unwrap();
    assert_eq!((report.judged, report.quarantined), (report.messages, 0));
}

/// The processor's seconds of this process so far.
fn cpu() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}
