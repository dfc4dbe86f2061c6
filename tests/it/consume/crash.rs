//! A failure at every call of lake and state: a redelivery with other bounds completes the batch, and doubles nothing.

use std::collections::BTreeMap;

use headgate::event::kinesis::BatchResponse;
use serde_json::json;

use super::lake::{Lake, batch, clickstream};

/// How a call goes wrong.
#[derive(Debug, Clone, Copy)]
enum Fault {
    /// It has no effect.
    Unanswered,
    /// It has its effect, and nobody hears of it.
    Unheard,
    /// From here on there is nobody who calls.
    Crash,
}

#[derive(Debug, Clone, Copy)]
enum Port {
    Store,
    State,
}

/// Records of two hours, the fourth of which is refused.
fn bodies() -> Vec<Vec<u8>> {
    let body = |number: usize| {
        let ts = format!("2026-01-01T0{}:00:00Z", number % 2);
        let user = if number == 3 { json!("nobody") } else { json!(number) };
        json!({"event_id": format!("e{number}"), "user_id": user, "event_type": "view", "ts": ts}).to_string()
    };
    (0..8).map(|number| body(number).into_bytes()).collect()
}

async fn check(port: Port, number: u64, fault: Fault, cut: usize) {
    let (lake, bodies) = (Lake::new(&clickstream(|_| {})), bodies());
    let (store, state) = (lake.store.faults(), lake.state.faults());
    match (port, fault) {
        (Port::Store, Fault::Unanswered) => {
            store.fail_before(number, headgate::faults::Unavailable::unavailable("the call"));
        }
        (Port::State, Fault::Unanswered) => {
            state.fail_before(number, headgate::faults::Unavailable::unavailable("the call"));
        }
        (Port::Store, Fault::Unheard) => store.fail_after(number),
        (Port::State, Fault::Unheard) => state.fail_after(number),
        (_, Fault::Crash) => match port {
            Port::Store => store.crash_from(number),
            Port::State => state.crash_from(number),
        },
    }
    let answer = lake.deliver(&batch(0, &bodies)).await.unwrap();
    if answer != BatchResponse::done() {
        let items = serde_json::to_value(&answer).unwrap();
        let item = items["batchItemFailures"][0]["itemIdentifier"].as_str().unwrap().to_owned();
        assert!(item.ends_with("0000"), "the batch goes back from its first record on: {item}");
    }
    store.revive();
    state.revive();
    for (from, to) in [(0, cut), (cut.saturating_sub(2), bodies.len())] {
        lake.land(&batch(from, &bodies[from..to])).await;
    }
    let once: BTreeMap<_, _> = (0..8).filter(|number| *number != 3).map(|number| (format!("e{number}"), 1)).collect();
    assert_eq!(lake.values("event_id").await, once, "{port:?} call {number}: {fault:?}, cut at {cut}");
    assert_eq!(lake.reasons().await, BTreeMap::from([("invalid_value".to_owned(), 1)]));
}

#[tokio::test]
async fn a_failure_anywhere_is_cured_by_redelivery() {
    for port in [Port::Store, Port::State] {
        for fault in [Fault::Unanswered, Fault::Unheard, Fault::Crash] {
            for cut in [1, 3, 4, 7] {
                for number in 1..9 {
                    check(port, number, fault, cut).await;
                }
            }
        }
    }
}
