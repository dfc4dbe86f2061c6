//! Debezium-like envelopes, one a line → change rows.
//!
//! A file says its columns by an embedded schema, by the dataset, or by its values, in this order of trust.

mod connect;
mod envelope;
mod lines;
mod object;
mod survey;
#[cfg(test)]
mod tests;

use std::collections::HashMap;

use arrow::datatypes::SchemaRef;
use headgate::{Code, clock::Timestamp, dataset::Dataset};

use self::{
    connect::Form,
    envelope::{Envelope, no_object},
    lines::Lines,
    survey::Survey,
};
use super::{MOST_COLUMNS, Open, Place, Rows, batch::Batch, column::Column};
use crate::changes::{Changes, FileKind, Op, Refusal};

/// A JSON lines file's rows.
#[derive(Debug)]
pub(super) struct JsonRows {
    lines: Lines,
    batch: Batch,
    names: Names,
    forms: Forms,
    complete: bool,
    earliest: Option<Timestamp>,
}

impl JsonRows {
    pub(super) fn open(kind: FileKind, dataset: &Dataset, open: Open<'_>) -> Result<Self, Refusal> {
        let mut lines = Lines::open(kind, dataset, open)?;
        let survey = if dataset.columns.is_some() && !begins_with_schema(&mut lines)? {
            Survey::declared(dataset)
        } else {
            let survey = Survey::of(&mut lines, dataset)?;
            lines = Lines::open(kind, dataset, open)?;
            survey
        };
        survey.check_key(dataset)?;
        let batch = Batch::new(&survey.columns, &dataset.primary_key)?;
        let names = Names::new(&batch, dataset.columns.is_some());
        Ok(Self { lines, batch, names, forms: Forms::default(), complete: survey.complete(), earliest: None })
    }

    /// Takes the line at hand, if it is a change.
    fn append(&mut self) -> Result<(), Refusal> {
        let Self { lines, batch, names, forms, .. } = self;
        let place = lines.place();
        let Some(envelope) = lines.envelope()? else { return Ok(()) };
        forms.follow(envelope.schema, names);
        match envelope.image() {
            _ if envelope.op == Op::Truncate => batch.columns().iter_mut().for_each(Column::append_null),
            Some(image) => append_image(batch, &names.values(image, place)?, forms, envelope.op, place)?,
            None if envelope.op == Op::Delete => return Err(batch.null_key(place, batch.keys()[0])),
            None => return Err(place.refuse(Code::InvalidValue, "the row after the change is missing")),
        }
        append_old_key(batch, names, forms, &envelope, place)?;
        batch.end_row(envelope.op, lines.length());
        if let Some(stamp) = envelope.millis.map(Timestamp) {
            self.earliest = Some(self.earliest.map_or(stamp, |earliest| earliest.min(stamp)));
        }
        Ok(())
    }
}

impl Rows for JsonRows {
    fn schema(&self) -> &SchemaRef {
        self.batch.schema()
    }

    fn complete(&self) -> bool {
        self.complete
    }

    fn undeclared(&self) -> &[String] {
        &self.names.undeclared
    }

    fn earliest(&self) -> Option<Timestamp> {
        self.earliest
    }

    fn next_batch(&mut self) -> Result<Option<Changes>, Refusal> {
        while !self.batch.is_full() && self.lines.find()? {
            self.append()?;
            self.lines.advance();
        }
        self.batch.finish()
    }
}

/// Whether the first change carries a schema.
fn begins_with_schema(lines: &mut Lines) -> Result<bool, Refusal> {
    while lines.find()? {
        if let Some(has_schema) = lines.envelope()?.map(|envelope| envelope.schema.is_some()) {
            return Ok(has_schema);
        }
        lines.advance();
    }
    Ok(false)
}

