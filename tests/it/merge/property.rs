//! Random tables, random arrivals: after every merge readers see the replay of the files that are there.

use std::{collections::BTreeSet, fmt};

use headgate_columnar::merge::{Options, Outcome};
use proptest::{collection::vec, prelude::*, sample::subsequence, test_runner::TestRunner};

use super::{
    file::{File, Format, Kind, Row, Value},
    lake::{Lake, Setup},
};

/// What identifies a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Key {
    Int,
    IntAndText,
    Text,
    Unsigned,
    Binary,
}

#[derive(Debug, Clone)]
struct Change {
    op: u8,
    key: u8,
    old: Option<u8>,
    value: u8,
}

/// A file's content; the bits of `shape` choose its columns and their types.
#[derive(Debug, Clone)]
struct Content {
    changes: Vec<Change>,
    shape: u8,
}

#[derive(Clone)]
struct Case {
    format: Format,
    key: Key,
    versioned: bool,
    before_images: bool,
    loads: Vec<Vec<(u8, u8)>>,
    files: Vec<Content>,
    arrival: Vec<usize>,
    merges: Vec<usize>,
    /// So little memory that a few rows fill it.
    tight: bool,
}

impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { format, arrival, merges, tight, .. } = self;
        writeln!(f, "{format:?}, arrival {arrival:?}, merges after {merges:?}, tight {tight}")?;
        self.build().iter().try_for_each(|file| writeln!(f, "{file:?}"))
    }
}

const TEXT_KEYS: [&str; 8] = ["a", "A", "a ", "", "é", "e\u{301}", "zz\u{0}z", "10"];

impl Key {
    fn columns(self) -> Vec<(String, Kind)> {
        let named = |columns: &[(&str, Kind)]| columns.iter().map(|(n, k)| ((*n).to_owned(), *k)).collect();
        match self {
            Self::Int => named(&[("id", Kind::Int)]),
            Self::IntAndText => named(&[("id", Kind::Int), ("part", Kind::Text)]),
            Self::Text => named(&[("id", Kind::Text)]),
            Self::Unsigned => named(&[("id", Kind::Unsigned)]),
            Self::Binary => named(&[("id", Kind::Binary)]),
        }
    }

    fn values(self, at: u8) -> Vec<String> {
        let signed = i64::from(at) * 7 - 20;
        match self {
            Self::Int => vec![signed.to_string()],
            Self::IntAndText => vec![(at / 3).to_string(), TEXT_KEYS[usize::from(at % 3)].to_owned()],
            Self::Text => vec![TEXT_KEYS[usize::from(at)].to_owned()],
            Self::Unsigned => vec![((1_u64 << 63) - 3 + u64::from(at)).to_string()],
            Self::Binary => vec![["", "00", "ff", "ff00", "ffff", "6162", "c3", "0000"][usize::from(at)].to_owned()],
        }
    }
}

/// The columns that are no key: the low bits say which there are, two more which types they have.
fn columns(shape: u8) -> Vec<(String, Kind)> {
    let count = if shape & 8 == 0 { Kind::Int } else { Kind::Long };
    let note = if shape & 16 == 0 { Kind::Text } else { Kind::Int };
    let all = [(1, "count", count), (2, "note", note), (4, "extra", Kind::Text)];
    all.iter().filter(|(bit, ..)| shape & bit != 0).map(|(_, name, kind)| ((*name).to_owned(), *kind)).collect()
}

fn value(kind: Kind, value: u8) -> Value {
    (!value.is_multiple_of(5)).then(|| match kind {
        Kind::Long if value > 20 => (i64::from(value) << 40).to_string(),
        Kind::Text => format!("{value} \"x\", ~"),
        _ => value.to_string(),
    })
}

impl Case {
    fn key_names(&self) -> Vec<String> {
        self.key.columns().into_iter().map(|(name, _)| name).collect()
    }

    fn file(&self, name: String, content: &Content) -> File {
        let keys = self.key.columns();
        let wide = |(name, kind): (String, Kind)| match kind {
            Kind::Int if content.shape & 32 != 0 => (name, Kind::Long),
            kind => (name, kind),
        };
        let others = columns(content.shape);
        let row = |change: &Change| {
            let op = ['I', 'U', 'U', 'D', 'I', 'D', 'T'][usize::from(change.op)];
            let op = if op == 'T' && self.format != Format::Json { 'U' } else { op };
            let old = change.old.filter(|_| self.before_images && op == 'U').map(|old| self.key.values(old));
            let rest = others.iter().map(|(_, kind)| value(*kind, change.value));
            Row { op, old, values: self.key.values(change.key).into_iter().map(Some).chain(rest).collect() }
        };
        let rows = content.changes.iter().map(row).collect();
        File { name, columns: keys.into_iter().map(wide).chain(others.clone()).collect(), rows }
    }

