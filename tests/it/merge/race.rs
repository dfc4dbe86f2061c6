//! Merges at once: one wins, the other looks again, nothing is lost, and readers see one prefix after another.

use std::{
    sync::{Arc, Mutex, PoisonError},
    thread,
};

use headgate::store::memory::Verb;
use headgate_columnar::merge::{Options, Outcome};

use super::{
    file::File,
    lake::{Lake, SNAPSHOT, Setup},
    replay::Table,
};

fn files() -> Vec<File> {
    let change = |minute: u8, lines: &[&str]| File::of(&format!("20240115-10{minute:02}00000"), "id note", lines);
    vec![
        File::of("LOAD00000001", "id note", &["I 1 a", "I 2 a", "I 3 a"]),
        change(1, &["U 1 b", "D 2 -"]),
        change(2, &["I 2 c", "I 4 c"]),
        change(3, &["U 1 d", "D 3 -", "I 5 d"]),
        change(4, &["U 5 e", "I 3 e"]),
        change(5, &["D 1 -", "U 4 f"]),
    ]
}

/// One publish a file.
fn by_file() -> Options {
    Options { memory: 1, ..Options::default() }
}

/// What readers saw before each write that could change it.
type Seen = Arc<Mutex<Vec<Table>>>;

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(future)
}

fn aloud<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    thread::scope(|scope| scope.spawn(work).join().expect("a thread that ends"))
}

/// Whether a call may change what readers see.
fn publishes(verb: Verb, key: &str) -> bool {
    matches!(verb, Verb::Complete | Verb::Put) && (key == SNAPSHOT || key.ends_with("/_current/manifest"))
}

fn watch(lake: &Lake) -> Seen {
    let seen = Seen::default();
    let (watched, into) = (lake.clone(), Arc::clone(&seen));
    lake.store.faults().hook(Box::new(move |call| {
        if publishes(call.verb, &call.key) {
            let table = aloud(|| run(watched.table()));
            into.lock().unwrap_or_else(PoisonError::into_inner).push(table);
        }
    }));
    seen
}

fn all_are_prefixes(lake: &Lake, files: &[File], seen: &Seen) {
    let prefixes: Vec<Table> = (0..=files.len()).map(|count| lake.replay(&files[..count])).collect();
    for table in seen.lock().unwrap_or_else(PoisonError::into_inner).iter() {
        assert!(prefixes.contains(table), "{table:#?}");
    }
}

fn race(mergers: usize, versioned: bool) {
    let (lake, files) = (Lake::new(Setup { versioned, ..Setup::default() }), files());
    lake.put_all(&files);
    let seen = watch(&lake);
    let reports: Vec<_> = thread::scope(|scope| {
        let merge = || scope.spawn(|| run(lake.merge_with(&by_file())));
        let running: Vec<_> = (0..mergers).map(|_| merge()).collect();
        running.into_iter().map(|merge| merge.join().expect("a merge that ends")).collect()
    });
    for report in &reports {
        assert!(matches!(report.outcome, Outcome::Merged | Outcome::UpToDate), "{report:#?}");
    }
    lake.store.faults().unhook();
    let publishes: u64 = reports.iter().map(|report| report.publishes).sum();
    assert_eq!(publishes, files.len() as u64 - 1, "the full load comes with the first changes, then file by file");
    run(async {
        lake.check(&files).await;
        lake.rests().await;
    });
    all_are_prefixes(&lake, &files, &seen);
}

#[test]
fn merges_at_once_lose_nothing() {
    for versioned in [false, true] {
        for mergers in [2, 2, 2, 8] {
            race(mergers, versioned);
        }
    }
}

/// The second merge runs as a whole within the first one's call of this number; `more` turns up just before.
async fn interleave(versioned: bool, call: u64, more: Option<&File>) {
    let (lake, files) = (Lake::new(Setup { versioned, ..Setup::default() }), files());
    lake.put_all(&files[..2]);
    lake.converges(&files[..2]).await;
    lake.put_all(&files[2..4]);
    let number = lake.store.faults().total() + call;
    let (other, more_there) = (lake.clone(), more.cloned());
    lake.store.faults().hook(Box::new(move |call| {
        if call.number == number {
            if let Some(file) = &more_there {
                other.put(file);
            }
            let report = aloud(|| run(other.merge()));
            assert!(matches!(report.outcome, Outcome::Merged | Outcome::UpToDate), "{report:#?}");
        }
    }));
    let report = lake.merge().await;
    lake.store.faults().unhook();
    let what = format!("within call {call}, versioned {versioned}: {report:#?}");
    assert!(matches!(report.outcome, Outcome::Merged | Outcome::UpToDate), "{what}");
    let there = files[..4].iter().chain(more);
    assert_eq!(lake.table().await, lake.replay(there), "{what}");
    lake.rests().await;
}

#[tokio::test]
async fn a_merge_within_any_call_of_another_loses_nothing() {
    let tardy = File::of("20240115-100130000", "id note", &["U 1 late", "I 9 late"]);
    for versioned in [false, true] {
        let (lake, files) = (Lake::new(Setup { versioned, ..Setup::default() }), files());
        lake.put_all(&files[..2]);
        lake.converges(&files[..2]).await;
        lake.put_all(&files[2..4]);
        let before = lake.store.faults().total();
        lake.merge().await;
        for call in 1..=lake.store.faults().total() - before {
            for more in [None, Some(&files[4]), Some(&tardy)] {
                interleave(versioned, call, more).await;
            }
        }
    }
}
