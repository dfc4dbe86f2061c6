//! `cargo bench -p headgate-tests --bench start` → how soon a function asks for its first event, and how large it is and
//! becomes.
//!
//! The released binaries, each beside an empty function. `cargo build --release --workspace --exclude headgate-fuzz --bins
//! --examples` makes them. Start is the time from the process's birth to its first request to the Runtime API, the median
//! of many. Memory is the peak of a process that was given one event of 6 MB, zip its size packed.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a bench fails by a panic")]
#![allow(clippy::print_stdout, reason = "its figures are for people")]

use std::{
    fs,
    io::{self, BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    sync::mpsc::{self, Receiver},
    thread,
    time::{Duration, Instant},
};

use flate2::{Compression, write::DeflateEncoder};
use headgate_cli::traffic::{Events, Format, Kind, Options, Traffic, Wrapping};

const RUNS: usize = 40;

/// Each function, the source of its dataset, and the format of its events where the bench has some.
const FUNCTIONS: [(&str, &str, Option<Format>); 7] = [
    ("firehose-transform", "firehose", Some(Format::Firehose)),
    ("kinesis-consumer", "kinesis", Some(Format::Kinesis)),
    ("msk-consumer", "kafka", Some(Format::Kafka)),
    ("api-ingest", "kinesis", None),
    ("dms-merge", "dms", None),
    ("iot-rule", "iot", None),
    ("iot-provision", "iot", None),
];

fn main() {
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("start");
    let released = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().join("release");
    println!("{:<20}{:>10}{:>12}{:>10}{:>10}", "", "start ms", "x empty", "zip MB", "peak MB");
    let empty = start(&released.join("examples").join("empty"), "empty", &settings(&place, "kinesis"));
    println!("{:<20}{:>10.1}", "empty", empty.as_secs_f64() * 1e3);
    for (name, source, format) in FUNCTIONS {
        let (binary, settings) = (released.join(name), settings(&place, source));
        let time = start(&binary, name, &settings);
        let zip = zipped(&binary) as f64 / 1e6;
        let ratio = time.as_secs_f64() / empty.as_secs_f64();
        let peak = format.map_or_else(String::new, |format| format!("{:.0}", peak(&binary, name, format, &settings)));
        println!("{name:<20}{:>10.1}{ratio:>12.2}{zip:>10.1}{peak:>10}", time.as_secs_f64() * 1e3);
    }
}

/// The median time to the first request for an event.
fn start(binary: &Path, name: &str, settings: &[Setting]) -> Duration {
    let mut times: Vec<_> = (0..RUNS)
        .map(|_| {
            let api = Api::serve();
            let born = Instant::now();
            let _function = Function::spawn(binary, name, &api, settings);
            api.asked("/invocation/next");
            born.elapsed()
        })
        .collect();
    times.sort();
    times[times.len() / 2]
}

/// The peak of memory, in MB, of a function that was given one event of 6 MB.
fn peak(binary: &Path, name: &str, format: Format, settings: &[Setting]) -> f64 {
    let api = Api::serve();
    let function = Function::spawn(binary, name, &api, settings);
    let mut next = api.asked("/invocation/next");
    let event = event(format);
    let head = format!(
        "HTTP/1.1 200 OK\r\nLambda-Runtime-Aws-Request-Id: 1\r\nLambda-Runtime-Deadline-Ms: 9000000000000\r\n\
         Lambda-Runtime-Invoked-Function-Arn: arn:aws:lambda:eu-west-1:1:function:{name}\r\nContent-Length: {}\r\n\r\n",
        event.len()
    );
    next.write_all(head.as_bytes()).unwrap();
    next.write_all(&event).unwrap();
    api.asked("/response");
    let status = fs::read_to_string(format!("/proc/{}/status", function.0.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().strip_suffix(" kB").unwrap().parse::<f64>().unwrap() * 1024.0 / 1e6
}

/// The largest event that Lambda hands over.
fn event(format: Format) -> Vec<u8> {
    let records = Traffic::new(Kind::Clickstream, 11, Options::default()).take(10_000);
    let wrapping = Wrapping { records: 10_000, ..Wrapping::new(format, "clicks") };
    Events::new(records, wrapping).next().unwrap().bytes
}

fn zipped(binary: &Path) -> usize {
    let mut packed = DeflateEncoder::new(Vec::new(), Compression::default());
    packed.write_all(&fs::read(binary).unwrap()).unwrap();
    packed.finish().unwrap().len()
}

type Setting = (&'static str, String);

/// Settings of every function: a dataset of `source`, lake and state in folders.
fn settings(place: &Path, source: &str) -> Vec<Setting> {
    let datasets = place.join(source);
    fs::create_dir_all(&datasets).unwrap();
    let (name, text) = match source {
        "dms" => ("orders", include_str!("../../../infra/datasets/orders.json")),
        "iot" => ("temperature", include_str!("../../../infra/datasets/temperature.json")),
        _ => ("clickstream", include_str!("../../../infra/datasets/clickstream.json")),
    };
    let text = match source {
        "iot" => text.to_owned(),
        source => text.replace(r#""type": "kinesis""#, &format!(r#""type": "{source}""#)),
    };
    fs::write(datasets.join(format!("{name}.json")), text).unwrap();
    let run = tempfile::tempdir_in(place).unwrap().keep();
    [
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "1024"),
        ("AWS_REGION", "eu-west-1"),
        ("AWS_ACCESS_KEY_ID", "none"),
        ("AWS_SECRET_ACCESS_KEY", "none"),
        ("DATASET", name),
        ("MASK_KEY", "a key that no one needs"),
        ("SIGNING_KEYS", "none"),
        ("NOTIFY", "arn:aws:sns:eu-west-1:111122223333:alerts"),
        ("ALLOW", "listed"),
        ("TEMPLATES", "fleet"),
        ("STREAM", "arn:aws:kinesis:eu-west-1:111122223333:stream/clicks"),
    ]
    .into_iter()
    .map(|(name, value)| (name, value.to_owned()))
    .chain([("LAKE", run.join("lake")), ("STATE", run.join("state")), ("DATASETS_DIR", datasets)].map(
        |(name, path)| {
            fs::create_dir_all(&path).unwrap();
            (name, path.display().to_string())
        },
    ))
    .collect()
}

/// A running function.
struct Function(Child);

impl Function {
    fn spawn(binary: &Path, name: &str, api: &Api, settings: &[Setting]) -> Self {
        let child = Command::new(binary)
            .env_clear()
            .env("AWS_LAMBDA_RUNTIME_API", &api.address)
            .env("AWS_LAMBDA_FUNCTION_NAME", name)
            .envs(settings.iter().map(|(name, value)| (name, value)))
            .stdout(Stdio::null())
            .spawn();
        Self(child.unwrap_or_else(|error| panic!("{}: {error}: build the release first", binary.display())))
    }
}

impl Drop for Function {
    fn drop(&mut self) {
        let _ = self.0.kill().and_then(|()| self.0.wait());
    }
}

/// The Runtime API of one function: its requests, each with where to answer it.
struct Api {
    address: String,
    requests: Receiver<(String, TcpStream)>,
}

impl Api {
    fn serve() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (found, requests) = mpsc::channel();
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let found = found.clone();
                thread::spawn(move || while request(&stream).is_some_and(|request| found.send(request).is_ok()) {});
            }
        });
        Self { address, requests }
    }

    /// Waits for a request of this path.
    fn asked(&self, path: &str) -> TcpStream {
        let (head, stream) = self.requests.recv_timeout(Duration::from_mins(1)).expect("the function asks");
        assert!(head.lines().next().is_some_and(|line| line.contains(path)), "{head}");
        stream
    }
}

/// The next request's head, its body passed over; `None` at the connection's end.
fn request(stream: &TcpStream) -> Option<(String, TcpStream)> {
    let mut reader = BufReader::with_capacity(1, stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        (reader.read_line(&mut head).ok()? > 0).then_some(())?;
    }
    let length = head.to_ascii_lowercase().lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
    io::copy(&mut reader.take(length.unwrap_or(0)), &mut io::sink()).ok()?;
    Some((head, stream.try_clone().ok()?))
}
