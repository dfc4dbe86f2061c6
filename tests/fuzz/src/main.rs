//! Bytes from libFuzzer → one decoder, which must take them all.
//!
//! A find is a panic, more memory than the input justifies, an input that takes too long, or an answer that contradicts
//! itself. To add a target: one function that takes bytes, one that gives examples, one line in [`TARGETS`].

#![no_main]
#![expect(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a find is told by a panic")]

mod avro;
mod change_file;
mod contract;
mod decode;
mod event;
mod literal;
mod memory;
mod seeds;

use std::{env, fs, io::Write, panic, process, sync::OnceLock};

#[global_allocator]
static ALLOCATOR: memory::Bounded = memory::Bounded;

/// What any decoder may hold, whatever its input: windows, caps, a batch's columns.
const FIXED: usize = 8 << 20;
/// What it may hold for each byte of its input: the shortest records, `{},`, become whole structs.
const PER_BYTE: usize = 256;
/// A short input is a pattern, too: what is slow or large only when it is long shows so.
const PATTERN: usize = 8;
const REPEATED: usize = 256 << 10;

struct Target {
    name: &'static str,
    run: fn(&[u8]),
    /// Inputs to begin with, of which the fuzzer makes others.
    seeds: fn() -> Vec<Vec<u8>>,
}

const TARGETS: [Target; 14] = [
    Target { name: "avro", run: avro::avro, seeds: avro::seeds },
    Target { name: "compression", run: decode::compression, seeds: seeds::packed },
    Target { name: "contract", run: contract::rows, seeds: seeds::documents },
    Target { name: "csv", run: change_file::csv, seeds: change_file::csv_seeds },
    Target { name: "debezium", run: change_file::debezium, seeds: change_file::debezium_seeds },
    Target { name: "documents", run: decode::documents, seeds: seeds::bodies },
    Target { name: "firehose", run: event::firehose, seeds: seeds::firehose_events },
    Target { name: "http", run: event::http, seeds: seeds::http_events },
    Target { name: "kafka", run: event::kafka, seeds: seeds::kafka_events },
    Target { name: "kinesis", run: event::kinesis, seeds: seeds::kinesis_events },
    Target { name: "kpl", run: decode::kpl, seeds: seeds::aggregates },
    Target { name: "literal", run: literal::all, seeds: literal::seeds },
    Target { name: "logs", run: decode::logs, seeds: seeds::logs },
    Target { name: "registry", run: decode::registry, seeds: seeds::framed },
];

static CHOSEN: OnceLock<&Target> = OnceLock::new();

libfuzzer_sys::fuzz_target!(init: choose(), |input: &[u8]| {
    let Some(target) = CHOSEN.get() else { return };
    run(target, input);
    if (1..=PATTERN).contains(&input.len()) {
        run(target, &input.repeat(REPEATED / input.len()));
    }
});

fn run(target: &Target, input: &[u8]) {
    memory::bounded(FIXED + PER_BYTE * input.len(), || (target.run)(input));
}

/// Reads the flags that libFuzzer leaves to us, which begin with two dashes: `--targets` tells the targets and ends,
/// `--target=NAME` chooses one, `--seeds=FOLDER` writes its first inputs.
fn choose() {
    let flag = |name: &str| env::args().find_map(|argument| argument.strip_prefix(name).map(str::to_owned));
    if flag("--targets").is_some() {
        let names = TARGETS.map(|target| target.name).join("\n");
        process::exit(i32::from(writeln!(std::io::stdout(), "{names}").is_err()));
    }
    let name = flag("--target=").unwrap_or_default();
    let Some(target) = TARGETS.iter().find(|target| target.name == name) else {
        let _ = writeln!(std::io::stderr(), "--target={name}: no such target; --targets tells them");
        process::exit(2);
    };
    if let Some(folder) = flag("--seeds=") {
        for (index, seed) in (target.seeds)().iter().enumerate() {
            fs::write(format!("{folder}/{index}"), seed).expect("the seeds can be written");
        }
    }
    CHOSEN.get_or_init(|| target);
    let abort = panic::take_hook();
    panic::set_hook(Box::new(move |told| {
        memory::unbind();
        abort(told);
    }));
}
