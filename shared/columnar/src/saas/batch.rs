//! Records → rows of a file of changes: a row put in, or its key taken out.
//!
//! A version of a record that the filter does not want takes the row out as a deletion does: an older version that it
//! wanted must not stay.

use std::sync::Arc;

use arrow::{
    array::{Array, ArrayRef, AsArray, RecordBatch, RecordBatchOptions, StringArray, new_null_array},
    compute::interleave_record_batch,
    datatypes::{DataType, Field, Schema, SchemaRef},
};
use bytes::Bytes;
use headgate::{
    Code, Error,
    clock::Timestamp,
    contract::{Contract, MaskKey, Reader, Refused},
    dataset::{Saas, saas::Deleted, stream::UnknownFields},
    fate::{Dropped, Fate, Fates},
    position::Position,
    quarantine::{Line, Part},
};

use super::{
    nulls::Nulls,
    records::{Reading, Stop, Told, each},
};
use crate::{
    schema::declared,
    stream::{Gather, Rows, encode},
};

/// A dataset, compiled.
#[derive(Debug)]
pub struct Readers {
    rows: Contract,
    /// Of a row that is taken out: its key, its version, and what tells that it was deleted.
    keys: Contract,
    nulls: Nulls,
    /// Where the columns may be in a record.
    paths: Vec<Vec<String>>,
}

impl Readers {
    /// Compiles the dataset; `key` hides the values of hashed columns.
    ///
    /// # Errors
    /// Misconfigured, as [`Contract::new`].
    pub fn new(saas: &Saas, key: Option<MaskKey>) -> Result<Self, Error> {
        let mut keys = saas.rows.clone();
        let deleted = saas.deleted.as_ref().map(|deleted| &deleted.column);
        let is_kept = |name: &String| {
            saas.table.primary_key.contains(name) || [saas.table.order_by.as_ref(), deleted].contains(&Some(name))
        };
        keys.columns.retain(|field| is_kept(&field.name));
        keys.filter.clear();
        keys.unknown_fields = UnknownFields::Drop;
        Ok(Self {
            rows: Contract::new(&saas.rows, key.clone())?,
            keys: Contract::new(&keys, key)?,
            nulls: Nulls::new(&saas.nulls),
            paths: saas
                .rows
                .columns
                .iter()
                .flat_map(|field| [Some(&field.path), field.fallback.as_ref()])
                .flatten()
                .cloned()
                .collect(),
        })
    }

    /// Whether the record says that it was deleted, whatever else it says. A product may tell no more than its key of a
    /// record that is gone, so what else the contract asks for is not asked of it.
    fn tells_deletion(&self, record: &str, deleted: &Deleted) -> bool {
        let mut row = Rows::new(&self.keys);
        let read = Reader::new(&self.keys).read(record, 0, &mut row);
        let is_whole = read.is_ok_and(|read| record[read.end..].trim().is_empty());
        is_whole && row.finish().is_ok_and(|row| is_deleted(&row, deleted) == [true])
    }
}

/// The run that files are of.
#[derive(Debug, Clone, Copy)]
pub struct Run<'a> {
    /// The id of its execution.
    pub id: &'a str,
    /// When it began.
    pub at: Timestamp,
}

/// A part of what files of a run come to; those of each kind are numbered from 0. They are cut by what is read alone:
/// the same files come to the same parts whenever and wherever they are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// A file of changes.
    Changes(u64, Bytes),
    /// What is refused, as lines.
    Refused(u64, Bytes),
}

/// Who takes the parts.
pub type Give<'a> = dyn FnMut(Piece) -> Result<(), Error> + 'a;

/// Bytes of values, or of lines, that are a part: small beside the smallest function, and to a merge, which takes a file
/// of changes whole.
const PART: usize = if cfg!(test) { 1 << 20 } else { 32 << 20 };

/// What files of a run come to.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Landed {
    /// What became of the records.
    pub fates: Fates,
    /// How many records there were, those that could not be read included.
    pub records: u64,
    /// Rows that say that their record was deleted.
    pub deleted: u64,
    /// Fields that no column took, and that were left out or kept aside.
    pub unknown_fields: u64,
}

