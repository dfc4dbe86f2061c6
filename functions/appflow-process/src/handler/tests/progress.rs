//! Runs that come in bit by bit, with somebody else at the same.

use super::*;

/// Records of one run, each with a key of its own.
fn records(count: u8) -> Vec<Record> {
    (0..count).map(|id| Record { id, modified: 1_767_225_600_000, deleted: false, note: u16::from(id) }).collect()
}

fn table(count: u8) -> BTreeMap<String, String> {
    (0..count).map(|id| (id.to_string(), id.to_string())).collect()
}

fn before(hours: i64) -> Timestamp {
    Timestamp(NOW.0 - hours * HOUR)
}

/// Files of 8 records, each read alone.
fn in_small_groups(count: u8) -> Scene {
    let mut scene = scene();
    scene.ports.bounds.memory = 10 << 10;
    scene.parts(1, &records(count), 8);
    scene
}

#[tokio::test]
async fn a_run_that_does_not_fit_one_invocation_goes_on_where_it_ended() {
    let scene = in_small_groups(160);
    scene.slow(Duration::from_secs(1));
    let event = report(1, before(1), 160, "Execution Successful");
    let (mut read, mut deliveries) = (0, 0);
    while let Err(error) = scene.within(Duration::from_secs(40), &event).await {
        assert_eq!((error.class, error.code), (Class::Retry, Code::Deadline));
        let now = scene.store.faults().calls()[&Verb::GetRange];
        assert!(now > read, "nothing came in");
        (read, deliveries) = (now, deliveries + 1);
        assert!(deliveries < 10, "it never ends");
    }
    assert!(deliveries > 1, "it fitted");
    assert_eq!(scene.table().await, table(160));
    assert_eq!(["RunsLanded", "FilesRead", "Records"].map(|name| scene.figure(name)), [1, 20, 160]);
}

#[tokio::test]
async fn a_crash_counts_nothing_twice() {
    let mut call = 1;
    loop {
        let scene = in_small_groups(24);
        let faults = scene.store.faults();
        faults.crash_from(call);
        let event = report(1, before(1), 24, "Execution Successful");
        let done = scene.deliver(&event).await.is_ok();
        faults.revive();
        scene.deliver(&event).await.unwrap();
        assert_eq!(scene.table().await, table(24), "crash at call {call}");
        assert_eq!(["RunsLanded", "Records"].map(|name| scene.figure(name)), [1, 24], "crash at call {call}");
        if done {
            return;
        }
        call += 1;
    }
}

#[tokio::test]
async fn an_answer_that_is_lost_counts_as_it_should() {
    for call in 1..30 {
        let scene = in_small_groups(24);
        scene.store.faults().fail_after(call);
        let event = report(1, before(1), 24, "Execution Successful");
        for _ in 0..2 {
            drop(scene.deliver(&event).await);
        }
        assert_eq!(scene.table().await, table(24), "call {call}");
        assert_eq!(["RunsLanded", "Records"].map(|name| scene.figure(name)), [1, 24], "call {call}");
    }
}

/// Another invocation within a first one, before each of its calls in turn.
async fn interleaved(first: &Value, other: &Value) {
    let well = report(1, before(1), 24, "Execution Successful");
    let mut call = 1;
    loop {
        let scene = in_small_groups(24);
        scene.other_at(call, other);
        drop(scene.deliver(first).await);
        scene.store.faults().unhook();
        let calls = scene.store.faults().total();
        scene.deliver(&well).await.unwrap();
        assert_eq!(scene.table().await, table(24), "at call {call}");
        assert_eq!([scene.figure("RunsLanded"), scene.figure("Records")], [1, 24], "at call {call}");
        if calls < call {
            return;
        }
        call += 1;
    }
}

#[tokio::test]
async fn two_at_once_bring_a_run_in_once() {
    let event = report(1, before(1), 24, "Execution Successful");
    interleaved(&event, &event).await;
}

#[tokio::test]
async fn a_report_of_failure_at_once_with_one_of_success_loses_nothing() {
    let well = report(1, before(1), 24, "Execution Successful");
    let failed = report(1, before(1), 24, "Execution Failed");
    interleaved(&well, &failed).await;
    interleaved(&failed, &well).await;
}

#[tokio::test]
async fn what_is_noted_is_counted_before_the_merge() {
    for (status, figure) in [("Execution Successful", "RunsLanded"), ("Execution Failed", "RunsFailed")] {
        let scene = in_small_groups(24);
        // What a process that is killed leaves: nothing runs after this.
        scene.store.faults().hook(Box::new(|call| assert!(!call.key.starts_with("cdc/") || call.verb != Verb::List)));
        let (ports, event) = (scene.ports.clone(), report(1, before(1), 24, status).to_string());
        let invocation = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            drop(runtime.block_on(handle(event.as_bytes(), NOW.plus(HOURS), &ports)));
        });
        assert!(invocation.join().is_err(), "it does not merge");
        scene.store.faults().unhook();
        assert_eq!(scene.figure(figure), 1);
    }
}
