//! What an action of a device's rule did not take: `iot-rule` makes it a line, and a replay makes that a row, once.

use std::{io::Write, time::Duration};

use base64::{Engine, prelude::BASE64_STANDARD};
use flate2::{Compression, write::GzEncoder};
use headgate::{contract::Contract, dataset::Stream, state::memory::MemoryState};
use headgate_columnar::replay::{Kinesis, Options, Report, replay};
use serde_json::{Value, json};

use super::scene::{adds_up, apply, look, target};
use crate::{events::rule::Rule, landed::Landed};

/// Temperatures, whose columns of what the rule says are all required, and which want no other field.
fn strict(payload: Option<&str>) -> Value {
    let mut dataset: Value = serde_json::from_str(include_str!("../../../infra/datasets/temperature.json")).unwrap();
    for column in dataset["columns"].as_array_mut().unwrap() {
        column["required"] = json!(column["name"] != "humidity");
    }
    dataset["unknown_fields"] = json!("reject");
    dataset["watch"]["payload"] = json!(payload);
    dataset
}

/// What the error action sends of a message with this payload.
fn failed(payload: &[u8]) -> Value {
    let mut event: Value =
        serde_json::from_str(include_str!("../../../events/iot-rule/edge-error-action.json")).unwrap();
    event["base64OriginalPayload"] = json!(BASE64_STANDARD.encode(payload));
    event
}

/// A table of devices, and the function that watches them.
struct Table {
    dataset: Value,
    rule: Rule,
    state: MemoryState,
    landed: Landed,
}

impl Table {
    fn new(dataset: Value) -> Self {
        let rule = Rule::of(&dataset);
        let landed = Landed { store: rule.store.clone() };
        Self { dataset, state: MemoryState::new(rule.clock.clone()), rule, landed }
    }

    /// Has the function make a line of the event, twice, and much later once more.
    async fn fail(&self, event: &Value) {
        for _ in 0..2 {
            let answer = self.rule.deliver(event).await.unwrap();
            assert_eq!((&answer["messages"], &answer["quarantined"]), (&json!(1), &json!(1)));
            self.rule.clock.advance(Duration::from_hours(2));
        }
    }

    async fn replay(&self, options: &Options) -> Report {
        let stream = Stream::parse("temperature.json", &self.dataset.to_string()).unwrap();
        let contract = Contract::new(&stream, None).unwrap();
        let kind = Kinesis { stream: &stream, contract: &contract };
        let report = replay(target(&kind, &self.landed.store, &self.state), options, &|_, _| {}).await;
        adds_up(&report);
        report
    }
}

const ROW: &str = "device=oven-1 at=2026-11-25T09:30:58 temperature=84.0 topic=sensors/oven-1/temperature \
                   arrived=2026-11-25T09:31:00 message_id=7e146a2c-95b5-6caf-98b9-50e3969734c7";

#[tokio::test]
async fn what_an_action_did_not_take_lands_once_with_what_the_rule_says() {
    let sent = br#"{"temperature": 84.0, "at": 1795599058000}"#;
    let forged =
        br#"{"temperature": 84.0, "at": 1795599058000, "device": "oven-9", "mid": "x", "topic": "y", "rx_ts": 1}"#;
    let mut zipped = GzEncoder::new(Vec::new(), Compression::fast());
    zipped.write_all(sent).unwrap();
    let zipped = zipped.finish().unwrap();
    for (payload, sent) in [(None, &sent[..]), (None, forged), (Some("data"), sent), (Some("data"), &zipped)] {
        let table = Table::new(strict(payload));
        table.fail(&failed(sent)).await;
        let lines = table.landed.refused().await;
        assert_eq!(lines.iter().map(|line| line.code.as_str()).collect::<Vec<_>>(), ["action_failed"]);
        let before = table.landed.objects("").await;
        assert_eq!((table.replay(&look()).await.replayed, table.landed.objects("").await), (1, before));
        let report = table.replay(&apply()).await;
        assert_eq!((report.replayed, report.written, report.set_aside), (1, 1, 0));
        for _ in 0..2 {
            let again = table.replay(&apply()).await;
            assert_eq!((again.replayed, again.repeated, again.written), (0, 1, 0));
            table.fail(&failed(sent)).await;
        }
        let rows: Vec<_> = table.landed.lines().await.into_values().flatten().collect();
        assert_eq!(rows, [ROW], "{}", String::from_utf8_lossy(sent));
    }
}

#[tokio::test]
async fn what_cannot_be_a_reading_of_the_rule_stays_a_line() {
    let mut astray = failed(br#"{"temperature": 84.0, "at": 1795599058000, "device": "oven-1"}"#);
    astray["topic"] = json!("kiosks/oven-1/clicks");
    for (event, code) in [(failed(b"hot"), "unknown_field"), (astray, "missing_field")] {
        let table = Table::new(strict(None));
        table.fail(&event).await;
        let report = table.replay(&apply()).await;
        let refused: Vec<_> = report.refused.iter().map(|(code, refused)| (code.as_str(), refused.lines)).collect();
        assert_eq!((report.replayed, refused), (0, vec![(code, 1)]));
        assert_eq!((table.landed.files().await, table.landed.refused().await.len()), (0, 1));
    }
}