/// Reads files of a run, each with its key, in order, and gives what they come to. `memory` is all that there is.
///
/// # Errors
/// What `give` says. Misconfigured: a file does not fit the memory. Retry: arrow refuses, which is a bug.
pub fn land(
    (saas, readers): (&Saas, &Readers),
    run: Run<'_>,
    files: &[(String, Bytes)],
    memory: u64,
    give: &mut Give<'_>,
) -> Result<Landed, Error> {
    let mut landing = Landing {
        saas,
        run,
        readers,
        rows: (Reader::new(&readers.rows), Rows::new(&readers.rows)),
        keys: (Reader::new(&readers.keys), Rows::new(&readers.keys)),
        order: Vec::new(),
        refused: Vec::new(),
        parts: (0, 0),
        give,
        landed: Landed::default(),
    };
    let reading = Reading { format: &saas.format, paths: &readers.paths, memory };
    for (key, file) in files {
        match each(file, reading, &mut |row, told| landing.take(key, row, told)) {
            Ok(()) => {}
            Err(Stop::Failed(error)) => return Err(Error { message: format!("{key}: {}", error.message), ..error }),
            Err(Stop::Unreadable(refusal)) => {
                landing.landed.records += 1;
                let column = refusal.column.map(|column| format!("column {column}: ")).unwrap_or_default();
                let reason = format!("{column}{}", refusal.reason);
                landing.refuse((key, None), (refusal.code, reason, None), &[], Part::Record);
            }
        }
    }
    landing.finish()
}

/// Which of two batches.
const ROWS: usize = 0;
const KEYS: usize = 1;

