//! A table that has had many thousand files: a merge of one more looks at few of them, and misses none.

use std::time::Duration;

use headgate::clock::Timestamp;
use headgate_columnar::merge::{Options, Outcome};

use super::{
    file::{File, Format},
    lake::{Lake, Setup},
};

/// Files that are long settled when the checks begin: a fortnight of a file a minute, and a little more.
const FILES: i64 = 21_000;
const BATCH: i64 = 7_000;
/// The most list requests that one merge may make.
const REQUESTS: u64 = 10;
const MINUTE: i64 = 60_000;
/// 2024-01-15T00:00:00Z
const START: i64 = 1_705_276_800_000;

/// Minutes since the start → a date folder and a name.
fn name(minutes: i64, milliseconds: i64) -> String {
    let (day, minute) = (15 + minutes / 1440, minutes % 1440);
    let (month, day) = if day > 31 { (2, day - 31) } else { (1, day) };
    let time = format!("{:02}{:02}{:02}{:03}", minute / 60, minute % 60, 0, milliseconds);
    format!("2024/{month:02}/{day:02}/2024{month:02}{day:02}-{time}")
}

fn change(minutes: i64, milliseconds: i64, lines: &[&str]) -> File {
    File::of(&name(minutes, milliseconds), "id note", lines)
}

