//! The columns of files, oldest first → the columns of the snapshot.
//!
//! Columns match by name. The newest file says which there are; a column that was away for even one file has
//! forgotten what stood in it before.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use headgate::Code;

use crate::{changes::Refusal, schema::unify};

/// What a file says of the table's columns.
#[derive(Debug, Clone, PartialEq)]
pub struct FileColumns {
    /// Names and types, in the file's order.
    pub columns: Vec<(String, DataType)>,
    /// Whether a column that is not named here is not in the table either.
    pub complete: bool,
}

/// One column of the table.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// The type that holds every value still remembered.
    pub data_type: DataType,
    /// The first file of the present run of files that have the column; 0 is the old snapshot.
    pub since: u32,
}

/// The table's columns after some files.
#[derive(Debug, Clone, PartialEq)]
pub struct Fold {
    columns: Vec<Column>,
    declared: bool,
    files: u32,
}

impl Fold {
    /// Before the first new file: the old snapshot's columns, or those that the dataset declares.
    ///
    /// # Errors
    /// Where a declared type cannot hold what the snapshot has.
    pub fn new(base: Option<&Schema>, declared: Option<&[(String, DataType)]>) -> Result<Self, Refusal> {
        let base: Vec<Column> = base.map(base_columns).unwrap_or_default();
        let Some(declared) = declared else { return Ok(Self { columns: base, declared: false, files: 0 }) };
        let columns = declared.iter().map(|(name, data_type)| {
            let old = base.iter().find(|column| column.name == *name);
            let data_type = old.map_or(Ok(data_type.clone()), |old| join(name, &old.data_type, data_type))?;
            Ok(Column { name: name.clone(), data_type, since: 0 })
        });
        Ok(Self { columns: columns.collect::<Result<_, _>>()?, declared: true, files: 0 })
    }

    /// Takes the next newer file into account and gives its ordinal, which [`Column::since`] counts in.
    ///
    /// # Errors
    /// Where a column changed to a type that cannot be reconciled; the fold is as before then.
    pub fn admit(&mut self, file: &FileColumns) -> Result<u32, Refusal> {
        let ordinal = self.files + 1;
        let mut columns = Vec::with_capacity(file.columns.len());
        if self.declared || !file.complete {
            for column in &self.columns {
                columns.push(Self::carried(column, file, ordinal)?);
            }
        }
        if !self.declared {
            for (name, data_type) in &file.columns {
                if columns.iter().any(|c: &Column| c.name == *name) {
                    continue;
                }
                columns.push(match self.columns.iter().find(|c| c.name == *name) {
                    Some(old) => Column { data_type: join(name, &old.data_type, data_type)?, ..old.clone() },
                    None => Column { name: name.clone(), data_type: data_type.clone(), since: ordinal },
                });
            }
        }
        *self = Self { columns, declared: self.declared, files: ordinal };
        Ok(ordinal)
    }

    /// Takes a file into account that belongs before files the snapshot already holds: only types can widen.
    ///
    /// # Errors
    /// Where a column's type cannot be reconciled; the fold is as before then.
    pub fn admit_late(&mut self, file: &FileColumns) -> Result<u32, Refusal> {
        let mut columns = self.columns.clone();
        for (name, data_type) in &file.columns {
            if let Some(column) = columns.iter_mut().find(|c| c.name == *name && c.since == 0) {
                column.data_type = join(name, &column.data_type, data_type)?;
            }
        }
        self.columns = columns;
        Ok(0)
    }

    /// Whether admitting the file would neither add a column nor forget one.
    #[must_use]
    pub fn has_columns_of(&self, file: &FileColumns) -> bool {
        let known = |name: &String| self.declared || self.column(name).is_some();
        let has = |column: &Column| file.columns.iter().any(|(name, _)| *name == column.name);
        file.columns.iter().all(|(name, _)| known(name)) && (!file.complete || self.columns.iter().all(has))
    }

    /// Files admitted so far: the last one's ordinal.
    #[must_use]
    pub fn files(&self) -> u32 {
        self.files
    }

    /// The columns.
    #[must_use]
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// The column of this name.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// The types of these columns, where the table has them all.
    #[must_use]
    pub fn types(&self, names: &[String]) -> Option<Vec<DataType>> {
        names.iter().map(|name| self.column(name).map(|column| column.data_type.clone())).collect()
    }

