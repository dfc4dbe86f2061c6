//! Batches as large and as hostile as they come: a partition gets on, and no record of it is lost or there twice.

use std::{collections::BTreeMap, ops::Range};

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

use super::lake::Lake;

fn event(offsets: Range<i64>, value: impl Fn(i64) -> Vec<u8>) -> Value {
    let record = |offset| {
        json!({"topic": "orders", "partition": 0, "offset": offset, "timestamp": 1_795_348_700_000_i64,
            "timestampType": "CREATE_TIME", "value": BASE64_STANDARD.encode(value(offset)), "headers": []})
    };
    json!({"eventSource": "aws:kafka", "bootstrapServers": "b-1:9092", "records": {"orders-0": offsets.map(record).collect::<Vec<_>>()}})
}

/// The first offset that is to come again.
async fn deliver(lake: &Lake, offsets: Range<i64>, value: impl Fn(i64) -> Vec<u8>) -> Option<i64> {
    let answer = lake.deliver(&event(offsets, value)).await.unwrap();
    answer["batchItemFailures"][0]["itemIdentifier"]["offset"].as_i64()
}

/// How many deliveries it takes, each of what the last one named.
async fn rounds(lake: &Lake, offsets: Range<i64>, value: impl Fn(i64) -> Vec<u8>) -> usize {
    let (mut from, mut rounds) = (offsets.start, 1);
    while let Some(next) = deliver(lake, from..offsets.end, &value).await {
        assert!(next > from, "it gets on");
        (from, rounds) = (next, rounds + 1);
    }
    rounds
}

fn order(offset: i64) -> Vec<u8> {
    json!({"id": offset, "state": "new"}).to_string().into_bytes()
}

async fn check_ids(lake: &Lake, offsets: Range<i64>) {
    let once: BTreeMap<_, _> = offsets.map(|offset| (offset.to_string(), 1)).collect();
    assert_eq!(lake.values("id").await, once);
}

#[tokio::test]
async fn memory_ends_a_batch_before_its_end() {
    let mut lake = Lake::new("json");
    lake.ports.most = 1_000;
    assert!(rounds(&lake, 0..40, order).await > 2);
    check_ids(&lake, 0..40).await;
}

#[tokio::test]
async fn a_partition_goes_on_though_its_item_is_full() {
    let lake = Lake::with("json", |dataset| {
        dataset["columns"].as_array_mut().unwrap().push(json!({"name": "place", "type": "string"}));
        dataset["partition_by"] = json!({"columns": ["state", "place"]});
    });
    let value = |offset| {
        json!({"id": offset, "state": format!("{offset:0>190}"), "place": "p".repeat(190)}).to_string().into_bytes()
    };
    // Two batches fail after they said what they would write, and are given up.
    for first in [0, 300] {
        lake.store.faults().crash_from(lake.store.faults().total() + 1);
        assert_eq!(deliver(&lake, first..first + 300, value).await, Some(first));
        lake.store.faults().revive();
    }
    assert!(rounds(&lake, 600..900, value).await > 1, "the first batch did not fit");
    check_ids(&lake, 600..900).await;
}

#[tokio::test]
async fn bytes_that_name_any_schema_hold_nothing_up() {
    let lake = Lake::new("avro");
    let value = |offset: i64| [&[0], (offset + 100).to_be_bytes()[4..].as_ref(), b"\x02\x00"].concat();
    assert_eq!(rounds(&lake, 0..250, value).await, 3, "a hundred schemas each");
    assert_eq!(lake.reasons().await, BTreeMap::from([("unknown_schema".to_owned(), 250)]));
}

#[tokio::test]
async fn a_datum_that_claims_a_billion_nulls_is_refused_soon() {
    let lake = Lake::new("avro");
    // Schema 4 is a list of nulls.
    let bomb = |_| [&[0, 0, 0, 0, 4], [254, 255, 255, 255, 255, 255, 255, 255, 255, 0].as_slice()].concat();
    rounds(&lake, 0..5_000, bomb).await;
    assert_eq!(lake.reasons().await, BTreeMap::from([("too_large".to_owned(), 5_000)]));
}
