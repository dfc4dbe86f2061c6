//! A CSV file's column names, or only their number → what each field is.

use arrow::datatypes::DataType;
use headgate::{
    Code,
    dataset::{Column, Dataset},
};

use crate::{
    changes::{FileKind, Refusal},
    read::{Place, refuse, refuse_column},
    schema::declared,
};

/// Names of columns that DMS transformations add.
const HEADER_PREFIX: &str = "AR_H_";

/// What the fields of every record are.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Layout {
    /// Fields of a record.
    pub(super) count: usize,
    /// The field with the operation.
    pub(super) op: Option<usize>,
    /// The field with the commit or transfer time.
    pub(super) stamp: Option<usize>,
    /// The table's columns.
    pub(super) columns: Vec<(String, DataType)>,
    /// The field of each column.
    pub(super) fields: Vec<usize>,
    /// The fields with the key before the change, in key order; empty where the file lacks one of them.
    pub(super) old_keys: Vec<usize>,
    /// Columns that the dataset does not declare, where it declares columns.
    pub(super) undeclared: Vec<String>,
}

impl Layout {
    /// The layout of a file whose first line names the columns.
    pub(super) fn of_names(names: &[String], dataset: &Dataset) -> Result<Self, Refusal> {
        let source = &dataset.source;
        let place = |name: &str| names.iter().position(|n| n == name);
        if let Some(twice) = names.iter().enumerate().find_map(|(at, n)| (place(n) != Some(at)).then_some(n)) {
            return Err(refuse_column(Code::UnreadableFile, twice, "two columns have this name"));
        }
        let mut layout = Self {
            count: names.len(),
            op: place(&source.op_column),
            stamp: source.timestamp_column.as_deref().and_then(place),
            columns: Vec::new(),
            fields: Vec::new(),
            old_keys: dataset.primary_key.iter().map_while(|key| place(&before(key, dataset)?)).collect(),
            undeclared: Vec::new(),
        };
        if layout.old_keys.len() < dataset.primary_key.len() {
            layout.old_keys.clear();
        }
        for (field, name) in names.iter().enumerate() {
            if !is_aside(name, names, dataset) {
                layout.add(field, name, dataset.columns.as_deref());
            }
        }
        match dataset.primary_key.iter().find(|key| !layout.columns.iter().any(|(name, _)| name == *key)) {
            Some(key) => Err(refuse_column(Code::MissingKeyColumn, key, "the file has no such column")),
            None => Ok(layout),
        }
    }

    /// The layout of a file without names, by the first record's number of fields: the operation, the time, the
    /// declared columns, the change sequence. `looks_like_op` says whether the first field could be an operation.
    pub(super) fn of_count(
        count: usize,
        looks_like_op: bool,
        kind: FileKind,
        dataset: &Dataset,
    ) -> Result<Self, Refusal> {
        let full = full_names(dataset)?;
        let order_is_last = dataset.source.order_column.as_ref().is_some_and(|order| full.last() == Some(order));
        let (has_op, has_order) = match (full.len().checked_sub(count), order_is_last) {
            (Some(0), _) => (true, true),
            // One of the operation and the sequence is missing: a load lacks the operation rather.
            (Some(1), true) if kind == FileKind::Cdc && looks_like_op => (true, false),
            (Some(1), _) => (false, true),
            (Some(2), true) => (false, false),
            _ => return Err(unexpected(count, full.len(), order_is_last)),
        };
        // Rather a table that lost a column than one whose first value happens to be such a letter.
        if !has_op && looks_like_op && kind == FileKind::Cdc {
            return Err(unexpected(count, full.len(), order_is_last));
        }
        let names = &full[usize::from(!has_op)..full.len() - usize::from(!has_order)];
        Self::of_names(names, dataset)
    }

    /// The layout of a file without names and without records.
    pub(super) fn of_nothing(dataset: &Dataset) -> Result<Self, Refusal> {
        Self::of_names(&full_names(dataset)?, dataset)
    }

