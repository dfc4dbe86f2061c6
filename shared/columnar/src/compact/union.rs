//! The schemas of files → the one that holds the rows of all.
//!
//! No value changes: types widen where every value of the narrower one is a value of the wider one, and else there is no
//! common type. Numbers never become text, nor whole numbers of 64 bits floats.

use std::sync::Arc;

use arrow::{
    array::{Array, ArrayRef, AsArray, ListArray, RecordBatch, RecordBatchOptions, StructArray, new_null_array},
    datatypes::{DataType, Field, FieldRef, Fields, Schema, SchemaRef},
};
use headgate::Code;

use crate::{
    changes::Refusal,
    schema::{canonical, cast, unify},
};

/// Schemas, added one by one.
#[derive(Debug, Default)]
pub(super) struct Union {
    fields: Vec<(Field, usize)>,
    files: usize,
}

impl Union {
    /// Adds a file's columns.
    ///
    /// # Errors
    /// The column that has no common type.
    pub(super) fn add(&mut self, schema: &Schema) -> Result<(), Refusal> {
        self.files += 1;
        for new in schema.fields() {
            match self.fields.iter_mut().find(|(known, _)| known.name() == new.name()) {
                None => self.fields.push((plain(new, new.data_type().clone(), new.is_nullable()), 1)),
                Some((known, files)) => {
                    let joined = join(known.data_type(), new.data_type()).ok_or_else(|| Refusal {
                        code: Code::IncompatibleType,
                        column: Some(new.name().as_str().into()),
                        reason: format!("is {} here and {} in other files", new.data_type(), known.data_type()),
                    })?;
                    *known = plain(new, joined, known.is_nullable() || new.is_nullable());
                    *files += 1;
                }
            }
        }
        Ok(())
    }

    /// The columns of all files; one that a file does not have may be null.
    pub(super) fn schema(&self) -> SchemaRef {
        let field = |(field, files): &(Field, usize)| {
            let nullable = field.is_nullable() || *files < self.files;
            plain(field, field.data_type().clone(), nullable)
        };
        Arc::new(Schema::new(self.fields.iter().map(field).collect::<Vec<_>>()))
    }
}

fn plain(field: &Field, data_type: DataType, nullable: bool) -> Field {
    Field::new(field.name(), data_type, nullable)
}

fn join(a: &DataType, b: &DataType) -> Option<DataType> {
    match (a, b) {
        _ if a == b => Some(a.clone()),
        (DataType::Null, other) | (other, DataType::Null) => Some(other.clone()),
        (DataType::List(a), DataType::List(b)) => {
            let item = join(a.data_type(), b.data_type())?;
            Some(DataType::List(Arc::new(plain(a, item, a.is_nullable() || b.is_nullable()))))
        }
        (DataType::Struct(a), DataType::Struct(b)) => members(a, b),
        _ => {
            let joined = unify(a, b)?;
            (widens(a, &joined) && widens(b, &joined)).then_some(joined)
        }
    }
}

fn members(a: &Fields, b: &Fields) -> Option<DataType> {
    let find = |fields: &Fields, name: &str| fields.iter().find(|field| field.name() == name).cloned();
    let mut joined = Vec::new();
    for field in a {
        joined.push(match find(b, field.name()) {
            Some(other) => {
                let data_type = join(field.data_type(), other.data_type())?;
                plain(field, data_type, field.is_nullable() || other.is_nullable())
            }
            None => plain(field, field.data_type().clone(), true),
        });
    }
    let new = b.iter().filter(|field| find(a, field.name()).is_none());
    joined.extend(new.map(|field| plain(field, field.data_type().clone(), true)));
    Some(DataType::Struct(joined.into()))
}

/// Whether each value of `from` is the same value in `to`.
fn widens(from: &DataType, to: &DataType) -> bool {
    let Some(from) = canonical(from) else { return false };
    match (&from, to) {
        _ if from == *to => true,
        (DataType::Boolean, _) | (_, DataType::Utf8) => false,
        (_, DataType::Float32 | DataType::Float64) => {
            from.is_floating() || (from.is_integer() && from.primitive_width().is_some_and(|bytes| bytes <= 4))
        }
        _ => true,
    }
}

