//! A failure at every call of a replay, another replay in the middle of it, another contract after it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use headgate::{
    Code,
    faults::{Faults, Unavailable},
    state::StateError,
    store::StoreError,
};
use headgate_columnar::replay::{Options, Report, replay};

use super::scene::{Lake, adds_up, apply, lenient, look, objects, once, refused, target};

/// How a call goes wrong.
#[derive(Debug, Clone, Copy)]
enum Fault {
    /// It has no effect.
    Unanswered,
    /// It has its effect, and nobody hears of it.
    Unheard,
    /// It has no effect, and the caller is told that somebody else was first.
    Changed,
    /// From here on there is nobody who calls.
    Crash,
}

/// One line a batch, and all in one.
fn sizes() -> [Options; 2] {
    [Options { most: 0, ..apply() }, apply()]
}

/// Whatever happened, another replay completes it, a further one does nothing, and nothing is there twice.
async fn completes(lake: &Lake, told: &str) {
    let report = lenient("day").replay(lake, &apply()).await;
    adds_up(&report);
    assert_eq!(report.replayed + report.repeated, 4, "{told}");
    assert_eq!(lake.values("event_id").await, once(), "{told}");
    let all = objects(lake, "").await;
    let report = lenient("year").replay(lake, &apply()).await;
    assert_eq!((report.repeated, report.written, report.completed), (4, 0, 0), "{told}");
    assert!(objects(lake, "").await == all, "{told}: nothing is left to do");
    let entries = objects(lake, "_headgate/").await;
    assert!(entries.values().all(|entry| entry.ends_with(b"]}\n")), "{told}: no entry holds rows any more");
}

#[derive(Debug, Clone, Copy)]
enum Port {
    Store,
    State,
}

async fn check(options: &Options, number: u64, fault: Fault, port: Port) {
    let lake = refused().await;
    let before = objects(&lake, "quarantine/").await;
    let (store, state) = (lake.store.faults(), lake.state.faults());
    match port {
        Port::Store => {
            let changed = StoreError::Changed { key: "the call".to_owned() };
            plan(&store, store.total() + number, fault, changed);
        }
        Port::State => {
            let changed = StateError::Changed { key: "the call".to_owned() };
            plan(&state, state.total() + number, fault, changed);
        }
    }
    let report = lenient("hour").replay(&lake, options).await;
    store.revive();
    state.revive();
    let told = format!("{fault:?} at call {number} of the {port:?}, {} bytes: {report:?}", options.most);
    assert!(objects(&lake, "quarantine/").await == before, "{told}: quarantine stays as it is");
    completes(&lake, &told).await;
}

fn plan<V: Copy + Ord, E: Unavailable>(faults: &Faults<V, E>, number: u64, fault: Fault, changed: E) {
    match fault {
        Fault::Unanswered => faults.fail_before(number, E::unavailable("the call")),
        Fault::Unheard => faults.fail_after(number),
        Fault::Changed => faults.fail_before(number, changed),
        Fault::Crash => faults.crash_from(number),
    }
}

/// How many calls a replay makes of the lake and of the state.
async fn calls(options: &Options) -> (u64, u64) {
    let lake = refused().await;
    let before = (lake.store.faults().total(), lake.state.faults().total());
    let report = lenient("hour").replay(&lake, options).await;
    adds_up(&report);
    assert_eq!(report.replayed, 4);
    (lake.store.faults().total() - before.0, lake.state.faults().total() - before.1)
}

#[tokio::test]
async fn a_failure_anywhere_is_cured_by_another_replay() {
    for options in sizes() {
        let (of_store, of_state) = calls(&options).await;
        assert!(of_store > 8 && of_state > 0, "{of_store} {of_state}");
        for fault in [Fault::Unanswered, Fault::Unheard, Fault::Changed, Fault::Crash] {
            for number in 1..=of_store {
                check(&options, number, fault, Port::Store).await;
            }
            for number in 1..=of_state {
                check(&options, number, fault, Port::State).await;
            }
        }
    }
}

/// Another replay, under another contract, begins and ends before call `number` of the first.
async fn race(options: &Options, number: u64) -> Report {
    let lake = refused().await;
    let begun = Arc::new(AtomicBool::new(false));
    let (store, state, at) = (lake.store.clone(), lake.state.clone(), lake.store.faults().total() + number);
    lake.store.faults().hook(Box::new(move |call| {
        if call.number == at && !begun.swap(true, Ordering::SeqCst) {
            let (store, state) = (store.clone(), state.clone());
            let other = thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                let rules = lenient("month");
                runtime.block_on(replay(target(&rules.kind(), &store, &state), &apply(), &|_, _| {}))
            });
            let other = other.join().unwrap();
            assert_eq!(other.error, None);
        }
    }));
    let report = lenient("hour").replay(&lake, options).await;
    lake.store.faults().unhook();
    completes(&lake, &format!("call {number}: {report:?}")).await;
    report
}

#[tokio::test]
async fn two_replays_at_once_store_nothing_twice() {
    for options in sizes() {
        let mut lost = 0;
        for number in 1..=calls(&options).await.0 {
            let report = race(&options, number).await;
            if let Some(error) = report.error {
                assert_eq!(error.code, Code::Contended, "{error}");
                assert!(error.message.contains("run it again"), "{error}");
                lost += 1;
            }
        }
        assert!(lost > 0, "none lost the race");
    }
}

#[tokio::test]
async fn looking_changes_nothing_and_tells_the_same() {
    let lake = refused().await;
    let before = objects(&lake, "").await;
    let seen = lenient("hour").replay(&lake, &look()).await;
    adds_up(&seen);
    assert!(objects(&lake, "").await == before, "nothing is written");
    let done = lenient("hour").replay(&lake, &apply()).await;
    assert_eq!(seen, Report { applied: false, written: 0, ..done });
    let rows: Vec<_> = seen.rows.iter().map(|(path, rows)| format!("{} {rows}", &path[26..])).collect();
    assert_eq!(rows, ["hour=00/ 1", "hour=01/ 2", "hour=02/ 1"]);
}

#[tokio::test]
async fn looking_tells_what_would_be_completed() {
    let lake = refused().await;
    let last = lake.store.faults().total() + calls(&apply()).await.0;
    lake.store.faults().crash_from(last);
    assert!(lenient("hour").replay(&lake, &apply()).await.error.is_some());
    lake.store.faults().revive();
    let before = objects(&lake, "").await;
    for _ in 0..2 {
        let seen = lenient("hour").replay(&lake, &look()).await;
        adds_up(&seen);
        assert_eq!((seen.repeated, seen.completed, seen.written), (4, 1, 0));
        assert!(objects(&lake, "").await == before, "nothing is written");
    }
    completes(&lake, "after looking").await;
}

#[tokio::test]
async fn a_missing_entry_is_told() {
    let lake = refused().await;
    lenient("hour").replay(&lake, &Options { most: 0, ..apply() }).await;
    let entries = objects(&lake, "_headgate/replay/").await;
    headgate::store::Store::delete(&lake.store, entries.keys().nth(2).unwrap()).await.unwrap();
    let error = lenient("hour").replay(&lake, &apply()).await.error.unwrap();
    assert_eq!(error.code, Code::FilesGone);
    assert!(error.message.contains("00000002 must be there"), "{error}");
}
