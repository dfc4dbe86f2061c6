//! `firehose-transform` with small answers: clicks that come by whatever feeds a delivery stream, and a subscription's
//! logs.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use firehose_transform::{
    handler::{Ports, handle},
    reingest::{Reingest, Target},
};
use headgate::{
    Error,
    clock::{ManualClock, Timestamp},
    contract::{Contract, MaskKey},
    dataset::Stream,
    event::firehose::{Outcome, Response},
    metrics::{Emitter, Metrics},
    stream::{Limits, Outgoing, memory::MemoryStream},
};
use serde_json::{Value, json};

/// 2026-11-25T09:31:00Z, soon after the samples arrived.
const NOW: Timestamp = Timestamp(1_795_599_060_000);
const TIMEOUT: Duration = Duration::from_mins(5);
/// Small, so that a sample can be larger.
const BUDGET: usize = 5_000;

/// The function, and the stream that feeds it.
pub struct Transform {
    ports: Ports,
    source: MemoryStream,
}

impl Transform {
    /// The instance that serves the event's delivery stream; what it has no room for goes back to the event's source.
    pub fn of(event: &Value) -> Self {
        let delivery = event["deliveryStreamArn"].as_str().unwrap_or_default();
        let text = match delivery.rsplit('/').next() {
            Some("logs") => logs(),
            Some("sales") => sales(),
            _ => clicks(),
        };
        let dataset = Stream::parse("dataset", &text.to_string()).unwrap();
        let kinesis = event["sourceKinesisStreamArn"].as_str();
        let source = MemoryStream::new(if kinesis.is_some() { Limits::KINESIS } else { Limits::FIREHOSE });
        let target = Target { arn: kinesis.unwrap_or(delivery).to_owned(), stream: Arc::new(source.clone()) };
        let key = MaskKey::new(b"a key of sixteen bytes").unwrap();
        let ports = Ports {
            contract: Contract::new(&dataset, Some(key)).unwrap(),
            dataset,
            budget: BUDGET,
            partitions: 3,
            reingest: Reingest::Into(target),
            clock: Arc::new(ManualClock::new(NOW)),
            emitter: Emitter::Memory(Arc::new(Mutex::new(Vec::new()))),
            function: "firehose-transform".to_owned(),
        };
        Self { ports, source }
    }

    /// The function's answer to one event, its data as lines.
    pub async fn deliver(&self, event: &Value) -> Result<Value, Error> {
        let response = handle(event.to_string().as_bytes(), NOW.plus(TIMEOUT), &self.ports).await?;
        let written = serde_json::to_string(&response).unwrap();
        assert!(written.len() <= BUDGET, "{} bytes", written.len());
        let mut answer: Value = serde_json::from_str(&written).unwrap();
        for (record, lines) in answer["records"].as_array_mut().unwrap().iter_mut().zip(lines(&response)) {
            for field in ["data", "kafkaRecordValue"] {
                if record.get(field).is_some() {
                    record[field] = json!(lines);
                }
            }
        }
        Ok(answer)
    }

    /// What its source has again: partition key, and how many bytes.
    pub fn put(&self) -> Vec<String> {
        let line = |record: &Outgoing| format!("{} {} bytes", record.partition_key, record.data.len());
        self.source.records().iter().map(line).collect()
    }

    /// What was emitted, a line each.
    pub fn metrics(&self) -> Vec<Value> {
        let Emitter::Memory(seen) = &self.ports.emitter else { return Vec::new() };
        let line = |metrics: &Metrics| {
            let mut line = Vec::new();
            metrics.emit(NOW, &mut line).unwrap();
            let mut line: Value = serde_json::from_slice(&line).unwrap();
            line.as_object_mut()
                .unwrap()
                .retain(|name, value| !["_aws", "Function"].contains(&&**name) && *value != json!(0));
            line
        };
        seen.lock().unwrap().iter().map(line).collect()
    }
}

fn lines(response: &Response) -> Vec<Vec<String>> {
    let lines = |outcome: &Outcome<'_>| match outcome {
        Outcome::Ok { data, .. } => {
            std::str::from_utf8(data).unwrap().split_inclusive('\n').map(str::to_owned).collect()
        }
        Outcome::Dropped | Outcome::ProcessingFailed => Vec::new(),
    };
    response.answers().unwrap().iter().map(|(_, outcome)| lines(outcome)).collect()
}

fn clicks() -> Value {
    json!({
        "name": "clicks", "kind": "stream", "source": {"type": "firehose"},
        "columns": [
            {"name": "id", "type": "int64", "required": true},
            {"name": "at", "type": "timestamp(ms)", "required": true},
            {"name": "page", "type": "string", "required": true},
            {"name": "country", "type": "string"},
            {"name": "price", "type": "decimal(10,2)", "min": 0},
            {"name": "visitor_id", "type": "string", "path": "visitor.id", "mask": "hash"},
            {"name": "card", "type": "string", "mask": "keep_last(4)"},
            {"name": "tags", "type": "list<string>"},
            {"name": "geo", "type": "struct<lat:float64, lon:float64>"},
        ],
        "event_time": "at", "partition_by": {"time": "day", "columns": ["country"]},
        "target": {"prefix": "raw/clicks/"},
    })
}

/// The clicks that are worth something, in one country.
fn sales() -> Value {
    let mut clicks = clicks();
    clicks["filter"] = json!([{"column": "price", "min": "10.00"}, {"column": "country", "one_of": ["KR"]}]);
    clicks
}

fn logs() -> Value {
    json!({
        "name": "logs", "kind": "stream", "source": {"type": "firehose", "format": "cloudwatch_logs"},
        "columns": [
            {"name": "id", "type": "string", "required": true},
            {"name": "at", "type": "timestamp(ms)", "path": "timestamp", "required": true},
            {"name": "log_group", "type": "string"},
            {"name": "message", "type": "string"},
            {"name": "fields", "type": "json", "path": "extracted_fields"},
        ],
        "event_time": "at", "unknown_fields": "drop", "target": {"prefix": "raw/logs/"},
    })
}
