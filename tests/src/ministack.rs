//! A test → AWS's wire protocol on loopback, spoken by ministack.
//!
//! One server for each test process, and it never outlives it: the server ends when its standard input does, which
//! the operating system closes with the test process, however that ends.

#![expect(clippy::expect_used, clippy::panic, reason = "a harness: its failure is the test's failure")]

use std::{
    io::{self, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    sync::OnceLock,
    thread,
    time::{Duration, Instant},
};

pub use proxy::{Fault, Proxy};

mod deploy;
mod proxy;

use crate::python;

/// The version whose behaviour the tests were written against.
const PACKAGE: &str = "ministack==1.5.33";
const VENV: &str = "ministack-venv";

/// What the server runs first: an end when standard input ends.
const WATCH: &str = "
import os, sys, threading
def watch():
    sys.stdin.buffer.read()
    os._exit(0)
threading.Thread(target=watch, daemon=True).start()
from ministack import app
";

/// What tests of the ports ask for.
const SERVICES: &str = "s3,dynamodb,sqs,sns,events,kinesis,firehose";

/// The account that the server keeps everything in.
const ARN_SNS: &str = "arn:aws:sns:us-east-1:000000000000:";
const ARN_SQS: &str = "arn:aws:sqs:us-east-1:000000000000:";

/// A first start compiles the package's Python; later ones take a second.
const PATIENCE: Duration = Duration::from_mins(1);
const POLL: Duration = Duration::from_millis(25);

/// A running server, killed on drop.
#[derive(Debug)]
pub struct Ministack {
    server: Child,
    address: SocketAddr,
}

impl Ministack {
    /// This test process's server, or `None`, with a loud message, where this machine has no Python 3.
    ///
    /// # Panics
    /// Where there is a Python but the server cannot be installed or started.
    pub fn shared() -> Option<&'static Self> {
        static SHARED: OnceLock<Option<Ministack>> = OnceLock::new();
        SHARED.get_or_init(Self::start).as_ref()
    }

    /// A server of its own, for a test that stops it. Otherwise as [`Ministack::shared`].
    ///
    /// # Panics
    /// As [`Ministack::shared`].
    #[must_use]
    pub fn start() -> Option<Self> {
        Self::start_as("over AWS's wire protocol", WATCH, &[("SERVICES", SERVICES)], &python::target().join(VENV))
    }

    /// A server whose code is this one, with these settings and this folder for its files.
    fn start_as(tests: &str, code: &str, settings: &[(&str, &str)], folder: &Path) -> Option<Self> {
        let python = python::with(VENV, &[PACKAGE], tests)?;
        // Another process may take the port between its choice and its use.
        let server = (0..3).find_map(|_| Self::serve(&python, code, settings, folder));
        Some(server.expect("ministack to start; its words are above"))
    }

    /// Its address for SDKs and for [`environment`](Self::environment).
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The environment of a child process that takes this server for AWS.
    #[must_use]
    pub fn environment(&self) -> [(&'static str, String); 4] {
        [
            ("AWS_ENDPOINT_URL", self.url()),
            ("AWS_REGION", "us-east-1".to_owned()),
            ("AWS_ACCESS_KEY_ID", "test".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "test".to_owned()),
        ]
    }

    /// Makes an S3 bucket.
    ///
    /// # Panics
    /// Where the server refuses.
    pub fn create_bucket(&self, name: &str) {
        self.ask(&format!("PUT /{name} HTTP/1.1\r\n"), "");
    }

    /// Makes a `DynamoDB` table with the key `pk` (a string), as the Terraform module does.
    ///
    /// # Panics
    /// Where the server refuses.
    pub fn create_table(&self, name: &str) {
        let body = format!(
            r#"{{"TableName":"{name}","BillingMode":"PAY_PER_REQUEST",
                "AttributeDefinitions":[{{"AttributeName":"pk","AttributeType":"S"}}],
                "KeySchema":[{{"AttributeName":"pk","KeyType":"HASH"}}]}}"#
        );
        let head = "POST / HTTP/1.1\r\nX-Amz-Target: DynamoDB_20120810.CreateTable\r\n\
                    Content-Type: application/x-amz-json-1.0\r\n";
        self.ask(head, &body);
    }

    /// Makes a Kinesis data stream of two shards.
    ///
    /// # Panics
    /// Where the server refuses.
    pub fn create_stream(&self, name: &str) {
        drop(self.kinesis("CreateStream", &format!(r#"{{"StreamName":"{name}","ShardCount":2}}"#)));
    }

    /// One call of Kinesis's API: its name and its JSON. The answer's JSON.
    ///
    /// # Panics
    /// Where the server refuses.
    #[must_use]
    pub fn kinesis(&self, call: &str, body: &str) -> String {
        let head = format!(
            "POST / HTTP/1.1\r\nX-Amz-Target: Kinesis_20131202.{call}\r\nContent-Type: application/x-amz-json-1.1\r\n"
        );
        self.ask(&head, body)
    }

    /// Makes an SNS topic and an SQS queue of the same name that has all that is published; gives the topic's ARN. A
    /// name that ends in `.fifo` makes both ordered.
    ///
    /// # Panics
    /// Where the server refuses.
    #[must_use]
    pub fn create_topic(&self, name: &str) -> String {
        let (of_topic, of_queue) = if name.rsplit_once('.').is_some_and(|(_, end)| end == "fifo") {
            (
                "&Attributes.entry.1.key=FifoTopic&Attributes.entry.1.value=true",
                "&Attribute.1.Name=FifoQueue&Attribute.1.Value=true",
            )
        } else {
            ("", "")
        };
        let (topic, queue) = (format!("{ARN_SNS}{name}"), format!("{ARN_SQS}{name}"));
        let sns = |call: &str| self.form(&format!("{call}&Version=2010-03-31"));
        sns(&format!("Action=CreateTopic&Name={name}{of_topic}"));
        self.form(&format!("Action=CreateQueue&QueueName={name}{of_queue}&Version=2012-11-05"));
        sns(&format!("Action=Subscribe&TopicArn={topic}&Protocol=sqs&Endpoint={queue}"));
        topic
    }

    /// Takes up to ten messages out of the queue of [`create_topic`](Self::create_topic): the answer's JSON.
    ///
    /// # Panics
    /// Where the server refuses.
    #[must_use]
    pub fn receive(&self, queue: &str) -> String {
        let head = "POST / HTTP/1.1\r\nX-Amz-Target: AmazonSQS.ReceiveMessage\r\n\
                    Content-Type: application/x-amz-json-1.0\r\n";
        let url = format!("{}/000000000000/{queue}", self.url());
        self.ask(head, &format!(r#"{{"QueueUrl":"{url}","MaxNumberOfMessages":10}}"#))
    }

    /// One call of an API that speaks forms.
    fn form(&self, form: &str) {
        self.ask("POST / HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded\r\n", form);
    }

    fn ask(&self, head: &str, body: &str) -> String {
        let answer = ask(self.address, head, body).expect("ministack to answer");
        assert!(answer.starts_with("HTTP/1.1 200"), "{head}{answer}");
        answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default()
    }

    /// A server that is ready, or `None` where it ended at once.
    fn serve(python: &Path, code: &str, settings: &[(&str, &str)], folder: &Path) -> Option<Self> {
        let address = free();
        let server = Command::new(python)
            .args(["-c", &format!("{code}app.main()")])
            .env("BIND_HOST", "127.0.0.1")
            .env("AWS_ENDPOINT_URL", format!("http://{address}"))
            .env("GATEWAY_PORT", address.port().to_string())
            .env("LOG_LEVEL", "WARNING")
            .env("S3_PERSIST", "0")
            .env("TMPDIR", folder)
            .envs(settings.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .expect("python to start");
        let mut this = Self { server, address };
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            let answer = ask(address, "GET /_ministack/health HTTP/1.1\r\n", "");
            if answer.is_ok_and(|answer| answer.starts_with("HTTP/1.1 200")) {
                return Some(this);
            }
            if this.server.try_wait().expect("a child to have a state").is_some() {
                return None;
            }
            thread::sleep(POLL);
        }
        panic!("ministack was not ready after {PATIENCE:?}");
    }
}

impl Drop for Ministack {
    fn drop(&mut self) {
        self.server.kill().ok();
        self.server.wait().ok();
    }
}

fn free() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").and_then(|port| port.local_addr()).expect("a free port")
}

/// One HTTP request; `head` is its first lines. The whole answer.
fn ask(address: SocketAddr, head: &str, body: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect(address)?;
    let length = body.len();
    write!(stream, "{head}Host: {address}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}