/// A lake whose files all say the same, so that they cost little, merged in a few steps.
async fn aged() -> (Lake, Vec<File>) {
    let lake =
        Lake::new(Setup { format: Format::Csv, source: r#""lateness_hours": 1"#.to_owned(), ..Setup::default() });
    let load = File::of("LOAD00000001", "id note", &["I 1 load", "I 2 load", "I 3 load"]);
    lake.put(&load);
    let mut files = vec![load];
    let body = change(0, 0, &["U 1 same"]).bytes(Format::Csv, &lake.setup.keys, false);
    for minute in 0..FILES {
        let file = change(minute, 0, &["U 1 same"]);
        lake.store.put_at(&lake.key(&file), body.clone(), Timestamp(START + minute * MINUTE));
        files.push(file);
        if (minute + 1) % BATCH == 0 {
            let report = lake.merge().await;
            assert_eq!((report.outcome, report.error), (Outcome::Merged, None));
        }
    }
    lake.check(&files).await;
    (lake, files)
}

async fn refused(lake: &Lake, options: &Options) -> Vec<String> {
    let before = lake.visible().await;
    let report = lake.merge_with(options).await;
    assert_eq!((report.outcome, report.error), (Outcome::UpToDate, None));
    assert!(report.list_requests <= REQUESTS, "{} list requests", report.list_requests);
    assert!(before == lake.visible().await);
    report.refused
}

#[tokio::test]
async fn one_more_file_costs_few_requests_and_a_late_one_is_never_overlooked() {
    let (lake, mut files) = aged().await;
    files.push(change(FILES, 0, &["U 2 new"]));
    lake.put_all(&files[files.len() - 1..]);
    let report = lake.merge().await;
    assert_eq!((report.outcome, report.files), (Outcome::Merged, 1));
    assert!(report.list_requests <= REQUESTS, "{} list requests", report.list_requests);
    lake.check(&files).await;

    // Within the horizon: applied by itself.
    files.push(change(FILES - 30, 500, &["U 1 superseded", "U 3 late"]));
    lake.put_all(&files[files.len() - 1..]);
    let report = lake.merge().await;
    assert_eq!((report.outcome, report.files, report.late), (Outcome::Merged, 1, 1));
    lake.check(&files).await;

    // Behind it: refused, at once where an event names it, else within as many merges as there are stretches.
    let behind = change(5_000, 500, &["U 1 superseded", "I 4 behind", "D 2 -"]);
    let key = lake.put(&behind);
    let poked = Options { poked: vec![key.clone()], ..Options::default() };
    assert_eq!(refused(&lake, &poked).await, [key.as_str()]);
    let mut merges = 0;
    while refused(&lake, &Options::default()).await.is_empty() {
        lake.clock.advance(Duration::from_mins(1));
        merges += 1;
        assert!(merges <= FILES / 900 + 1, "it was overlooked");
    }

    // Asked for: in its place, and no stranger any more.
    let include = Options { include: vec![key], ..Options::default() };
    let report = lake.merge_with(&include).await;
    assert_eq!((report.outcome, report.files, report.late, report.error), (Outcome::Merged, 1, 1, None));
    files.push(behind);
    lake.check(&files).await;
    let report = lake.merge_with(&include).await;
    assert_eq!((report.outcome, report.files, report.error), (Outcome::UpToDate, 0, None), "it is in already");
    assert_eq!(refused(&lake, &poked).await, Vec::<String>::new());
}

#[tokio::test]
async fn files_whose_folders_are_laid_out_anew_are_found() {
    let lake = Lake::new(Setup { source: r#""lateness_hours": 1"#.to_owned(), ..Setup::default() });
    let flat = |hour: u8| File::of(&format!("20240115-{hour:02}0000000"), "id note", &[&format!("I {hour} flat")]);
    let mut files: Vec<File> = (1..=6).map(flat).collect();
    lake.put_all(&files);
    lake.converges(&files).await;
    for folder in ["2024/01/15", "2024-01-15", "15/01/2024"] {
        let hour = 7 + u8::try_from(files.len()).expect("a few") - 6;
        files.push(File::of(&format!("{folder}/20240115-{hour:02}0000000"), "id note", &[&format!("I {hour} dated")]));
        lake.put_all(&files[files.len() - 1..]);
        lake.converges(&files).await;
    }
}

#[tokio::test]
async fn folders_within_folders_are_found() {
    // From days to hours, and from months to days on the first of a month, when the horizon is in that folder.
    for (outer, day, inner) in [("2024/01/15", "20240115", ["12", "13"]), ("2024/01", "20240101", ["01", "01/13"])] {
        let lake = Lake::new(Setup { source: r#""lateness_hours": 1"#.to_owned(), ..Setup::default() });
        let file = |folder: &str, minutes: u16, id: u16| {
            let name = format!("{folder}/{day}-{:02}{:02}00000", minutes / 60, minutes % 60);
            File::of(&name, "id note", &[&format!("I {id} {folder}")])
        };
        let mut files: Vec<File> = (1..=12).map(|hour| file(outer, hour * 60, hour)).collect();
        lake.put_all(&files);
        lake.converges(&files).await;
        for (number, folder) in (0..).zip(inner) {
            files.push(file(&format!("{outer}/{folder}"), 12 * 60 + 45 + number * 30, 100 + number));
            lake.put_all(&files[files.len() - 1..]);
            lake.converges(&files).await;
        }
    }
}

#[tokio::test]
async fn a_file_that_a_rebuild_applied_is_not_refused_as_well() {
    let (lake, mut files) = aged().await;
    files.push(change(5_000, 500, &["I 4 behind"]));
    lake.put_all(&files[files.len() - 1..]);
    files.push(File::of("LOAD00000002", "id note", &["I 9 load"]));
    lake.put_all(&files[files.len() - 1..]);
    let poked = Options { poked: vec![lake.key(&files[files.len() - 2])], ..Options::default() };
    let report = lake.merge_with(&poked).await;
    assert_eq!((report.outcome, report.refused, report.error), (Outcome::Merged, Vec::<String>::new(), None));
    lake.check(&files).await;

    // The next one behind the horizon is told as ever.
    let behind = change(5_001, 500, &["I 5 behind"]);
    let key = lake.put(&behind);
    assert_eq!(refused(&lake, &Options { poked: vec![key.clone()], ..Options::default() }).await, [key.as_str()]);
}

#[tokio::test]
async fn every_look_at_a_settled_stretch_is_cheap() {
    let lake =
        Lake::new(Setup { format: Format::Csv, source: r#""lateness_hours": 72"#.to_owned(), ..Setup::default() });
    let load = File::of("LOAD00000001", "id note", &["I 1 load"]);
    lake.put(&load);
    let body = change(0, 0, &["U 1 same"]).bytes(Format::Csv, &lake.setup.keys, false);
    for minute in 0..3 * BATCH {
        lake.store.put_at(&lake.key(&change(minute, 0, &[])), body.clone(), Timestamp(START + minute * MINUTE));
        if (minute + 1) % BATCH == 0 {
            let report = lake.merge().await;
            assert_eq!((report.outcome, report.error), (Outcome::Merged, None));
        }
    }
    for _ in 0..60 {
        assert_eq!(refused(&lake, &Options::default()).await, Vec::<String>::new());
        lake.clock.advance(Duration::from_mins(1));
    }
}
