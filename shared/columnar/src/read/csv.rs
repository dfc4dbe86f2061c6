//! DMS CSV → change rows.
//!
//! The unquoted null text is NULL and nothing else is; a number that is no number refuses the file. Only a delete's
//! values other than the key may be anything, since nobody reads them.

mod layout;
pub(super) mod record;
#[cfg(test)]
mod tests;

use arrow::datatypes::SchemaRef;
use headgate::{
    Code,
    clock::Timestamp,
    dataset::{Csv, Dataset},
    literal::time,
};

use self::{
    layout::Layout,
    record::{Dialect, Field, Found},
};
use super::{Open, Place, Rows, batch::Batch, input::Input, op_of, refuse, refuse_column};
use crate::changes::{Changes, FileKind, Op, Refusal};

/// A CSV file's rows.
#[derive(Debug)]
pub(super) struct CsvRows {
    input: Input,
    dialect: Dialect,
    kind: FileKind,
    null: Vec<u8>,
    layout: Layout,
    batch: Batch,
    stamps: Stamps,
    fields: Vec<Field>,
    room: Vec<u8>,
    row: u64,
}

impl CsvRows {
    pub(super) fn open(csv: &Csv, kind: FileKind, dataset: &Dataset, open: Open<'_>) -> Result<Self, Refusal> {
        let mut input = Input::open(open)?;
        let mut dialect = Dialect::new(csv.delimiter);
        let (mut fields, mut room) = (Vec::new(), Vec::new());
        let first = record(&mut input, &mut dialect, &mut fields, 1)?;
        let text = &input.unread()[..first.unwrap_or(0)];
        let layout = if csv.header {
            let names = names(text, &fields)?;
            Layout::of_names(&names, dataset)?
        } else if first.is_some() {
            let looks_like_op =
                fields.first().is_some_and(|field| op_of(field.text(text, &mut room), FileKind::Cdc).is_some());
            Layout::of_count(fields.len(), looks_like_op, kind, dataset)?
        } else {
            Layout::of_nothing(dataset)?
        };
        if csv.header {
            input.consume(first.unwrap_or(0));
        }
        let batch = Batch::new(&layout.columns, &dataset.primary_key)?;
        let stamps = Stamps { column: dataset.source.timestamp_column.clone(), ..Stamps::default() };
        let null = csv.null.clone().into_bytes();
        Ok(Self { input, dialect, kind, null, layout, batch, stamps, fields, room, row: 0 })
    }

    /// Takes the record at the window's start, which has the layout's number of fields.
    fn append(&mut self, length: usize) -> Result<(), Refusal> {
        let Self { input, kind, null, layout, batch, fields, room, .. } = self;
        let record = &input.unread()[..length];
        let place = Place::Row(self.row);
        let op = match layout.op {
            None => Op::Insert,
            Some(at) => {
                let text = fields[at].text(record, room);
                op_of(text, *kind)
                    .ok_or_else(|| place.unknown_op(&String::from_utf8_lossy(&text[..text.len().min(16)])))?
            }
        };
        if let Some(at) = layout.stamp {
            self.stamps.see(fields[at].text(record, room), null).map_err(|refusal| refusal.at(place))?;
        }
        for (column, at) in layout.fields.iter().enumerate() {
            let field = &fields[*at];
            let text = field.text(record, room);
            if !field.quoted && text == *null {
                if batch.is_key(column) {
                    return Err(batch.null_key(place, column));
                }
                batch.columns()[column].append_null();
            } else if let Err(misfit) = batch.columns()[column].append_text(text) {
                if op != Op::Delete || batch.is_key(column) {
                    return Err(batch.misfit(place, column, misfit));
                }
                batch.columns()[column].append_null();
            }
        }
        self.append_old_key(op, length)?;
        self.batch.end_row(op, length);
        Ok(())
    }

    fn append_old_key(&mut self, op: Op, length: usize) -> Result<(), Refusal> {
        let Self { input, null, layout, batch, fields, room, .. } = self;
        let record = &input.unread()[..length];
        let mut is_null = |at: &usize| !fields[*at].quoted && fields[*at].text(record, room) == *null;
        if op != Op::Update || layout.old_keys.is_empty() || layout.old_keys.iter().any(&mut is_null) {
            batch.skip_old_key();
            return Ok(());
        }
        for (key, at) in layout.old_keys.iter().enumerate() {
            let text = fields[*at].text(record, room);
            if let Err(misfit) = batch.old_keys()[key].append_text(text) {
                return Err(batch.misfit(Place::Row(self.row), batch.keys()[key], misfit));
            }
        }
        batch.tell_old_key();
        Ok(())
    }
}

impl Rows for CsvRows {
    fn schema(&self) -> &SchemaRef {
        self.batch.schema()
    }

    fn complete(&self) -> bool {
        true
    }

    fn undeclared(&self) -> &[String] {
        &self.layout.undeclared
    }

    fn earliest(&self) -> Option<Timestamp> {
        self.stamps.earliest
    }

    fn next_batch(&mut self) -> Result<Option<Changes>, Refusal> {
        while !self.batch.is_full() {
            let row = self.row + 1;
            let Some(length) = record(&mut self.input, &mut self.dialect, &mut self.fields, row)? else { break };
            self.row = row;
            if self.fields.len() != self.layout.count {
                let (found, expected) = (self.fields.len(), self.layout.count);
                let reason = format!("{found} fields where {expected} are expected");
                return Err(Place::Row(row).refuse(Code::UnreadableFile, &reason));
            }
            self.append(length)?;
            self.input.consume(length);
        }
        self.batch.finish()
    }
}

/// The earliest time among those seen.
#[derive(Debug, Default)]
struct Stamps {
    column: Option<String>,
    last: Vec<u8>,
    earliest: Option<Timestamp>,
}

impl Stamps {
    /// Notes a row's time. One that is no time refuses the file: its fields are not where they are expected, and a
    /// delete could be taken for an insert.
    fn see(&mut self, text: &[u8], null: &[u8]) -> Result<(), Refusal> {
        // Rows of one transaction, and of one load, carry the same text.
        if text == self.last || text == null || text.is_empty() {
            return Ok(());
        }
        let column = self.column.as_deref().unwrap_or_default();
        let stamp =
            time::stamp(text).ok_or_else(|| refuse_column(Code::InvalidValue, column, "the value is no time"))?;
        self.earliest = Some(self.earliest.map_or(stamp, |earliest| earliest.min(stamp)));
        self.last.clear();
        self.last.extend_from_slice(text);
        Ok(())
    }
}

/// Splits the next record, wherever the window must move for it; its length, or `None` after the last.
fn record(
    input: &mut Input,
    dialect: &mut Dialect,
    fields: &mut Vec<Field>,
    row: u64,
) -> Result<Option<usize>, Refusal> {
    loop {
        let text = input.unread();
        if text.is_empty() && input.ended() {
            return Ok(None);
        }
        match dialect.split(text, input.ended(), fields) {
            Found::Record(length) => return Ok(Some(length)),
            Found::Incomplete => input.more().map_err(|refusal| refusal.at(Place::Row(row)))?,
            Found::Malformed(reason) => return Err(Place::Row(row).refuse(Code::UnreadableFile, reason)),
        }
    }
}

fn names(record: &[u8], fields: &[Field]) -> Result<Vec<String>, Refusal> {
    let mut room = Vec::new();
    let name = |field: &Field| String::from_utf8(field.text(record, &mut room).to_vec());
    let names: Result<_, _> = fields.iter().map(name).collect();
    names.map_err(|_| refuse(Code::UnreadableFile, "the header is not UTF-8"))
}
