//! Bad files: what precedes is published, nothing is applied over the gap, and the merge goes on once it is closed.

use bytes::Bytes;
use headgate::{Class, Code, store::Store};
use headgate_columnar::{
    merge::{MergeReport, Options, Outcome},
    sample::{Column, Values, parquet},
};

use super::{
    file::{File, Format, Kind},
    lake::{Lake, PREFIX, Setup, at},
};

const BAD: &str = "20240115-100200000";

fn files() -> [File; 5] {
    let bin = |file: File| -> File {
        let mut file = file;
        file.columns[2].1 = Kind::Binary;
        file
    };
    [
        bin(File::of("LOAD00000001", "id note raw", &["I 1 load 00", "I 2 load 01"])),
        bin(File::of("20240115-100100000", "id note raw", &["U 1 b ff", "I 3 b -"])),
        bin(File::of(BAD, "id note raw", &["U 1 c 07", "D 2 - -", "I 4 c -"])),
        bin(File::of("20240115-100300000", "id note raw more", &["U 1 d 08 x", "I 2 d - y"])),
        bin(File::of("20240115-100400000", "id note raw more", &["U 4 e 09 z"])),
    ]
}

fn change(columns: &[Column]) -> Bytes {
    parquet(columns).expect("columns of one length")
}

fn op(op: &str) -> Column {
    Column::added("Op", [op.to_owned()])
}

fn id(id: Option<i32>) -> Column {
    Column::optional("id", Values::Int32(vec![id]))
}

fn text(name: &str) -> Column {
    Column::optional(name, Values::Text(vec![Some("x".to_owned())]))
}

fn raw() -> Column {
    Column::optional("raw", Values::Binary(vec![Some(vec![1])]))
}

/// What is bad, by which code, and the column to blame.
fn bad() -> Vec<(&'static str, Bytes, Code, Option<&'static str>)> {
    let whole = files()[2].bytes(Format::Parquet, &["id".to_owned()], false);
    let number = Column::optional("raw", Values::Int32(vec![Some(1)]));
    vec![
        ("truncated", whole.slice(..whole.len() - 9), Code::UnreadableFile, None),
        ("cut in the middle", whole.slice(..whole.len() / 2), Code::UnreadableFile, None),
        ("text", Bytes::from_static(b"Op,id,note\nI,1,x\n"), Code::UnreadableFile, None),
        ("empty", Bytes::new(), Code::UnreadableFile, None),
        ("unknown operation", change(&[op("X"), id(Some(1)), text("note"), raw()]), Code::UnknownOp, None),
        ("no key column", change(&[op("I"), text("note"), raw()]), Code::MissingKeyColumn, Some("id")),
        ("NULL key", change(&[op("I"), id(None), text("note"), raw()]), Code::NullKey, Some("id")),
        (
            "binary to number",
            change(&[op("I"), id(Some(9)), text("note"), number]),
            Code::IncompatibleType,
            Some("raw"),
        ),
    ]
}

fn stopped(report: &MergeReport, key: &str, code: Code, column: Option<&str>, what: &str) {
    let error = report.error.as_ref().expect(what);
    assert_eq!((report.outcome, error.class, error.code), (Outcome::Stopped, Class::Poison, code), "{what}: {error}");
    assert_eq!((report.stopped_at.as_deref(), report.column.as_deref()), (Some(key), column), "{what}: {error}");
    assert!(error.message.contains(key) && column.is_none_or(|column| error.message.contains(column)), "{error}");
}

#[tokio::test]
async fn a_merge_stops_before_a_bad_file_and_goes_on_once_it_is_replaced() {
    for versioned in [false, true] {
        for (what, bytes, code, column) in bad() {
            let (lake, files) = (Lake::new(Setup { versioned, ..Setup::default() }), files());
            lake.put_all(&files);
            let key = lake.key(&files[2]);
            lake.store.put_at(&key, bytes, at(BAD));
            stopped(&lake.merge().await, &key, code, column, what);
            lake.check(&files[..2]).await;
            // Again: the same answer, and nothing new is written.
            let before = lake.visible().await;
            stopped(&lake.merge().await, &key, code, column, what);
            assert!(before == lake.visible().await, "{what}");
            lake.put(&files[2]);
            lake.converges(&files).await;
        }
    }
}

