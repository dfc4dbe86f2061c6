//! Whole batches → the answer, what is put again, and the figures.

mod property;
mod reingested;

use std::sync::Mutex;

use base64::prelude::{BASE64_STANDARD, Engine};
use headgate::{
    Class, Code,
    clock::ManualClock,
    event::firehose::Outcome,
    stream::{Limits, memory::MemoryStream},
};
use serde_json::{Value, json};

use super::*;

/// 2026-11-25T09:30:47Z
const NOW: Timestamp = Timestamp(1_795_599_047_000);
const TIMEOUT: Duration = Duration::from_mins(5);
const STREAM: &str = "arn:aws:kinesis:eu-west-1:123456789012:stream/clicks";
const DELIVERY: &str = "arn:aws:firehose:eu-west-1:123456789012:deliverystream/clicks";

/// A function without re-ingestion, whose answers have at most `budget` bytes.
fn ports(budget: usize) -> Ports {
    let text = json!({
        "name": "clicks", "kind": "stream", "source": {"type": "firehose"}, "unknown_fields": "drop",
        "columns": [{"name": "id", "type": "int64", "required": true}, {"name": "page", "type": "string"},
            {"name": "country", "type": "string"}],
        "partition_by": {"time": "day", "columns": ["country"]}, "target": {"prefix": "raw/clicks/"},
    });
    let dataset = Stream::parse("clicks", &text.to_string()).unwrap();
    Ports {
        contract: Contract::new(&dataset, None).unwrap(),
        dataset,
        budget,
        partitions: 3,
        reingest: Reingest::Off,
        clock: Arc::new(ManualClock::new(NOW)),
        emitter: Emitter::Memory(Arc::new(Mutex::new(Vec::new()))),
        function: "firehose-transform".to_owned(),
    }
}

/// The same with re-ingestion into a stream in memory.
fn reingesting(budget: usize, arn: &str, limits: Limits) -> (Ports, MemoryStream) {
    let stream = MemoryStream::new(limits);
    let target = Target { arn: arn.to_owned(), stream: Arc::new(stream.clone()) };
    (Ports { reingest: Reingest::Into(target), ..ports(budget) }, stream)
}

fn direct(bodies: &[impl AsRef<[u8]>]) -> Value {
    let record = |(at, body): (usize, &_)| {
        json!({"recordId": format!("r{at}"), "approximateArrivalTimestamp": NOW.0,
            "data": BASE64_STANDARD.encode(AsRef::<[u8]>::as_ref(body))})
    };
    let records: Vec<_> = bodies.iter().enumerate().map(record).collect();
    json!({"invocationId": "i-1", "deliveryStreamArn": DELIVERY, "region": "eu-west-1", "records": records})
}

fn kinesis(bodies: &[impl AsRef<[u8]>]) -> Value {
    let mut event = direct(bodies);
    event["sourceKinesisStreamArn"] = json!(STREAM);
    for (at, record) in event["records"].as_array_mut().unwrap().iter_mut().enumerate() {
        record["kinesisRecordMetadata"] = json!({"shardId": "shardId-000000000000", "partitionKey": format!("k{at}"),
            "approximateArrivalTimestamp": NOW.0, "sequenceNumber": "49546986683135544286507457936321625675700192471156785154",
            "subsequenceNumber": 0});
    }
    event
}

async fn answered(event: &Value, ports: &Ports) -> Response {
    let response = handle(event.to_string().as_bytes(), NOW.plus(TIMEOUT), ports).await.unwrap();
    let written = serde_json::to_string(&response).unwrap().len();
    assert_eq!(written, response.size());
    assert!(written <= ports.budget, "{written} bytes");
    response
}

/// The answers, a line each.
fn lines(response: &Response) -> Vec<String> {
    let line = |(id, outcome): &(String, Outcome<'_>)| match outcome {
        Outcome::Ok { data, partition_keys } => {
            let keys: Vec<_> = partition_keys.iter().map(|(key, value)| format!("{key}={value}")).collect();
            format!("{id} {} {}", String::from_utf8_lossy(data).replace('\n', "|"), keys.join("/"))
        }
        Outcome::Dropped => format!("{id} dropped"),
        Outcome::ProcessingFailed => format!("{id} failed"),
    };
    response.answers().unwrap().iter().map(line).collect()
}

