//! Records in the stream → rows of its table, and refused ones in quarantine.

use std::{collections::BTreeMap, time::Duration};

use bytes::Bytes;
use headgate::stream::{Outgoing, Patience, deliver};
use headgate_aws::KinesisStream;
use serde_json::json;

use super::{Applied, Forgotten, NAME, OF_ALARMS, OF_INVOCATIONS, comes_to_be};

/// What the emulator does not keep.
const OF_STREAMS: Forgotten = ("aws_kinesis_stream", &["tags_all"]);

const GOOD: usize = 40;
const PATIENCE: Patience = Patience {
    time: Duration::from_secs(20),
    answer: Duration::from_secs(5),
    pause: Duration::from_millis(10),
    longest_pause: Duration::from_millis(100),
};

#[tokio::test(flavor = "multi_thread")]
async fn records_land() {
    let Some(applied) = Applied::new("kinesis", "clickstream", "kinesis-consumer").await else { return };
    let lake = &applied.lake;
    let stream = KinesisStream::new(&applied.aws, &format!("{NAME}-clickstream"));
    assert_eq!(deliver(&stream, &records(), &PATIENCE).await.failed(), None);

    let once: BTreeMap<_, _> = (0..GOOD).map(|id| (format!("e{id}"), 1)).collect();
    comes_to_be(async || lake.values("event_id").await, once).await;
    let reasons = BTreeMap::from([("invalid_json".to_owned(), 1), ("missing_field".to_owned(), 1)]);
    comes_to_be(async || lake.reasons().await, reasons).await;
    let hashes = lake.values("email").await;
    assert!(!hashes.contains_key("a@example.com"), "the key reached the function");
    assert_eq!(hashes.into_values().collect::<Vec<_>>(), [GOOD as u64], "one address, one hash");

    applied.rests(&[OF_ALARMS, OF_STREAMS, OF_INVOCATIONS]);
    applied.goes().await;
}

/// Good ones, one that is no JSON, and one that lacks what is required.
fn records() -> Vec<Outgoing> {
    let event = |id: usize| {
        json!({"event_id": format!("e{id}"), "user_id": id, "email": "a@example.com", "event_type": "view",
            "ts": "2026-01-02T03:04:05Z"})
    };
    let lacking = json!({"event_id": "e", "user_id": 1, "ts": "2026-01-02T03:04:05Z"});
    let bodies = (0..GOOD).map(|id| event(id).to_string()).chain(["not JSON".to_owned(), lacking.to_string()]);
    let record = |(at, body): (usize, String)| Outgoing {
        partition_key: at.to_string(),
        explicit_hash_key: None,
        data: Bytes::from(body),
    };
    bodies.enumerate().map(record).collect()
}
