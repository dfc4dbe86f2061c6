//! A DMS Parquet file → its rows.
//!
//! Columns match by name; what the file's own footer says is the only schema.

use std::{ops::Range, sync::Arc};

use arrow::{
    array::{Array, ArrayRef, AsArray, RecordBatch},
    datatypes::{DataType, Field, Schema, SchemaRef},
};
use headgate::{Code, clock::Timestamp, dataset::Dataset, literal::time};
use parquet::{
    arrow::{
        ProjectionMask,
        arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder},
    },
    file::{metadata::ParquetMetaData, statistics::Statistics},
};

use super::{refuse, refuse_column};
use crate::{
    changes::{Changes, FileKind, Op, Refusal},
    object::{Parts, unreadable},
    schema::{canonical, cast},
};

/// Names of header columns that DMS transformations add.
const HEADER_PREFIX: &str = "AR_H_";

/// What of a file is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Want {
    /// All the table's columns.
    Rows,
    /// The key columns only, and the order column.
    Keys,
}

/// A Parquet change file, known by its footer.
#[derive(Debug, Clone)]
pub struct ParquetChanges {
    metadata: ArrowReaderMetadata,
    /// The table's columns, with the types a snapshot uses.
    schema: SchemaRef,
    /// Where they are in the file.
    columns: Vec<usize>,
    /// The key columns, and the order column where there is one.
    keys: Vec<usize>,
    op: Option<usize>,
    timestamp: Option<usize>,
    old_keys: Option<Vec<usize>>,
    kind: FileKind,
}

impl ParquetChanges {
    /// A change file with this footer.
    ///
    /// # Errors
    /// Where a key column is missing, or a column's type is none that a table can have.
    pub fn new(footer: ParquetMetaData, kind: FileKind, dataset: &Dataset) -> Result<Self, Refusal> {
        // Types come from the file's own columns: an embedded arrow schema is a hint of its writer.
        let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
        let metadata = ArrowReaderMetadata::try_new(Arc::new(footer), options).map_err(unreadable)?;
        let file = Arc::clone(metadata.schema());
        let source = &dataset.source;
        let find = |name: &str| file.fields().iter().position(|field| field.name() == name);
        let named = |name: &Option<String>| name.as_deref().and_then(find);
        let (op, timestamp) = (find(&source.op_column), named(&source.timestamp_column));
        let prefix = source.before_image_prefix.as_deref();
        let is_before =
            |name: &str| prefix.and_then(|p| name.strip_prefix(p)).is_some_and(|column| find(column).is_some());
        let is_header = |name: &str| {
            name == source.op_column
                || Some(name) == source.timestamp_column.as_deref()
                || Some(name) == source.order_column.as_deref()
                || name.starts_with(HEADER_PREFIX)
                || is_before(name)
        };
        let columns: Vec<usize> = (0..file.fields().len()).filter(|&at| !is_header(file.field(at).name())).collect();
        let keys = dataset.primary_key.iter().map(|name| {
            find(name)
                .ok_or_else(|| refuse_column(Code::MissingKeyColumn, name, "the file does not have this key column"))
        });
        let mut keys = keys.collect::<Result<Vec<_>, _>>()?;
        keys.extend(named(&dataset.order_by).filter(|at| !keys.contains(at)));
        let old_keys = source.before_image_prefix.as_ref().and_then(|prefix| {
            dataset.primary_key.iter().map(|name| find(&format!("{prefix}{name}"))).collect::<Option<Vec<_>>>()
        });
        let schema = table_schema(&file, &columns)?;
        Ok(Self { metadata, schema, columns, keys, op, timestamp, old_keys, kind })
    }

    /// The table's columns in this file, with the types a snapshot uses.
    #[must_use]
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// The file's footer.
    #[must_use]
    pub fn footer(&self) -> &ParquetMetaData {
        self.metadata.metadata()
    }

    /// The byte ranges that reading these row groups needs.
    pub fn ranges(&self, row_groups: Range<usize>, want: Want) -> impl Iterator<Item = Range<u64>> {
        let leaves = self.wanted(want);
        row_groups.flat_map(move |group| {
            let group = self.footer().row_group(group);
            let ranges: Vec<_> = leaves.iter().map(|&leaf| group.column(leaf).byte_range()).collect();
            ranges.into_iter().map(|(start, length)| start..start.saturating_add(length))
        })
    }