/// The same rows with these columns.
///
/// # Errors
/// The column whose values do not fit.
pub(super) fn conform(rows: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch, Refusal> {
    let refused = |field: &FieldRef, reason: String| Refusal {
        code: Code::InvalidValue,
        column: Some(field.name().as_str().into()),
        reason,
    };
    let column = |field: &FieldRef| match rows.column_by_name(field.name()) {
        Some(array) => fit(array, field.data_type()).map_err(|reason| refused(field, reason)),
        None => Ok(new_null_array(field.data_type(), rows.num_rows())),
    };
    let columns = schema.fields().iter().map(column).collect::<Result<Vec<_>, _>>()?;
    let options = RecordBatchOptions::new().with_row_count(Some(rows.num_rows()));
    RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options).map_err(|error| Refusal {
        code: Code::InvalidValue,
        column: None,
        reason: error.to_string(),
    })
}

fn fit(array: &ArrayRef, to: &DataType) -> Result<ArrayRef, String> {
    match (array.data_type(), to) {
        (from, to) if from == to => Ok(Arc::clone(array)),
        (DataType::Null, _) => Ok(new_null_array(to, array.len())),
        (DataType::List(_), DataType::List(item)) => {
            let list = array.as_list::<i32>();
            let values = fit(list.values(), item.data_type())?;
            let list = ListArray::try_new(Arc::clone(item), list.offsets().clone(), values, list.nulls().cloned());
            Ok(Arc::new(list.map_err(|error| error.to_string())?))
        }
        (DataType::Struct(_), DataType::Struct(fields)) => {
            let whole = array.as_struct();
            let member = |field: &FieldRef| match whole.column_by_name(field.name()) {
                Some(member) => fit(member, field.data_type()),
                None => Ok(new_null_array(field.data_type(), array.len())),
            };
            let members = fields.iter().map(member).collect::<Result<Vec<_>, _>>()?;
            let nulls = whole.nulls().cloned();
            let fitted = StructArray::try_new_with_length(fields.clone(), members, nulls, array.len());
            Ok(Arc::new(fitted.map_err(|error| error.to_string())?))
        }
        _ => cast(array, to).map_err(|error| error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use arrow::datatypes::TimeUnit;

    use super::*;

    fn check(a: &DataType, b: &DataType, expected: impl Into<Option<DataType>>) {
        let expected = expected.into();
        assert_eq!(join(a, b), expected, "{a} with {b}");
        assert_eq!(join(b, a), expected, "{b} with {a}");
    }

    fn structure(members: &[(&str, DataType)]) -> DataType {
        DataType::Struct(members.iter().map(|(name, of)| Field::new(*name, of.clone(), true)).collect())
    }

    #[test]
    fn types_widen_and_no_value_changes() {
        check(&DataType::Int32, &DataType::Int64, DataType::Int64);
        check(&DataType::Int32, &DataType::Float64, DataType::Float64);
        check(&DataType::Float32, &DataType::Float64, DataType::Float64);
        check(&DataType::Decimal128(10, 2), &DataType::Decimal128(20, 4), DataType::Decimal128(20, 4));
        check(&DataType::Int64, &DataType::Float64, None);
        check(&DataType::Int64, &DataType::Utf8, None);
        check(&DataType::Boolean, &DataType::Int32, None);
        check(&DataType::Binary, &DataType::Utf8, None);
        let (ms, us) =
            (DataType::Timestamp(TimeUnit::Millisecond, None), DataType::Timestamp(TimeUnit::Microsecond, None));
        check(&ms, &us, us.clone());
    }

    #[test]
    fn nested_types_widen_inside() {
        let (narrow, wide) =
            (structure(&[("x", DataType::Int32)]), structure(&[("x", DataType::Int64), ("y", DataType::Utf8)]));
        assert_eq!(join(&narrow, &wide), Some(wide.clone()));
        let list = |item: &DataType| DataType::new_list(item.clone(), true);
        assert_eq!(join(&list(&narrow), &list(&wide)), Some(list(&wide)));
        check(&narrow, &structure(&[("x", DataType::Utf8)]), None);
        check(&narrow, &DataType::Int32, None);
        let rows = RecordBatch::new_empty(Arc::new(Schema::new(vec![Field::new("n", list(&narrow), true)])));
        let wanted =
            Arc::new(Schema::new(vec![Field::new("n", list(&wide), true), Field::new("m", DataType::Utf8, true)]));
        assert_eq!(conform(&rows, &wanted).unwrap().schema(), wanted);
    }
}
