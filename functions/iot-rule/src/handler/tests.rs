//! Events from the bytes to what subscribers, the stream, the lake and the state then have.

use std::sync::Mutex;

use headgate::{
    dataset::stream::watch::Watch,
    faults::Unavailable,
    notify::{NotifyError, memory::MemoryNotify},
    quarantine::Line,
    state::{StateError, memory::MemoryState},
    store::memory::MemoryStore,
    stream::{Limits, memory::MemoryStream},
};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::*;

mod faults;
mod gate;
mod scene;
mod schedule;

/// 2026-11-25T09:31:00Z
pub(super) const NOW: i64 = 1_795_599_060_000;

/// A clock that goes with the runtime's, which stands until it is moved.
#[derive(Debug, Clone, Copy)]
pub(super) struct RuntimeClock(Instant);

impl RuntimeClock {
    pub(super) fn new() -> Self {
        Self(Instant::now())
    }
}

impl Clock for RuntimeClock {
    fn now(&self) -> Timestamp {
        Timestamp(NOW).plus(self.0.elapsed())
    }
}

pub(super) fn dataset() -> Value {
    json!({
        "name": "temperature", "kind": "stream", "source": {"type": "kinesis"}, "target": {"prefix": "raw/iot/"},
        "columns": [
            {"name": "device", "type": "string", "required": true},
            {"name": "at", "type": "timestamp(ms)", "required": true},
            {"name": "t", "type": "float64", "required": true, "max": 1000},
            {"name": "mid", "type": "string", "required": true},
        ],
        "event_time": "at",
        "watch": {
            "device": "device", "message_id": "mid", "reorder": 64, "late_seconds": 100_000, "future_seconds": 100_000,
            "alerts": [{"name": "hot", "column": "t", "levels": [
                {"severity": "warning", "above": 80, "clear": 75}, {"severity": "critical", "above": 95, "clear": 90}]}],
        },
    })
}

#[derive(Debug, Clone)]
pub(super) struct World {
    pub(super) store: MemoryStore,
    pub(super) state: MemoryState,
    pub(super) notify: MemoryNotify,
    pub(super) stream: MemoryStream,
    clock: Arc<dyn Clock>,
    dataset: Dataset,
    contract: Contract,
    watch: Watch,
    emitter: Emitter,
}

impl World {
    pub(super) fn new(dataset: &Value) -> Self {
        let clock: Arc<dyn Clock> = Arc::new(RuntimeClock::new());
        let dataset = Dataset::parse("x.json", &dataset.to_string()).unwrap();
        Self {
            store: MemoryStore::new(Arc::clone(&clock)),
            state: MemoryState::new(Arc::clone(&clock)),
            notify: MemoryNotify::default(),
            stream: MemoryStream::new(Limits::KINESIS),
            clock,
            contract: Contract::new(&dataset, None).unwrap(),
            watch: dataset.watch.clone().unwrap(),
            dataset,
            emitter: Emitter::Memory(Arc::new(Mutex::new(Vec::new()))),
        }
    }

    pub(super) fn ports(&self) -> Ports {
        Ports {
            store: Arc::new(self.store.clone()),
            state: Arc::new(self.state.clone()),
            notify: Arc::new(self.notify.clone()),
            onward: Some(Arc::new(self.stream.clone())),
            dataset: self.dataset.clone(),
            contract: self.contract.clone(),
            watching: Watching::new(&self.dataset.name, self.watch.clone()),
            sql: None,
            clock: Arc::clone(&self.clock),
            emitter: self.emitter.clone(),
            function: "iot-rule".to_owned(),
        }
    }

    pub(super) fn event(&self, body: &Value) -> Event {
        let deadline = self.clock.now().plus(Duration::from_mins(10));
        Event { body: body.to_string().into(), deadline, request_id: "r-1".to_owned() }
    }

    pub(super) async fn deliver(&self, body: &Value) -> Result<Report, Error> {
        handle(&self.event(body), &self.ports()).await
    }

    pub(super) fn told(&self) -> Vec<String> {
        self.notify.published().into_iter().map(|notice| notice.subject).collect()
    }

