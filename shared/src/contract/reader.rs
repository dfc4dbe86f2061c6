//! One JSON object → one row in the sink.
//!
//! All room is kept from record to record. A row that fails leaves nothing in the sink.

pub(super) use self::scalar::plain;
use self::{
    fallbacks::Fallbacks,
    scalar::{put, scalar},
};
use super::{
    Column, Contract, Sink, control,
    extra::{Extra, Leftover},
    key::{milliseconds, written},
    refused::{Refused, Result},
    tree::{Branch, Step, Taker},
    value::Value,
};
use crate::{
    dataset::{ColumnType, stream::RecordFormat},
    error::Code,
    fate::Dropped,
    lexer::{Lexer, inner, said},
};

mod fallbacks;
mod nested;
mod scalar;
mod shared;

/// What a text held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// The first byte after the object.
    pub end: usize,
    /// Why the sink got nothing of it: a message of the transport, or a row that the filter does not want.
    pub dropped: Option<Dropped>,
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
    /// The columns that have their value.
    seen: Vec<bool>,
    /// The fields of the tree that came.
    came: Vec<bool>,
    /// A stack of which members of the open structs came.
    members: Vec<bool>,
    extra: Extra,
    leftover: Leftover,
    control: bool,
    /// How many columns the filter does not want as they are. All are null until their value comes.
    unwanted: usize,
    event_time: Option<i64>,
    /// The partition columns' values; `None` is null.
    partition: Vec<Option<String>>,
    fallbacks: Fallbacks,
}

impl State {
    /// Why the row is dropped that was read, if it is.
    fn dropped(&self) -> Option<Dropped> {
        match (self.control, self.unwanted) {
            (true, _) => Some(Dropped::Control),
            (false, 0) => None,
            (false, _) => Some(Dropped::Filtered),
        }
    }

