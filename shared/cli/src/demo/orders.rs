//! A seed → the change files that DMS would write of an `orders` table.
//!
//! The same files on every machine. What they come to is for [`super::replay`] to say, not for this.

use std::collections::BTreeMap;

use bytes::Bytes;
use headgate::Error;
use headgate_columnar::sample::{Column, Random, Values, parquet};
use time::{Duration, OffsetDateTime, macros::datetime};

/// A row of the table, without its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// Who ordered.
    pub customer: String,
    /// How far it is.
    pub status: &'static str,
    /// What it costs, in cents.
    pub cents: i128,
    /// When it was placed.
    pub placed: OffsetDateTime,
    /// What the customer wrote.
    pub note: Option<String>,
    /// Where it was placed: a column that the table has only from some day on.
    pub channel: Option<&'static str>,
}

/// What a change does to its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Op {
    /// A new row.
    Insert,
    /// A row replaced.
    Update,
    /// A row removed.
    Delete,
}

/// A row of a change file.
#[derive(Debug, Clone)]
pub struct Change {
    /// What it does.
    pub op: Op,
    /// When it was committed: whole seconds, so many tie.
    pub committed: OffsetDateTime,
    /// The key.
    pub id: i64,
    /// The row.
    pub order: Order,
}

/// A file of the full load or of later changes.
#[derive(Debug)]
pub struct File {
    /// Its key in the lake.
    pub key: String,
    /// Its rows, in order.
    pub changes: Vec<Change>,
    load: bool,
    channel: bool,
}

/// Where the files go: the prefix of the `orders` dataset.
pub const PREFIX: &str = "cdc/production/orders/";
const LOAD_FILES: i64 = 2;
const CHANGES_A_FILE: u64 = 1_500;
const SEED: u64 = 20_261_122;
/// When the first change file is written.
const START: OffsetDateTime = datetime!(2026-11-22 10:15:00.123 UTC);

/// How much there is.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// Rows of the full load.
    pub loaded: i64,
    /// Files of later changes; the column `channel` is in the second half of them.
    pub change_files: usize,
}

/// All files, in the order in which DMS writes them.
pub fn files(size: Size) -> Vec<File> {
    let mut source = Source { random: Random::new(SEED), live: BTreeMap::new(), deleted: Vec::new(), next: 1 };
    let mut files: Vec<_> = (1..=LOAD_FILES).map(|number| source.load(number, size.loaded / LOAD_FILES)).collect();
    files.extend((0..size.change_files).map(|number| source.change_file(number, number >= size.change_files / 2)));
    files
}

/// The database that DMS reads.
struct Source {
    random: Random,
    live: BTreeMap<i64, Order>,
    deleted: Vec<i64>,
    next: i64,
}

impl Source {
    fn load(&mut self, number: i64, rows: i64) -> File {
        let committed = START - Duration::hours(1);
        let changes = (0..rows).map(|_| self.insert_new(committed, false)).collect();
        File { key: format!("{PREFIX}LOAD{number:08X}.parquet"), changes, load: true, channel: false }
    }

    fn change_file(&mut self, number: usize, channel: bool) -> File {
        let written = START + Duration::milliseconds(61_700) * i32::try_from(number).unwrap_or_default();
        let mut changes = Vec::new();
        for n in 0..CHANGES_A_FILE {
            // 25 changes a second, and the commit time knows no fractions.
            let committed = written.truncate_to_second() - Duration::seconds(60 - i64::try_from(n / 25).unwrap_or(60));
            self.change(committed, channel, &mut changes);
        }
        File { key: change_key(written), changes, load: false, channel }
    }

    fn change(&mut self, committed: OffsetDateTime, channel: bool, changes: &mut Vec<Change>) {
        match self.random.below(20) {
            0..5 => changes.push(self.insert_new(committed, channel)),
            5..7 => changes.extend(self.insert_again(committed, channel)),
            7..10 => changes.extend(self.delete(committed)),
            // One key several times in a row: only its last row counts.
            10 => {
                let id = self.any();
                changes.push(self.update(id, committed, channel));
                changes.push(self.update(id, committed, channel));
                changes.extend(self.delete_key(id, committed));
                changes.push(self.insert(id, committed, channel));
            }
            _ => {
                let id = self.any();
                changes.push(self.update(id, committed, channel));
            }
        }
    }

    /// A live key; recent ones more often, as in life.
    fn any(&mut self) -> i64 {
        let span = if self.random.below(2) == 0 { 5_000 } else { self.next };
        let from = self.next - 1 - self.random.up_to(span.min(self.next - 1));
        self.live.range(from.max(1)..).chain(&self.live).next().map_or(1, |(id, _)| *id)
    }

