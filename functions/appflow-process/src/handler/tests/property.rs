//! Any runs, in any order, again, at once and with a store that fails → the same table.

use proptest::prelude::*;

use super::*;

/// From here on the filter wants no note.
const UNWANTED: u16 = 10_000;

/// A run: how long after the first it began, and its records.
type Runs = Vec<(i64, Vec<Record>)>;

/// The first run may have begun so long before the others that more than half of the lateness is over.
const LATE: i64 = -36 * HOUR;
/// When records without a moment were modified.
const NEVER: i64 = i64::MIN;

fn runs() -> impl Strategy<Value = Runs> {
    let modified = prop_oneof![1 => Just(NEVER), 4 => (0..4_i64).prop_map(|after| 1_767_225_600_000 + after)];
    let record = (0..5_u8, modified, prop::bool::weighted(0.3), prop::bool::weighted(0.2));
    let run = (0..3_i64, prop::collection::vec(record, 0..6));
    (prop::collection::vec(run, 1..6), any::<bool>()).prop_map(|(runs, is_late)| {
        let mut note = 0;
        let mut noted = |(id, modified, deleted, unwanted): (u8, i64, bool, bool)| {
            note += 1;
            Record { id, modified, deleted, note: if unwanted { note + UNWANTED } else { note } }
        };
        let runs = runs.into_iter().map(|(began, records)| (began, records.into_iter().map(&mut noted).collect()));
        let mut runs: Runs = runs.collect();
        runs[0].0 += if is_late { LATE } else { 0 };
        runs
    })
}

/// The last version of every record that is wanted and was not deleted with it: by time, then by run, then by place.
fn truth(runs: &Runs) -> BTreeMap<String, String> {
    let mut order: Vec<_> = runs.iter().enumerate().collect();
    order.sort_by_key(|(run, (began, _))| (*began, *run));
    let mut last: BTreeMap<u8, &Record> = BTreeMap::new();
    for record in order.into_iter().flat_map(|(_, (_, records))| records) {
        if last.get(&record.id).is_none_or(|known| known.modified <= record.modified) {
            last.insert(record.id, record);
        }
    }
    let there = last.into_values().filter(|record| !record.deleted && record.note < UNWANTED);
    there.map(|record| (record.id.to_string(), record.note.to_string())).collect()
}

fn began(runs: &Runs, run: usize) -> Timestamp {
    Timestamp(NOW.0 - 5 * HOUR + runs[run].0)
}

fn told(runs: &Runs, run: usize, status: &str) -> Value {
    report(run, began(runs, run), runs[run].1.len(), status)
}

async fn deliver(scene: &Scene, runs: &Runs, run: usize) -> Result<Value, Error> {
    scene.deliver(&told(runs, run, WELL)).await
}

const WELL: &str = "Execution Successful";

/// Delivers until it is done, as a retry would; the store is well again after the first time.
async fn persist(scene: &Scene, runs: &Runs, run: usize) {
    for _ in 0..4 {
        if deliver(scene, runs, run).await.is_ok() {
            return;
        }
        scene.store.faults().revive();
    }
    panic!("never done");
}

#[derive(Debug, Clone)]
enum Step {
    One(usize),
    /// The second run comes before this call of the first one; with `false` a report that says that it failed.
    AtOnce(usize, u64, usize, bool),
    Crash(usize, u64),
    Lost(usize, u64),
    /// An invocation of so many seconds, with a second a call.
    Short(usize, u64),
    Look,
}

fn step() -> impl Strategy<Value = Step> {
    let run = || 0..6_usize;
    prop_oneof![
        3 => run().prop_map(Step::One),
        4 => (run(), 1..30_u64, run(), any::<bool>()).prop_map(|(one, at, other, is_well)| Step::AtOnce(one, at, other, is_well)),
        3 => (run(), 1..30_u64).prop_map(|(run, call)| Step::Crash(run, call)),
        2 => (run(), 1..30_u64).prop_map(|(run, call)| Step::Lost(run, call)),
        3 => (run(), 3..30_u64).prop_map(|(run, seconds)| Step::Short(run, seconds)),
        1 => Just(Step::Look),
    ]
}

/// A scene where the service knows all runs, whatever is reported. Every file is read alone.
fn scene_with(runs: &Runs) -> Scene {
    let mut scene = scene_of(dataset(|document| document["filter"] = json!([{"column": "note", "below": UNWANTED}])));
    scene.ports.bounds.memory = 16 * 100;
    for (run, (_, records)) in runs.iter().enumerate() {
        scene.parts(run, records, 1);
        let told = flows::Run {
            id: id(run),
            started: began(runs, run),
            ended: None,
            status: Status::Succeeded,
            records: Some(records.len() as u64),
        };
        scene.flows.add("deals", told);
    }
    scene
}

