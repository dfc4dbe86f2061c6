//! A failure at every call of lake and state, with several topic-partitions in one event: what is delivered again, by
//! its names or with other bounds, completes the batch and doubles nothing.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

use super::lake::Lake;
use crate::faults::{Plan, plans, revive};

/// A topic-partition and its offsets.
type Part = (&'static str, i64, Range<i64>);

/// Three that lie apart in all they could be mixed up by.
const PARTS: [Part; 3] = [("orders", 0, 10..18), ("orders", 1, 10..14), ("eu-orders", 0, 3..9)];

/// The offset of each part that is no order.
const BAD: i64 = 12;

/// A number of its own for each record of all parts.
fn id((topic, partition, _): &Part, offset: i64) -> i64 {
    offset + 1_000 * (partition + 2 * i64::from(*topic == "eu-orders"))
}

/// A record, which is of one of two days.
fn record(part: &Part, offset: i64) -> Value {
    let id = if offset == BAD { json!("nobody") } else { json!(id(part, offset)) };
    let value = BASE64_STANDARD.encode(json!({"id": id, "state": "new"}).to_string());
    json!({"topic": part.0, "partition": part.1, "offset": offset, "timestamp": 1_795_348_700_000 - offset % 2 * 86_400_000,
        "timestampType": "CREATE_TIME", "value": value, "headers": []})
}

fn event(parts: &[Part]) -> Value {
    let list = |part: &Part| part.2.clone().map(|offset| record(part, offset)).collect::<Vec<_>>();
    let named: BTreeMap<_, _> = parts.iter().map(|part| (format!("{}-{}", part.0, part.1), list(part))).collect();
    json!({"eventSource": "aws:kafka", "bootstrapServers": "b-1:9092", "records": named})
}

/// What the answer names, as parts: each is to have all its offsets named, from one on.
fn again(answer: &Value) -> Vec<Part> {
    let mut named: BTreeMap<String, BTreeSet<i64>> = BTreeMap::new();
    for failure in answer["batchItemFailures"].as_array().unwrap() {
        let item = &failure["itemIdentifier"];
        let offset = item["offset"].as_i64().unwrap();
        assert!(named.entry(item["partition"].as_str().unwrap().to_owned()).or_default().insert(offset));
    }
    let parts = PARTS.iter().filter_map(|(topic, partition, offsets)| {
        let named = named.remove(&format!("{topic}-{partition}"))?;
        let from = *named.first()?;
        assert!(named.into_iter().eq(from..offsets.end), "{topic}-{partition} from {from} on, without a gap");
        Some((*topic, *partition, from..offsets.end))
    });
    let parts = parts.collect();
    assert!(named.is_empty(), "{named:?}");
    parts
}

/// What is delivered after a failure.
#[derive(Debug, Clone, Copy)]
enum Again {
    /// The records that the answer names.
    Named,
    /// All, in two batches that overlap; the first ends at another place in each partition.
    Cut(i64),
}

fn cut(parts: &[Part], at: i64) -> [Vec<Part>; 2] {
    let cut = |shift: i64, offsets: &Range<i64>| (offsets.start + at + shift).min(offsets.end);
    let first = (0..).zip(parts).map(|(shift, (t, p, offsets))| (*t, *p, offsets.start..cut(shift, offsets)));
    let rest = (0..)
        .zip(parts)
        .map(|(shift, (t, p, offsets))| (*t, *p, (cut(shift, offsets) - 2).max(offsets.start)..offsets.end));
    [first.collect(), rest.collect()]
}

async fn land(lake: &Lake, parts: &[Part]) {
    assert_eq!(lake.deliver(&event(parts)).await, Ok(json!({"batchItemFailures": []})));
}

/// The batch goes wrong twice, at the same call.
async fn check(plan: Plan, redelivery: Again) {
    let lake = Lake::new("json");
    let mut left = PARTS.to_vec();
    for _ in 0..2 {
        plan.set(&lake.store, &lake.state);
        left = again(&lake.deliver(&event(&left)).await.unwrap());
        revive(&lake.store, &lake.state);
    }
    match redelivery {
        Again::Named => land(&lake, &left).await,
        Again::Cut(at) => {
            for parts in cut(&PARTS, at) {
                land(&lake, &parts).await;
            }
        }
    }
    let (refused, good) = PARTS
        .iter()
        .flat_map(|part| part.2.clone().map(move |offset| (part, offset)))
        .partition::<Vec<_>, _>(|(_, offset)| *offset == BAD);
    let once: BTreeMap<_, _> = good.iter().map(|(part, offset)| (id(part, *offset).to_string(), 1)).collect();
    assert_eq!(lake.values("id").await, once, "{plan:?}, {redelivery:?}");
    assert_eq!(lake.reasons().await, BTreeMap::from([("invalid_value".to_owned(), refused.len() as u64)]), "{plan:?}");

    let seen = lake.seen().await;
    land(&lake, &PARTS).await;
    assert_eq!(lake.seen().await, seen, "{plan:?}, {redelivery:?}: all of it once more");
}

#[tokio::test]
async fn a_failure_anywhere_is_cured_by_redelivery() {
    let lake = Lake::new("json");
    land(&lake, &PARTS).await;
    let calls = lake.store.faults().total().max(lake.state.faults().total());
    for plan in plans(calls) {
        for redelivery in [Again::Named, Again::Cut(0), Again::Cut(2), Again::Cut(5)] {
            check(plan, redelivery).await;
        }
    }
}