    fn insert_new(&mut self, committed: OffsetDateTime, channel: bool) -> Change {
        let id = self.next;
        self.next += 1;
        self.insert(id, committed, channel)
    }

    fn insert_again(&mut self, committed: OffsetDateTime, channel: bool) -> Option<Change> {
        let id = self.deleted.pop()?;
        Some(self.insert(id, committed, channel))
    }

    fn insert(&mut self, id: i64, committed: OffsetDateTime, channel: bool) -> Change {
        let order = self.order(committed, channel);
        self.live.insert(id, order.clone());
        Change { op: Op::Insert, committed, id, order }
    }

    fn update(&mut self, id: i64, committed: OffsetDateTime, channel: bool) -> Change {
        let order = self.order(committed, channel);
        self.live.insert(id, order.clone());
        Change { op: Op::Update, committed, id, order }
    }

    fn delete(&mut self, committed: OffsetDateTime) -> Option<Change> {
        let id = self.any();
        let change = self.delete_key(id, committed)?;
        self.deleted.push(id);
        Some(change)
    }

    fn delete_key(&mut self, id: i64, committed: OffsetDateTime) -> Option<Change> {
        let order = self.live.remove(&id)?;
        Some(Change { op: Op::Delete, committed, id, order })
    }

    fn order(&mut self, committed: OffsetDateTime, channel: bool) -> Order {
        let random = &mut self.random;
        Order {
            customer: format!("customer-{:05}", random.below(40_000)),
            status: random.pick(&["new", "paid", "packed", "shipped", "returned"]),
            cents: i128::from(random.below(1_000_000)),
            placed: committed - Duration::microseconds(random.up_to(86_400_000_000)),
            note: (random.below(4) == 0).then(|| format!("please ring {}×", random.below(9) + 1)),
            channel: channel.then(|| random.pick(&["web", "shop", "phone"])),
        }
    }
}

/// `2026/11/22/20261122-101500123.parquet` under the prefix, as DMS names a file by the time it wrote it.
fn change_key(written: OffsetDateTime) -> String {
    let (year, month, day) = written.to_calendar_date();
    let (month, (hour, minute, second, milli)) = (u8::from(month), written.to_hms_milli());
    format!(
        "{PREFIX}{year}/{month:02}/{day:02}/{year}{month:02}{day:02}-{hour:02}{minute:02}{second:02}{milli:03}.parquet"
    )
}

impl File {
    /// The file as DMS writes it: its own columns first, no `Op` in the full load, `channel` only once the table has it.
    pub fn parquet(&self) -> Result<Bytes, Error> {
        let mut columns = Vec::new();
        if !self.load {
            columns.push(Column::added("Op", self.changes.iter().map(|change| change.op.letter().to_owned())));
        }
        columns.push(Column::added("dms_ts", self.changes.iter().map(|change| commit_time(change.committed))));
        columns
            .push(Column::optional("id", Values::Int64(self.changes.iter().map(|change| Some(change.id)).collect())));
        columns.push(Column::optional("customer", self.text(|order| Some(order.customer.clone()))));
        columns.push(Column::optional("status", self.text(|order| Some(order.status.to_owned()))));
        columns.push(Column::optional("amount", Values::Decimal(12, 2, self.each(|order| Some(order.cents)))));
        columns.push(Column::optional("placed", Values::Micros(self.each(|order| Some(micros(order.placed))))));
        columns.push(Column::optional("note", self.text(|order| order.note.clone())));
        if self.channel {
            columns.push(Column::optional("channel", self.text(|order| order.channel.map(str::to_owned))));
        }
        parquet(&columns)
    }

    fn each<T>(&self, value: impl Fn(&Order) -> Option<T>) -> Vec<Option<T>> {
        self.changes.iter().map(|change| value(&change.order)).collect()
    }

    fn text(&self, value: impl Fn(&Order) -> Option<String>) -> Values {
        Values::Text(self.each(value))
    }
}

impl Op {
    fn letter(self) -> &'static str {
        match self {
            Self::Insert => "I",
            Self::Update => "U",
            Self::Delete => "D",
        }
    }
}

fn commit_time(at: OffsetDateTime) -> String {
    let ((year, month, day), (hour, minute, second)) = (at.to_calendar_date(), at.to_hms());
    format!("{year}-{:02}-{day:02} {hour:02}:{minute:02}:{second:02}.000000", u8::from(month))
}

fn micros(at: OffsetDateTime) -> i64 {
    i64::try_from(at.unix_timestamp_nanos() / 1_000).unwrap_or_default()
}