    /// The rows of these row groups.
    ///
    /// # Errors
    /// Where the file is bad.
    pub fn read(&self, parts: Parts, row_groups: Range<usize>, want: Want) -> Result<Changes, Refusal> {
        let batch = read_columns(&self.metadata, parts, row_groups, &self.wanted(want))?;
        let column = |at: usize| batch.column_by_name(self.metadata.schema().field(at).name());
        let ops = match self.op.and_then(column) {
            Some(ops) => operations(ops, self.kind)?,
            None => vec![Op::Insert; batch.num_rows()],
        };
        let shown = if want == Want::Rows { &self.columns } else { &self.keys };
        let fields = shown.iter().map(|&at| self.metadata.schema().field(at)).collect::<Vec<_>>();
        let mut arrays = Vec::with_capacity(fields.len());
        for field in &fields {
            let array = batch.column_by_name(field.name()).ok_or_else(|| unreadable("a column is missing"))?;
            arrays.push(canonical_array(field, array)?);
        }
        let old_keys = self.old_keys.as_ref().map(|old| self.old_key_arrays(old, &batch)).transpose()?;
        let fields: Vec<Field> =
            fields.iter().zip(&arrays).map(|(f, a)| Field::new(f.name(), a.data_type().clone(), true)).collect();
        let rows = RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).map_err(unreadable)?;
        Ok(Changes { ops, rows, old_keys })
    }

    /// One of the table's columns in these row groups; `None` where the file does not have it.
    ///
    /// # Errors
    /// Where the file is bad.
    pub fn read_column(&self, parts: Parts, row_groups: Range<usize>, name: &str) -> Result<Option<ArrayRef>, Refusal> {
        let file = self.metadata.schema();
        let Some(&leaf) = self.columns.iter().find(|&&at| file.field(at).name() == name) else { return Ok(None) };
        let batch = read_columns(&self.metadata, parts, row_groups, &[leaf])?;
        canonical_array(file.field(leaf), batch.column(0)).map(Some)
    }

    /// The earliest and latest value of the timestamp column, from the statistics of the footer.
    #[must_use]
    pub fn times(&self) -> Option<(Timestamp, Timestamp)> {
        let leaf = self.timestamp?;
        let mut span: Option<(Timestamp, Timestamp)> = None;
        for group in self.footer().row_groups() {
            let (low, high) = match group.column(leaf).statistics()? {
                Statistics::ByteArray(s) => (text_time(s.min_opt()?.data())?, text_time(s.max_opt()?.data())?),
                Statistics::Int64(s) => {
                    let unit = self.metadata.schema().field(leaf).data_type().clone();
                    (instant(*s.min_opt()?, &unit)?, instant(*s.max_opt()?, &unit)?)
                }
                _ => return None,
            };
            span = Some(span.map_or((low, high), |(a, b)| (a.min(low), b.max(high))));
        }
        span
    }

    fn wanted(&self, want: Want) -> Vec<usize> {
        let mut leaves = if want == Want::Rows { self.columns.clone() } else { self.keys.clone() };
        leaves.extend(self.op);
        leaves.extend(self.old_keys.iter().flatten());
        leaves.sort_unstable();
        leaves.dedup();
        leaves
    }

    fn old_key_arrays(&self, old: &[usize], batch: &RecordBatch) -> Result<Vec<ArrayRef>, Refusal> {
        old.iter()
            .map(|&at| {
                let field = self.metadata.schema().field(at);
                let array = batch.column_by_name(field.name()).ok_or_else(|| unreadable("a column is missing"))?;
                canonical_array(field, array)
            })
            .collect()
    }
}

