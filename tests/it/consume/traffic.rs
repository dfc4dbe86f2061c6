//! Generated traffic, packed in every way: what lands is what was sent.

use std::collections::BTreeMap;

use headgate_cli::traffic::{Events, Format, Generated, Kind, Options, Traffic, Wrapping};
use serde_json::Value;

use super::lake::{Lake, clickstream};

/// The good records' ids with how often each was sent, and the number of bad records.
fn expected(records: &[Generated]) -> (BTreeMap<String, u64>, usize) {
    let mut ids = BTreeMap::new();
    for record in records.iter().filter(|record| record.bad().is_none()) {
        let body: Value = serde_json::from_slice(&record.body).unwrap();
        *ids.entry(body["event_id"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    (ids, records.iter().filter(|record| record.bad().is_some()).count())
}

async fn check(wrapping: Wrapping) {
    let options = Options { bad: 0.05, late: 0.1, duplicate: 0.05, ..Options::default() };
    let records: Vec<_> = Traffic::new(Kind::Clickstream, 7, options).take(3_000).collect();
    let (ids, bad) = expected(&records);
    let lake = Lake::new(&clickstream(|_| {}));
    let events: Vec<_> = Events::new(records.into_iter(), wrapping).collect();
    for delivery in 0..2 {
        for event in &events {
            lake.land(std::str::from_utf8(&event.bytes).unwrap()).await;
        }
        assert_eq!(lake.values("event_id").await, ids, "delivery {delivery}");
        assert_eq!(lake.refused().await.len(), bad, "delivery {delivery}");
    }
    let emails = lake.values("email").await;
    assert!(emails.keys().all(|email| email.is_empty() || email.len() == 64), "every address is hashed");
}

#[tokio::test]
async fn plain_records_land() {
    check(Wrapping { records: 500, lanes: 2, ..Wrapping::new(Format::Kinesis, "clicks") }).await;
}

#[tokio::test]
async fn aggregates_land() {
    check(Wrapping { records: 20, lanes: 3, aggregate: 25, ..Wrapping::new(Format::Kinesis, "clicks") }).await;
}

#[tokio::test]
async fn packed_records_land() {
    check(Wrapping { records: 700, gzip: true, ..Wrapping::new(Format::Kinesis, "clicks") }).await;
}
