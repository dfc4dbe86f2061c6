//! The demo's promises: what its files hold, that each arrives, and that its check can fail.

use std::collections::{BTreeMap, BTreeSet};

use headgate_columnar::rows::{self, Rows};

use super::{
    orders::{self, File, Op, Size},
    place::Place,
    replay, rounds,
};
use crate::Failure;

const SMALL: Size = Size { loaded: 2_000, change_files: 30 };

#[test]
fn the_files_have_what_the_demo_promises() {
    let files = orders::files(SMALL);
    assert_eq!(files.len(), 32);
    assert_eq!(files[0].key, "cdc/production/orders/LOAD00000001.parquet");
    assert_eq!(files[2].key, "cdc/production/orders/2026/11/22/20261122-101500123.parquet");
    assert!(files[2..].is_sorted_by_key(|file| &file.key));
    let columns = |file: &File| rows::read(file.parquet().unwrap(), Some(0)).unwrap().columns;
    assert_eq!(columns(&files[0]), ["dms_ts", "id", "customer", "status", "amount", "placed", "note"]);
    assert_eq!(columns(&files[2])[..3], ["Op", "dms_ts", "id"]);
    assert!(
        !columns(&files[16]).contains(&"channel".to_owned()) && columns(&files[17]).contains(&"channel".to_owned())
    );

    let changes: Vec<_> = files[2..].iter().flat_map(|file| &file.changes).collect();
    let mut seen = BTreeMap::<i64, Vec<Op>>::new();
    for change in &changes {
        seen.entry(change.id).or_default().push(change.op);
    }
    assert!(seen.values().any(|ops| ops.windows(2).any(|two| two == [Op::Delete, Op::Insert])), "re-inserts");
    let moments: BTreeSet<_> = changes.iter().map(|change| change.committed).collect();
    assert!(moments.len() * 10 < changes.len(), "commit times tie");
    assert_eq!(orders::files(SMALL)[31].parquet(), files[31].parquet(), "the same on every run");
}

#[test]
fn every_file_arrives_once_and_is_told_of_or_found() {
    let files = orders::files(Size { loaded: 2, ..SMALL });
    let rounds = rounds::of(&files);
    let arrived: Vec<_> = rounds.iter().flat_map(|round| round.arrive.clone()).collect();
    assert_eq!(arrived, (0..files.len()).collect::<Vec<_>>());
    let events: String = rounds.iter().flat_map(|round| &round.events).map(ToString::to_string).collect();
    assert!(files.iter().all(|file| events.contains(&file.key)));
}

/// A snapshot that is right, changed by `change`: what the check says of it.
fn check(change: impl FnOnce(&mut Rows)) -> Result<usize, String> {
    let files = orders::files(Size { loaded: 200, change_files: 2 });
    let mut snapshot = replay::rows(&files);
    change(&mut snapshot);
    replay::compare(&snapshot, &files).map_err(|failure| failure.to_string())
}

#[test]
fn the_check_sees_every_difference() {
    let rows = check(|_| {}).unwrap();
    assert_eq!(check(|snapshot| snapshot.rows.reverse()), Ok(rows), "order is no matter");
    let differs = |change: fn(&mut Rows)| check(change).unwrap_err();
    assert!(differs(|snapshot| drop(snapshot.rows.pop())).contains("in 1 rows\n  missing: "));
    assert!(differs(|snapshot| snapshot.rows.push(snapshot.rows[0].clone())).contains("not in the replay, or twice: "));
    assert!(differs(|snapshot| snapshot.rows[3][2] = None).contains("differs: "));
    assert!(differs(|snapshot| snapshot.columns.reverse()).contains("columns are"));
}

#[test]
fn only_a_demos_own_folder_is_emptied() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("demo");
    Place::make(&root).unwrap();
    Place::make(&root).unwrap().remove().unwrap();
    assert!(!root.exists());
    std::fs::write(dir.path().join("precious"), "").unwrap();
    assert!(matches!(Place::make(dir.path()), Err(Failure::Usage(_))));
    assert!(dir.path().join("precious").exists());
}
