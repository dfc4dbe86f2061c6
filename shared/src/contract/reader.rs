//! One JSON object → one row in the sink.
//!
//! All room is kept from record to record. A row that fails leaves nothing in the sink.

use super::{
    Column, Contract, Node, Sink,
    extra::Extra,
    lexer::{Lexer, Raw, Token, unescape},
    refused::{Refused, Result},
    tree::{Branch, Step, Taker},
    value::{Plain, Value, convert},
};
use crate::{
    dataset::{ColumnType, TimeUnit, stream::UnknownFields},
    error::Code,
};

/// What a text held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// The first byte after the object.
    pub end: usize,
    /// Whether it is a message of the transport, of which the sink got nothing.
    pub control: bool,
}

/// Reads records by a contract.
#[derive(Debug)]
pub struct Reader<'c> {
    contract: &'c Contract,
    row: State,
    rooms: Rooms,
    /// A JSON object of what came beside the record; empty where nothing did.
    beside: String,
}

/// What is known of the row being read.
#[derive(Debug, Default)]
struct State {
    seen: Vec<bool>,
    /// A stack of which members of the open structs came.
    members: Vec<bool>,
    extra: Extra,
    control: bool,
    event_time: Option<i64>,
    /// The partition columns' values; `None` is null.
    partition: Vec<Option<String>>,
}

/// Room to decode into.
#[derive(Debug, Default)]
struct Rooms {
    name: String,
    text: String,
    masked: String,
    bytes: Vec<u8>,
}

impl<'c> Reader<'c> {
    /// A reader of records by this contract.
    #[must_use]
    pub fn new(contract: &'c Contract) -> Self {
        let partition = vec![None; contract.partition.len()];
        let row = State { seen: vec![false; contract.columns.len()], partition, ..State::default() };
        Self { contract, row, rooms: Rooms::default(), beside: String::new() }
    }

    /// Says what came beside the records that are read from now on: a JSON object with a member for each column of the
    /// envelope that has a value. Those columns take nothing from the record itself.
    pub fn beside(&mut self, members: &str) {
        members.clone_into(&mut self.beside);
    }

    /// Reads the object that begins at `at`, white space aside, into a row.
    ///
    /// # Errors
    /// Why the record is refused; the sink has forgotten it.
    pub fn read(&mut self, text: &str, at: usize, sink: &mut impl Sink) -> Result<Row> {
        let mut lexer = Lexer::new(text, at);
        self.begin();
        let read = self.record(&mut lexer, sink);
        match read {
            Ok(()) if self.row.control => sink.forget(),
            Ok(()) => sink.keep(if self.contract.keeps_extra() { self.row.extra.finish() } else { None }),
            Err(refused) => {
                sink.forget();
                return Err(refused);
            }
        }
        Ok(Row { end: lexer.at, control: self.row.control })
    }

    /// When the last row happened, in milliseconds since 1970, by its own word.
    #[must_use]
    pub fn event_time(&self) -> Option<i64> {
        self.row.event_time
    }

    /// The last row's values of the partition columns; `None` is null.
    #[must_use]
    pub fn partition(&self) -> &[Option<String>] {
        &self.row.partition
    }

    /// How many fields of the last row no column took.
    #[must_use]
    pub fn unknown_fields(&self) -> u64 {
        self.row.extra.fields
    }

    fn begin(&mut self) {
        self.row.seen.fill(false);
        self.row.members.clear();
        self.row.extra.clear();
        self.row.control = false;
        self.row.event_time = None;
        self.row.partition.fill(None);
    }

    fn record(&mut self, lexer: &mut Lexer<'_>, sink: &mut impl Sink) -> Result<()> {
        if lexer.peek() != b'{' {
            return Err(Refused::new(Code::InvalidJson, "not an object"));
        }
        lexer.at += 1;
        let contract = self.contract;
        if !self.beside.is_empty() {
            let beside = std::mem::take(&mut self.beside);
            let read = self.branch(&mut Lexer::new(&beside, 1), &contract.beside, sink);
            self.beside = beside;
            read?;
        }
        self.branch(lexer, &contract.tree, sink)?;
        if self.row.control {
            return Ok(());
        }
        for (index, column) in contract.columns.iter().enumerate() {
            if !self.row.seen[index] {
                self.missing(index, column, sink)?;
            }
        }
        Ok(())
    }