#[tokio::test]
async fn a_bad_file_that_comes_first_leaves_no_snapshot() {
    for (what, bytes, code, column) in bad().into_iter().filter(|(what, ..)| *what != "binary to number") {
        let (lake, files) = (Lake::new(Setup::default()), files());
        let changes = &files[2..];
        lake.put_all(changes);
        let key = lake.key(&changes[0]);
        lake.store.put_at(&key, bytes, at(BAD));
        stopped(&lake.merge().await, &key, code, column, what);
        assert_eq!(lake.visible().await, None, "{what}");
        lake.put(&changes[0]);
        lake.converges(changes).await;
    }
}

#[tokio::test]
async fn a_bad_file_set_aside_is_kept_and_the_merge_goes_on() {
    for versioned in [false, true] {
        for (what, bytes, code, column) in bad() {
            let (lake, files) = (Lake::new(Setup { versioned, ..Setup::default() }), files());
            lake.put_all(&files);
            let key = lake.key(&files[2]);
            lake.store.put_at(&key, bytes.clone(), at(BAD));
            stopped(&lake.merge().await, &key, code, column, what);
            let options = Options { quarantine: vec![key.clone()], ..Options::default() };
            let report = lake.merge_with(&options).await;
            assert_eq!((report.outcome, &report.error), (Outcome::Merged, &None), "{what}");
            assert_eq!(report.quarantined, [key.as_str()], "{what}");
            let others: Vec<&File> = files.iter().filter(|file| file.name != BAD).collect();
            lake.check(others.iter().copied()).await;
            assert_eq!(lake.store.head(&key).await.expect("an answer"), None, "{what}");
            let kept = lake.store.get(&format!("quarantine/orders/{BAD}.parquet")).await.expect("an answer");
            assert_eq!(kept.map(|(_, body)| body), Some(bytes.clone()), "{what}");
            lake.rests().await;
            // The same command again is done already; the same bytes again are known.
            let again = lake.merge_with(&options).await;
            assert_eq!((again.outcome, again.error), (Outcome::UpToDate, None), "{what}");
            lake.store.put_at(&key, bytes, at(BAD));
            lake.rests().await;
            // Other bytes under that name are a new file, and a late one.
            lake.put(&files[2]);
            lake.converges(&files).await;
        }
    }
}

#[tokio::test]
async fn a_bad_full_load_stops_before_it() {
    let load = |number: u8, line: &str| File::of(&format!("LOAD0000000{number}"), "id note", &[line]);
    for (what, bytes, code, column) in [
        ("text", Bytes::from_static(b"no"), Code::UnreadableFile, None),
        ("empty", Bytes::new(), Code::UnreadableFile, None),
        ("no key column", change(&[text("note")]), Code::MissingKeyColumn, Some("id")),
        ("NULL key", change(&[id(None), text("note")]), Code::NullKey, Some("id")),
    ] {
        for place in 1..=3 {
            let lake = Lake::new(Setup::default());
            let files = [load(1, "I 1 a"), load(2, "I 2 a"), load(3, "I 3 a"), File::of(BAD, "id note", &["U 1 c"])];
            lake.put_all(&files);
            let key = lake.key(&files[place - 1]);
            lake.store.put_at(&key, bytes.clone(), at("20240101-000000000"));
            stopped(&lake.merge().await, &key, code, column, what);
            lake.check(&files[..place - 1]).await;
            let report = lake.merge().await;
            stopped(&report, &key, code, column, what);
            lake.put(&files[place - 1]);
            lake.converges(&files).await;
        }
    }
}

