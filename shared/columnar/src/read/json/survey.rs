//! A whole file's lines → its columns and their types, before the first row is given.
//!
//! An embedded schema is believed; without one the values tell. A column that is always NULL has the type Null.

use std::collections::HashMap;

use arrow::datatypes::DataType;
use headgate::{Code, dataset::Dataset};

use super::{
    connect,
    envelope::{Envelope, no_object},
    lines::Lines,
    object,
};
use crate::{
    changes::{Op, Refusal},
    read::{MOST_COLUMNS, Place, refuse_column},
    schema::{declared, unify},
};

/// What a look at a file found.
#[derive(Debug, Default)]
pub(super) struct Survey {
    pub(super) columns: Vec<(String, DataType)>,
    /// The columns by name.
    places: HashMap<String, usize>,
    /// Rows that told their columns by a schema.
    schemas: u64,
    rows: u64,
    keyed: bool,
    schema: String,
}

impl Survey {
    /// Looks at every line.
    pub(super) fn of(lines: &mut Lines, dataset: &Dataset) -> Result<Self, Refusal> {
        let mut survey = Self::default();
        while lines.find()? {
            if let Some(envelope) = lines.envelope()? {
                survey.see(&envelope, lines.place())?;
            }
            lines.advance();
        }
        survey.declare(dataset);
        Ok(survey)
    }

    /// Without a look: the declared columns, whatever the file has of them.
    pub(super) fn declared(dataset: &Dataset) -> Self {
        let mut survey = Self { keyed: true, ..Self::default() };
        survey.declare(dataset);
        survey
    }

    /// Whether the columns are all there are.
    pub(super) fn complete(&self) -> bool {
        self.rows > 0 && self.schemas == self.rows
    }

    /// A file with rows has the key.
    pub(super) fn check_key(&self, dataset: &Dataset) -> Result<(), Refusal> {
        let missing = |key: &&String| !self.columns.iter().any(|(name, _)| name == *key);
        match dataset.primary_key.iter().find(missing) {
            Some(key) if self.keyed => Err(refuse_column(Code::MissingKeyColumn, key, "the file has no such column")),
            _ => Ok(()),
        }
    }

    fn see(&mut self, envelope: &Envelope<'_>, place: Place) -> Result<(), Refusal> {
        self.rows += 1;
        self.keyed |= envelope.op != Op::Truncate;
        if let Some(schema) = envelope.schema
            && self.see_schema(schema, place)?
        {
            self.schemas += 1;
            return Ok(());
        }
        for image in [envelope.after, envelope.before].into_iter().flatten() {
            let mut fit = Ok(());
            let each = |name: &str, value: &str| {
                if fit.is_ok() {
                    fit = self.add(name, infer(value), place);
                }
            };
            object::fields(image, each).map_err(|error| no_object(place, &error))?;
            fit?;
        }
        Ok(())
    }

    /// Takes the columns of an embedded schema; `false` where it is not an envelope's.
    fn see_schema(&mut self, schema: &str, place: Place) -> Result<bool, Refusal> {
        if schema == self.schema {
            return Ok(true);
        }
        let Some(columns) = connect::columns(schema) else { return Ok(false) };
        schema.clone_into(&mut self.schema);
        for column in columns {
            self.add(&column.name, column.data_type, place)?;
        }
        Ok(true)
    }

    fn add(&mut self, name: &str, data_type: DataType, place: Place) -> Result<(), Refusal> {
        let Some(at) = self.places.get(name) else {
            if self.columns.len() == MOST_COLUMNS {
                return Err(place.refuse(Code::UnreadableFile, "more than 10,000 columns"));
            }
            self.places.insert(name.to_owned(), self.columns.len());
            self.columns.push((name.to_owned(), data_type));
            return Ok(());
        };
        let (_, known) = &mut self.columns[*at];
        if *known != data_type {
            *known = unify(known, &data_type).ok_or_else(|| {
                let reason = format!("{place}: the column turns from {known} into {data_type}");
                refuse_column(Code::IncompatibleType, name, reason)
            })?;
        }
        Ok(())
    }

    /// Where the dataset declares columns, only they count, with their types; an incomplete file has all of them.
    fn declare(&mut self, dataset: &Dataset) {
        let Some(columns) = &dataset.columns else { return };
        let mut seen = std::mem::take(&mut self.columns);
        if !self.complete() {
            seen.extend(columns.iter().map(|column| (column.name.clone(), DataType::Null)));
        }
        for (name, _) in seen {
            let known = columns.iter().find(|column| column.name == name);
            if let Some(column) = known.filter(|_| !self.columns.iter().any(|(known, _)| *known == name)) {
                self.columns.push((name, declared(&column.r#type)));
            }
        }
    }
}

/// The type a value has by itself.
fn infer(value: &str) -> DataType {
    match value.as_bytes() {
        [b'n', ..] => DataType::Null,
        [b't' | b'f', ..] => DataType::Boolean,
        [b'"' | b'{' | b'[', ..] => DataType::Utf8,
        digits if digits.iter().any(|b| matches!(b, b'.' | b'e' | b'E')) => DataType::Float64,
        _ if value.parse::<i64>().is_ok() => DataType::Int64,
        _ if value.parse::<u64>().is_ok() => DataType::UInt64,
        digits if digits.iter().filter(|b| b.is_ascii_digit()).count() <= 38 => DataType::Decimal128(38, 0),
        _ => DataType::Utf8,
    }
}