    /// The rest of an object, after its `{`.
    fn branch(&mut self, lexer: &mut Lexer<'_>, branch: &Branch, sink: &mut impl Sink) -> Result<()> {
        let (mut hint, mut first) = (0, true);
        while lexer.more(first, b'}')? {
            first = false;
            let raw = lexer.name()?;
            let step = if raw.escaped {
                unescape(raw.text, &mut self.rooms.name)?;
                branch.find(&self.rooms.name, &mut hint)
            } else {
                branch.find(raw.text, &mut hint)
            };
            match step {
                Some(step) => self.step(lexer, step, raw, sink).map_err(|refused| refused.within(&step.name))?,
                None => self.unknown(lexer, raw)?,
            }
        }
        Ok(())
    }

    fn step(&mut self, lexer: &mut Lexer<'_>, step: &Step, raw: Raw<'_>, sink: &mut impl Sink) -> Result<()> {
        match (&step.takers[..], &step.inner) {
            ([Taker::Column(index)], None) => {
                let mark = self.row.extra.open(raw.text);
                self.column(lexer, *index, sink)?;
                self.row.extra.close(mark);
                Ok(())
            }
            ([], Some(inner)) if lexer.peek() == b'{' => {
                lexer.at += 1;
                let mark = self.row.extra.open(raw.text);
                self.branch(lexer, inner, sink)?;
                self.row.extra.close(mark);
                Ok(())
            }
            // No object: nothing is in it.
            ([], Some(_)) if lexer.peek() == b'n' => lexer.skip().map(|_| ()),
            ([], Some(_)) => self.unknown(lexer, raw),
            _ => self.several(lexer, step, sink),
        }
    }

    /// A value that is asked for more than once.
    fn several(&mut self, lexer: &mut Lexer<'_>, step: &Step, sink: &mut impl Sink) -> Result<()> {
        let value = lexer.skip()?;
        for taker in &step.takers {
            match taker {
                Taker::Column(index) => self.column(&mut Lexer::new(value, 0), *index, sink)?,
                Taker::RecordType => self.row.control = value == "\"control\"",
            }
        }
        match &step.inner {
            // What of it no column takes alone is in the column that takes it whole.
            Some(inner) if value.starts_with('{') => self.branch_of(value, inner, sink),
            _ => Ok(()),
        }
    }

    fn branch_of(&mut self, value: &str, inner: &Branch, sink: &mut impl Sink) -> Result<()> {
        let kept = std::mem::take(&mut self.row.extra);
        self.row.extra.clear();
        let read = self.branch(&mut Lexer::new(value, 1), inner, sink);
        self.row.extra = kept;
        read
    }

    fn unknown(&mut self, lexer: &mut Lexer<'_>, name: Raw<'_>) -> Result<()> {
        let value = lexer.skip()?;
        self.row.extra.fields += 1;
        match self.contract.unknown {
            UnknownFields::Keep => self.row.extra.add(name.text, value),
            UnknownFields::Drop => {}
            UnknownFields::Reject => {
                return Err(Refused::new(Code::UnknownField, "no column takes this field").within(name.text));
            }
        }
        Ok(())
    }

    fn column(&mut self, lexer: &mut Lexer<'_>, index: usize, sink: &mut impl Sink) -> Result<()> {
        if std::mem::replace(&mut self.row.seen[index], true) {
            return Err(Refused::new(Code::DuplicateField, "the field occurs twice"));
        }
        let contract = self.contract;
        let column = &contract.columns[index];
        if lexer.peek() == b'n' {
            lexer.token()?;
            return self.absent(index, column, sink);
        }
        self.given(lexer, index, column, sink)
    }