    /// The snapshot's schema.
    #[must_use]
    pub fn schema(&self) -> SchemaRef {
        let field = |column: &Column| {
            // A column that never had a value has no type of its own: text holds whatever comes.
            let data_type = if column.data_type == DataType::Null { DataType::Utf8 } else { column.data_type.clone() };
            Field::new(&column.name, data_type, true)
        };
        Arc::new(Schema::new(self.columns.iter().map(field).collect::<Vec<_>>()))
    }

    fn carried(column: &Column, file: &FileColumns, ordinal: u32) -> Result<Column, Refusal> {
        match file.columns.iter().find(|(name, _)| *name == column.name) {
            Some((name, data_type)) => {
                Ok(Column { data_type: join(name, &column.data_type, data_type)?, ..column.clone() })
            }
            None if file.complete => Ok(Column { since: ordinal + 1, ..column.clone() }),
            None => Ok(column.clone()),
        }
    }
}

fn base_columns(schema: &Schema) -> Vec<Column> {
    let column =
        |field: &Arc<Field>| Column { name: field.name().clone(), data_type: field.data_type().clone(), since: 0 };
    schema.fields().iter().map(column).collect()
}

fn join(name: &str, old: &DataType, new: &DataType) -> Result<DataType, Refusal> {
    unify(old, new).ok_or_else(|| Refusal {
        code: Code::IncompatibleType,
        column: Some(name.into()),
        reason: format!("the table has it as {old}, this file as {new}, and no type holds both"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(columns: &[(&str, DataType)]) -> FileColumns {
        let columns = columns.iter().map(|(name, t)| ((*name).to_owned(), t.clone())).collect();
        FileColumns { columns, complete: true }
    }

    fn check(base: &[(&str, DataType)], files: &[FileColumns], expected: &[(&str, DataType, u32)]) {
        let fields: Vec<_> = base.iter().map(|(name, t)| Field::new(*name, t.clone(), true)).collect();
        let mut fold = Fold::new(Some(&Schema::new(fields)), None).unwrap();
        for file in files {
            fold.admit(file).unwrap();
        }
        let found: Vec<_> = fold.columns().iter().map(|c| (c.name.as_str(), c.data_type.clone(), c.since)).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn the_newest_file_names_the_columns_and_their_order() {
        use DataType::{Int32, Int64, Utf8};
        check(&[("a", Int32), ("b", Utf8)], &[file(&[("b", Utf8), ("a", Int64)])], &[("b", Utf8, 0), ("a", Int64, 0)]);
        check(&[("a", Int32)], &[file(&[("a", Int32), ("c", Utf8)])], &[("a", Int32, 0), ("c", Utf8, 1)]);
        check(&[("a", Int64)], &[file(&[("a", Int32)])], &[("a", Int64, 0)]);
    }

    #[test]
    fn a_column_that_was_away_has_forgotten() {
        use DataType::{Int32, Utf8};
        let (with, without) = (file(&[("a", Int32), ("c", Utf8)]), file(&[("a", Int32)]));
        check(&[("a", Int32), ("c", Int32)], &[without.clone(), with.clone()], &[("a", Int32, 0), ("c", Utf8, 2)]);
        check(&[("a", Int32), ("c", Utf8)], &[with, without], &[("a", Int32, 0)]);
    }

    #[test]
    fn a_file_that_may_omit_columns_drops_none() {
        use DataType::{Int32, Utf8};
        let partial = FileColumns { complete: false, ..file(&[("a", Int32)]) };
        check(&[("a", Int32), ("c", Utf8)], &[partial], &[("a", Int32, 0), ("c", Utf8, 0)]);
    }

    #[test]
    fn a_type_without_a_common_one_is_refused_and_changes_nothing() {
        let base = Schema::new(vec![Field::new("a", DataType::Binary, true)]);
        let mut fold = Fold::new(Some(&base), None).unwrap();
        let before = fold.clone();
        let refusal = fold.admit(&file(&[("a", DataType::Int32)])).unwrap_err();
        assert_eq!((refusal.code, refusal.column.as_deref()), (Code::IncompatibleType, Some("a")));
        assert_eq!(fold, before);
    }
}
