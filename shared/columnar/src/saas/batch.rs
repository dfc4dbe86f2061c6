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
    records::{Told, each},
};
use crate::{
    schema::declared,
    stream::{Rows, encode},
};

/// A dataset, compiled.
#[derive(Debug)]
pub struct Readers {
    rows: Contract,
    /// Of a row that is taken out: its key and its version.
    keys: Contract,
    nulls: Nulls,
}

impl Readers {
    /// Compiles the dataset; `key` hides the values of hashed columns.
    ///
    /// # Errors
    /// Misconfigured, as [`Contract::new`].
    pub fn new(saas: &Saas, key: Option<MaskKey>) -> Result<Self, Error> {
        let mut keys = saas.rows.clone();
        let is_kept =
            |name: &String| saas.table.primary_key.contains(name) || saas.table.order_by.as_ref() == Some(name);
        keys.columns.retain(|field| is_kept(&field.name));
        keys.filter.clear();
        keys.unknown_fields = UnknownFields::Drop;
        Ok(Self {
            rows: Contract::new(&saas.rows, key.clone())?,
            keys: Contract::new(&keys, key)?,
            nulls: Nulls::new(&saas.nulls),
        })
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

/// What files of a run come to.
#[derive(Debug)]
pub struct Landed {
    /// The file of changes; `None` where there is no change.
    pub changes: Option<Bytes>,
    /// What is refused, as lines.
    pub refused: Bytes,
    /// What became of the records.
    pub fates: Fates,
    /// How many records there were, those that could not be read included.
    pub records: u64,
    /// Rows that say that their record was deleted.
    pub deleted: u64,
    /// Fields that no column took, and that were left out or kept aside.
    pub unknown_fields: u64,
}

/// Reads files of a run, each with its key, in order.
///
/// # Errors
/// Where arrow refuses, which is a bug.
pub fn land(saas: &Saas, readers: &Readers, run: Run<'_>, files: &[(String, Bytes)]) -> Result<Landed, Error> {
    let mut landing = Landing {
        saas,
        run,
        nulls: &readers.nulls,
        rows: (Reader::new(&readers.rows), Rows::new(&readers.rows)),
        keys: (Reader::new(&readers.keys), Rows::new(&readers.keys)),
        order: Vec::new(),
        refused: Vec::new(),
        fates: Fates::default(),
        records: 0,
        unknown_fields: 0,
    };
    for (key, file) in files {
        if let Err(refusal) = each(file, &saas.format, &mut |row, told| landing.take(key, row, told)) {
            landing.records += 1;
            let column = refusal.column.map(|column| format!("column {column}: ")).unwrap_or_default();
            landing.refuse((key, None), (refusal.code, format!("{column}{}", refusal.reason), None), &[], Part::Record);
        }
    }
    landing.finish()
}

/// Which of two batches.
const ROWS: usize = 0;
const KEYS: usize = 1;

struct Landing<'a> {
    saas: &'a Saas,
    run: Run<'a>,
    nulls: &'a Nulls,
    rows: (Reader<'a>, Rows),
    keys: (Reader<'a>, Rows),
    /// The rows of both, in the order of the records.
    order: Vec<(usize, usize)>,
    refused: Vec<u8>,
    fates: Fates,
    records: u64,
    unknown_fields: u64,
}

impl Landing<'_> {
    fn take(&mut self, key: &str, row: u64, told: Told<'_>) {
        self.records += 1;
        let place = (key, Some(row));
        let text = match told {
            Ok(text) => text,
            Err((code, reason, raw)) => {
                return self.refuse(place, (code, reason.into_owned(), None), raw, Part::Record);
            }
        };
        let record = self.nulls.out_of(&text);
        let (reader, rows) = &mut self.rows;
        match reader.read(&record, 0, rows) {
            Ok(read) if !record[read.end..].trim().is_empty() => {
                if read.dropped.is_none() {
                    crate::stream::Gather::take_back(rows);
                }
                let reason = "text follows the object: a line is one object".to_owned();
                self.refuse(place, (Code::InvalidJson, reason, None), text.as_bytes(), Part::Record);
            }
            Ok(read) => {
                self.unknown_fields += reader.unknown_fields();
                self.keep(&record, read.dropped, place, text.as_bytes());
            }
            Err(refused) => self.refuse(place, told_of(&refused), text.as_bytes(), Part::Document),
        }
    }

    fn keep(&mut self, record: &str, dropped: Option<Dropped>, place: (&str, Option<u64>), raw: &[u8]) {
        let Some(reason) = dropped else {
            self.fates.add(Fate::Stored, 1);
            self.order.push((ROWS, self.rows.1.len() - 1));
            return;
        };
        let (reader, keys) = &mut self.keys;
        match reader.read(record, 0, keys) {
            Ok(_) => {
                self.fates.add(Fate::Dropped { reason }, 1);
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
        self.fates.add(Fate::Quarantined { reason: code }, 1);
        let position = Position::Row { key: key.to_owned(), row };
        let line = Line::new(self.saas.name(), code, reason, position, self.run.at, raw);
        Line { path, part, attempt: self.run.id.to_owned(), ..line }.write(&mut self.refused);
    }

    fn finish(self) -> Result<Landed, Error> {
        self.fates.account_for(self.records)?;
        let Self { saas, order, refused, fates, records, unknown_fields, rows: (_, rows), keys: (_, keys), .. } = self;
        let made =
            changes(saas, rows, keys, &order).map_err(|error| Error::retry(Code::Internal, error.to_string()))?;
        let (batch, deleted) = made;
        let changes = (batch.num_rows() > 0).then(|| encode(&batch, None, saas.table.compression, &[])).transpose()?;
        Ok(Landed { changes, refused: refused.into(), fates, records, deleted, unknown_fields })
    }
}

fn told_of(refused: &Refused) -> (Code, String, Option<String>) {
    (refused.code, refused.reason().to_owned(), Some(refused.path().to_owned()))
}

type Arrow<T> = Result<T, arrow::error::ArrowError>;

/// All rows in the order of their records, with what each does, and how many say that their record was deleted.
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
    if order.is_empty() {
        return Ok((RecordBatch::new_empty(schema), deleted));
    }
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