/// These leaf columns of these row groups as one batch.
///
/// # Errors
/// Where the file is bad.
pub fn read_columns(
    metadata: &ArrowReaderMetadata,
    parts: Parts,
    row_groups: Range<usize>,
    leaves: &[usize],
) -> Result<RecordBatch, Refusal> {
    let footer = metadata.metadata();
    let rows: i64 = row_groups.clone().map(|group| footer.row_group(group).num_rows()).sum();
    let mask = ProjectionMask::leaves(footer.file_metadata().schema_descr(), leaves.iter().copied());
    let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(parts, metadata.clone())
        .with_projection(mask)
        .with_row_groups(row_groups.collect())
        .with_batch_size(usize::try_from(rows).unwrap_or(0).clamp(1, 8 << 20));
    let reader = builder.build().map_err(unreadable)?;
    let schema = arrow::record_batch::RecordBatchReader::schema(&reader);
    let batches = reader.collect::<Result<Vec<_>, _>>().map_err(unreadable)?;
    let found: usize = batches.iter().map(RecordBatch::num_rows).sum();
    if i64::try_from(found) != Ok(rows) {
        return Err(unreadable(format!("the footer promises {rows} rows, the pages hold {found}")));
    }
    match <[RecordBatch; 1]>::try_from(batches) {
        Ok([batch]) => Ok(batch),
        Err(batches) => arrow::compute::concat_batches(&schema, &batches).map_err(unreadable),
    }
}

fn table_schema(file: &Schema, columns: &[usize]) -> Result<SchemaRef, Refusal> {
    let mut fields: Vec<Field> = Vec::with_capacity(columns.len());
    for &at in columns {
        let field = file.field(at);
        if fields.iter().any(|seen| seen.name() == field.name()) {
            return Err(refuse_column(Code::UnreadableFile, field.name(), "the file has two columns of this name"));
        }
        let data_type = canonical(field.data_type()).ok_or_else(|| unfit(field))?;
        fields.push(Field::new(field.name(), data_type, true));
    }
    Ok(Arc::new(Schema::new(fields)))
}

fn canonical_array(field: &Field, array: &ArrayRef) -> Result<ArrayRef, Refusal> {
    let data_type = canonical(field.data_type()).ok_or_else(|| unfit(field))?;
    cast(array, &data_type).map_err(|error| refuse_column(Code::InvalidValue, field.name(), error.to_string()))
}

fn unfit(field: &Field) -> Refusal {
    let reason = format!("a table cannot have a column of type {}", field.data_type());
    refuse_column(Code::IncompatibleType, field.name(), reason)
}

fn operations(column: &ArrayRef, kind: FileKind) -> Result<Vec<Op>, Refusal> {
    let text = cast(column, &DataType::Utf8)
        .map_err(|_| refuse(Code::UnknownOp, "the operation column does not hold text"))?;
    let text = text.as_string::<i32>();
    let operation = |row: usize| match text.is_valid(row).then(|| text.value(row)) {
        Some("I" | "i") => Ok(Op::Insert),
        Some("U" | "u") if kind == FileKind::Cdc => Ok(Op::Update),
        Some("D" | "d") if kind == FileKind::Cdc => Ok(Op::Delete),
        other => Err(refuse(Code::UnknownOp, unknown(row, other, kind))),
    };
    (0..text.len()).map(operation).collect()
}

fn unknown(row: usize, op: Option<&str>, kind: FileKind) -> String {
    let known = if kind == FileKind::Load { "a full load has only I" } else { "known are I, U and D" };
    let shown: String =
        op.map_or_else(|| "NULL".to_owned(), |op| format!("{:?}", op.chars().take(20).collect::<String>()));
    format!("row {}: unknown operation {shown}; {known}", row + 1)
}

fn text_time(bytes: &[u8]) -> Option<Timestamp> {
    time::stamp(bytes)
}

fn instant(value: i64, data_type: &DataType) -> Option<Timestamp> {
    use arrow::datatypes::TimeUnit;
    match data_type {
        DataType::Timestamp(TimeUnit::Millisecond, _) => Some(Timestamp(value)),
        DataType::Timestamp(TimeUnit::Microsecond, _) => Some(Timestamp(value.div_euclid(1000))),
        DataType::Timestamp(TimeUnit::Nanosecond, _) => Some(Timestamp(value.div_euclid(1_000_000))),
        _ => None,
    }
}