#[tokio::test]
async fn bad_lines_of_text_formats_stop_a_merge() {
    let bad: [(Format, &str, &str, Code, Option<&str>); 6] = [
        (Format::Csv, "one field too few", "Op,id,note\nI,4,x\nI,5\n", Code::UnreadableFile, None),
        (Format::Csv, "one field too many", "Op,id,note\nI,5,a,b\n", Code::UnreadableFile, None),
        (Format::Csv, "unknown operation", "Op,id,note\nX,5,a\n", Code::UnknownOp, None),
        (Format::Csv, "NULL key", "Op,id,note\nI,NULL,a\n", Code::NullKey, Some("id")),
        (Format::Json, "half a line", "{\"op\":\"c\",\"after\":{\"id\":5", Code::UnreadableFile, None),
        (Format::Json, "unknown operation", "{\"op\":\"x\",\"after\":{\"id\":5}}\n", Code::UnknownOp, None),
    ];
    for (format, what, text, code, column) in bad {
        let lake = Lake::new(Setup { format, ..Setup::default() });
        let files = [
            File::of("LOAD00000001", "id note", &["I 1 a"]),
            File::of(BAD, "id note", &["U 1 b"]),
            File::of("20240115-100300000", "id note", &["U 1 c"]),
        ];
        lake.put_all(&files);
        let key = lake.key(&files[1]);
        lake.store.put_at(&key, text.to_owned(), at(BAD));
        let report = lake.merge().await;
        stopped(&report, &key, code, column, what);
        lake.check(&files[..1]).await;
        lake.put(&files[1]);
        lake.converges(&files).await;
    }
}

#[tokio::test]
async fn what_cannot_be_set_aside_is_said() {
    let lake = Lake::new(Setup::default());
    for key in ["elsewhere/20240115-100000000.parquet".to_owned(), format!("{PREFIX}20240115-100000000.parquet")] {
        let report = lake.merge_with(&Options { quarantine: vec![key.clone()], ..Options::default() }).await;
        let error = report.error.expect("an error");
        assert_eq!((error.class, error.code), (Class::Misconfigured, Code::InvalidConfig));
        assert!(error.message.contains(&key), "{error}");
    }
}

#[tokio::test]
async fn a_full_load_file_set_aside_leaves_the_others() {
    for place in 0..3 {
        let lake = Lake::new(Setup::default());
        let load = |number: u8, line: &str| File::of(&format!("LOAD0000000{number}"), "id note", &[line]);
        let files = [load(1, "I 1 a"), load(2, "I 2 a"), load(3, "I 3 a"), File::of(BAD, "id note", &["U 1 c"])];
        lake.put_all(&files);
        let key = lake.key(&files[place]);
        lake.store.put_at(&key, Bytes::from_static(b"no"), at("20240101-000000000"));
        let report = lake.merge_with(&Options { quarantine: vec![key], ..Options::default() }).await;
        assert_eq!((report.outcome, report.error), (Outcome::Merged, None));
        let rest = || files.iter().enumerate().filter(|(at, _)| *at != place).map(|(_, file)| file);
        lake.check(rest()).await;
        lake.rests().await;
        // A part of the load after all, in its place before the changes.
        lake.put(&files[place]);
        lake.converges(&files).await;
    }
}

#[tokio::test]
async fn a_bad_files_columns_leave_no_trace() {
    let good = [File::of("LOAD00000001", "id note", &["I 1 a"]), File::of("20240115-100100000", "id note", &["I 2 b"])];
    let bad = File::of(BAD, "id extra", &["I 3 c", "I - c"]);
    let next = File::of("20240115-100300000", "id note", &["U 2 d"]);
    // All at once, or the bad one over a snapshot that is there.
    for before in 0..=2 {
        let lake = Lake::new(Setup::default());
        lake.put_all(&good[..before]);
        lake.merge().await;
        lake.put_all(&good);
        let key = lake.put(&bad);
        lake.put(&next);
        stopped(&lake.merge().await, &key, Code::NullKey, Some("id"), "NULL key");
        lake.check(&good).await;
        let report = lake.merge_with(&Options { quarantine: vec![key], ..Options::default() }).await;
        assert_eq!((report.outcome, report.error), (Outcome::Merged, None));
        lake.check(good.iter().chain([&next])).await;
    }
}

#[tokio::test]
async fn no_time_at_all_is_said_and_changes_nothing() {
    let lake = Lake::new(Setup::default());
    lake.put_all(&files());
    let report = lake.merge_with(&Options { time_left: Some(std::time::Duration::ZERO), ..Options::default() }).await;
    let error = report.error.expect("an error");
    assert_eq!((report.outcome, error.class, error.code), (Outcome::Stopped, Class::Retry, Code::Deadline));
    assert_eq!(lake.visible().await, None);
    lake.converges(&files()).await;
}
