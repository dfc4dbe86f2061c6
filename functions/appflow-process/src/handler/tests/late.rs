//! Runs that come in long after they began, and runs that are to come in again.

use super::*;

fn before(hours: i64) -> Timestamp {
    Timestamp(NOW.0 - hours * HOUR)
}

/// A version of the same row and the same moment; `note` is the run.
fn version(run: u16) -> Vec<Record> {
    vec![Record { id: 1, modified: 1_767_225_600_000, deleted: false, note: run }]
}

fn row(note: u16) -> BTreeMap<String, String> {
    BTreeMap::from([("1".to_owned(), note.to_string())])
}

#[tokio::test]
async fn a_run_that_is_found_late_does_not_win_over_newer_ones() {
    let scene = scene();
    // 72 hours of lateness: more than half of it is over.
    for (run, hours) in [(1, 45), (2, 40), (3, 2)] {
        scene.files(usize::from(run), &version(run));
        let (id, status) = (id(usize::from(run)), Status::Succeeded);
        scene.flows.add("deals", flows::Run { id, started: before(hours), ended: None, status, records: Some(1) });
    }
    scene.report(3, before(2), 1).await.unwrap();
    assert_eq!(scene.table().await, row(3));
    scene.slow(Duration::from_millis(1));
    scene.deliver(&json!({"datasets": "all"})).await.unwrap();
    assert_eq!(scene.table().await, row(3));
    assert_eq!([scene.figure("RunsLanded"), scene.figure("FilesRefused")], [3, 0]);
}

#[tokio::test]
async fn runs_that_are_found_late_keep_their_order_among_themselves() {
    let scene = scene();
    for (run, hours) in [(2, 45), (1, 40)] {
        scene.files(usize::from(run), &version(run));
        let (id, status) = (id(usize::from(run)), Status::Succeeded);
        scene.flows.add("deals", flows::Run { id, started: before(hours), ended: None, status, records: Some(1) });
    }
    scene.slow(Duration::from_millis(1));
    scene.deliver(&json!({"datasets": "all"})).await.unwrap();
    assert_eq!(scene.table().await, row(1));
}

#[tokio::test]
async fn a_plan_that_waited_is_named_anew_before_a_merge_refuses_its_files() {
    let scene = scene();
    // A merge settles what it has of that time, and takes nothing more from then.
    scene.files(4, &[Record { id: 4, ..version(4)[0].clone() }]);
    scene.report(4, before(1), 1).await.unwrap();
    scene.files(1, &version(1));
    scene.store.faults().hook(Box::new({
        let faults = scene.store.faults();
        move |call| {
            if call.verb == Verb::GetRange {
                faults.crash_from(call.number);
            }
        }
    }));
    scene.report(1, before(2), 1).await.unwrap_err();
    scene.store.faults().unhook();
    scene.store.faults().revive();
    scene.clock.advance(Duration::from_hours(80));
    let other = |id| vec![Record { id, ..version(2)[0].clone() }];
    for (run, id) in [(2, 2), (3, 3)] {
        scene.files(run, &other(id));
        scene.report(run, scene.clock.now(), 1).await.unwrap();
    }
    scene.report(1, before(2), 1).await.unwrap();
    assert_eq!(scene.table().await.len(), 4);
    assert_eq!(scene.figure("FilesRefused"), 0);
}

/// Three records, of which one keeps each of two contracts alone and one both.
const RECORDS: &str = concat!(
    "{\"id\":1,\"modified\":5,\"note\":10}\n",
    "{\"id\":2,\"modified\":5,\"note\":200}\n",
    "{\"id\":3,\"modified\":5,\"note\":60}\n",
);

fn at_most_100() -> Saas {
    dataset(|document| document["columns"][3]["max"] = json!(100))
}

fn at_least_50() -> Saas {
    dataset(|document| document["columns"][3]["min"] = json!(50))
}

impl Scene {
    fn corrected(&mut self, saas: Saas) {
        self.ports.objects = vec![Object::new(saas, None).unwrap()];
    }

    /// The ids of the records that are set aside.
    async fn aside(&self) -> Vec<String> {
        let mut ids = Vec::new();
        for object in self.store.list("quarantine/", None).await.unwrap().objects {
            let (_, body) = self.store.get(&object.key).await.unwrap().unwrap();
            for line in body.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
                let line: headgate::quarantine::Line = serde_json::from_slice(line).unwrap();
                let record: Value = serde_json::from_slice(&line.bytes().unwrap()).unwrap();
                ids.push(record["id"].to_string());
            }
        }
        ids.sort();
        ids
    }
}

#[tokio::test]
async fn a_dataset_that_changes_after_a_crash_loses_no_record() {
    let event = report(1, before(1), 3, "Execution Successful");
    let mut call = 1;
    loop {
        let mut scene = scene_of(at_most_100());
        scene.store.put_at(&format!("raw/saas/deals/{}", id(1)), RECORDS, NOW);
        scene.store.faults().crash_from(call);
        let done = scene.deliver(&event).await.is_ok();
        scene.store.faults().revive();
        scene.corrected(at_least_50());
        scene.deliver(&event).await.unwrap();
        let (table, aside) = (scene.table().await, scene.aside().await);
        for id in ["1", "2", "3"] {
            let there = table.contains_key(id) || aside.iter().any(|set| set == id);
            assert!(there, "crash at call {call}: record {id} is lost: {table:?} {aside:?}");
        }
        assert_eq!(scene.figure("Records"), 3, "crash at call {call}");
        if done {
            return;
        }
        call += 1;
    }
}

#[tokio::test]
async fn a_run_comes_in_again_by_a_corrected_dataset_however_old_it_is() {
    for days in [0, 30] {
        let mut scene = scene_of(at_most_100());
        scene.store.put_at(&format!("raw/saas/deals/{}", id(1)), RECORDS, NOW);
        scene.report(1, before(1), 3).await.unwrap();
        assert_eq!(scene.aside().await, ["2"]);
        scene.clock.advance(Duration::from_hours(24 * days));
        scene.corrected(dataset(|_| {}));
        scene.report(1, before(1), 3).await.unwrap();
        assert_eq!(scene.table().await.len(), 2, "a report that comes again is no request");
        let again = json!({"dataset": "deals", "run": id(1).as_str()});
        scene.deliver(&again).await.unwrap();
        assert_eq!(scene.table().await.len(), 3);
        // The lines of the first time are left to whoever asked.
        assert_eq!(scene.aside().await, ["2"]);
        scene.deliver(&again).await.unwrap();
        assert_eq!(scene.table().await.len(), 3);
        assert_eq!([scene.figure("RunsLanded"), scene.figure("FilesRefused")], [3, 0]);
    }
}

#[tokio::test]
async fn a_run_that_nobody_knows_cannot_come_in_again() {
    let scene = scene();
    let again = json!({"dataset": "deals", "run": id(1).as_str()});
    let error = scene.deliver(&again).await.unwrap_err();
    assert_eq!((error.class, error.code), (Class::Poison, Code::InvalidEvent));
    scene.files(1, &version(1));
    let (id, status) = (id(1), Status::Succeeded);
    scene.flows.add("deals", flows::Run { id, started: before(100), ended: None, status, records: Some(1) });
    scene.deliver(&again).await.unwrap();
    assert_eq!(scene.table().await, row(1));
}