    /// Notes that a column is not null, and whether the filter would want that, and wants what it is.
    fn settle(&mut self, null: bool, value: bool) {
        match (null, value) {
            (true, false) => self.unwanted += 1,
            (false, true) => self.unwanted -= 1,
            _ => {}
        }
    }
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
        let (seen, came) = (vec![false; contract.columns.len()], vec![false; contract.fields]);
        let row = State { seen, came, partition, ..State::default() };
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
        let dropped = self.row.dropped();
        if read.is_ok() && dropped.is_none() {
            sink.keep(if self.contract.keeps_extra() { self.row.extra.finish() } else { None });
            return Ok(Row { end: lexer.at, dropped });
        }
        sink.forget();
        self.begin();
        match read {
            Ok(()) => Ok(Row { end: lexer.at, dropped }),
            // A control record may break the contract before it says what it is.
            Err(refused) if self.contract.format == RecordFormat::DmsJson => {
                let end = control::end(text, at).ok_or(refused)?;
                Ok(Row { end, dropped: Some(Dropped::Control) })
            }
            Err(refused) => Err(refused),
        }
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
        self.row.came.fill(false);
        self.row.members.clear();
        self.row.extra.clear();
        self.row.leftover = self.contract.unknown.into();
        self.row.control = false;
        self.row.unwanted = self.contract.unwanted_nulls;
        self.row.event_time = None;
        self.row.partition.fill(None);
        self.row.fallbacks.clear();
    }

    fn record(&mut self, lexer: &mut Lexer<'_>, sink: &mut impl Sink) -> Result<()> {
        if lexer.peek() != b'{' {
            return Err(Refused::new(Code::InvalidJson, "not an object"));
        }
        let contract = self.contract;
        if !self.beside.is_empty() {
            let beside = std::mem::take(&mut self.beside);
            let read = self.branch(&mut Lexer::new(&beside, 0), &contract.beside, sink);
            self.beside = beside;
            read?;
        }
        self.branch(lexer, &contract.tree, sink)?;
        if self.row.control {
            return Ok(());
        }
        for (index, column) in contract.columns.iter().enumerate() {
            if !self.row.seen[index] && !self.fallback(index, column, sink)? {
                self.missing(index, column, sink)?;
            }
        }
        Ok(())
    }

    /// An object, from its `{` on.
    fn branch(&mut self, lexer: &mut Lexer<'_>, branch: &Branch, sink: &mut impl Sink) -> Result<()> {
        lexer.enter()?;
        let (mut hint, mut first) = (0, true);
        while lexer.more(first, b'}')? {
            first = false;
            let (name, step) = self.field(lexer, branch, &mut hint)?;
            match step {
                Some(step) => self.step(lexer, step, name, sink).map_err(|refused| refused.within(&step.name))?,
                None => self.unknown(lexer, name).map_err(|refused| refused.within(name))?,
            }
        }
        Ok(())
    }

    /// The next field's name as it is written, and its step, if any: that may well be the one at `hint`, which becomes
    /// the one after it.
    fn field<'t, 'l: 't>(
        &mut self,
        lexer: &mut Lexer<'l>,
        branch: &'t Branch,
        hint: &mut usize,
    ) -> Result<(&'t str, Option<&'t Step>)> {
        let steps = branch.steps();
        if let Some(step) = steps.get(*hint).filter(|step| lexer.passes(&step.written)) {
            *hint += 1;
            return Ok((inner(&step.written), Some(step)));
        }
        let raw = lexer.name()?;
        let name = said(raw, &mut self.rooms.name);
        let at = steps.iter().position(|step| step.name == name);
        *hint = at.map_or(*hint, |at| at + 1);
        Ok((raw.text, at.map(|at| &steps[at])))
    }

    fn step(&mut self, lexer: &mut Lexer<'_>, step: &Step, name: &str, sink: &mut impl Sink) -> Result<()> {
        if std::mem::replace(&mut self.row.came[step.id], true) {
            return Err(Refused::new(Code::DuplicateField, "the field occurs twice"));
        }
        match (&step.takers[..], &step.inner) {
            ([Taker::Column(index)], None) => {
                // Only lists and structs leave anything over.
                if self.contract.columns[*index].node.inner.is_empty() {
                    return self.column(lexer, *index, sink);
                }
                let mark = self.row.extra.open(name);
                self.column(lexer, *index, sink)?;
                self.row.extra.close(mark);
            }
            ([], Some(inner)) if lexer.peek() == b'{' => {
                let leftover = self.row.leftover;
                if step.envelope {
                    self.row.leftover = leftover.in_envelope();
                }
                let mark = self.row.extra.open(name);
                self.branch(lexer, inner, sink)?;
                self.row.extra.close(mark);
                self.row.leftover = leftover;
            }
            // No object: nothing is in it.
            ([], Some(_)) if lexer.peek() == b'n' => {
                lexer.skip()?;
            }
            ([], Some(_)) => self.unknown(lexer, name)?,
            _ => self.several(lexer, step, name, sink)?,
        }
        Ok(())
    }

    /// A field that no column takes. Its name is to be added to a refusal.
    fn unknown(&mut self, lexer: &mut Lexer<'_>, name: &str) -> Result<()> {
        let value = lexer.skip()?;
        match self.row.leftover {
            Leftover::Keep | Leftover::Note => self.row.extra.add(name, value),
            Leftover::Reject => return Err(Refused::new(Code::UnknownField, "no column takes this field")),
            Leftover::Drop | Leftover::Ignore => {}
        }
        self.row.extra.fields += u64::from(matches!(self.row.leftover, Leftover::Keep | Leftover::Drop));
        Ok(())
    }

    fn column(&mut self, lexer: &mut Lexer<'_>, index: usize, sink: &mut impl Sink) -> Result<()> {
        let contract = self.contract;
        let column = &contract.columns[index];
        if lexer.peek() == b'n' {
            lexer.token()?;
            if column.fallback.is_some() {
                return Ok(());
            }
            self.row.seen[index] = true;
            return self.absent(index, column, sink);
        }
        self.row.seen[index] = true;
        self.given(lexer, index, column, sink)
    }

    fn missing(&mut self, index: usize, column: &Column, sink: &mut impl Sink) -> Result<()> {
        let within = |refused: Refused| column.path.iter().rev().fold(refused, |inner, name| inner.within(name));
        self.absent(index, column, sink).map_err(within)
    }

    fn absent(&mut self, index: usize, column: &Column, sink: &mut impl Sink) -> Result<()> {
        match &column.default {
            Some(default) => {
                let leftover = std::mem::take(&mut self.row.leftover);
                self.given(&mut Lexer::new(default, 0), index, column, sink)?;
                self.row.leftover = leftover;
                Ok(())
            }
            None if column.demanded => Err(Refused::new(Code::MissingField, "the column is required")),
            None => {
                sink.null(column.node.id);
                Ok(())
            }
        }
    }

    fn given(&mut self, lexer: &mut Lexer<'_>, index: usize, column: &Column, sink: &mut impl Sink) -> Result<()> {
        if !column.node.inner.is_empty() || column.node.r#type == ColumnType::Json {
            if column.is_erased() {
                lexer.skip()?;
                sink.null(column.node.id);
                return Ok(());
            }
            return self.nested(lexer, &column.node, sink);
        }
        let (value, json) = scalar(lexer, &column.node, &mut self.rooms.text, &mut self.rooms.bytes)?;
        if column.plain {
            put(&column.node, value, json, sink);
            return Ok(());
        }
        let shown = match &column.rule {
            Some(rule) => {
                rule.check(value)?;
                self.row.settle(rule.filter.wants_null(), rule.filter.wants(value));
                rule.masked(value, self.contract.key.as_ref(), &mut self.rooms.masked)
            }
            None => Some(value),
        };
        if self.contract.event_time == Some(index) {
            self.row.event_time = milliseconds(column, value);
        }
        if let Some(at) = self.contract.partition.iter().position(|partition| *partition == index) {
            let outside = || Refused::new(Code::InvalidValue, "a partition's date must be in the years 1 to 9999");
            self.row.partition[at] = shown.map(|value| written(column, value).ok_or_else(outside)).transpose()?;
        }
        match shown {
            Some(value) => sink.value(column.node.id, value),
            None => sink.null(column.node.id),
        }
        Ok(())
    }

    /// Whether the default is a value of its column.
    pub(super) fn check_default(&mut self, column: &Column) -> Result<()> {
        let Some(default) = &column.default else { return Ok(()) };
        self.begin();
        self.row.leftover = Leftover::Reject;
        self.given(&mut Lexer::new(default, 0), usize::MAX, column, &mut Nowhere)
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
