//! Lines whose batch may be delivered again are left alone, until it was.

use std::collections::BTreeMap;

use headgate::{clock::Timestamp, event::kinesis::BatchResponse};
use serde_json::json;

use super::scene::{Lake, adds_up, apply, batch, clickstream, lenient, objects, once, record, refused};

/// A batch whose objects are written, and whose checkpoint is not.
async fn cut_off(bodies: &[Vec<u8>]) -> Lake {
    let lake = Lake::new(&clickstream(|_| {}));
    let state = lake.state.faults();
    // The shard is read, claimed, and then its checkpoint moves.
    state.crash_from(state.total() + 3);
    assert_ne!(lake.deliver(&batch(0, bodies)).await, Ok(BatchResponse::done()));
    state.revive();
    lake
}

#[tokio::test]
async fn a_batch_that_comes_again_under_the_new_contract_is_not_there_twice() {
    let bodies: Vec<_> = (0..4).map(|number| record(number, 0, &json!("word"))).collect();
    let mut lake = cut_off(&bodies).await;
    let quarantine = objects(&lake, "quarantine/").await;
    assert_eq!(quarantine.len(), 1);
    let rules = lenient("hour");
    let report = rules.replay(&lake, &apply()).await;
    adds_up(&report);
    assert_eq!((report.unsettled, report.written), (4, 0));
    (lake.ports.stream, lake.ports.contract) = (rules.stream.clone(), rules.contract.clone());
    lake.land(&batch(0, &bodies)).await;
    let report = rules.replay(&lake, &apply()).await;
    assert_eq!((report.lines, report.error), (0, None), "the leftover of the first attempt is gone");
    let each: BTreeMap<_, _> = (0..4).map(|number| (format!("e{number}"), 1)).collect();
    assert_eq!(lake.values("event_id").await, each);
}

#[tokio::test]
async fn a_leftover_that_is_not_yet_removed_is_left_alone() {
    let bodies: Vec<_> = (0..4).map(|number| record(number, 0, &json!("word"))).collect();
    let mut lake = cut_off(&bodies).await;
    let rules = lenient("hour");
    (lake.ports.stream, lake.ports.contract) = (rules.stream.clone(), rules.contract.clone());
    let store = lake.store.faults();
    // The rows are written, the checkpoint moves, and the leftover stays.
    store.crash_from(store.total() + 2);
    lake.deliver(&batch(0, &bodies)).await.unwrap();
    store.revive();
    let report = rules.replay(&lake, &apply()).await;
    adds_up(&report);
    assert_eq!((report.unsettled, report.written), (4, 0));
    lake.land(&batch(0, &bodies)).await;
    assert_eq!(rules.replay(&lake, &apply()).await.lines, 0);
    assert!(lake.values("event_id").await.values().all(|times| *times == 1));
}

#[tokio::test]
async fn an_object_that_is_rewritten_meanwhile_is_read_anew() {
    let lake = refused().await;
    let (key, body) = objects(&lake, "quarantine/").await.pop_first().unwrap();
    // As another attempt might have it: the same lines in another order.
    let lines = std::str::from_utf8(&body).unwrap().lines().rev();
    let rewritten = lines.fold(String::new(), |all, line| all + line + "\n");
    let (store, at) = (lake.store.clone(), lake.state.faults().total() + 1);
    lake.state.faults().hook(Box::new(move |call| {
        if call.number == at {
            store.put_at(&key, rewritten.clone(), Timestamp(0));
        }
    }));
    let report = lenient("hour").replay(&lake, &apply()).await;
    let error = report.error.unwrap();
    assert!(error.message.contains("changed while it was read; run it again"), "{error}");
    lake.state.faults().unhook();
    let report = lenient("hour").replay(&lake, &apply()).await;
    adds_up(&report);
    assert_eq!(lake.values("event_id").await, once());
    assert_eq!(lenient("day").replay(&lake, &apply()).await.repeated, 4);
}