/// The figures that were emitted last with this name, by reason.
fn figures(ports: &Ports, name: &str) -> Vec<(String, u64)> {
    let Emitter::Memory(seen) = &ports.emitter else { return Vec::new() };
    let seen = seen.lock().unwrap();
    let lines = seen.iter().map(|metrics| {
        let mut line = Vec::new();
        metrics.emit(NOW, &mut line).unwrap();
        serde_json::from_slice::<Value>(&line).unwrap()
    });
    let figure = |line: Value| {
        let reason = line["Reason"].as_str().unwrap_or_default().to_owned();
        line[name].as_u64().map(|figure| (reason, figure))
    };
    lines.filter_map(figure).collect()
}

#[tokio::test]
async fn every_record_has_its_own_answer() {
    let ports = ports(RESPONSE_BUDGET);
    let bodies = [
        r#"{"id":1,"country":"KR"}"#,
        "[]",
        "nonsense",
        r#"{"id":2,"country":"KR"}{"id":3,"country":"KR"}"#,
        r#"{"id":4,"country":"KR"}{"id":5}"#,
        "",
    ];
    let mut event = direct(&bodies);
    event["records"].as_array_mut().unwrap().push(json!({"recordId": "r6", "data": "%"}));
    event["records"].as_array_mut().unwrap().push(json!({"data": "e30="}));
    let keys = "country=KR/day=25/month=11/year=2026";
    let expected = [
        &format!("r0 {{\"id\":1}}| {keys}"),
        "r1 dropped",
        "r2 failed",
        &format!("r3 {{\"id\":2}}|{{\"id\":3}}| {keys}"),
        "r4 failed",
        "r5 failed",
        "r6 failed",
    ];
    for _ in 0..2 {
        assert_eq!(lines(&answered(&event, &ports).await), expected);
    }
    let reason = |reason: &str, count| (reason.to_owned(), count);
    let failed = [reason("", 5), reason("invalid_event", 2), reason("invalid_json", 2), reason("mixed_partitions", 1)];
    assert_eq!(figures(&ports, "RecordsFailed")[..4], failed);
    assert_eq!(figures(&ports, "RecordsDropped")[..2], [reason("", 1), reason("empty", 1)]);
    for (name, count) in [("Records", 8), ("RecordsOk", 2), ("Documents", 3), ("RecordsUnanswered", 1), ("Failures", 0)]
    {
        assert_eq!(figures(&ports, name)[0].1, count, "{name}");
    }
}

#[tokio::test]
async fn there_is_an_end_to_partitions() {
    let ports = ports(RESPONSE_BUDGET);
    let body = |country: &str| format!("{{\"id\":1,\"country\":\"{country}\"}}");
    // What is refused takes no partition.
    let mixed = body("x") + &body("y");
    let bodies = [mixed, body("a"), body("b"), body("c"), body("d"), body("a"), body("e"), body("c")];
    let told: Vec<_> = lines(&answered(&direct(&bodies), &ports).await)
        .iter()
        .map(|line| line.split(' ').nth(1).unwrap().to_owned())
        .collect();
    let ok = "{\"id\":1}|";
    assert_eq!(told, ["failed", ok, ok, ok, "failed", ok, "failed", ok]);
    assert_eq!(figures(&ports, "Partitions")[0].1, 3);
    assert!(figures(&ports, "RecordsFailed").contains(&("too_many_partitions".to_owned(), 2)));
}

