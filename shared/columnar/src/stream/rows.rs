//! The values of rows, in any order within a row → a record batch.
//!
//! Column by column from the start: there is no row that would have to be turned into columns.

use std::sync::Arc;

use arrow::{
    array::{ArrayRef, RecordBatch, RecordBatchOptions},
    datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit},
    error::ArrowError,
};
use headgate::{
    contract::{Contract, Node, Sink, Value},
    dataset::{ColumnType, stream::EXTRA},
};

use super::{
    Gather,
    level::{Level, Values},
};
use crate::schema::{UTC, declared};

/// Rows that grow.
#[derive(Debug)]
pub struct Rows {
    levels: Vec<Level>,
    /// The level of each column of the file.
    columns: Vec<usize>,
    extra: Option<Level>,
    schema: SchemaRef,
    length: usize,
    /// Bytes of the rows' values.
    bytes: usize,
    /// Bytes of the values of the row that is being read.
    row_bytes: usize,
}

impl Rows {
    /// No rows yet, of the table that the contract describes.
    #[must_use]
    pub fn new(contract: &Contract) -> Self {
        let mut levels = Vec::with_capacity(contract.nodes());
        let (mut columns, mut fields) = (Vec::new(), Vec::new());
        for (index, column) in contract.columns().iter().enumerate() {
            if contract.is_partition(index) {
                levels.push(Level::new(DataType::Null, Values::Left(0)));
                continue;
            }
            columns.push(column.node.id);
            let data_type = grow(&column.node, &mut levels);
            fields.push(Field::new(&column.name, data_type, !column.required));
        }
        let extra = contract.keeps_extra().then(|| Level::scalar(DataType::Utf8));
        fields.extend(extra.as_ref().map(|_| Field::new(EXTRA, DataType::Utf8, true)));
        Self { levels, columns, extra, schema: Arc::new(Schema::new(fields)), length: 0, bytes: 0, row_bytes: 0 }
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.length
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// The rows as arrow has them.
    ///
    /// # Errors
    /// Where the columns do not fit together, which is a bug.
    pub fn finish(self) -> Result<RecordBatch, ArrowError> {
        let Self { levels, columns, extra, schema, length, .. } = self;
        let mut levels: Vec<Option<Level>> = levels.into_iter().map(Some).collect();
        let mut arrays = columns.iter().map(|at| array(&mut levels, *at)).collect::<Result<Vec<_>, _>>()?;
        if let Some(extra) = extra {
            arrays.push(extra.finish(Vec::new())?);
        }
        let options = RecordBatchOptions::new().with_row_count(Some(length));
        RecordBatch::try_new_with_options(schema, arrays, &options)
    }

    fn cut(&mut self, node: usize, length: usize) {
        let length = self.levels[node].truncate(length);
        match &self.levels[node].values {
            Values::List(_, item) => {
                let item = *item;
                self.cut(item, length);
            }
            Values::Struct(_, members) => {
                for member in members.clone() {
                    self.cut(member, length);
                }
            }
            _ => {}
        }
    }
}

impl Gather for Rows {
    fn take_back(&mut self) {
        self.length = self.length.saturating_sub(1);
        if let Some(extra) = &mut self.extra {
            extra.truncate(self.length);
        }
        self.forget();
    }

    /// What masks and defaults add is counted, and what is empty too. Rows that were taken back count as well.
    fn bytes(&self) -> usize {
        self.bytes
    }
}

/// Adds the levels of a node, in the order of their numbers.
fn grow(node: &Node, levels: &mut Vec<Level>) -> DataType {
    match &node.r#type {
        ColumnType::List(_) | ColumnType::Struct(_) => {
            let at = levels.len();
            levels.push(Level::new(DataType::Null, Values::Left(0)));
            let inner = node.inner.iter().map(|(name, inner)| (name, inner.id, grow(inner, levels)));
            let inner: Vec<_> = inner.collect();
            let fields = inner.iter().map(|(name, _, data_type)| Field::new(*name, data_type.clone(), true));
            let (data_type, values) = if matches!(node.r#type, ColumnType::List(_)) {
                let item = inner[0].2.clone();
                (DataType::new_list(item, true), Values::List(Vec::new(), inner[0].1))
            } else {
                let members = inner.iter().map(|(_, id, _)| *id).collect();
                (DataType::Struct(fields.collect()), Values::Struct(0, members))
            };
            levels[at] = Level::new(data_type.clone(), values);
            data_type
        }
        scalar => {
            // A stream's moments are instants.
            let data_type = match declared(scalar) {
                DataType::Timestamp(TimeUnit::Millisecond, _) => {
                    DataType::Timestamp(TimeUnit::Millisecond, Some(UTC.into()))
                }
                DataType::Timestamp(unit, _) => DataType::Timestamp(unit, Some(UTC.into())),
                other => other,
            };
            levels.push(Level::scalar(data_type.clone()));
            data_type
        }
    }
}

fn array(levels: &mut [Option<Level>], at: usize) -> Result<ArrayRef, ArrowError> {
    let twice = || ArrowError::InvalidArgumentError("a level is asked for twice".to_owned());
    let level = levels.get_mut(at).and_then(Option::take).ok_or_else(twice)?;
    let inner = match &level.values {
        Values::List(_, item) => vec![array(levels, *item)?],
        Values::Struct(_, members) => members.iter().map(|member| array(levels, *member)).collect::<Result<_, _>>()?,
        _ => Vec::new(),
    };
    level.finish(inner)
}

/// What a value takes whatever it is, in bytes: its number or the end of its text.
const PLACE: usize = 8;

fn size(value: Value<'_>) -> usize {
    match value {
        Value::Text(text) => PLACE + text.len(),
        Value::Bytes(bytes) => PLACE + bytes.len(),
        Value::Decimal(_) => 2 * PLACE,
        _ => PLACE,
    }
}

impl Sink for Rows {
    fn value(&mut self, node: usize, value: Value<'_>) {
        self.row_bytes += size(value);
        self.levels[node].push(value);
    }

    fn null(&mut self, node: usize) {
        self.row_bytes += PLACE;
        self.levels[node].push_null();
        if let Values::Struct(_, members) = &self.levels[node].values {
            for member in members.clone() {
                self.null(member);
            }
        }
    }

    fn open(&mut self, _: usize) {}

    fn close(&mut self, node: usize) {
        self.row_bytes += PLACE;
        let end = match &self.levels[node].values {
            Values::List(_, item) => i32::try_from(self.levels[*item].len()).unwrap_or(i32::MAX),
            _ => 0,
        };
        self.levels[node].close(end);
    }

    fn keep(&mut self, extra: Option<&str>) {
        self.length += 1;
        self.bytes += std::mem::take(&mut self.row_bytes) + extra.map_or(0, str::len);
        match (&mut self.extra, extra) {
            (Some(level), Some(extra)) => level.push(Value::Text(extra)),
            (Some(level), None) => level.push_null(),
            (None, _) => {}
        }
    }

    fn forget(&mut self) {
        self.row_bytes = 0;
        for at in 0..self.columns.len() {
            self.cut(self.columns[at], self.length);
        }
    }
}
