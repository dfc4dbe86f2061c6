//! A failure at every call of lake and state: a redelivery with other bounds completes the batch, and doubles nothing.

use std::collections::BTreeMap;

use headgate::event::kinesis::BatchResponse;
use serde_json::json;

use super::lake::{Lake, batch, clickstream};
use crate::faults::{Plan, plans, revive};

/// Records of two hours, the fourth of which is refused.
fn bodies() -> Vec<Vec<u8>> {
    let body = |number: usize| {
        let ts = format!("2026-01-01T0{}:00:00Z", number % 2);
        let user = if number == 3 { json!("nobody") } else { json!(number) };
        json!({"event_id": format!("e{number}"), "user_id": user, "event_type": "view", "ts": ts}).to_string()
    };
    (0..8).map(|number| body(number).into_bytes()).collect()
}

async fn check(plan: Plan, cut: usize) {
    let (lake, bodies) = (Lake::new(&clickstream(|_| {})), bodies());
    plan.set(&lake.store, &lake.state);
    let answer = lake.deliver(&batch(0, &bodies)).await.unwrap();
    if answer != BatchResponse::done() {
        let items = serde_json::to_value(&answer).unwrap();
        let item = items["batchItemFailures"][0]["itemIdentifier"].as_str().unwrap().to_owned();
        assert!(item.ends_with("0000"), "the batch goes back from its first record on: {item}");
    }
    revive(&lake.store, &lake.state);
    for (from, to) in [(0, cut), (cut.saturating_sub(2), bodies.len())] {
        lake.land(&batch(from, &bodies[from..to])).await;
    }
    let once: BTreeMap<_, _> = (0..8).filter(|number| *number != 3).map(|number| (format!("e{number}"), 1)).collect();
    assert_eq!(lake.values("event_id").await, once, "{plan:?}, cut at {cut}");
    assert_eq!(lake.reasons().await, BTreeMap::from([("invalid_value".to_owned(), 1)]));
}

#[tokio::test]
async fn a_failure_anywhere_is_cured_by_redelivery() {
    for plan in plans(8) {
        for cut in [1, 3, 4, 7] {
            check(plan, cut).await;
        }
    }
}