struct Landing<'a, 'g> {
    saas: &'a Saas,
    run: Run<'a>,
    readers: &'a Readers,
    rows: (Reader<'a>, Rows),
    keys: (Reader<'a>, Rows),
    /// The rows of both, in the order of the records.
    order: Vec<(usize, usize)>,
    refused: Vec<u8>,
    /// How many were given: of changes, and of what is refused.
    parts: (u64, u64),
    give: &'a mut Give<'g>,
    landed: Landed,
}

impl Landing<'_, '_> {
    fn take(&mut self, key: &str, row: u64, told: Told<'_>) -> Result<(), Stop> {
        self.landed.records += 1;
        let place = (key, Some(row));
        match told {
            Ok(text) => self.read(&text, place),
            Err((code, reason, raw)) => self.refuse(place, (code, reason.into_owned(), None), raw, Part::Record),
        }
        if self.rows.1.bytes() + self.keys.1.bytes() >= PART {
            self.give_changes()?;
        }
        if self.refused.len() >= PART {
            self.give_refused()?;
        }
        Ok(())
    }

    fn read(&mut self, text: &str, place: (&str, Option<u64>)) {
        let record = self.readers.nulls.out_of(text);
        let (reader, rows) = &mut self.rows;
        match reader.read(&record, 0, rows) {
            Ok(read) if !record[read.end..].trim().is_empty() => {
                if read.dropped.is_none() {
                    rows.take_back();
                }
                let reason = "text follows the object: a line is one object".to_owned();
                self.refuse(place, (Code::InvalidJson, reason, None), text.as_bytes(), Part::Record);
            }
            Ok(read) => {
                self.landed.unknown_fields += reader.unknown_fields();
                self.keep(&record, read.dropped, place, text.as_bytes());
            }
            Err(refused) => {
                let deleted = self.saas.deleted.as_ref();
                if deleted.is_some_and(|deleted| self.readers.tells_deletion(&record, deleted)) {
                    self.landed.deleted += 1;
                    return self.take_out(&record, Fate::Stored, place, text.as_bytes());
                }
                self.refuse(place, told_of(&refused), text.as_bytes(), Part::Document);
            }
        }
    }

    fn keep(&mut self, record: &str, dropped: Option<Dropped>, place: (&str, Option<u64>), raw: &[u8]) {
        if let Some(reason) = dropped {
            return self.take_out(record, Fate::Dropped { reason }, place, raw);
        }
        self.landed.fates.add(Fate::Stored, 1);
        self.order.push((ROWS, self.rows.1.len() - 1));
    }

    /// Takes the record's row out of the table.
    fn take_out(&mut self, record: &str, fate: Fate, place: (&str, Option<u64>), raw: &[u8]) {
        let (reader, keys) = &mut self.keys;
        match reader.read(record, 0, keys) {
            Ok(_) => {
                self.landed.fates.add(fate, 1);
                self.order.push((KEYS, keys.len() - 1));
            }
            Err(refused) => self.refuse(place, told_of(&refused), raw, Part::Document),
        }
    }

    fn refuse(
        &mut self,
        (key, row): (&str, Option<u64>),
        (code, reason, path): (Code, String, Option<String>),
        raw: &[u8],
        part: Part,
    ) {
        self.landed.fates.add(Fate::Quarantined { reason: code }, 1);
        let position = Position::Row { key: key.to_owned(), row };
        let line = Line::new(self.saas.name(), code, reason, position, self.run.at, raw);
        Line { path, part, attempt: self.run.id.to_owned(), ..line }.write(&mut self.refused);
    }

    fn give_changes(&mut self) -> Result<(), Error> {
        let rows = std::mem::replace(&mut self.rows.1, Rows::new(&self.readers.rows));
        let keys = std::mem::replace(&mut self.keys.1, Rows::new(&self.readers.keys));
        let order = std::mem::take(&mut self.order);
        if order.is_empty() {
            return Ok(());
        }
        let (batch, deleted) =
            changes(self.saas, rows, keys, &order).map_err(|error| Error::retry(Code::Internal, error.to_string()))?;
        self.landed.deleted += deleted;
        let file = encode(&batch, None, self.saas.table.compression, &[])?;
        (self.give)(Piece::Changes(self.parts.0, file))?;
        self.parts.0 += 1;
        Ok(())
    }

    fn give_refused(&mut self) -> Result<(), Error> {
        let lines = std::mem::take(&mut self.refused);
        if lines.is_empty() {
            return Ok(());
        }
        (self.give)(Piece::Refused(self.parts.1, lines.into()))?;
        self.parts.1 += 1;
        Ok(())
    }

    fn finish(mut self) -> Result<Landed, Error> {
        self.give_changes()?;
        self.give_refused()?;
        self.landed.fates.account_for(self.landed.records)?;
        Ok(self.landed)
    }
}

fn told_of(refused: &Refused) -> (Code, String, Option<String>) {
    (refused.code, refused.reason().to_owned(), Some(refused.path().to_owned()))
}

type Arrow<T> = Result<T, arrow::error::ArrowError>;

/// All rows, of which there are some, in the order of their records, with what each does, and how many say that their
/// record was deleted.
fn changes(saas: &Saas, rows: Rows, keys: Rows, order: &[(usize, usize)]) -> Arrow<(RecordBatch, u64)> {
    let rows = rows.finish()?;
    let gone = saas.deleted.as_ref().map(|deleted| is_deleted(&rows, deleted)).unwrap_or_default();
    let deleted = gone.iter().filter(|gone| **gone).count() as u64;
    let ops = gone.iter().map(|gone| if *gone { "D" } else { "I" });
    let ops: ArrayRef = match saas.deleted {
        Some(_) => Arc::new(StringArray::from_iter_values(ops)),
        None => Arc::new(StringArray::from(vec!["I"; rows.num_rows()])),
    };
    let keys = keys.finish()?;
    let taken_out: ArrayRef = Arc::new(StringArray::from(vec!["D"; keys.num_rows()]));
    let schema = schema(saas);
    let batches = [conform(saas, &schema, &rows, ops)?, conform(saas, &schema, &keys, taken_out)?];
    Ok((interleave_record_batch(&[&batches[ROWS], &batches[KEYS]], order)?, deleted))
}

fn is_deleted(rows: &RecordBatch, deleted: &Deleted) -> Vec<bool> {
    let Some(column) = rows.column_by_name(&deleted.column) else { return vec![false; rows.num_rows()] };
    match column.data_type() {
        DataType::Boolean => column.as_boolean().iter().map(|flag| flag == Some(true)).collect(),
        DataType::Utf8 => {
            let says = |text: Option<&str>| text.is_some_and(|text| deleted.one_of.iter().any(|word| word == text));
            column.as_string::<i32>().iter().map(says).collect()
        }
        _ => vec![false; rows.num_rows()],
    }
}

/// The columns of a file of changes, all of which may be null: a key that is taken out has no other.
fn schema(saas: &Saas) -> SchemaRef {
    let op = Field::new(&saas.table.source.op_column, DataType::Utf8, false);
    let columns = saas.table.columns.iter().flatten();
    let columns = columns.map(|column| Field::new(&column.name, declared(&column.r#type), true));
    Arc::new(Schema::new(std::iter::once(op).chain(columns).collect::<Vec<_>>()))
}

fn conform(saas: &Saas, schema: &SchemaRef, rows: &RecordBatch, ops: ArrayRef) -> Arrow<RecordBatch> {
    let columns = saas.table.columns.iter().flatten().zip(&schema.fields()[1..]);
    let columns = columns.map(|(column, field)| match rows.column_by_name(&column.name) {
        // A stream's moments say that they are in UTC; a table's are, too.
        Some(array) => arrow::compute::cast(array, field.data_type()),
        None => Ok(new_null_array(field.data_type(), rows.num_rows())),
    });
    let columns = std::iter::once(Ok(ops)).chain(columns).collect::<Arrow<Vec<_>>>()?;
    let options = RecordBatchOptions::new().with_row_count(Some(rows.num_rows()));
    RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options)
}
