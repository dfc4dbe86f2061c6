//! A full load that was repeated, a table that was emptied, and what the files' names and times say of it.

use headgate::{Code, clock::Timestamp, store::Store};
use headgate_columnar::merge::Outcome;

use super::{
    file::{File, Format},
    lake::{Lake, PREFIX, Setup, at},
};

const DAY: &str = "20240115-";

fn load(number: u32, lines: &[&str]) -> File {
    File::of(&format!("LOAD{number:08X}"), "id note", lines)
}

/// Changes written at a time such as `1015`.
fn change(time: &str, line: &str) -> File {
    File::of(&format!("{DAY}{time}00000"), "id note", &[line])
}

fn with(source: &str) -> Lake {
    Lake::new(Setup { source: source.to_owned(), ..Setup::default() })
}

impl Lake {
    fn put_then(&self, file: &File, time: &str) {
        self.put_at(file, at(&format!("{DAY}{time}00000")));
    }

    async fn remove(&self, file: &File) {
        self.store.delete(&self.key(file)).await.expect("an answer");
    }
}

#[tokio::test]
async fn a_repeated_load_begins_anew_and_old_changes_stay_out() {
    let lake = with("");
    let old = [load(1, &["I 1 a", "I 2 a"]), load(2, &["I 3 a"]), change("1010", "U 1 b"), change("1020", "D 3 -")];
    lake.put_all(&old);
    assert_eq!(lake.converges(&old).await.generation, 1);
    let new = [load(1, &["I 1 x", "I 3 x"]), load(2, &["I 4 x"])];
    lake.put_then(&new[0], "1100");
    lake.put_then(&new[1], "1101");
    let report = lake.converges(&new).await;
    assert_eq!((report.generation, report.outdated), (2, 2));
    let next = change("1110", "U 4 y");
    lake.put(&next);
    lake.converges(new.iter().chain([&next])).await;
    // A file of the old generation that turns up late stays out as well.
    lake.put(&change("1015", "U 1 no"));
    lake.rests().await;
}

#[tokio::test]
async fn a_shorter_load_leaves_the_surplus_out() {
    let lake = with("");
    let old = [load(1, &["I 1 a"]), load(2, &["I 2 a"]), load(3, &["I 3 a"]), change("1010", "U 1 b")];
    lake.put_all(&old);
    lake.converges(&old).await;
    let new = load(1, &["I 1 x"]);
    lake.put_then(&new, "1100");
    lake.converges([&new]).await;
    let next = change("1110", "I 2 y");
    lake.put(&next);
    lake.converges([&new, &next]).await;
}

#[tokio::test]
async fn a_load_seen_midway_is_completed() {
    for changes_between in [false, true] {
        let lake = with("");
        let old = [load(1, &["I 1 a"]), load(2, &["I 2 a"]), change("1010", "U 1 b")];
        lake.put_all(&old);
        lake.converges(&old).await;
        let new = [load(1, &["I 1 x"]), load(2, &["I 2 x", "I 3 x"])];
        lake.put_then(&new[0], "1100");
        lake.converges(&new[..1]).await;
        lake.put_then(&new[1], "1101");
        let next = change("1110", "U 3 y");
        if changes_between {
            lake.put(&next);
            lake.converges(new.iter().chain([&next])).await;
        } else {
            lake.converges(&new).await;
        }
    }
}

#[tokio::test]
async fn a_first_merge_that_meets_two_generations_takes_the_newer() {
    let lake = with("");
    lake.put(&change("1010", "I 9 old"));
    let new = [load(1, &["I 1 x"]), change("1110", "U 1 y")];
    lake.put_then(&new[0], "1100");
    lake.put(&new[1]);
    lake.put_at(&load(2, &["I 2 surplus"]), at("20240115-090000000"));
    lake.converges(&new).await;
}