async fn play(runs: &Runs, steps: &[Step]) {
    let scene = scene_with(runs);
    let faults = scene.store.faults();
    for step in steps {
        let run = |run: &usize| run % runs.len();
        match step {
            Step::One(one) => persist(&scene, runs, run(one)).await,
            Step::AtOnce(one, call, other, is_well) => {
                let other = told(runs, run(other), if *is_well { WELL } else { "Execution Failed" });
                scene.other_at(faults.total() + call, &other);
                persist(&scene, runs, run(one)).await;
                faults.unhook();
            }
            Step::Crash(one, call) => {
                faults.crash_from(faults.total() + call);
                persist(&scene, runs, run(one)).await;
                faults.revive();
            }
            Step::Lost(one, call) => {
                faults.fail_after(faults.total() + call);
                persist(&scene, runs, run(one)).await;
                faults.revive();
            }
            Step::Short(one, seconds) => {
                scene.slow(Duration::from_secs(1));
                drop(scene.within(Duration::from_secs(*seconds), &told(runs, run(one), WELL)).await);
                faults.unhook();
            }
            Step::Look => drop(scene.deliver(&json!({"datasets": "all"})).await.unwrap()),
        }
    }
    // Reports may be lost: the schedule finds the rest.
    scene.deliver(&json!({"datasets": ["deals"]})).await.unwrap();
    assert_eq!(scene.table().await, truth(runs));
    let figures = ["RunsLanded", "Records", "FilesRefused"].map(|name| scene.figure(name));
    let records = runs.iter().map(|(_, records)| records.len() as u64).sum();
    assert_eq!(figures, [runs.len() as u64, records, 0]);
    let puts = faults.calls()[&Verb::Put];
    scene.deliver(&json!({"datasets": "all"})).await.unwrap();
    assert_eq!(faults.calls()[&Verb::Put], puts, "what is in is not written again");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]
    #[test]
    fn runs_converge(runs in runs(), steps in prop::collection::vec(step(), 0..8)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(play(&runs, &steps));
    }
}

/// A small history with all that matters: an update, a tie, a deletion, and what must not come back after it.
fn history() -> Runs {
    let record =
        |id, modified: i64, deleted, note| Record { id, modified: 1_767_225_600_000 + modified, deleted, note };
    vec![
        (0, vec![record(1, 1, false, 1), record(2, 1, false, 2), record(3, 1, false, 3)]),
        (1, vec![record(1, 2, true, 4), record(2, 1, false, 5), record(3, 0, true, 6)]),
        (2, vec![record(1, 1, false, 7), record(2, 0, true, 8), record(4, 1, false, 9), record(4, 1, false, 10)]),
    ]
}

#[tokio::test]
async fn every_order_comes_to_the_same() {
    let want = [("2", "5"), ("3", "3"), ("4", "10")].map(|(key, note)| (key.to_owned(), note.to_owned()));
    assert_eq!(truth(&history()), BTreeMap::from(want));
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        Box::pin(play(&history(), &order.map(Step::One))).await;
    }
}

#[tokio::test]
async fn a_crash_at_any_call_costs_nothing() {
    let want: BTreeMap<_, _> = ["1", "2", "3"].map(|key| (key.to_owned(), key.to_owned())).into();
    let mut call = 1;
    loop {
        let scene = scene();
        scene.files(0, &history()[0].1);
        let faults = scene.store.faults();
        faults.crash_from(call);
        let done = deliver(&scene, &history(), 0).await.is_ok();
        faults.revive();
        persist(&scene, &history(), 0).await;
        assert_eq!(scene.table().await, want, "crash at call {call}");
        if done {
            break;
        }
        call += 1;
    }
    assert!(call > 6, "only {call} calls");
}

#[tokio::test]
async fn more_than_the_memory_holds_comes_to_the_same() {
    let run = |run: u16| {
        let record = |id: u8| Record {
            id,
            modified: 1_767_225_600_000 + (i64::from(run) * 7 + i64::from(id) * 5) % 11,
            deleted: (run + u16::from(id)).is_multiple_of(4),
            note: run * 100 + u16::from(id),
        };
        ((i64::from(run) * 5) % 7, (0..20).map(record).collect())
    };
    let runs: Runs = (0..12).map(run).collect();
    for first in [0, 4, 9] {
        let mut scene = scene_with(&runs);
        for run in 0..first {
            persist(&scene, &runs, run).await;
        }
        // Hardly a file's rows: a publish ends after each.
        scene.ports.bounds.memory = 10 << 10;
        scene.deliver(&json!({"datasets": "all"})).await.unwrap();
        assert_eq!(scene.table().await, truth(&runs));
        let publishes = scene.figure("Publishes") - first as u64;
        assert!(publishes > (runs.len() - first) as u64 / 3, "{publishes} publishes of {first}");
    }
}
