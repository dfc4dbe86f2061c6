//! The values of rows, in any order within a row → lines of JSON with the table's column names.
//!
//! Written into one buffer as the values come, so that a row's members are in the order of its record and what the
//! record does not have comes last; a reader of JSON goes by names. Nulls are left out, except among a list's items;
//! so are the columns that the table is partitioned by. No line has a break within it.
//!
//! The spellings are those that the deserializers of Firehose's format conversion read without loss: `OpenX JSON SerDe`
//! (rcongiu/Hive-JSON-Serde: `ParsePrimitiveUtils`, `JsonObjectInspectorFactory`) and Hive's own.
//! - Integers and floats are numbers.
//! - Decimals are texts. `OpenX` leaves them to Hive's inspector, which takes texts; a number would have been a double
//!   on its way there. `uint64` is a text too, for the table has it as `decimal(20,0)`.
//! - Timestamps are `YYYY-MM-DD HH:MM:SS.mmm` (or `.uuuuuu`) in UTC: `java.sql.Timestamp.valueOf` reads that and no
//!   zone. Dates are `YYYY-MM-DD`, times of day `HH:MM:SS.uuuuuu`.
//! - A `json` column, and `_extra`, is the JSON as a text.

use std::io::Write;

use super::{Contract, Node, Sink, Value};
use crate::{
    dataset::{ColumnType, TimeUnit, stream::EXTRA},
    lexer::plain,
};

/// Lines that grow.
#[derive(Debug, Clone)]
pub struct Lines {
    slots: Vec<Slot>,
    extra: Vec<u8>,
    out: Vec<u8>,
    /// Where the row begins that is being written.
    start: usize,
    misfit: bool,
}

/// How a node is written.
#[derive(Debug, Clone)]
struct Slot {
    place: Place,
    spelling: Spelling,
}

#[derive(Debug, Clone)]
enum Place {
    /// In an object; its name as JSON, with a comma before it and the colon.
    Member(Vec<u8>),
    /// In a list.
    Item,
    /// In the path of the file.
    Path,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Spelling {
    /// As the value itself says.
    Own,
    Float32,
    /// With this many digits after the point.
    Decimal(usize),
    Date,
    /// With this many digits of a second.
    Moment(usize),
    Clock,
}

impl Lines {
    /// No lines yet, of the table that the contract describes.
    #[must_use]
    pub fn new(contract: &Contract) -> Self {
        let mut slots = Vec::with_capacity(contract.nodes());
        for (index, column) in contract.columns().iter().enumerate() {
            let place = if contract.is_partition(index) { Place::Path } else { Place::Member(name(&column.name)) };
            fill(&column.node, place, &mut slots);
        }
        Self { slots, extra: name(EXTRA), out: Vec::new(), start: 0, misfit: false }
    }

    /// The lines so far, each with its `\n`.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.out[..self.start]
    }

    /// Whether a line since the last cut has a moment outside of the years 1 to 9999, which its text cannot say.
    #[must_use]
    pub fn misfit(&self) -> bool {
        self.misfit
    }

    /// Keeps this many bytes of them, and forgets the lines after it.
    pub fn cut(&mut self, bytes: usize) {
        self.out.truncate(bytes);
        self.start = self.out.len();
        self.misfit = false;
    }

    /// Begins a value; `None`: it is not in the line.
    fn begin(&mut self, node: usize) -> Option<Spelling> {
        let Slot { place, spelling } = &self.slots[node];
        if self.out.len() == self.start && !matches!(place, Place::Path) {
            self.out.push(b'{');
        }
        // No value ends in either: a text ends in its quote.
        let comma = !matches!(self.out.last(), Some(b'{' | b'['));
        match place {
            Place::Path => return None,
            Place::Member(name) => self.out.extend_from_slice(&name[usize::from(!comma)..]),
            Place::Item => self.out.extend_from_slice(if comma { b"," } else { b"" }),
        }
        Some(*spelling)
    }
}

impl Sink for Lines {
    fn value(&mut self, node: usize, value: Value<'_>) {
        let Some(spelling) = self.begin(node) else { return };
        let out = &mut self.out;
        match (spelling, value) {
            (_, Value::Boolean(value)) => out.extend_from_slice(if value { b"true" } else { b"false" }),
            (_, Value::Text(value)) => text(value, out),
            (_, Value::Bytes(value)) => bytes(value, out),
            (_, Value::Unsigned(value)) => print(out, format_args!("\"{value}\"")),
            (Spelling::Float32, Value::Float(value)) => number(&(value as f32), out),
            (_, Value::Float(value)) => number(&value, out),
            (Spelling::Decimal(scale), Value::Decimal(value)) => decimal(value, scale, out),
            (_, Value::Decimal(value)) => decimal(value, 0, out),
            (Spelling::Date, Value::Integer(days)) => {
                out.push(b'"');
                self.misfit |= date(days).map(|date| out.extend_from_slice(&date)).is_none();
                out.push(b'"');
            }
            (Spelling::Moment(digits), Value::Integer(ticks)) => {
                let day = 86_400 * 10_i64.pow(digits as u32);
                out.push(b'"');
                self.misfit |= date(ticks.div_euclid(day)).map(|date| out.extend_from_slice(&date)).is_none();
                out.push(b' ');
                clock(ticks.rem_euclid(day), digits, out);
                out.push(b'"');
            }
            (Spelling::Clock, Value::Integer(micros)) => {
                out.push(b'"');
                clock(micros, 6, out);
                out.push(b'"');
            }
            (_, Value::Integer(value)) => number(&value, out),
        }
    }

