//! A seed → a table `orders` as DMS writes it: a full load and two rounds of changes.

use headgate_columnar::sample::{Column, Random, Values, gzip_parquet};
use time::{Duration, OffsetDateTime, macros::datetime};

/// Where the updates and deletes go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spread {
    /// All over the table: every row group is touched.
    Uniform,
    /// To the newest 2 % of the keys, as where old rows come to rest.
    Append,
}

/// A file and its name below the prefix.
#[derive(Debug)]
pub(crate) struct File {
    pub name: String,
    pub body: bytes::Bytes,
}

const LOAD_ROWS: i64 = 500_000;
const CHANGE_FILES: i64 = 10;
const LOADED: OffsetDateTime = datetime!(2026-01-14 20:00 UTC);
const CHANGED: OffsetDateTime = datetime!(2026-01-15 00:00 UTC);

const STATUS: [&str; 7] = ["pending", "paid", "packed", "shipped", "delivered", "cancelled", "returned"];
const COUNTRY: [&str; 12] = ["BR", "DE", "ES", "FR", "GB", "IN", "IT", "JP", "NL", "PL", "SE", "US"];
const LETTERS: &[u8; 64] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 .";

/// The database: which keys live, and what comes next.
#[derive(Debug)]
pub(crate) struct Source {
    random: Random,
    live: Vec<bool>,
    spread: Spread,
    file: i64,
}

impl Source {
    pub(crate) fn new(spread: Spread) -> Self {
        Self { random: Random::new(7), live: Vec::new(), spread, file: 0 }
    }

    /// Rows that live.
    pub(crate) fn rows(&self) -> u64 {
        self.live.iter().filter(|lives| **lives).count() as u64
    }

    /// The full load of `rows` rows, in key order.
    pub(crate) fn load(&mut self, rows: i64, mut write: impl FnMut(File)) {
        for (number, from) in (0..rows).step_by(LOAD_ROWS as usize).enumerate() {
            let keys = from..(from + LOAD_ROWS).min(rows);
            let changes: Vec<_> = keys.map(|key| ('I', key)).collect();
            let at = LOADED + Duration::minutes(number as i64);
            write(File { name: format!("LOAD{:08X}.parquet", number + 1), body: self.body(None, &changes, at) });
        }
        self.live = vec![true; usize::try_from(rows).unwrap()];
    }

    /// A round of changes: 5 % of the table in ten files.
    pub(crate) fn changes(&mut self, mut write: impl FnMut(File)) {
        let count = self.live.len() as i64 / 20 / CHANGE_FILES;
        for _ in 0..CHANGE_FILES {
            let changes: Vec<_> = (0..count.max(1)).map(|_| self.change()).collect();
            self.file += 1;
            let at = CHANGED + Duration::minutes(self.file);
            let ops = Column::added("Op", changes.iter().map(|(op, _)| op.to_string()));
            let (date, time) = (at.date(), at.time());
            let (year, month, day) = (date.year(), u8::from(date.month()), date.day());
            let name = format!(
                "{year}/{month:02}/{day:02}/{year}{month:02}{day:02}-{:02}{:02}{:02}000.parquet",
                time.hour(),
                time.minute(),
                time.second()
            );
            write(File { name, body: self.body(Some(ops), &changes, at) });
        }
    }

    /// Three inserts in ten, six updates, one delete.
    fn change(&mut self) -> (char, i64) {
        let draw = self.random.below(10);
        let all = self.live.len() as i64;
        if draw < 3 {
            self.live.push(true);
            return ('I', all);
        }
        let key = match self.spread {
            Spread::Uniform => self.random.up_to(all),
            Spread::Append => all - 1 - self.random.up_to(all / 50),
        };
        let op = if draw < 9 { 'U' } else { 'D' };
        self.live[usize::try_from(key).unwrap()] = op == 'U';
        (op, key)
    }

    fn body(&mut self, ops: Option<Column>, changes: &[(char, i64)], at: OffsetDateTime) -> bytes::Bytes {
        let stamp = format!("{} {:02}:{:02}:{:02}.000000", at.date(), at.hour(), at.minute(), at.second());
        let mut columns: Vec<_> = ops.into_iter().collect();
        columns.push(Column::added("dms_ts", changes.iter().map(|_| stamp.clone())));
        columns.extend(self.columns(changes));
        gzip_parquet(&columns).unwrap()
    }

    /// The table's own columns; a delete has only its key.
    fn columns(&mut self, changes: &[(char, i64)]) -> Vec<Column> {
        let random = &mut self.random;
        let created: Vec<_> = changes.iter().map(|(_, key)| micros(*key) + random.up_to(2_000_000)).collect();
        let updated: Vec<_> = created.iter().map(|at| at + random.up_to(9 * 86_400_000_000)).collect();
        let columns = [
            ("customer_id", Values::Int64(some(changes, |_| 1 + random.up_to(100_000)))),
            ("status", Values::Text(some(changes, |_| random.pick(&STATUS).to_owned()))),
            ("amount", Values::Decimal(12, 2, some(changes, |_| i128::from(random.below(10_000_000))))),
            ("note", Values::Text(some(changes, |_| note(random)))),
            ("created_at", Values::Micros(some(changes, |at| created[at]))),
            ("updated_at", Values::Micros(some(changes, |at| updated[at]))),
            ("is_paid", Values::Boolean(some(changes, |_| random.below(10) < 8))),
            ("qty", Values::Int32(some(changes, |_| 1 + random.below(19) as i32))),
            ("discount", Values::Decimal(5, 2, nulls(changes, |_| (3, i128::from(random.below(9_999)))))),
            ("country", Values::Text(nulls(changes, |_| (9, random.pick(&COUNTRY).to_owned())))),
            ("external_ref", Values::Text(nulls(changes, |_| (8, hex(random))))),
            ("shipped_at", Values::Micros(nulls(changes, |at| (6, updated[at] + 3_600_000_000)))),
        ];
        let key = Values::Int64(changes.iter().map(|(_, key)| Some(id(*key))).collect());
        let columns = columns.into_iter().map(|(name, values)| Column::optional(name, values));
        [Column::optional("id", key)].into_iter().chain(columns).collect()
    }
}

/// Ascending, with a gap at every tenth.
fn id(key: i64) -> i64 {
    1 + key + key / 10
}

fn micros(key: i64) -> i64 {
    1_672_531_200_000_000 + key * 2_000_000
}

fn some<T>(changes: &[(char, i64)], mut value: impl FnMut(usize) -> T) -> Vec<Option<T>> {
    changes.iter().enumerate().map(|(at, (op, _))| (*op != 'D').then(|| value(at))).collect()
}

/// `value` also says how many of ten rows have one.
fn nulls<T>(changes: &[(char, i64)], mut value: impl FnMut(usize) -> (i64, T)) -> Vec<Option<T>> {
    let keep = |at: usize, (of_ten, value)| ((changes[at].1 * 7 + at as i64) % 10 < of_ten).then_some(value);
    changes.iter().enumerate().map(|(at, (op, _))| if *op == 'D' { None } else { keep(at, value(at)) }).collect()
}

fn note(random: &mut Random) -> String {
    let length = 20 + random.below(41);
    (0..length).map(|_| char::from(LETTERS[random.below(64) as usize])).collect()
}

fn hex(random: &mut Random) -> String {
    format!("{:016x}{:016x}", random.below(u64::MAX), random.below(u64::MAX))
}