    /// The lines in quarantine.
    pub(super) async fn lines(&self) -> Vec<Line> {
        let mut lines = Vec::new();
        for object in self.store.list("quarantine/", None).await.unwrap().objects {
            let (_, body) = self.store.get(&object.key).await.unwrap().unwrap();
            lines.extend(std::str::from_utf8(&body).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()));
        }
        lines
    }
}

/// The reading of this second.
pub(super) fn reading(device: &str, second: i64, value: f64) -> Value {
    let mid = format!("{device}-{second}");
    json!({"device": device, "at": NOW + second * 1000, "t": value, "mid": mid})
}

#[tokio::test(start_paused = true)]
async fn an_incident_is_told_and_its_readings_go_on() {
    let world = World::new(&dataset());
    for (second, value) in (0..).zip([70.0, 81.5, 96.0, 74.0]) {
        let report = world.deliver(&reading("oven", second, value)).await.unwrap();
        assert_eq!((report.messages, report.judged, report.forwarded, report.devices), (1, 1, 1, 1));
    }
    let expected = [
        "warning opened: hot on oven, t 81.5",
        "critical updated: hot on oven, t 96",
        "critical resolved: hot on oven, t 74",
    ];
    assert_eq!(world.told(), expected);
    let sent = world.stream.records();
    assert_eq!(sent.len(), 4);
    assert_eq!(sent[0].partition_key, "oven");
    assert_eq!(serde_json::from_slice::<Value>(&sent[0].data).unwrap(), reading("oven", 0, 70.0));
    let again = world.deliver(&reading("oven", 1, 81.5)).await.unwrap();
    assert_eq!((again.repeated, again.forwarded, again.judged), (1, 0, 0));
    assert_eq!(again.fates.of(Fate::Dropped { reason: Dropped::Repeated }), 1);
    assert_eq!((world.told().len(), world.stream.records().len()), (3, 4));
}