#[tokio::test]
async fn copied_files_ask_for_a_cutoff() {
    let lake = with("");
    let files = [load(1, &["I 1 a"]), change("1010", "U 1 b"), change("1210", "U 1 c")];
    for (file, time) in files.iter().zip(["1902", "1900", "1901"]) {
        lake.put_then(file, time);
    }
    let report = lake.merge().await;
    let error = report.error.expect("an error");
    assert_eq!((report.outcome, error.code), (Outcome::Stopped, Code::AmbiguousReload));
    assert!(error.message.contains("source.reload_cutoff"), "{error}");
    assert_eq!(lake.visible().await, None);
    // The same files, told when the newest load was.
    let told = with(r#""reload_cutoff": "2024-01-15T11:00:00Z""#);
    for (file, time) in files.iter().zip(["1902", "1900", "1901"]) {
        told.put_then(file, time);
    }
    told.converges([&files[0], &files[2]]).await;
}

/// A lake of CSV files whose rows tell their time, stored in any order long after: a copy of a bucket.
async fn copied(files: &[(&str, &str)]) -> Lake {
    let source = r#""timestamp_column": "ts""#.to_owned();
    let lake = Lake::new(Setup { format: Format::Csv, source, ..Setup::default() });
    for (at, (name, text)) in files.iter().enumerate() {
        let stored = Timestamp(at_noon().0 - i64::try_from(at).expect("a few") * 1000);
        lake.store.put_at(&format!("{PREFIX}{name}.csv"), (*text).to_owned(), stored);
    }
    assert_eq!(lake.merge().await.error, None);
    lake.rests().await;
    lake
}

fn at_noon() -> Timestamp {
    at("20240220-120000000")
}

#[tokio::test]
async fn the_rows_own_times_tell_a_repeated_load_in_a_copy() {
    let change = ("20240115-101000000", "Op,ts,id,note\nU,2024-01-15 10:10:00.000000,1,change\n");
    let load = |day: &str| format!("ts,id,note\n{day} 11:00:00.000000,1,load\n{day} 11:00:01.000000,2,load\n");
    for (day, note) in [("2024-01-14", "change"), ("2024-01-15", "load")] {
        let load = load(day);
        for files in [[change, ("LOAD00000001", &load)], [("LOAD00000001", &load), change]] {
            let lake = copied(&files).await;
            let rows = lake.table().await.rows;
            let notes: Vec<_> = rows.values().map(|row| row[1].as_deref().expect("a note")).collect();
            assert_eq!(notes, [note, "load"], "{day}");
        }
    }
}

#[tokio::test]
async fn a_load_that_turns_up_after_its_changes_comes_first() {
    let lake = with("");
    let files = [load(1, &["I 1 a", "I 2 a"]), load(2, &["I 3 a"]), change("1010", "U 1 b"), change("1020", "D 3 -")];
    for order in [[2, 0, 3, 1], [3, 2, 1, 0], [0, 3, 1, 2]] {
        let mut there: Vec<&File> = Vec::new();
        for file in order.map(|at| &files[at]) {
            lake.put(file);
            there.push(file);
            lake.converges(there.iter().copied()).await;
        }
        for file in &files {
            lake.remove(file).await;
        }
        for key in ["curated/orders/snapshot.parquet"] {
            lake.store.delete(key).await.expect("an answer");
        }
    }
}

#[tokio::test]
async fn load_names_count_in_hexadecimal_and_folders_do_not_order() {
    let lake = with("");
    let files = [
        load(9, &["I 1 nine", "I 2 nine"]),
        load(10, &["I 1 ten"]),
        load(16, &["I 1 sixteen", "I 3 sixteen"]),
        // Committed before midnight, written after it, and the other way round.
        File::of("2024/01/16/20240115-235959000", "id note", &["U 2 before", "U 3 before"]),
        File::of("2024/01/15/20240116-000001000", "id note", &["U 3 after"]),
    ];
    lake.put_all(&files);
    lake.converges(&files).await;
}

#[tokio::test]
async fn vanished_files_leave_the_snapshot_or_empty_the_table() {
    for (source, follow) in [("", false), (r#""on_truncate": "follow""#, true)] {
        let lake = with(source);
        let files = [load(1, &["I 1 a"]), change("1010", "U 1 b"), change("1020", "I 2 c")];
        lake.put_all(&files);
        lake.converges(&files).await;
        lake.remove(&files[0]).await;
        lake.remove(&files[1]).await;
        // Some remain: they expired.
        lake.rests().await;
        lake.check(&files).await;
        lake.remove(&files[2]).await;
        let report = lake.merge().await;
        let table = lake.table().await;
        assert_eq!(table.columns, ["id", "note"]);
        let next = change("1030", "I 3 d");
        lake.put(&next);
        if follow {
            assert_eq!((report.outcome, report.generation, table.rows.len()), (Outcome::Merged, 2, 0));
            lake.converges([&next]).await;
        } else {
            assert_eq!((report.outcome, report.vanished, table.rows.len()), (Outcome::UpToDate, 2, 2));
            lake.converges(files.iter().chain([&next])).await;
        }
    }
}

#[tokio::test]
async fn a_table_emptied_row_by_row_fills_again() {
    let lake = with("");
    let mut files = vec![load(1, &["I 1 a", "I 2 a"])];
    for next in [change("1010", "D 1 -"), change("1020", "D 2 -"), change("1030", "I 2 b"), change("1040", "I 1 c")] {
        files.push(next);
        lake.put_all(&files);
        lake.converges(&files).await;
    }
}

#[tokio::test]
async fn a_file_set_aside_stays_aside_in_the_next_generation() {
    let lake = with("");
    let files = [load(1, &["I 1 a"]), change("1010", "U 1 b")];
    lake.put_all(&files);
    let bad = lake.key(&change("1005", "I 9 bad"));
    lake.store.put_at(&bad, "bad", at("20240115-100500000"));
    let options = headgate_columnar::merge::Options { quarantine: vec![bad], ..Default::default() };
    assert_eq!(lake.merge_with(&options).await.error, None);
    lake.check(&files).await;
    let new = load(1, &["I 1 x", "I 2 x"]);
    lake.put_then(&new, "1100");
    lake.converges([&new]).await;
    let next = change("1110", "U 2 y");
    lake.put(&next);
    lake.converges([&new, &next]).await;
}

#[tokio::test]
async fn a_repeated_load_is_one_even_where_the_old_changes_are_gone() {
    let lake = with("");
    let old = [load(1, &["I 1 a", "I 2 a"]), change("1000", "U 1 b")];
    lake.put_all(&old);
    lake.converges(&old).await;
    lake.remove(&old[1]).await;
    let new = [load(1, &["I 1 x"]), change("1200", "I 3 y")];
    lake.put_then(&new[0], "1100");
    lake.put(&new[1]);
    assert_eq!(lake.converges(&new).await.generation, 2);
}

#[tokio::test]
async fn a_repeated_load_of_unknown_time_asks_which_waiting_changes_are_older() {
    let old = [load(1, &["I 1 a"]), change("0900", "U 1 b")];
    let new = [load(1, &["I 1 x", "I 2 x"]), change("1000", "U 1 old"), change("1200", "U 2 y")];
    let meet = async |source: &str| {
        let lake = with(source);
        lake.put_all(&old);
        assert_eq!(lake.merge().await.error, None);
        // Stored long after their names: the store's times tell nothing.
        for file in &new {
            lake.put_then(file, "1900");
        }
        lake
    };
    let lake = meet("").await;
    let before = lake.visible().await;
    assert_eq!(lake.merge().await.error.map(|error| error.code), Some(Code::AmbiguousReload));
    assert!(lake.visible().await == before);
    let told = meet(r#""reload_cutoff": "2024-01-15T11:00:00Z""#).await;
    told.converges([&new[0], &new[2]]).await;
}
