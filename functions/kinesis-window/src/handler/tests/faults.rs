//! A failure at every call of lake and state: Lambda delivers the same again, or halves of it, and nothing is lost or
//! counted twice.

use std::{
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use headgate::faults::{Call, Unavailable};
use serde_json::{Value, json};

use super::scene::{Record, Scene, Told, event};
use crate::handler::handle;

const SHARD: &str = "shardId-000000000001";
/// So small that keys are spilled by each batch.
const ROOM: usize = 1_400;

#[derive(Debug, Clone, Copy)]
enum Fault {
    Unanswered,
    Unheard,
    Crash,
}

impl Fault {
    fn set(self, scene: &Scene, lake: bool, number: u64) {
        let (store, state) = (scene.store.faults(), scene.state.faults());
        match (self, lake) {
            (Self::Unanswered, true) => store.fail_before(number, Unavailable::unavailable("the call")),
            (Self::Unanswered, false) => state.fail_before(number, Unavailable::unavailable("the call")),
            (Self::Unheard, true) => store.fail_after(number),
            (Self::Unheard, false) => state.fail_after(number),
            (Self::Crash, true) => store.crash_from(number),
            (Self::Crash, false) => state.crash_from(number),
        }
    }
}

fn records() -> Vec<Record> {
    (0..40_u8).map(|number| (number % 13, Some(i64::from(number)).filter(|number| number % 9 != 4))).collect()
}

/// Delivers as a mapping does: what fails comes again with the state of before, in halves where it is bisected.
async fn deliver(scene: &Scene, sent: (i64, usize, bool), records: &[Record], state: &Value, bisect: bool) -> Value {
    let (minute, from, end) = sent;
    let sent = event(SHARD, minute, from, records, state, end);
    if let Ok(answer) = scene.deliver(&sent).await {
        if answer["batchItemFailures"] == json!([]) {
            return answer["state"].clone();
        }
        assert!(!end, "an end fails by an error");
        assert_eq!(&answer["state"], state);
        let item = answer["batchItemFailures"][0]["itemIdentifier"].as_str().unwrap().to_owned();
        assert!(item.ends_with(&format!("{from:015}")), "from its first record on: {item}");
    }
    scene.store.faults().revive();
    scene.state.faults().revive();
    if bisect && records.len() > 1 {
        let (one, other) = records.split_at(records.len() / 2);
        let state = scene.count(&event(SHARD, minute, from, one, state, false)).await;
        return scene.count(&event(SHARD, minute, from + one.len(), other, &state, end)).await;
    }
    scene.count(&sent).await
}

/// What is delivered: a window in three batches, then one in a single batch.
const SENT: [(i64, usize, usize, bool); 4] =
    [(0, 0, 12, false), (0, 12, 20, false), (0, 20, 24, true), (1, 24, 40, true)];

/// Whether there was such a call.
async fn check(fault: Fault, lake: bool, number: u64, bisect: bool) -> bool {
    let (scene, records) = (Scene::new(ROOM), records());
    fault.set(&scene, lake, number);
    let mut state = json!({});
    for (minute, from, to, end) in SENT {
        state = deliver(&scene, (minute, from, end), &records[from..to], &state, bisect).await;
    }
    scene.store.faults().revive();
    scene.state.faults().revive();
    let what = format!("{fault:?} at call {number} of the {}, bisected: {bisect}", if lake { "lake" } else { "state" });
    all_is_told(&scene, &records, &what).await;
    calls(&scene, lake) > number
}

fn calls(scene: &Scene, lake: bool) -> u64 {
    if lake { scene.store.faults().total() } else { scene.state.faults().total() }
}

async fn all_is_told(scene: &Scene, records: &[Record], what: &str) {
    assert_eq!(scene.told().await, Told::of(records), "{what}");
    assert_eq!(scene.objects("windows/").await.len(), 2, "{what}");
    assert_eq!(scene.refused().await, records.iter().filter(|(_, value)| value.is_none()).count(), "{what}");
    assert!(scene.figure("KeysSpilled") > 0, "{what}");
}

#[tokio::test]
async fn a_failure_anywhere_is_cured_by_redelivery() {
    for fault in [Fault::Unanswered, Fault::Unheard, Fault::Crash] {
        for (lake, bisect) in [(true, true), (true, false), (false, true), (false, false)] {
            let mut number = 1;
            while check(fault, lake, number, bisect).await {
                number += 1;
            }
            assert!(number > 5, "calls");
        }
    }
}

/// An invocation that is held up at a call while another of the same event runs from its beginning to its end, and then
/// goes on; whether there was such a call.
async fn check_overtaken(lake: bool, number: u64) -> bool {
    let (scene, records) = (Scene::new(ROOM), records());
    let current = Arc::new(Mutex::new(Value::Null));
    let (ports, delivered) = (scene.ports.clone(), Arc::clone(&current));
    let other = move |at: u64| {
        if at != number {
            return;
        }
        let (ports, event) = (ports.clone(), delivered.lock().unwrap().to_string());
        let run = move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
            let deadline = ports.clock.now().plus(Duration::from_mins(1));
            // It may lose against the one that is held up: that one is delivered again then.
            drop(runtime.block_on(handle(event.as_bytes(), deadline, &ports)));
        };
        thread::spawn(run).join().unwrap();
    };
    if lake {
        scene.store.faults().hook(Box::new(move |call: &Call<_>| other(call.number)));
    } else {
        scene.state.faults().hook(Box::new(move |call: &Call<_>| other(call.number)));
    }
    let mut state = json!({});
    for (minute, from, to, end) in SENT {
        *current.lock().unwrap() = event(SHARD, minute, from, &records[from..to], &state, end);
        state = deliver(&scene, (minute, from, end), &records[from..to], &state, false).await;
    }
    let what = format!("overtaken at call {number} of the {}", if lake { "lake" } else { "state" });
    all_is_told(&scene, &records, &what).await;
    calls(&scene, lake) > number
}

#[tokio::test]
async fn two_invocations_of_one_batch_at_once_count_it_once() {
    for lake in [true, false] {
        let mut number = 1;
        while check_overtaken(lake, number).await {
            number += 1;
        }
        assert!(number > 5, "calls");
    }
}
