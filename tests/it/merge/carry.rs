//! A table of several row groups: what no change touches is carried as it is, and stays right however often.

use headgate_columnar::rows;

use super::{
    file::{File, Kind, Row},
    lake::{Lake, Setup},
};

/// Keys of the full load: every fourth number, so that there is room between them.
const ROWS: i64 = 20_000;
const STEP: i64 = 4;
/// Long enough that a row group aims at a few thousand rows.
const LENGTH: usize = 3_000;

/// A deterministic sequence of numbers.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: i64) -> i64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) % bound.unsigned_abs()).cast_signed()
    }
}

/// A file whose rows are these operations on keys. `part` is the same for a thousand of them.
fn file(round: usize, columns: &[&str], changes: impl IntoIterator<Item = (char, i64)>) -> File {
    let name = if round == 0 { "LOAD00000001".to_owned() } else { format!("20240115-10{round:02}00000") };
    let kind = |name: &str| if name == "id" { Kind::Long } else { Kind::Text };
    let value = |name: &str, id: i64| match name {
        "id" => Some(id.to_string()),
        "part" => Some(format!("{:03}", id / 1000)),
        "body" => Some(format!("{id} {round} {}", "x".repeat(LENGTH))),
        other => (id % 3 != 0).then(|| format!("{other} {round}")),
    };
    let row = |(op, id): (char, i64)| Row { op, old: None, values: columns.iter().map(|c| value(c, id)).collect() };
    File {
        name,
        columns: columns.iter().map(|name| ((*name).to_owned(), kind(name))).collect(),
        rows: changes.into_iter().map(row).collect(),
    }
}

/// Random changes between two keys.
fn edits(numbers: &mut Numbers, count: usize, from: i64, to: i64) -> Vec<(char, i64)> {
    let mut edit =
        || (['I', 'U', 'U', 'D'][usize::try_from(numbers.below(4)).unwrap()], from + numbers.below(to - from));
    (0..count).map(|_| edit()).collect()
}

fn rounds() -> Vec<File> {
    let numbers = &mut Numbers(7);
    let last = ROWS * STEP;
    let (two, three) = (&["id", "part", "body"][..], &["id", "part", "body", "note"][..]);
    let deleted = (last / 2..last / 2 + last / 3).map(|id| ('D', id));
    let grown = (last..last + 9_000).map(|id| ('I', id));
    let within = (0..9_000).map(|at| ('I', at * 2 + 1));
    vec![
        file(0, two, (0..ROWS).map(|at| ('I', at * STEP))),
        file(1, two, edits(numbers, 300, 100, 2_000)),
        file(2, three, edits(numbers, 50, last - 2_000, last)),
        file(3, three, edits(numbers, 20, last / 2, last / 2 + 100)),
        file(4, two, edits(numbers, 20, 0, 200)),
        file(5, three, edits(numbers, 20, last / 3, last / 3 + 50)),
        file(6, three, grown),
        file(7, three, deleted),
        file(8, three, within),
        file(9, three, edits(numbers, 30, 0, last + 9_000)),
        file(10, &["body", "note", "id", "part", "more"], edits(numbers, 5, last - 50, last)),
    ]
}

/// The same rows, and in key order.
async fn check(lake: &Lake, files: &[File]) {
    lake.check(files).await;
    let (_, snapshot) = lake.visible().await.expect("a snapshot");
    let rows::Rows { columns, rows } = rows::read(snapshot, None).expect("a snapshot");
    let at = columns.iter().position(|name| name == "id").expect("the key");
    let ids: Vec<i64> = rows.iter().map(|row| row[at].as_ref().expect("a key").parse().expect("a number")).collect();
    assert!(ids.is_sorted(), "a table in key order stays in it");
    assert!(lake.is_sorted().await);
}

fn lake(keys: &[&str]) -> Lake {
    Lake::new(Setup { keys: keys.iter().map(|key| (*key).to_owned()).collect(), ..Setup::default() })
}

async fn in_key_order(keys: &[&str]) {
    let (lake, files) = (lake(keys), rounds());
    let mut carried = Vec::new();
    for (at, file) in files.iter().enumerate() {
        lake.put(file);
        let report = lake.merge().await;
        assert_eq!(report.error, None);
        assert!(report.row_groups >= 3, "{report:#?}");
        carried.push(report.row_groups_carried > 0);
        // Replaying is slow: not after every file.
        if [0, 2, 5, 7, 10].contains(&at) {
            check(&lake, &files[..=at]).await;
        }
    }
    let all_over = [0, 9];
    let expected: Vec<bool> = (0..files.len()).map(|at| !all_over.contains(&at)).collect();
    assert_eq!(carried, expected);
    lake.rests().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn row_groups_that_no_change_touches_are_carried() {
    in_key_order(&["id"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn row_groups_of_a_composite_key_are_carried_too() {
    in_key_order(&["part", "id"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_in_no_order_is_right_in_any_row_group() {
    let (lake, mut files) = (lake(&["part", "id"]), rounds());
    // Every key at some place, and some once more at the end.
    let shuffled = (0..ROWS + 100).map(|at| ('I', at * 7_919 % ROWS * STEP));
    files[0] = file(0, &["id", "part", "body"], shuffled);
    for (at, file) in files.iter().enumerate() {
        lake.put(file);
        assert_eq!(lake.merge().await.error, None);
        if [0, 4, 6, 10].contains(&at) {
            lake.check(&files[..=at]).await;
        }
    }
    assert!(!lake.is_sorted().await);
    lake.rests().await;
}
