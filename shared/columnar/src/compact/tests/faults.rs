//! Every call of the store fails, in every way, or finds somebody else at work: no row is lost, none is there twice.

use std::sync::atomic::{AtomicBool, Ordering};

use headgate::{faults::Unavailable, store::StoreError, store::memory::Verb};

use super::scene::{HOUR, Scene};

/// Calls of one compaction of the full table.
async fn calls() -> u64 {
    let scene = Scene::full().await;
    let before = scene.store.faults().total();
    scene.compact().await;
    let calls = scene.store.faults().total() - before;
    scene.holds(2, 40, "undisturbed");
    assert_eq!(scene.files().len(), 1);
    calls
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_of_any_call_loses_and_doubles_nothing() {
    let calls = calls().await;
    assert!(calls > 20, "{calls}");
    for way in ["unanswered", "unheard", "crash"] {
        for number in 1..=calls {
            let scene = Scene::full().await;
            let (faults, at) = (scene.store.faults(), scene.store.faults().total() + number);
            match way {
                "unanswered" => faults.fail_before(at, StoreError::unavailable("the call")),
                "unheard" => faults.fail_after(at),
                _ => faults.crash_from(at),
            }
            scene.compact().await;
            faults.revive();
            let when = format!("{way} {number}");
            assert_eq!(scene.seen().len(), 80, "{when}: a reader misses rows");
            scene.settle().await;
            scene.holds(2, 40, &when);
            assert_eq!(scene.files().len(), 1, "{when}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_failures_in_a_row_lose_and_double_nothing() {
    let calls = calls().await;
    for first in (1..=calls).step_by(3) {
        for second in (1..=calls).step_by(2) {
            let scene = Scene::full().await;
            for number in [first, second] {
                scene.store.faults().crash_from(scene.store.faults().total() + number);
                scene.compact().await;
                scene.store.faults().revive();
            }
            scene.settle().await;
            scene.holds(2, 40, &format!("{first}, then {second}"));
        }
    }
}

/// Lets `other` come in between, right before each call of a compaction in turn.
async fn between(other: impl Fn(Scene) + Send + Sync + Clone + 'static, shards: u64, records: u64) {
    for number in 1..=calls().await {
        let scene = Scene::full().await;
        let (at, meanwhile, other) = (scene.store.faults().total() + number, scene.clone(), other.clone());
        scene.store.faults().hook(Box::new(move |call| {
            if call.number == at {
                let (scene, other) = (meanwhile.clone(), other.clone());
                std::thread::spawn(move || other(scene)).join().unwrap();
            }
        }));
        scene.compact().await;
        scene.store.faults().unhook();
        scene.settle().await;
        scene.holds(shards, records, &format!("before call {number}"));
    }
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

#[tokio::test(flavor = "multi_thread")]
async fn another_compaction_at_any_moment_does_no_harm() {
    between(|scene| _ = wait(scene.compact()), 2, 40).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_compaction_that_dies_meanwhile_does_no_harm() {
    for further in [4, 8, 15, 22] {
        between(
            move |scene| {
                scene.store.faults().crash_from(scene.store.faults().total() + further);
                wait(scene.compact());
                scene.store.faults().revive();
            },
            2,
            40,
        )
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn records_that_come_late_or_again_at_any_moment_are_there_once() {
    between(
        |scene| {
            wait(async {
                for shard in [0, 1] {
                    scene.deliver(shard, 5, 60).await.unwrap();
                    scene.deliver(shard, 0, 60).await.unwrap();
                }
            });
        },
        2,
        60,
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_sees_rows_twice_only_until_the_old_files_are_removed() {
    let scene = Scene::full().await;
    let (reader, inside) = (scene.clone(), AtomicBool::new(false));
    scene.store.faults().hook(Box::new(move |call| {
        if inside.swap(true, Ordering::SeqCst) {
            return;
        }
        let seen = reader.seen();
        assert_eq!(seen.len(), 80, "lost before {call:?}");
        let twice = seen.values().any(|times| *times > 1);
        assert_eq!(twice, call.verb == Verb::DeleteAll, "twice before {call:?}");
        inside.store(false, Ordering::SeqCst);
    }));
    scene.compact().await;
    scene.store.faults().unhook();
    let calls = scene.store.faults().calls();
    assert_eq!((calls[&Verb::Complete], calls[&Verb::DeleteAll]), (1, 2), "one request, in two halves");
    scene.holds(2, 40, "in the end");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_compaction_that_slept_for_days_finds_its_work_done() {
    // It sleeps right before its upload is completed, and then before what comes after, until all is done and the new
    // file is an hour old, but not compacted again.
    for verb in [Verb::Complete, Verb::DeleteAll] {
        let scene = Scene::full().await;
        let (others, slept) = (scene.clone(), AtomicBool::new(false));
        scene.store.faults().hook(Box::new(move |call| {
            if call.verb == verb && !slept.swap(true, Ordering::SeqCst) {
                let scene = others.clone();
                std::thread::spawn(move || wait(scene.settle())).join().unwrap();
                others.clock.advance(HOUR * 48);
            }
        }));
        scene.compact().await;
        scene.store.faults().unhook();
        scene.holds(2, 40, &format!("{verb:?}"));
    }
}
