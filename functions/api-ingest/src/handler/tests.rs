//! Whole requests over a stream and a state in memory: what is sent, and what the sender is told.

mod property;
mod refused;
mod repeated;

use std::sync::Mutex;

use headgate::{
    clock::ManualClock,
    state::memory::MemoryState,
    stream::{Limits, memory::MemoryStream},
};
use serde_json::{Value, json};

use super::*;
use crate::signature::sign;

const NOW: Timestamp = Timestamp(1_795_348_800_000);
const TIMEOUT: Duration = Duration::from_secs(30);
const SECRET: &str = "a secret of the sender";

/// A function with one dataset, and what stands behind its ports.
struct Scene {
    ports: Ports,
    stream: MemoryStream,
    state: MemoryState,
    clock: Arc<ManualClock>,
}

fn scene() -> Scene {
    let given = [
        ("DATASETS", "orders,returns"),
        ("STREAM", "ingest"),
        ("STATE", "dynamodb://state"),
        ("SIGNING_KEYS", SECRET),
        ("PARTITION_KEY", "id"),
        ("MAX_RECORDS", "1000"),
    ];
    let config =
        Config::read(|name| given.iter().find(|(given, _)| *given == name).map(|(_, text)| (*text).to_owned()))
            .unwrap();
    let clock = Arc::new(ManualClock::new(NOW));
    let (stream, state) = (MemoryStream::new(Limits::KINESIS), MemoryState::new(clock.clone()));
    let ports = Ports {
        config,
        stream: Arc::new(stream.clone()),
        state: Arc::new(state.clone()),
        clock: clock.clone(),
        emitter: Emitter::Memory(Arc::new(Mutex::new(Vec::new()))),
    };
    Scene { ports, stream, state, clock }
}

/// `{"id": 0}` and so on, one a line.
fn body(records: usize) -> String {
    (0..records).map(|id| format!("{{\"id\": {id}}}\n")).collect::<Vec<_>>().concat()
}

impl Scene {
    /// A signed request to `orders`, with these headers besides.
    fn request(&self, headers: &Value, body: &str) -> Value {
        let seconds = self.clock.now().0 / 1000;
        let mut all = json!({
            "content-type": "application/x-ndjson", "x-headgate-timestamp": seconds.to_string(),
            "x-headgate-signature": sign(SECRET, seconds, body.as_bytes()),
        });
        let given = headers.as_object().unwrap().clone();
        all.as_object_mut().unwrap().extend(given);
        json!({"version": "2.0", "rawPath": "/v1/orders", "headers": all, "body": body,
            "requestContext": {"http": {"method": "POST"}}})
    }

    async fn ask(&self, event: &Value) -> Response {
        handle(event.to_string().as_bytes(), self.clock.now().plus(TIMEOUT), &self.ports).await.unwrap()
    }

    /// The answer to a signed request with this idempotency key.
    async fn keyed(&self, key: &str, body: &str) -> Response {
        self.ask(&self.request(&json!({"idempotency-key": key}), body)).await
    }

    /// The partition keys of what the stream has, in the order it came.
    fn sent(&self) -> Vec<String> {
        self.stream.records().into_iter().map(|record| record.partition_key).collect()
    }

    /// The last request's figures that are not 0.
    fn figures(&self) -> Value {
        let Emitter::Memory(seen) = &self.ports.emitter else { panic!("metrics are kept") };
        let mut figures = json!({});
        for metrics in seen.lock().unwrap().drain(..) {
            let mut line = Vec::new();
            metrics.emit(NOW, &mut line).unwrap();
            let line: Value = serde_json::from_slice(&line).unwrap();
            let line = line.as_object().unwrap().clone().into_iter();
            let figures = figures.as_object_mut().unwrap();
            figures.extend(line.filter(|(name, value)| value.as_f64() != Some(0.0) && name != "_aws"));
        }
        figures
    }
}

/// Status, body and the header `retry-after` of an answer.
fn told(response: &Response) -> (u16, Value, Option<&str>) {
    let body = serde_json::from_str(&response.body).unwrap();
    (response.status_code, body, response.headers.get("retry-after").map(String::as_str))
}

#[tokio::test(start_paused = true)]
async fn what_is_accepted_is_in_the_stream() {
    let scene = scene();
    let response = scene.ask(&scene.request(&json!({}), &body(3))).await;
    assert_eq!(told(&response), (202, json!({"dataset": "orders", "accepted": 3, "bytes": 27}), None));
    assert_eq!(scene.sent(), ["0", "1", "2"]);
    let expected = json!({"Function": "api-ingest", "Dataset": "orders", "Requests": 1, "RecordsAccepted": 3,
        "BytesAccepted": 27, "Puts": 1});
    assert_eq!(scene.figures(), expected);
    assert_eq!(scene.state.faults().total(), 0, "without a key there is nothing to remember");
}

#[tokio::test(start_paused = true)]
async fn what_is_throttled_is_sent_again() {
    let scene = scene();
    scene.stream.throttle("1", 3);
    let response = scene.ask(&scene.request(&json!({}), &body(3))).await;
    assert_eq!(told(&response).0, 202);
    assert_eq!(scene.sent(), ["0", "2", "1"]);
    let figures = scene.figures();
    assert_eq!((&figures["Throttles"], &figures["HotShards"], &figures["Puts"]), (&json!(3), &json!(1), &json!(4)));
    let hot = figures["hot"].as_str().unwrap();
    assert!(hot.starts_with("shardId-") && hot.ends_with("throttled 3 times; partition keys: 1"), "{hot}");
}

#[tokio::test(start_paused = true)]
async fn an_event_that_is_no_request_is_an_error() {
    let scene = scene();
    for event in ["{}", "[", r#"{"version": "1.0", "rawPath": "/", "requestContext": {"http": {"method": "POST"}}}"#] {
        let error = handle(event.as_bytes(), NOW.plus(TIMEOUT), &scene.ports).await.unwrap_err();
        assert_eq!((error.class, error.code), (Class::Poison, headgate::Code::InvalidEvent));
    }
}

#[test]
fn the_margin_suits_the_time() {
    let left = |seconds| left(NOW, NOW.plus(Duration::from_secs(seconds)));
    assert_eq!((left(0), left(10), left(60)), (Duration::ZERO, Duration::from_secs(8), Duration::from_secs(57)));
}