    fn missing(&mut self, index: usize, column: &Column, sink: &mut impl Sink) -> Result<()> {
        let within = |refused: Refused| column.path.iter().rev().fold(refused, |inner, name| inner.within(name));
        self.absent(index, column, sink).map_err(within)
    }

    fn absent(&mut self, index: usize, column: &Column, sink: &mut impl Sink) -> Result<()> {
        match &column.default {
            Some(default) => self.given(&mut Lexer::new(default, 0), index, column, sink),
            None if column.required => Err(Refused::new(Code::MissingField, "the column is required")),
            None => {
                sink.null(column.node.id);
                Ok(())
            }
        }
    }

    fn given(&mut self, lexer: &mut Lexer<'_>, index: usize, column: &Column, sink: &mut impl Sink) -> Result<()> {
        if !column.node.inner.is_empty() || column.node.r#type == ColumnType::Json {
            let erased = column.rule.as_ref().is_some_and(|rule| rule.mask.is_some());
            if erased {
                lexer.skip()?;
                sink.null(column.node.id);
                return Ok(());
            }
            return self.nested(lexer, &column.node, sink);
        }
        let plain = plain(lexer, &mut self.rooms.text)?;
        let value = convert(&column.node.r#type, plain, &mut self.rooms.bytes).ok_or_else(|| misfit(&column.node))?;
        let shown = match &column.rule {
            Some(rule) => {
                rule.check(value)?;
                rule.masked(value, self.contract.key.as_ref(), &mut self.rooms.masked)
            }
            None => Some(value),
        };
        if self.contract.event_time == Some(index) {
            self.row.event_time = milliseconds(column, value);
        }
        if let Some(at) = self.contract.partition.iter().position(|partition| *partition == index) {
            self.row.partition[at] = shown.map(|value| written(column, value));
        }
        match shown {
            Some(value) => sink.value(column.node.id, value),
            None => sink.null(column.node.id),
        }
        Ok(())
    }