    fn written(&mut self, node: usize, _: Value<'_>, json: &str) {
        if self.begin(node).is_some() {
            self.out.extend_from_slice(json.as_bytes());
        }
    }

    fn null(&mut self, node: usize) {
        if matches!(self.slots[node].place, Place::Item) {
            self.begin(node);
            self.out.extend_from_slice(b"null");
        }
    }

    fn open(&mut self, node: usize) {
        self.begin(node);
        let list = self.slots.get(node + 1).is_some_and(|inner| matches!(inner.place, Place::Item));
        self.out.push(if list { b'[' } else { b'{' });
    }

    fn close(&mut self, node: usize) {
        let list = self.slots.get(node + 1).is_some_and(|inner| matches!(inner.place, Place::Item));
        self.out.push(if list { b']' } else { b'}' });
    }

    fn keep(&mut self, extra: Option<&str>) {
        if self.out.len() == self.start {
            self.out.push(b'{');
        }
        if let Some(extra) = extra {
            let comma = !self.out.ends_with(b"{");
            self.out.extend_from_slice(&self.extra[usize::from(!comma)..]);
            text(extra, &mut self.out);
        }
        self.out.extend_from_slice(b"}\n");
        self.start = self.out.len();
    }

    fn forget(&mut self) {
        self.out.truncate(self.start);
    }
}

/// The slots of a node and of what is in it, in the order of their numbers.
fn fill(node: &Node, place: Place, slots: &mut Vec<Slot>) {
    let spelling = match node.r#type {
        ColumnType::Float32 => Spelling::Float32,
        ColumnType::Decimal(_, scale) => Spelling::Decimal(usize::try_from(scale).unwrap_or_default()),
        ColumnType::Date => Spelling::Date,
        ColumnType::Timestamp(TimeUnit::Milli) => Spelling::Moment(3),
        ColumnType::Timestamp(TimeUnit::Micro) => Spelling::Moment(6),
        ColumnType::Time => Spelling::Clock,
        _ => Spelling::Own,
    };
    slots.push(Slot { place, spelling });
    let list = matches!(node.r#type, ColumnType::List(_));
    for (member, inner) in &node.inner {
        fill(inner, if list { Place::Item } else { Place::Member(name(member)) }, slots);
    }
}

fn name(name: &str) -> Vec<u8> {
    let mut out = vec![b','];
    text(name, &mut out);
    out.push(b':');
    out
}

/// A whole number, or a float, which is finite.
fn number(value: &impl serde::Serialize, out: &mut Vec<u8>) {
    // Nothing of it can fail to be JSON.
    let _ = serde_json::to_writer(out, value);
}

fn print(out: &mut Vec<u8>, what: std::fmt::Arguments<'_>) {
    // Writing to a vector cannot fail.
    let _ = out.write_fmt(what);
}

/// A JSON string: what may stand in it as it is goes over in runs.
fn text(value: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    let mut rest = value.as_bytes();
    loop {
        let (plain, special) = rest.split_at(plain(rest, 0));
        out.extend_from_slice(plain);
        let Some((special, after)) = special.split_first() else { break };
        match *special {
            sign @ (b'"' | b'\\') => out.extend_from_slice(&[b'\\', sign]),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            control => print(out, format_args!("\\u{control:04x}")),
        }
        rest = after;
    }
    out.push(b'"');
}

fn bytes(value: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    base64_simd::STANDARD.encode_append(value, out);
    out.push(b'"');
}

fn decimal(value: i128, scale: usize, out: &mut Vec<u8>) {
    let sign = if value < 0 { "-" } else { "" };
    let (power, value) = (10_u128.pow(scale as u32), value.unsigned_abs());
    match scale {
        0 => print(out, format_args!("\"{sign}{value}\"")),
        _ => print(out, format_args!("\"{sign}{}.{:0scale$}\"", value / power, value % power)),
    }
}

/// `YYYY-MM-DD`; `None` outside of the years 1 to 9999.
fn date(days: i64) -> Option<[u8; 10]> {
    const UNIX_EPOCH: i32 = 2_440_588;
    let date = time::Date::from_julian_day(i32::try_from(days).ok()?.checked_add(UNIX_EPOCH)?).ok()?;
    let (year, month, day) = date.to_calendar_date();
    let mut text = *b"0000-00-00";
    digits(u64::try_from(year).ok().filter(|year| (1..=9999).contains(year))?, &mut text[..4]);
    digits(u8::from(month).into(), &mut text[5..7]);
    digits(day.into(), &mut text[8..]);
    Some(text)
}

/// `HH:MM:SS.f…` of the ticks since midnight, of which there are 10^`fraction` a second.
fn clock(ticks: i64, fraction: usize, out: &mut Vec<u8>) {
    let (ticks, second) = (ticks.unsigned_abs(), 10_u64.pow(fraction as u32));
    let seconds = ticks / second;
    let mut text = *b"00:00:00.000000";
    digits(seconds / 3_600, &mut text[..2]);
    digits(seconds / 60 % 60, &mut text[3..5]);
    digits(seconds % 60, &mut text[6..8]);
    digits(ticks % second, &mut text[9..9 + fraction]);
    out.extend_from_slice(&text[..9 + fraction]);
}

fn digits(mut value: u64, out: &mut [u8]) {
    for digit in out.iter_mut().rev() {
        *digit = b'0' + (value % 10) as u8;
        value /= 10;
    }
}

#[cfg(test)]
mod tests;