#[tokio::test(start_paused = true)]
async fn a_batch_is_seen_to_device_by_device() {
    let world = World::new(&dataset());
    let batch = json!([
        reading("b", 2, 70.0), reading("a", 1, 82.0), 7, reading("b", 1, 99.0), reading("a", 1, 82.0), {"device": "c"}
    ]);
    let report = world.deliver(&batch).await.unwrap();
    assert_eq!((report.messages, report.judged, report.repeated, report.quarantined), (6, 3, 1, 2));
    assert_eq!((report.opened, report.resolved, report.devices), (2, 1, 2));
    let mut told = world.told();
    told.sort();
    let expected =
        ["critical opened: hot on b, t 99", "critical resolved: hot on b, t 70", "warning opened: hot on a, t 82"];
    assert_eq!(told, expected);
    let lines = world.lines().await;
    let seen: Vec<_> = lines.iter().map(|line| (line.document, line.code.as_str(), line.bytes().unwrap())).collect();
    let expected =
        [(2, "missing_field", br#"{"value":7}"#.to_vec()), (5, "missing_field", br#"{"device":"c"}"#.to_vec())];
    assert_eq!(seen, expected);
    let again = world.deliver(&batch).await.unwrap();
    assert_eq!((again.repeated, again.quarantined, world.lines().await.len()), (4, 2, 2));
}

#[tokio::test(start_paused = true)]
async fn what_an_action_did_not_take_is_a_line_that_can_be_replayed() {
    use base64::{Engine, prelude::BASE64_STANDARD};
    let world = World::new(&dataset());
    let original = reading("oven", 1, 99.0);
    let failed = json!({
        "ruleName": "temperature", "topic": "sensors/oven/temperature", "cloudwatchTraceId": "7c1c", "clientId": "oven",
        "base64OriginalPayload": BASE64_STANDARD.encode(original.to_string()),
        "failures": [{"failedAction": "KinesisAction", "failedResource": "telemetry", "errorMessage": "throttled"}],
    });
    for _ in 0..2 {
        let report = world.deliver(&failed).await.unwrap();
        assert_eq!(report.fates.of(Fate::Quarantined { reason: Code::ActionFailed }), 1);
        tokio::time::advance(Duration::from_hours(30)).await;
    }
    let lines = world.lines().await;
    let [line] = &lines[..] else { panic!("{lines:?}") };
    assert_eq!((line.code.as_str(), line.dataset.as_str()), ("action_failed", "temperature"));
    assert_eq!(line.position.to_string().split(" message ").next(), Some("sensors/oven/temperature"));
    let again: Value = serde_json::from_slice(&line.bytes().unwrap()).unwrap();
    assert_eq!((&again["mid"], &again["topic"]), (&original["mid"], &json!("sensors/oven/temperature")));
    assert_eq!((world.told().len(), world.stream.records().len()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_message_that_says_when_it_arrived_is_one_line_whenever_it_comes_again() {
    let mut dataset = dataset();
    dataset["columns"].as_array_mut().unwrap().push(json!({"name": "arrived", "type": "timestamp(ms)"}));
    dataset["watch"]["arrival"] = json!("arrived");
    let world = World::new(&dataset);
    let ports = Ports {
        sql: Sql::new("sensors/+/temperature".parse().unwrap(), &world.dataset, &world.watch).ok(),
        ..world.ports()
    };
    let failed = json!({
        "ruleName": "temperature", "topic": "sensors/oven/temperature", "cloudwatchTraceId": "7c1c",
        "base64OriginalPayload": "e30=", "failures": [],
    });
    world.store.faults().fail_after(1);
    let error = handle(&world.event(&failed), &ports).await.unwrap_err();
    assert_eq!(error.class, Class::Retry, "written, and nobody knows");
    let mut other = failed.clone();
    other["ruleName"] = json!("another");
    for event in [&failed, &other] {
        tokio::time::advance(Duration::from_hours(30)).await;
        handle(&world.event(event), &ports).await.unwrap();
    }
    let two = (world.event(&failed), world.event(&failed));
    let (one, other) = tokio::join!(handle(&two.0, &ports), handle(&two.1, &ports));
    assert!(one.is_ok() && other.is_ok());
    let lines = world.lines().await;
    let [line] = &lines[..] else { panic!("{lines:?}") };
    let said: Value = serde_json::from_slice(&line.bytes().unwrap()).unwrap();
    assert_eq!(said, json!({"device": "oven", "mid": "7c1c", "arrived": NOW}));
    for (name, value) in
        [("cloudwatchTraceId", json!("7c1d")), ("cloudwatchTraceId", json!(null)), ("topic", json!("x"))]
    {
        let mut other = failed.clone();
        other[name] = value;
        handle(&world.event(&other), &ports).await.unwrap();
    }
    assert_eq!(world.lines().await.len(), 4, "other messages are other lines");
}

#[tokio::test(start_paused = true)]
async fn late_and_future_readings_go_on_and_change_nothing() {
    let mut dataset = dataset();
    dataset["watch"]["late_seconds"] = json!(5);
    dataset["watch"]["future_seconds"] = json!(60);
    let world = World::new(&dataset);
    world.deliver(&reading("oven", 10, 70.0)).await.unwrap();
    let late = world.deliver(&reading("oven", 4, 99.0)).await.unwrap();
    let future = world.deliver(&reading("oven", 61, 99.0)).await.unwrap();
    assert_eq!((late.late, late.judged, future.future, future.judged), (1, 0, 1, 0));
    assert_eq!((world.told().len(), world.stream.records().len()), (0, 3));
    assert_eq!(world.deliver(&reading("oven", 5, 99.0)).await.unwrap().judged, 1, "not too late");
}

#[tokio::test(start_paused = true)]
async fn without_a_stream_the_rule_sees_to_readings() {
    let world = World::new(&dataset());
    let ports = Ports { onward: None, ..world.ports() };
    let report = handle(&world.event(&reading("oven", 1, 99.0)), &ports).await.unwrap();
    assert_eq!((report.judged, report.forwarded, report.opened), (1, 0, 1));
    assert!(world.stream.records().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_is_down_holds_no_alert_back_and_gets_the_reading_later() {
    let world = World::new(&dataset());
    world.stream.throttle("oven", u64::MAX);
    let began = Instant::now();
    let error = world.deliver(&reading("oven", 1, 99.0)).await.unwrap_err();
    assert_eq!((error.class, error.code), (Class::Retry, Code::Unavailable));
    assert!(began.elapsed() < Duration::from_secs(6), "{:?}", began.elapsed());
    assert_eq!(world.told(), ["critical opened: hot on oven, t 99"]);
    world.stream.recover();
    let report = world.deliver(&reading("oven", 1, 99.0)).await.unwrap();
    assert_eq!((report.forwarded, report.repeated, world.stream.records().len()), (1, 1, 1));
    let report = world.deliver(&reading("oven", 1, 99.0)).await.unwrap();
    assert_eq!((report.forwarded, world.told().len(), world.stream.records().len()), (0, 1, 1));
}

#[tokio::test(start_paused = true)]
async fn an_event_that_is_no_json_is_poison() {
    let world = World::new(&dataset());
    let event = Event { body: "not json".into(), ..world.event(&json!(null)) };
    let error = handle(&event, &world.ports()).await.unwrap_err();
    assert_eq!((error.class, error.code), (Class::Poison, Code::InvalidEvent));
    assert_eq!(world.deliver(&json!([])).await.unwrap().fates.of(Fate::Dropped { reason: Dropped::Empty }), 1);
}

#[tokio::test(start_paused = true)]
async fn a_reading_larger_than_a_record_is_set_aside() {
    let world = World::new(&dataset());
    let mut large = reading("oven", 1, 99.0);
    large["note"] = json!("x".repeat(1 << 20));
    assert_eq!(world.deliver(&large).await.unwrap().fates.of(Fate::Quarantined { reason: Code::TooLarge }), 1);
    assert_eq!((world.told().len(), world.lines().await[0].code.as_str()), (0, "too_large"));
}

#[tokio::test(start_paused = true)]
async fn a_topic_that_refuses_keeps_what_is_to_be_told() {
    let world = World::new(&dataset());
    let refused = || NotifyError::Refused { topic: "t".to_owned(), reason: "404".to_owned() };
    for call in 1..=2 {
        world.notify.faults().fail_before(call, refused());
    }
    let error = world.deliver(&reading("oven", 1, 81.0)).await.unwrap_err();
    assert_eq!(error.class, Class::Misconfigured);
    // Another reading of the device tells it too, and what it brought itself.
    let error = world.deliver(&reading("oven", 2, 70.0)).await.unwrap_err();
    assert_eq!(error.class, Class::Misconfigured);
    let report = world.deliver(&reading("oven", 2, 70.0)).await.unwrap();
    assert_eq!((report.repeated, report.opened, report.resolved), (1, 1, 1));
    assert_eq!(world.told(), ["warning opened: hot on oven, t 81", "warning resolved: hot on oven, t 70"]);
}

#[tokio::test(start_paused = true)]
async fn a_state_that_refuses_is_told_before_what_passes() {
    let world = World::new(&dataset());
    let refused = StateError::Refused { key: "k".to_owned(), reason: "no table".to_owned() };
    world.state.faults().fail_before(1, StateError::unavailable("a"));
    world.state.faults().fail_before(2, refused);
    let batch = json!([reading("a", 1, 99.0), reading("b", 1, 99.0), reading("c", 1, 99.0)]);
    let error = world.deliver(&batch).await.unwrap_err();
    assert_eq!(error.class, Class::Misconfigured);
    assert_eq!(world.told(), ["critical opened: hot on c, t 99"], "one device does not hold another up");
    assert_eq!(world.deliver(&batch).await.unwrap().opened, 2);
}

#[tokio::test(start_paused = true)]
async fn a_batch_of_a_device_may_be_long_and_in_any_order() {
    let world = World::new(&dataset());
    let value = |second: i64| if second % 2 == 0 { 99.0 } else { 70.0 };
    let batch: Vec<_> = (0..450).rev().map(|second| reading("oven", second, value(second))).collect();
    let report = world.deliver(&json!(batch)).await.unwrap();
    assert_eq!((report.judged, report.late, report.opened, report.resolved), (450, 0, 225, 225));
    let report = world.deliver(&json!(batch)).await.unwrap();
    assert_eq!((report.repeated + report.late, report.forwarded, world.told().len()), (450, 450 - 64, 450));
}

#[tokio::test(start_paused = true)]
async fn what_is_left_to_be_told_is_told_with_whatever_comes_of_the_device() {
    let world = World::new(&dataset());
    world.notify.faults().fail_before(1, NotifyError::unavailable("topic"));
    world.deliver(&reading("oven", 1, 99.0)).await.unwrap_err();
    let report = world.deliver(&reading("oven", 200_000, 70.0)).await.unwrap();
    assert_eq!((report.future, report.opened, world.told().len()), (1, 1, 1));
}
