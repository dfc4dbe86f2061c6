//! Batches as large, as small and as hostile as they come.

use std::{collections::BTreeMap, io::Write};

use flate2::{Compression, write::GzEncoder};
use headgate::{Code, event::kinesis::BatchResponse};
use serde_json::json;

use super::lake::{Lake, batch, clickstream};

fn record(number: usize, rest: &serde_json::Value) -> Vec<u8> {
    let mut body = json!({
        "event_id": format!("e{number}"), "user_id": number, "event_type": "view", "ts": "2026-01-01T00:00:00Z",
    });
    body.as_object_mut().unwrap().extend(rest.as_object().cloned().unwrap_or_default());
    body.to_string().into_bytes()
}

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn ten_thousand_records_land() {
    let lake = Lake::new(&clickstream(|_| {}));
    let bodies: Vec<_> = (0..10_000).map(|number| record(number, &json!({"page": "/".repeat(150)}))).collect();
    lake.land(&batch(0, &bodies)).await;
    assert_eq!((lake.values("event_id").await.len(), lake.files().await), (10_000, 1));
}

#[tokio::test]
async fn nothing_and_almost_nothing_land() {
    let lake = Lake::new(&clickstream(|_| {}));
    lake.land(r#"{"Records": []}"#).await;
    lake.land(&batch(0, &[b"[]".to_vec(), b"\n".to_vec()])).await;
    assert_eq!(lake.reasons().await, BTreeMap::from([("invalid_json".to_owned(), 1)]));
    assert_eq!(lake.files().await, 0);
}

#[tokio::test]
async fn one_large_record_lands() {
    let lake = Lake::new(&clickstream(|_| {}));
    lake.land(&batch(0, &[record(1, &json!({"page": "x".repeat(1 << 20)}))])).await;
    assert_eq!(lake.values("page").await.keys().map(String::len).collect::<Vec<_>>(), [1 << 20]);
}

#[tokio::test]
async fn too_many_partitions_are_refused_with_their_reason() {
    let lake = Lake::new(&clickstream(|dataset| {
        dataset["partition_by"] = json!({"time": "day", "columns": ["session"]});
    }));
    let bodies: Vec<_> = (0..10_000).map(|number| record(number, &json!({"session": number.to_string()}))).collect();
    lake.land(&batch(0, &bodies)).await;
    assert_eq!(lake.reasons().await, BTreeMap::from([("too_many_partitions".to_owned(), 9_700)]));
    let line = &lake.refused().await[0];
    assert!(line.reason.contains("more than 300 partitions"), "{}", line.reason);
    assert_eq!(line.bytes(), Some(bodies[300].clone()), "its bytes are kept");
}

#[tokio::test]
async fn a_shard_goes_on_though_its_item_is_full() {
    let lake = Lake::new(&clickstream(|dataset| {
        dataset["partition_by"] = json!({"columns": ["session", "ua"]});
    }));
    let body = |number: usize| {
        let (session, ua) = (format!("{number:0>190}"), "u".repeat(190));
        record(number, &json!({"session": session, "ua": ua}))
    };
    let bodies: Vec<_> = (0..900).map(body).collect();
    // Two batches fail after they said what they would write, and are given up.
    for first in [0, 300] {
        lake.store.faults().crash_from(lake.store.faults().total() + 1);
        let answer = lake.deliver(&batch(first, &bodies[first..first + 300])).await.unwrap();
        assert_ne!(answer, BatchResponse::done());
        lake.store.faults().revive();
    }
    let (mut from, mut rounds) = (600, 0);
    loop {
        let answer = serde_json::to_value(lake.deliver(&batch(from, &bodies[from..])).await.unwrap()).unwrap();
        rounds += 1;
        let Some(again) = answer["batchItemFailures"][0]["itemIdentifier"].as_str() else { break };
        let next: usize = again[33..].parse().unwrap();
        assert!(next > from, "it gets on");
        from = next;
    }
    assert!(rounds > 1, "the first batch did not fit");
    assert_eq!(lake.files().await, 300);
}

#[tokio::test]
async fn a_bomb_is_refused_and_its_neighbours_land() {
    let lake = Lake::new(&clickstream(|_| {}));
    let bomb = gzip(&vec![b' '; 64 << 20]);
    lake.land(&batch(0, &[record(1, &json!({})), bomb, gzip(&record(2, &json!({})))])).await;
    assert_eq!(lake.reasons().await, BTreeMap::from([("too_large".to_owned(), 1)]));
    assert_eq!(lake.values("event_id").await.len(), 2);
}

#[tokio::test]
async fn rubbish_without_end_is_set_aside_whole() {
    let lake = Lake::new(&clickstream(|_| {}));
    let rubbish = b"x\n".repeat(500_000);
    let bad = [record(1, &json!({})), b"{}\n".repeat(300_000)].join(&b'\n');
    let good = record(1, &json!({})).repeat(7);
    lake.land(&batch(0, &[gzip(&rubbish), gzip(&bad), good])).await;
    let refused: Vec<_> = lake.refused().await.iter().map(|line| line.bytes().unwrap()).collect();
    assert_eq!(
        lake.reasons().await,
        BTreeMap::from([("missing_field".to_owned(), 1_000), ("too_large".to_owned(), 2)])
    );
    assert!(refused[0] == rubbish, "what cannot be read at all is refused as one");
    let rest = b"{}\n".repeat(300_000 - 1_000);
    assert!(refused[1_001] == rest, "and so is the rest of what is nearly all bad");
    assert_eq!(lake.values("event_id").await["e1"], 8);
}

#[tokio::test]
async fn the_rest_of_an_array_is_an_array() {
    let lake = Lake::new(&clickstream(|_| {}));
    let array = |element: &[u8], count: usize| [b"[", &vec![element; count].join(&b',')[..], b"]"].concat();
    let (bad, good) = (b"{}", record(1, &json!({})));
    lake.land(&batch(0, &[array(bad, 1_003), [b"\xef\xbb\xbf\n", &array(&good, 100_002)[..]].concat()])).await;
    let refused: Vec<_> = lake.refused().await.iter().map(|line| line.bytes().unwrap()).collect();
    assert_eq!(refused.len(), 1_002);
    assert!(refused[1_000] == array(bad, 3), "what is too much because it is bad");
    assert!(refused[1_001] == array(&good, 2), "and what is too much though it is good");
    assert_eq!(lake.values("event_id").await["e1"], 100_000);
}

#[tokio::test]
async fn a_bad_line_costs_a_line() {
    let lake = Lake::new(&clickstream(|_| {}));
    let lines = [record(1, &json!({})), b"{\"event_id\": ".to_vec(), record(2, &json!({"user_id": null}))];
    let mut body = lines.join(&b'\n');
    body.extend_from_slice(b"\n\n");
    body.extend(record(3, &json!({"new": {"deep": [1, 2]}})));
    lake.land(&batch(0, &[body])).await;
    let once = BTreeMap::from([("e1".to_owned(), 1), ("e3".to_owned(), 1)]);
    assert_eq!(lake.values("event_id").await, once);
    let extra = BTreeMap::from([(String::new(), 1), (r#"{"new":{"deep":[1,2]}}"#.to_owned(), 1)]);
    assert_eq!(lake.values("_extra").await, extra, "what no column takes is kept");
    let refused = lake.refused().await;
    let told: Vec<_> = refused.iter().map(|line| (line.code.as_str(), line.path.as_deref(), line.document)).collect();
    assert_eq!(told, [("invalid_json", None, 1), ("missing_field", Some("$.user_id"), 2)]);
}

#[tokio::test]
async fn memory_ends_a_batch_before_its_end() {
    let mut lake = Lake::new(&clickstream(|_| {}));
    lake.ports.most = 1_000;
    let bodies: Vec<_> = (0..40).map(|number| record(number, &json!({}))).collect();
    let (mut from, mut rounds) = (0, 0);
    loop {
        let answer = lake.deliver(&batch(from, &bodies[from..])).await.unwrap();
        rounds += 1;
        if answer == BatchResponse::done() {
            break;
        }
        let answer = serde_json::to_value(&answer).unwrap();
        let again = answer["batchItemFailures"][0]["itemIdentifier"].as_str().unwrap();
        let next: usize = again[33..].parse().unwrap();
        assert!(next > from, "it gets on");
        from = next;
    }
    assert!(rounds > 2, "{rounds}");
    assert!(lake.values("event_id").await.values().all(|times| *times == 1));
    assert_eq!(lake.values("event_id").await.len(), 40);
}

#[tokio::test]
async fn what_is_no_batch_of_one_shard_is_an_error() {
    let lake = Lake::new(&clickstream(|_| {}));
    let other = batch(1, &[record(1, &json!({}))]).replace("shardId-000000000006", "shardId-000000000007");
    let mut event: serde_json::Value = serde_json::from_str(&batch(0, &[record(0, &json!({}))])).unwrap();
    let other: serde_json::Value = serde_json::from_str(&other).unwrap();
    event["Records"].as_array_mut().unwrap().extend(other["Records"].as_array().unwrap().clone());
    for event in [event.to_string(), r#"{"Records": 1}"#.to_owned(), "[]".to_owned()] {
        assert_eq!(lake.deliver(&event).await.map_err(|error| error.code), Err(Code::InvalidEvent), "{event}");
    }
    assert_eq!(lake.files().await, 0);
}
