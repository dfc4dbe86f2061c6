//! Where the files of runs are, and how little is asked to find them.

use super::*;

fn before(hours: i64) -> Timestamp {
    Timestamp(NOW.0 - hours * HOUR)
}

const LINE: &str = "{\"id\":1,\"modified\":5,\"note\":7}\n";

/// The prefixes of the flow's folder that were listed from here on.
fn listed(scene: &Scene) -> Arc<Mutex<Vec<String>>> {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&seen);
    scene.store.faults().hook(Box::new(move |call: &Call<Verb>| {
        if call.verb == Verb::List && call.key.starts_with("raw/") {
            noted.lock().unwrap().push(call.key.clone());
        }
    }));
    seen
}

#[tokio::test]
async fn files_are_found_in_any_layout() {
    let run = id(1);
    for place in [
        format!("{run}"),
        format!("{run}-2026-11-28T23:00:00.parquet"),
        format!("{run}/part-0"),
        format!("2026/{run}/part-0"),
        format!("2026/11/28/23/{run}/Region=EMEA/part-0"),
        format!("schemaVersion_1/2026/11/28/{run}/part-0"),
        format!("2026/11/20/{run}/part-0"),
    ] {
        let scene = scene();
        scene.store.put_at(&format!("raw/saas/deals/{place}"), LINE, NOW);
        scene.store.put_at("raw/saas/deals/2026/11/28/2c07e424-0000-4000-8000-000000000009/part-0", "{}", NOW);
        scene.report(1, before(1), 1).await.unwrap();
        assert_eq!(scene.table().await.len(), 1, "{place}");
    }
}

#[tokio::test]
async fn files_of_ids_that_begin_alike_are_told_apart() {
    let scene = scene();
    scene.store.put_at("raw/saas/deals/2026/11/28/run-10/part-0", LINE, NOW);
    let mut event = report(1, before(1), 1, "Execution Successful");
    for run in ["run-1", "2", "run"] {
        event["detail"]["execution-id"] = json!(run);
        scene.deliver(&event).await.unwrap_err();
    }
    assert!(scene.table().await.is_empty());
    event["detail"]["execution-id"] = json!("run-10");
    scene.deliver(&event).await.unwrap();
    assert_eq!(scene.table().await.len(), 1);
}

#[tokio::test]
async fn the_history_of_the_flow_is_not_listed() {
    let scene = scene();
    for file in 0..3000 {
        let run = id(1000 + file);
        scene.store.put_at(&format!("raw/saas/deals/2026/01/{:02}/{run}/part-0", file % 28 + 1), "{}", NOW);
    }
    for run in 1..=5 {
        scene.store.put_at(&format!("raw/saas/deals/2026/11/28/{}/part-0", id(run)), LINE, NOW);
        let (id, status) = (id(run), Status::Succeeded);
        scene.flows.add("deals", flows::Run { id, started: before(2), ended: None, status, records: Some(1) });
    }
    let seen = listed(&scene);
    scene.deliver(&json!({"datasets": "all"})).await.unwrap();
    assert_eq!(scene.figure("RunsLanded"), 5);
    let seen = seen.lock().unwrap();
    assert_eq!(seen.iter().filter(|prefix| *prefix == "raw/saas/deals/").count(), 1, "{seen:?}");
    assert_eq!(seen.len(), 6, "{seen:?}");
}

#[tokio::test]
async fn a_run_that_does_not_say_that_it_is_empty_is_waited_for() {
    let scene = scene();
    let mut event = report(1, before(1), 0, "Execution Successful");
    event["detail"]["num-of-records-processed"] = json!("some");
    let error = scene.deliver(&event).await.unwrap_err();
    assert_eq!((error.class, error.code), (Class::Retry, Code::Unavailable));
    scene.store.put_at(&format!("raw/saas/deals/{}", id(1)), LINE, NOW);
    scene.deliver(&event).await.unwrap();
    assert_eq!(scene.table().await.len(), 1);
}

#[tokio::test]
async fn what_writers_and_consoles_leave_is_no_file_of_records() {
    let scene = scene();
    for name in ["", "_SUCCESS", "2026/11/28/"] {
        scene.store.put_at(&format!("raw/saas/deals/{name}"), "", NOW);
    }
    let error = scene.report(1, before(1), 1).await.unwrap_err();
    assert_eq!((error.class, error.code), (Class::Retry, Code::Unavailable));
    scene.store.put_at(&format!("raw/saas/deals/{}/part-0", id(1)), LINE, NOW);
    scene.store.put_at(&format!("raw/saas/deals/{}/_SUCCESS", id(1)), "done", NOW);
    scene.report(1, before(1), 1).await.unwrap();
    assert_eq!([scene.figure("FilesRead"), scene.figure("RecordsQuarantined")], [1, 0]);
}

#[tokio::test]
async fn a_schedule_stops_when_its_time_ends_and_merges_what_is_in() {
    let scene = scene();
    for run in 1..=40 {
        let text = format!("{{\"id\":{run},\"modified\":5,\"note\":7}}\n");
        scene.store.put_at(&format!("raw/saas/deals/{}", id(run)), text, NOW);
        let (id, status) = (id(run), Status::Succeeded);
        scene.flows.add("deals", flows::Run { id, started: before(2), ended: None, status, records: Some(1) });
    }
    scene.slow(Duration::from_secs(1));
    let event = json!({"datasets": "all"});
    let error = scene.within(Duration::from_mins(4), &event).await.unwrap_err();
    assert_eq!((error.class, error.code), (Class::Retry, Code::Deadline));
    assert!(scene.clock.now() < NOW.plus(Duration::from_mins(4)), "it ran too long");
    let first = scene.table().await.len();
    assert!(first > 0 && first < 40, "{first} rows");
    while scene.within(Duration::from_mins(4), &event).await.is_err() {
        assert!(scene.clock.now() < NOW.plus(HOURS), "it never ends");
    }
    assert_eq!(scene.table().await.len(), 40);
    scene.store.faults().unhook();
    scene.deliver(&event).await.unwrap();
    assert_eq!([scene.figure("RunsLanded"), scene.figure("RunsRepeated")], [40, 0]);
}

#[tokio::test]
async fn a_run_that_began_before_the_lookback_and_ended_in_it_is_found() {
    let scene = scene();
    scene.store.put_at(&format!("raw/saas/deals/{}", id(1)), LINE, NOW);
    let (id, ended, status) = (id(1), Some(before(47)), Status::Succeeded);
    scene.flows.add("deals", flows::Run { id, started: before(50), ended, status, records: Some(1) });
    scene.deliver(&json!({"datasets": "all"})).await.unwrap();
    assert_eq!(scene.figure("RunsFound"), 1);
}
