//! Files that turn up after later ones are in: the table is as if they had come in time.

use headgate::Code;
use headgate_columnar::merge::Outcome;

use super::{
    file::{File, Format, Kind},
    lake::{Lake, PREFIX, Setup},
};

/// Merges these files first, then the others all at once, and compares.
async fn check(lake: &Lake, early: &[File], belated: &[File]) -> u64 {
    lake.put_all(early);
    lake.converges(early).await;
    lake.put_all(belated);
    lake.converges(early.iter().chain(belated)).await.late
}

fn parquet() -> Lake {
    Lake::new(Setup::default())
}

#[tokio::test]
async fn a_late_file_changes_what_no_later_file_did() {
    let early = [
        File::of("20240115-100000000", "id note", &["I 1 a", "I 2 a", "I 3 a"]),
        File::of("20240115-100200000", "id note", &["U 2 c", "D 3 -", "I 4 c"]),
    ];
    let belated = [File::of("20240115-100100000", "id note", &["U 1 b", "U 2 b", "U 3 b", "D 4 -", "I 5 b"])];
    assert_eq!(check(&parquet(), &early, &belated).await, 1);
}

#[tokio::test]
async fn a_late_file_forgets_a_column_and_later_rows_keep_it() {
    let early = [
        File::of("20240115-100000000", "id note", &["I 1 old", "I 2 old"]),
        File::of("20240115-100200000", "id note", &["U 2 new"]),
    ];
    let belated = [File::of("20240115-100100000", "id", &["I 3"])];
    check(&parquet(), &early, &belated).await;
}

#[tokio::test]
async fn a_late_value_of_a_column_that_was_away_since_is_forgotten() {
    let early = [
        File::of("20240115-100000000", "id note", &["I 1 old"]),
        File::of("20240115-100200000", "id", &["I 2"]),
        File::of("20240115-100300000", "id note", &["I 3 new"]),
    ];
    let belated = [File::of("20240115-100100000", "id note", &["I 4 late"])];
    check(&parquet(), &early, &belated).await;
}

#[tokio::test]
async fn a_late_truncate_spares_what_came_after_it() {
    let lake = Lake::new(Setup { format: Format::Json, ..Setup::default() });
    let early = [
        File::of("20240115-100000000", "id note", &["I 1 a", "I 2 a"]),
        File::of("20240115-100200000", "id note", &["U 2 c", "I 3 c"]),
    ];
    let belated = [File::of("20240115-100100000", "id note", &["I 4 b", "T - -", "I 5 b"])];
    check(&lake, &early, &belated).await;
}

#[tokio::test]
async fn late_files_around_an_applied_one_with_wider_keys_undo_nothing() {
    let early = [
        File::of("20240115-100000000", "id note", &["I 1 a"]),
        File::of("20240115-100200000", "id note", &["U 1 c"]),
        File::of("20240115-100400000", "id note", &["U 1 e"]),
    ];
    let belated = [
        File::of("20240115-100100000", "id note", &["U 1 b", "I 2 b"]),
        File::of("20240115-100300000", "id note", &["U 1 d", "I 3 d"]).keyed(Kind::Long),
        File::of("20240115-100500000", "id note", &["I 4 f"]).keyed(Kind::Text),
    ];
    check(&parquet(), &early, &belated).await;
}

#[tokio::test]
async fn a_bad_late_file_keeps_a_good_one_before_it_from_undoing_anything() {
    let lake = parquet();
    let early =
        [File::of("20240115-100000000", "id note", &["I 1 a"]), File::of("20240115-100400000", "id note", &["U 1 e"])];
    lake.put_all(&early);
    lake.converges(&early).await;
    let good = File::of("20240115-100100000", "id note", &["U 1 b", "I 2 b"]);
    for bad in [File::of("20240115-100200000", "id note", &["I - c"]), File::of("20240115-100200000", "note", &["I c"])]
    {
        let new = File::of("20240115-100500000", "id note", &["I 5 f"]);
        lake.put_all(&[good.clone(), bad, new]);
        let report = lake.merge().await;
        assert_eq!(report.outcome, Outcome::Stopped);
        assert_eq!(report.stopped_at, Some(format!("{PREFIX}20240115-100200000.parquet")));
        lake.check(early.iter().chain([&good])).await;
    }
    let mended = File::of("20240115-100200000", "id note", &["U 1 c", "I 3 c"]);
    lake.put(&mended);
    let new = File::of("20240115-100500000", "id note", &["I 5 f"]);
    lake.converges(early.iter().chain([&good, &mended, &new])).await;
}

#[tokio::test]
async fn a_late_file_whose_successors_are_gone_is_refused() {
    let lake = parquet();
    let early =
        [File::of("20240115-100000000", "id note", &["I 1 a"]), File::of("20240115-100200000", "id note", &["U 1 c"])];
    lake.put_all(&early);
    lake.converges(&early).await;
    headgate::store::Store::delete(&lake.store, &lake.key(&early[1])).await.expect("a store that answers");
    let key = lake.put(&File::of("20240115-100100000", "id note", &["U 1 b"]));
    let report = lake.merge().await;
    assert_eq!((report.outcome, report.refused, report.vanished), (Outcome::UpToDate, vec![key.clone()], 1));
    lake.check(&early).await;
    let options = headgate_columnar::merge::Options { include: vec![key], ..Default::default() };
    let report = lake.merge_with(&options).await;
    assert_eq!(report.error.map(|error| error.code), Some(Code::FilesGone));
    lake.check(&early).await;
}

#[tokio::test]
async fn a_file_of_the_newest_name_in_another_folder_is_the_newest() {
    let early = [File::of("2024/01/15/20240115-235959000", "id note", &["I 1 a"])];
    let belated = [File::of("2024/01/16/20240115-235959000", "id note more", &["U 1 b x", "I 2 b y"])];
    assert_eq!(check(&parquet(), &early, &belated).await, 0);
}

#[tokio::test]
async fn a_key_that_becomes_text_leaves_the_order_of_numbers() {
    let lake = parquet();
    let mut files = vec![File::of("20240115-100000000", "id note", &["I 9 a", "I 10 a", "I 100 a"])];
    lake.put_all(&files);
    lake.converges(&files).await;
    assert!(lake.is_sorted().await);
    for (at, keyed) in [(1, "U 10 b"), (2, "I 1000 c"), (3, "D 9 -"), (4, "I 11 e")] {
        files.push(File::of(&format!("20240115-100{at}00000"), "id note", &[keyed]).keyed(Kind::Text));
        lake.put_all(&files);
        lake.converges(&files).await;
        assert!(!lake.is_sorted().await, "as text 10 comes before 9");
    }
}