    /// A value inside a list or struct, or one of these itself.
    fn nested(&mut self, lexer: &mut Lexer<'_>, node: &Node, sink: &mut impl Sink) -> Result<()> {
        if lexer.peek() == b'n' {
            lexer.token()?;
            sink.null(node.id);
            return Ok(());
        }
        match (&node.r#type, lexer.peek()) {
            (ColumnType::Json, _) => sink.value(node.id, Value::Text(lexer.skip()?)),
            (ColumnType::List(_), b'[') => self.list(lexer, node, sink)?,
            (ColumnType::Struct(_), b'{') => self.structure(lexer, node, sink)?,
            (ColumnType::List(_) | ColumnType::Struct(_), _) => return Err(misfit(node)),
            _ => {
                let plain = plain(lexer, &mut self.rooms.text)?;
                let value = convert(&node.r#type, plain, &mut self.rooms.bytes).ok_or_else(|| misfit(node))?;
                sink.value(node.id, value);
            }
        }
        Ok(())
    }

    fn list(&mut self, lexer: &mut Lexer<'_>, node: &Node, sink: &mut impl Sink) -> Result<()> {
        lexer.at += 1;
        sink.open(node.id);
        let (_, item) = &node.inner[0];
        let mut index = 0;
        while lexer.more(index == 0, b']')? {
            let mark = self.row.extra.open_item(index);
            self.nested(lexer, item, sink).map_err(|refused| refused.at(index))?;
            self.row.extra.close(mark);
            index += 1;
        }
        sink.close(node.id);
        Ok(())
    }

    fn structure(&mut self, lexer: &mut Lexer<'_>, node: &Node, sink: &mut impl Sink) -> Result<()> {
        lexer.at += 1;
        sink.open(node.id);
        let base = self.row.members.len();
        self.row.members.resize(base + node.inner.len(), false);
        let (mut hint, mut first) = (0, true);
        while lexer.more(first, b'}')? {
            first = false;
            let raw = lexer.name()?;
            let Some(at) = self.member(node, raw, &mut hint)? else {
                self.unknown(lexer, raw)?;
                continue;
            };
            let (name, member) = &node.inner[at];
            if std::mem::replace(&mut self.row.members[base + at], true) {
                return Err(Refused::new(Code::DuplicateField, "the field occurs twice").within(name));
            }
            let mark = self.row.extra.open(raw.text);
            self.nested(lexer, member, sink).map_err(|refused| refused.within(name))?;
            self.row.extra.close(mark);
        }
        for (at, (_, member)) in node.inner.iter().enumerate() {
            if !self.row.members[base + at] {
                sink.null(member.id);
            }
        }
        self.row.members.truncate(base);
        sink.close(node.id);
        Ok(())
    }

    fn member(&mut self, node: &Node, raw: Raw<'_>, hint: &mut usize) -> Result<Option<usize>> {
        let name = if raw.escaped {
            unescape(raw.text, &mut self.rooms.name)?;
            self.rooms.name.as_str()
        } else {
            raw.text
        };
        let near = node.inner.get(*hint).filter(|(known, _)| known == name).map(|_| *hint);
        let at = near.or_else(|| node.inner.iter().position(|(known, _)| known == name));
        *hint = at.map_or(*hint, |at| at + 1);
        Ok(at)
    }

    /// Whether the default is a value of its column.
    pub(super) fn check_default(&mut self, column: &Column) -> Result<()> {
        let Some(default) = &column.default else { return Ok(()) };
        self.begin();
        self.given(&mut Lexer::new(default, 0), usize::MAX, column, &mut Nowhere)
    }
}

/// A scalar's JSON; a text with escapes goes through `room`.
fn plain<'r, 't: 'r>(lexer: &mut Lexer<'t>, room: &'r mut String) -> Result<Plain<'r>> {
    Ok(match lexer.token()? {
        Token::Boolean(value) => Plain::Boolean(value),
        Token::Number(digits) => Plain::Number(digits),
        Token::Text(Raw { text, escaped: false }) => Plain::Text(text),
        Token::Text(Raw { text, escaped: true }) => {
            unescape(text, room)?;
            Plain::Text(room)
        }
        Token::Null => return Err(Refused::new(Code::InvalidValue, "null is no value here")),
        Token::Object => return Err(Refused::new(Code::InvalidValue, "an object is no value of this column")),
        Token::Array => return Err(Refused::new(Code::InvalidValue, "an array is no value of this column")),
    })
}

fn misfit(node: &Node) -> Refused {
    Refused::new(Code::InvalidValue, format!("not a value of type {}", node.r#type))
}

fn milliseconds(column: &Column, value: Value<'_>) -> Option<i64> {
    let Value::Integer(value) = value else { return None };
    match column.node.r#type {
        ColumnType::Timestamp(TimeUnit::Micro) => Some(value.div_euclid(1_000)),
        _ if column.is_date() => value.checked_mul(86_400_000),
        _ => Some(value),
    }
}

/// A partition column's value, as it is in the path of a file.
fn written(column: &Column, value: Value<'_>) -> String {
    match value {
        Value::Text(text) => text.to_owned(),
        Value::Boolean(value) => value.to_string(),
        Value::Unsigned(value) => value.to_string(),
        Value::Integer(days) if column.is_date() => {
            let days = i32::try_from(days).ok().and_then(|days| days.checked_add(2_440_588));
            let date = days.and_then(|days| time::Date::from_julian_day(days).ok());
            date.map_or_else(|| days.map_or_else(String::new, |days| days.to_string()), |date| date.to_string())
        }
        Value::Integer(value) => value.to_string(),
        Value::Float(_) | Value::Decimal(_) | Value::Bytes(_) => String::new(),
    }
}

/// A sink that keeps nothing.
struct Nowhere;

impl Sink for Nowhere {
    fn value(&mut self, _: usize, _: Value<'_>) {}
    fn null(&mut self, _: usize) {}
    fn open(&mut self, _: usize) {}
    fn close(&mut self, _: usize) {}
    fn keep(&mut self, _: Option<&str>) {}
    fn forget(&mut self) {}
}