/// Appends a row's values. Of a delete only the key is needed: its other values may be anything.
fn append_image(
    batch: &mut Batch,
    values: &[Option<&str>],
    forms: &Forms,
    op: Op,
    place: Place,
) -> Result<(), Refusal> {
    for (at, value) in values.iter().enumerate() {
        let is_key = batch.is_key(at);
        let column = &mut batch.columns()[at];
        match value.map(|value| connect::append(column, forms.of(at), value)) {
            Some(Ok(())) => {}
            None if is_key => return Err(batch.null_key(place, at)),
            Some(Err(misfit)) if is_key || op != Op::Delete => return Err(batch.misfit(place, at, misfit)),
            None | Some(Err(_)) => column.append_null(),
        }
    }
    Ok(())
}

fn append_old_key(
    batch: &mut Batch,
    names: &mut Names,
    forms: &Forms,
    envelope: &Envelope<'_>,
    place: Place,
) -> Result<(), Refusal> {
    let Some(before) = envelope.before.filter(|_| envelope.op == Op::Update) else {
        batch.skip_old_key();
        return Ok(());
    };
    let values = names.values(before, place)?;
    let key: Option<Vec<_>> = batch.keys().iter().map(|at| values[*at].map(|value| (*at, value))).collect();
    let Some(key) = key else {
        batch.skip_old_key();
        return Ok(());
    };
    for (part, (at, value)) in key.into_iter().enumerate() {
        connect::append(&mut batch.old_keys()[part], forms.of(at), value)
            .map_err(|misfit| batch.misfit(place, at, misfit))?;
    }
    batch.tell_old_key();
    Ok(())
}

/// The columns by name.
#[derive(Debug)]
struct Names {
    list: Vec<String>,
    /// Those of the list, and `None` for those that are undeclared.
    places: HashMap<String, Option<usize>>,
    declares: bool,
    undeclared: Vec<String>,
}

impl Names {
    fn new(batch: &Batch, declares: bool) -> Self {
        let list: Vec<String> = batch.schema().fields().iter().map(|field| field.name().clone()).collect();
        let places = list.iter().cloned().enumerate().map(|(at, name)| (name, Some(at))).collect();
        Self { list, places, declares, undeclared: Vec::new() }
    }

    /// The text of every column's value in an image; `None` is NULL. Of a field given twice the last counts.
    fn values<'a>(&mut self, image: &'a str, place: Place) -> Result<Vec<Option<&'a str>>, Refusal> {
        let mut values = vec![None; self.list.len()];
        // A writer keeps to one order, so that the next field is mostly the next column.
        let mut next = 0;
        let each = |name: &str, value: &'a str| {
            let here = self.list.get(next).is_some_and(|expected| expected == name);
            match if here { Some(Some(next)) } else { self.places.get(name).copied() } {
                Some(Some(at)) => {
                    values[at] = (value != "null").then_some(value);
                    next = at + 1;
                }
                None if self.declares && self.undeclared.len() < MOST_COLUMNS => {
                    self.undeclared.push(name.to_owned());
                    self.places.insert(name.to_owned(), None);
                }
                Some(None) | None => {}
            }
        };
        object::fields(image, each).map_err(|error| no_object(place, &error))?;
        Ok(values)
    }
}

/// How the values of each column are written, by the embedded schema of the line at hand.
#[derive(Debug, Default)]
struct Forms {
    schema: String,
    forms: Vec<Form>,
}

impl Forms {
    fn follow(&mut self, schema: Option<&str>, names: &Names) {
        let schema = schema.unwrap_or_default();
        if self.schema == schema {
            return;
        }
        schema.clone_into(&mut self.schema);
        self.forms = vec![Form::default(); names.list.len()];
        for column in connect::columns(schema).unwrap_or_default() {
            if let Some(Some(at)) = names.places.get(&column.name) {
                self.forms[*at] = column.form;
            }
        }
    }

    fn of(&self, column: usize) -> Form {
        self.forms.get(column).copied().unwrap_or_default()
    }
}