    /// Full load first, then changes a minute apart; dated folders where the number of files is odd.
    fn build(&self) -> Vec<File> {
        let load = |(at, rows): (usize, &Vec<(u8, u8)>)| {
            let insert = |&(key, value): &(u8, u8)| Change { op: 0, key, old: None, value };
            let content = Content { changes: rows.iter().map(insert).collect(), shape: 7 };
            self.file(format!("LOAD{:08X}", at + 9), &content)
        };
        let dated = self.files.len() % 2 == 1;
        let changes = |(at, content): (usize, &Content)| {
            let folder = if dated { "2024/01/15/" } else { "" };
            self.file(format!("{folder}20240115-10{at:02}00000"), content)
        };
        self.loads.iter().enumerate().map(load).chain(self.files.iter().enumerate().map(changes)).collect()
    }
}

fn rows() -> impl Strategy<Value = Vec<(u8, u8)>> {
    prop_oneof![
        // In key order, or in any with keys twice.
        subsequence((0..8_u8).collect::<Vec<_>>(), 0..=8)
            .prop_map(|keys| keys.into_iter().map(|k| (k, k + 1)).collect()),
        vec((0..8_u8, 0..30_u8), 1..8),
    ]
}

fn content() -> impl Strategy<Value = Content> {
    let change = (0..60_u8, 0..8_u8, proptest::option::of(0..8_u8), 0..30_u8)
        // A truncate is rarer than the others.
        .prop_map(|(op, key, old, value)| Change { op: if op == 59 { 6 } else { op % 6 }, key, old, value });
    let shape = prop_oneof![3 => Just(7_u8), 2 => any::<u8>()];
    (vec(change, 0..7), shape).prop_map(|(changes, shape)| Content { changes, shape })
}

fn case(format: Format, keys: &'static [Key]) -> impl Strategy<Value = Case> {
    (vec(rows(), 0..=3), vec(content(), 0..=12)).prop_flat_map(move |(loads, files)| {
        let count = loads.len() + files.len();
        (
            proptest::sample::select(keys),
            any::<[bool; 3]>(),
            Just(loads),
            Just(files),
            Just((0..count).collect::<Vec<_>>()).prop_shuffle(),
            vec(0..count.max(1), 0..4),
            any::<bool>(),
        )
            .prop_map(
                move |(key, [versioned, before_images, tight], loads, files, arrival, merges, in_order)| {
                    let arrival = if in_order { (0..count).collect() } else { arrival };
                    Case { format, key, versioned, before_images, loads, files, arrival, merges, tight }
                },
            )
    })
}

async fn check(case: &Case) {
    let lake = Lake::new(Setup {
        format: case.format,
        keys: case.key_names(),
        versioned: case.versioned,
        before_images: case.before_images,
        source: String::new(),
    });
    let files: Vec<File> = case
        .build()
        .into_iter()
        // A JSON file without a change does not say its columns.
        .filter(|file| case.format != Format::Json || !file.rows.is_empty())
        .collect();
    let arrival: Vec<usize> = case.arrival.iter().copied().filter(|&at| at < files.len()).collect();
    let mut options = Options::default();
    if case.tight {
        options.memory = 1 << 12;
    }
    let mut there = BTreeSet::new();
    for (step, &at) in arrival.iter().enumerate() {
        lake.put(&files[at]);
        there.insert(at);
        if case.merges.contains(&step) || step + 1 == arrival.len() {
            let report = lake.merge_with(&options).await;
            let expected = lake.replay(there.iter().map(|&at| &files[at]));
            // Truncates alone make no table.
            let outcome = if expected.columns.is_empty() { Outcome::UpToDate } else { Outcome::Merged };
            assert_eq!((report.outcome, &report.error), (outcome, &None));
            assert_eq!(lake.table().await, expected, "after {there:?}: {report:#?}");
            assert_eq!(report.rows, expected.rows.len() as u64);
        }
    }
    if !arrival.is_empty() {
        lake.rests().await;
    }
}

/// `share`: cases in a hundred of those that proptest is asked for.
fn run(share: u32, strategy: impl Strategy<Value = Case>) {
    let asked = ProptestConfig::default();
    let config = ProptestConfig { cases: asked.cases * share / 100, failure_persistence: None, ..asked };
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    let mut runner = TestRunner::new(config);
    let checked = runner.run(&strategy, |case| {
        runtime.block_on(check(&case));
        Ok(())
    });
    if let Err(error) = checked {
        panic!("{error}");
    }
}

#[test]
fn parquet_in_any_order_equals_the_replay() {
    run(100, case(Format::Parquet, &[Key::Int, Key::IntAndText, Key::Text, Key::Unsigned, Key::Binary]));
}

#[test]
fn csv_in_any_order_equals_the_replay() {
    run(30, case(Format::Csv, &[Key::Int, Key::IntAndText, Key::Text]));
}

#[test]
fn json_in_any_order_equals_the_replay() {
    run(30, case(Format::Json, &[Key::Int, Key::IntAndText, Key::Text]));
}
