//! A failure at every call of a replay, another replay in the middle of it, another contract after it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use headgate::{Code, faults::Unavailable, store::StoreError};
use headgate_columnar::replay::{Options, Report, replay};

use super::scene::{Lake, adds_up, apply, lenient, look, objects, once, refused};

/// How a call goes wrong.
#[derive(Debug, Clone, Copy)]
enum Fault {
    /// It has no effect.
    Unanswered,
    /// It has its effect, and nobody hears of it.
    Unheard,
    /// It has its effect, the caller makes it again, and hears that somebody was first.
    Repeated,
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
    assert_eq!(report.replayed + report.repeated, 8, "{told}");
    assert_eq!(lake.values("event_id").await, once(), "{told}");
    let all = objects(lake, "").await;
    let report = lenient("year").replay(lake, &apply()).await;
    assert_eq!((report.repeated, report.written, report.completed), (8, 0, 0), "{told}");
    assert!(objects(lake, "").await == all, "{told}: nothing is left to do");
    let entries = objects(lake, "_headgate/").await;
    assert!(entries.values().all(|entry| entry.ends_with(b"]}\n")), "{told}: no entry holds rows any more");
}

async fn check(options: &Options, number: u64, fault: Fault, on_state: bool) {
    let lake = refused().await;
    let before = objects(&lake, "quarantine/").await;
    let (store, state) = (lake.store.faults(), lake.state.faults());
    let (of_store, of_state) = (store.total() + number, state.total() + number);
    match (fault, on_state) {
        (Fault::Unanswered, false) => store.fail_before(of_store, Unavailable::unavailable("the call")),
        (Fault::Unheard, false) => store.fail_after(of_store),
        (Fault::Repeated, false) => store.fail_before(of_store, StoreError::Changed { key: "the call".to_owned() }),
        (Fault::Crash, false) => store.crash_from(of_store),
        (Fault::Unanswered | Fault::Repeated, true) => {
            state.fail_before(of_state, Unavailable::unavailable("the call"));
        }
        (Fault::Unheard, true) => state.fail_after(of_state),
        (Fault::Crash, true) => state.crash_from(of_state),
    }
    let report = lenient("hour").replay(&lake, options).await;
    store.revive();
    state.revive();
    let told = format!("{fault:?} at call {number}, of the state: {on_state}, {} bytes: {report:?}", options.most);
    assert!(objects(&lake, "quarantine/").await == before, "{told}: quarantine stays as it is");
    completes(&lake, &told).await;
}

/// How many calls a replay makes of the lake and of the state.
async fn calls(options: &Options) -> (u64, u64) {
    let lake = refused().await;
    let before = (lake.store.faults().total(), lake.state.faults().total());
    let report = lenient("hour").replay(&lake, options).await;
    adds_up(&report);
    assert_eq!(report.replayed, 8);
    (lake.store.faults().total() - before.0, lake.state.faults().total() - before.1)
}

#[tokio::test]
async fn a_failure_anywhere_is_cured_by_another_replay() {
    for options in sizes() {
        let (of_store, of_state) = calls(&options).await;
        assert!(of_store > 8 && of_state > 0, "{of_store} {of_state}");
        for fault in [Fault::Unanswered, Fault::Unheard, Fault::Repeated, Fault::Crash] {
            for number in 1..=of_store {
                check(&options, number, fault, false).await;
            }
            for number in 1..=of_state {
                check(&options, number, fault, true).await;
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
                runtime.block_on(replay(rules.target(&store, &state), &apply(), &|_, _| {}))
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
    assert_eq!(rows, ["hour=00/ 2", "hour=01/ 2", "hour=02/ 2", "hour=03/ 2"]);
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