    fn add(&mut self, field: usize, name: &str, columns: Option<&[Column]>) {
        let data_type = match columns {
            None => DataType::Utf8,
            Some(columns) => match columns.iter().find(|column| column.name == name) {
                Some(column) => declared(&column.r#type),
                None => return self.undeclared.push(name.to_owned()),
            },
        };
        self.columns.push((name.to_owned(), data_type));
        self.fields.push(field);
    }
}

/// The name of a column's before-image.
fn before(column: &str, dataset: &Dataset) -> Option<String> {
    dataset.source.before_image_prefix.as_ref().map(|prefix| format!("{prefix}{column}"))
}

/// Whether a column is none of the table's: the operation, the time, the sequence, or another column's before-image.
fn is_aside(name: &str, names: &[String], dataset: &Dataset) -> bool {
    let source = &dataset.source;
    let of = source.before_image_prefix.as_ref().and_then(|prefix| name.strip_prefix(prefix.as_str()));
    name == source.op_column
        || source.timestamp_column.as_deref() == Some(name)
        || source.order_column.as_deref() == Some(name)
        || name.starts_with(HEADER_PREFIX)
        || of.is_some_and(|column| names.iter().any(|other| other == column))
}

/// The names of a file that has everything; a column the task adds is where the dataset declares it, or else the
/// time first and the sequence last, as DMS writes them.
fn full_names(dataset: &Dataset) -> Result<Vec<String>, Refusal> {
    let source = &dataset.source;
    let columns = dataset
        .columns
        .as_ref()
        .ok_or_else(|| refuse(Code::InvalidConfig, "a CSV file without a header needs the dataset's `columns`"))?;
    let declares = |name: &String| columns.iter().any(|column| column.name == *name);
    let added = |name: &Option<String>| name.clone().filter(|name| !declares(name));
    let names = [source.op_column.clone()]
        .into_iter()
        .chain(added(&source.timestamp_column))
        .chain(columns.iter().map(|column| column.name.clone()).filter(|name| *name != source.op_column))
        .chain(added(&source.order_column));
    Ok(names.collect())
}

fn unexpected(count: usize, full: usize, order_is_last: bool) -> Refusal {
    let least = full - 1 - usize::from(order_is_last);
    let reason = format!("{count} fields where {full} are expected, or {least} without an operation");
    Place::Row(1).refuse(Code::UnreadableFile, &reason)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read::tests::dataset;

    fn check(names: &[&str], dataset: &Dataset, want: Result<&str, Code>) {
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        assert_eq!(told(Layout::of_names(&names, dataset)), want.map(str::to_owned), "{names:?}");
    }

    fn told(layout: Result<Layout, Refusal>) -> Result<String, Code> {
        let layout = layout.map_err(|refusal| refusal.code)?;
        let columns: Vec<_> =
            layout.columns.iter().zip(&layout.fields).map(|((name, t), field)| format!("{field}={name}:{t}")).collect();
        let Layout { op, stamp, old_keys, undeclared, .. } = layout;
        let at = |field: Option<usize>| field.map_or("-".to_owned(), |field| field.to_string());
        Ok(format!("op {} ts {} {} old {old_keys:?} more {undeclared:?}", at(op), at(stamp), columns.join(" ")))
    }

    #[test]
    fn names_decide() {
        let mut known = dataset("id int64, name string");
        known.source.before_image_prefix = Some("BI_".to_owned());
        check(
            &["Op", "ts", "name", "id", "BI_id", "x"],
            &known,
            Ok("op 0 ts 1 2=name:Utf8 3=id:Int64 old [4] more [\"x\"]"),
        );
        check(&["id", "AR_H_USER"], &known, Ok("op - ts - 0=id:Int64 old [] more []"));
        check(&["id", "BI_x"], &known, Ok("op - ts - 0=id:Int64 old [] more [\"BI_x\"]"));
        check(&["Op", "name"], &known, Err(Code::MissingKeyColumn));
        check(&["id", "id"], &known, Err(Code::UnreadableFile));
        known.columns = None;
        check(&["Op", "id", "x"], &known, Ok("op 0 ts - 1=id:Utf8 2=x:Utf8 old [] more []"));
    }

    #[test]
    fn the_count_decides_without_names() {
        let mut known = dataset("id int64, name string");
        let of = |known: &Dataset, count, op, kind| told(Layout::of_count(count, op, kind, known));
        let with_op = Ok("op 0 ts 1 2=id:Int64 3=name:Utf8 old [] more []".to_owned());
        let without = Ok("op - ts 0 1=id:Int64 2=name:Utf8 old [] more []".to_owned());
        assert_eq!(of(&known, 4, true, FileKind::Cdc), with_op);
        assert_eq!(of(&known, 3, false, FileKind::Load), without);
        assert_eq!(of(&known, 3, false, FileKind::Cdc), without);
        assert_eq!(of(&known, 3, true, FileKind::Cdc), Err(Code::UnreadableFile));
        assert_eq!(of(&known, 2, false, FileKind::Load), Err(Code::UnreadableFile));
        assert_eq!(of(&known, 5, true, FileKind::Cdc), Err(Code::UnreadableFile));
        known.source.order_column = Some("seq".to_owned());
        assert_eq!(of(&known, 5, true, FileKind::Cdc), with_op);
        assert_eq!(of(&known, 4, true, FileKind::Cdc), with_op);
        assert_eq!(of(&known, 4, false, FileKind::Cdc), without);
        assert_eq!(of(&known, 4, true, FileKind::Load), without);
        assert_eq!(of(&known, 3, false, FileKind::Load), without);
        known.columns = None;
        assert_eq!(of(&known, 3, false, FileKind::Load), Err(Code::InvalidConfig));
    }
}