#[tokio::test]
async fn a_tombstone_is_dropped() {
    let ports = ports(RESPONSE_BUDGET);
    let event = json!({"invocationId": "i-1", "deliveryStreamArn": DELIVERY,
        "sourceMSKArn": "arn:aws:kafka:eu-west-1:1:cluster/c/u-1", "records": [
            {"recordId": "r0", "kafkaRecordValue": null, "mskRecordMetadata": {"offset": "1", "partitionId": "0",
                "approximateArrivalTimestamp": NOW.0}},
            {"recordId": "r1", "kafkaRecordValue": "eyJpZCI6MX0="}, {"recordId": "r2"}]});
    let response = answered(&event, &ports).await;
    let keys = "country=__HIVE_DEFAULT_PARTITION__/day=25/month=11/year=2026";
    assert_eq!(lines(&response), ["r0 dropped", &format!("r1 {{\"id\":1}}| {keys}"), "r2 failed"]);
    assert!(serde_json::to_string(&response).unwrap().contains(r#""kafkaRecordValue":"eyJpZCI6MX0K""#));
}

#[tokio::test]
async fn an_event_of_another_kind_fails() {
    let ports = ports(RESPONSE_BUDGET);
    let error = handle(br#"{"Records": []}"#, NOW.plus(TIMEOUT), &ports).await.unwrap_err();
    assert_eq!((error.class, error.code), (Class::Poison, Code::InvalidEvent));
    assert_eq!(figures(&ports, "Failures"), [(String::new(), 1)]);
}

#[tokio::test]
async fn records_for_which_there_is_no_time_fail() {
    let ports = ports(RESPONSE_BUDGET);
    let response = handle(direct(&["{\"id\":1}", "[]"]).to_string().as_bytes(), NOW, &ports).await.unwrap();
    assert_eq!(lines(&response), ["r0 failed", "r1 failed"]);
    assert!(figures(&ports, "RecordsFailed").contains(&("deadline".to_owned(), 2)));
}

/// A clock that every look moves on by a second.
#[derive(Debug)]
struct Slow(ManualClock);

impl Clock for Slow {
    fn now(&self) -> Timestamp {
        self.0.advance(Duration::from_secs(1));
        self.0.now()
    }
}

#[tokio::test]
async fn records_before_the_time_runs_out_are_kept_and_some_is_left_for_the_answer() {
    let clock = Arc::new(Slow(ManualClock::new(NOW)));
    let ports = Ports { clock: clock.clone(), ..ports(RESPONSE_BUDGET) };
    let bodies: Vec<_> = (0..30).map(|id| format!("{{\"id\":{id}}}")).collect();
    let deadline = NOW.plus(Duration::from_secs(20));
    let response = handle(direct(&bodies).to_string().as_bytes(), deadline, &ports).await.unwrap();
    let kept = lines(&response).iter().filter(|line| !line.ends_with("failed")).count();
    assert!((5..16).contains(&kept), "{kept} were read, a fifth of the time before the end none is");
}

#[tokio::test]
async fn batches_of_any_size_are_answered() {
    let ports = ports(RESPONSE_BUDGET);
    let none: [&str; 0] = [];
    assert_eq!(lines(&answered(&direct(&none), &ports).await), [""; 0]);
    let many: Vec<_> = (0..10_000).map(|id| format!("{{\"id\":{id},\"page\":\"/products/{id}\"}}")).collect();
    let response = answered(&kinesis(&many), &ports).await;
    assert_eq!(response.answers().unwrap().len(), 10_000);
    assert!(response.answers().unwrap().iter().all(|(_, outcome)| matches!(outcome, Outcome::Ok { .. })));
    // Of about 267 KB each, so that 22 fit; and one that never does.
    let mut large: Vec<_> = (0..30).map(|id| format!("{{\"id\":{id},\"page\":\"{}\"}}", "x".repeat(200_000))).collect();
    large.push(format!("{{\"id\":1,\"page\":\"{}\"}}", "x".repeat(5_000_000)));
    let response = answered(&kinesis(&large), &ports).await;
    let ok = response.answers().unwrap().iter().filter(|(_, outcome)| matches!(outcome, Outcome::Ok { .. })).count();
    assert_eq!((response.answers().unwrap().len(), ok), (31, 22));
}
