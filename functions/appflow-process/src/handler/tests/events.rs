//! Reports and schedules that ask for something else than a good run.

use super::*;

fn record(id: u8, note: u16) -> Record {
    Record { id, modified: 1_767_225_600_000, deleted: false, note }
}

fn before(hours: i64) -> Timestamp {
    Timestamp(NOW.0 - hours * HOUR)
}

fn told(run: usize, started: Timestamp, status: Status) -> flows::Run {
    flows::Run { id: id(run), started, ended: None, status, records: Some(1) }
}

#[tokio::test]
async fn a_failed_run_is_counted_once_and_changes_nothing() {
    let scene = scene();
    scene.files(1, &[record(1, 1)]);
    let event = json!({"source": "aws.appflow", "detail-type": "AppFlow End Flow Run Report", "detail": {
        "flow-name": "deals", "execution-id": id(1), "status": "Execution Failed", "error": "denied",
        "start-time": "2026-11-28T20:00:00.000Z[UTC]", "num-of-records-processed": "1"}});
    scene.flows.add("deals", told(1, before(4), Status::Failed));
    for _ in 0..2 {
        scene.deliver(&event).await.unwrap();
        scene.deliver(&json!({"datasets": "all"})).await.unwrap();
    }
    assert_eq!([scene.figure("RunsFailed"), scene.figure("Failures")], [1, 0]);
    assert!(scene.table().await.is_empty());
}

#[tokio::test]
async fn a_run_without_its_files_comes_again_and_one_without_records_has_none() {
    let scene = scene();
    let error = scene.report(1, before(1), 3).await.unwrap_err();
    assert_eq!((error.class, error.code), (Class::Retry, Code::Unavailable));
    scene.report(2, before(1), 0).await.unwrap();
    assert!(scene.table().await.is_empty());
    scene.files(1, &[record(1, 1), record(2, 2), record(3, 3)]);
    scene.report(1, before(1), 3).await.unwrap();
    assert_eq!(scene.table().await.len(), 3);
}

#[tokio::test]
async fn files_that_cannot_be_told_name_the_setting() {
    let scene = scene();
    scene.store.put_at("raw/saas/deals/2026-11-28T20:00:00", "{}", NOW);
    let error = scene.report(1, before(1), 3).await.unwrap_err();
    assert_eq!((error.class, error.code), (Class::Misconfigured, Code::InvalidConfig));
    assert!(error.message.contains("EXECUTION_ID"), "{error}");
}

#[tokio::test]
async fn a_run_of_long_ago_comes_in() {
    let scene = scene();
    scene.files(1, &[record(1, 1)]);
    scene.report(1, before(1), 1).await.unwrap();
    // 72 hours of lateness: a name of then would be behind the horizon.
    scene.clock.advance(Duration::from_hours(24 * 30));
    scene.files(2, &[record(2, 2)]);
    scene.report(2, NOW, 1).await.unwrap();
    scene.files(3, &[record(3, 3)]);
    scene.report(3, before(2), 1).await.unwrap();
    assert_eq!(scene.table().await.len(), 3);
    assert_eq!(scene.figure("FilesRefused"), 0);
}

#[tokio::test]
async fn a_run_that_cannot_come_in_does_not_hold_up_others() {
    let scene = scene();
    scene.files(2, &[record(2, 2)]);
    for run in [1, 2] {
        scene.flows.add("deals", told(run, before(3), Status::Succeeded));
    }
    scene.flows.add("deals", told(3, before(1), Status::Running));
    scene.flows.add("deals", told(4, before(50), Status::Succeeded));
    let error = scene.deliver(&json!({"source": "aws.events", "detail-type": "Scheduled Event"})).await.unwrap_err();
    assert!(error.message.starts_with("deals: ") && error.message.contains(id(1).as_str()), "{error}");
    assert_eq!(scene.table().await.len(), 1);
    assert_eq!([scene.figure("RunsFound"), scene.figure("Failures")], [1, 1]);
}

#[tokio::test]
async fn what_is_refused_is_set_aside_once() {
    let scene = scene();
    let key = format!("raw/saas/deals/{}", id(1));
    scene.store.put_at(&key, "{\"id\":1,\"note\":1}\n{\"id\":\"x\"}\nnothing\n", NOW);
    for _ in 0..2 {
        scene.report(1, before(1), 4).await.unwrap();
    }
    let aside = scene.store.list("quarantine/", None).await.unwrap().objects;
    let [object] = &aside[..] else { panic!("{aside:?}") };
    let name = format!("deals--{}--00000000000000000000.jsonl", id(1));
    assert_eq!(object.key, format!("quarantine/deals/year=2026/month=11/day=28/hour=23/{name}"));
    let (_, body) = scene.store.get(&object.key).await.unwrap().unwrap();
    let lines = body.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let lines: Vec<headgate::quarantine::Line> = lines.map(|line| serde_json::from_slice(line).unwrap()).collect();
    let told = lines
        .iter()
        .map(|line| (line.code.as_str(), line.path.as_deref(), line.position.to_string(), line.bytes().unwrap()));
    let want = [
        ("invalid_value", Some("$.id"), format!("{key} row 1"), b"{\"id\":\"x\"}".to_vec()),
        ("invalid_json", Some("$"), format!("{key} row 2"), b"nothing".to_vec()),
    ];
    assert_eq!(told.collect::<Vec<_>>(), want);
    let figures = ["RecordsQuarantined", "RecordsMissing", "RunsRepeated"].map(|name| scene.figure(name));
    assert_eq!(figures, [2, 1, 1]);
}

#[tokio::test]
async fn other_reports_are_counted_and_a_deactivated_flow_is_told() {
    let scene = scene();
    let report =
        |kind: &str, flow: &str| json!({"source": "aws.appflow", "detail-type": kind, "detail": {"flow-name": flow}});
    let answer = scene.deliver(&report("AppFlow Start Flow Run Report", "deals")).await.unwrap();
    assert_eq!(answer, json!({"ignored": "other_report"}));
    let answer = scene.deliver(&report("AppFlow Scheduled Flow Deactivated", "deals")).await.unwrap();
    assert_eq!(answer, json!({"deactivated": ["deals"]}));
    assert_eq!([scene.figure("Ignored"), scene.figure("FlowsDeactivated")], [1, 1]);
    let error = scene.deliver(&json!({"datasets": ["leads"]})).await.unwrap_err();
    assert_eq!(error.code, Code::InvalidEvent);
}

#[tokio::test]
async fn nothing_begins_without_time() {
    let scene = scene();
    scene.files(1, &[record(1, 1)]);
    let event = json!({"datasets": "all"}).to_string();
    let error = handle(event.as_bytes(), NOW, &scene.ports).await.unwrap_err();
    assert_eq!((error.class, error.code), (Class::Retry, Code::Deadline));
}

#[tokio::test]
async fn what_the_filter_no_longer_wants_goes_in_any_order() {
    for order in [[1, 2], [2, 1]] {
        let scene = scene_of(dataset(|document| document["filter"] = json!([{"column": "note", "above": 100}])));
        scene.files(1, &[record(1, 200), record(2, 300)]);
        scene.files(2, &[Record { modified: 1_767_225_600_001, ..record(1, 50) }]);
        for run in order {
            scene.report(run, before(3), 1).await.unwrap();
        }
        assert_eq!(scene.table().await, BTreeMap::from([("2".to_owned(), "300".to_owned())]));
    }
}
