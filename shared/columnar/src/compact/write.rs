//! Rows in order → the bytes of one Parquet file.
//!
//! Column by column, several at once: a column's values are gathered right before they are encoded, so no row is copied
//! as a whole.

use std::{
    io::{self, Write},
    sync::{Arc, Mutex, PoisonError},
    thread,
};

use arrow::{
    array::{ArrayRef, RecordBatch},
    compute::interleave,
    datatypes::SchemaRef,
    error::ArrowError,
};
use headgate::dataset::Compression;
use parquet::{
    arrow::{
        ArrowSchemaConverter,
        arrow_writer::{ArrowColumnWriter, ArrowRowGroupWriterFactory, compute_leaves},
    },
    basic::{Compression as Codec, ZstdLevel},
    errors::Result as ParquetResult,
    file::{
        metadata::{KeyValue, SortingColumn},
        properties::{EnabledStatistics, WriterProperties, WriterVersion},
        writer::SerializedFileWriter,
    },
    schema::types::ColumnPath,
};

use super::sort::Sorted;
use crate::merge::encode::{created_by, repeats};

/// The most rows of a row group.
const GROUP_ROWS: usize = 1 << 20;
/// Rows that are gathered at once.
const STEP: usize = 64 << 10;

/// What is written but not yet sent.
#[derive(Debug, Clone, Default)]
struct Sink(Arc<Mutex<Vec<u8>>>);

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// How a file is written.
#[derive(Debug, Clone)]
pub(super) struct Shape {
    pub(super) schema: SchemaRef,
    /// The columns that its rows are sorted by.
    pub(super) order: Vec<usize>,
    pub(super) compression: Compression,
    /// What its footer says beside.
    pub(super) texts: Vec<(&'static str, String)>,
    pub(super) threads: usize,
    /// The most bytes of a row group.
    pub(super) most: usize,
}

/// A file being written.
pub(super) struct Writer {
    shape: Shape,
    sink: Sink,
    /// Not before the first rows: they tell which columns repeat their values.
    open: Option<Open>,
    pub(super) rows: u64,
}

struct Open {
    file: SerializedFileWriter<Sink>,
    factory: ArrowRowGroupWriterFactory,
    /// The writers of each column's leaves.
    columns: Vec<Vec<ArrowColumnWriter>>,
    rows: usize,
    groups: usize,
}

impl Writer {
    pub(super) fn new(shape: Shape) -> Self {
        Self { shape, sink: Sink::default(), open: None, rows: 0 }
    }

    /// What was written since it was asked last.
    pub(super) fn written(&mut self) -> Vec<u8> {
        std::mem::take(&mut *self.sink.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Ends the file.
    pub(super) fn finish(&mut self) -> ParquetResult<()> {
        let mut open = match self.open.take() {
            Some(open) => open,
            None => self.begin(&[])?,
        };
        open.close_group()?;
        open.file.finish().map(|_| ())
    }

    fn begin(&self, first: &[ArrayRef]) -> ParquetResult<Open> {
        let Shape { schema, order, compression, texts, .. } = &self.shape;
        let descriptor = ArrowSchemaConverter::new().with_coerce_types(true).convert(schema)?;
        let codec = match compression {
            Compression::None => Codec::UNCOMPRESSED,
            Compression::Snappy => Codec::SNAPPY,
            Compression::Zstd(level) => Codec::ZSTD(ZstdLevel::try_new(*level)?),
        };
        let leaf = |at: &usize| {
            let name = schema.field(*at).name();
            let leaf = descriptor.columns().iter().position(|column| column.path().parts() == [name.clone()]);
            leaf.and_then(|leaf| i32::try_from(leaf).ok())
        };
        let sorted: Option<Vec<_>> = order.iter().map(leaf).collect();
        let sorting = |column_idx| SortingColumn { column_idx, descending: false, nulls_first: true };
        let sorting =
            sorted.filter(|sorted| !sorted.is_empty()).map(|sorted| sorted.into_iter().map(sorting).collect());
        let texts = texts.iter().map(|(key, value)| KeyValue::new((*key).to_owned(), value.clone()));
        let mut writing = WriterProperties::builder()
            .set_created_by(created_by())
            .set_writer_version(WriterVersion::PARQUET_1_0)
            // The items of a list are called `element`, as Parquet's specification has it.
            .set_coerce_types(true)
            .set_compression(codec)
            .set_max_row_group_row_count(None)
            .set_statistics_enabled(EnabledStatistics::Page)
            .set_sorting_columns(sorting)
            .set_key_value_metadata(Some(texts.collect()));
        for (field, column) in schema.fields().iter().zip(first) {
            if !field.data_type().is_nested() {
                let path = ColumnPath::new(vec![field.name().clone()]);
                writing = writing.set_column_dictionary_enabled(path, repeats(column));
            }
        }
        let properties = Arc::new(writing.build());
        let file = SerializedFileWriter::new(self.sink.clone(), descriptor.root_schema_ptr(), properties)?;
        let factory = ArrowRowGroupWriterFactory::new(&file, Arc::clone(schema));
        Ok(Open { file, factory, columns: Vec::new(), rows: 0, groups: 0 })
    }
}

impl Open {
    fn begin_group(&mut self, schema: &SchemaRef) -> ParquetResult<()> {
        let leaves: Vec<usize> = schema.fields().iter().map(|field| leaves(field.data_type())).collect();
        let mut writers = self.factory.create_column_writers(self.groups)?.into_iter();
        self.columns = leaves.iter().map(|leaves| writers.by_ref().take(*leaves).collect()).collect();
        Ok(())
    }

    fn close_group(&mut self) -> ParquetResult<()> {
        if self.rows == 0 {
            return Ok(());
        }
        let mut group = self.file.next_row_group()?;
        for writer in std::mem::take(&mut self.columns).into_iter().flatten() {
            writer.close()?.append_to_row_group(&mut group)?;
        }
        group.close()?;
        (self.rows, self.groups) = (0, self.groups + 1);
        Ok(())
    }

    fn bytes(&self) -> usize {
        self.columns.iter().flatten().map(ArrowColumnWriter::memory_size).sum()
    }
}

fn leaves(of: &arrow::datatypes::DataType) -> usize {
    use arrow::datatypes::DataType;
    match of {
        DataType::List(item)
        | DataType::LargeList(item)
        | DataType::FixedSizeList(item, _)
        | DataType::Map(item, _) => leaves(item.data_type()),
        DataType::Struct(fields) => fields.iter().map(|field| leaves(field.data_type())).sum(),
        _ => 1,
    }
}

impl Sorted for Writer {
    fn take(&mut self, batches: &[&RecordBatch], rows: &[(usize, usize)]) -> Result<(), ArrowError> {
        let mut rest = rows;
        while !rest.is_empty() {
            let room = GROUP_ROWS - self.open.as_ref().map_or(0, |open| open.rows);
            let (step, after) = rest.split_at(rest.len().min(STEP).min(room));
            rest = after;
            let mut open = if let Some(open) = self.open.take() {
                open
            } else {
                let sample = |at: usize| gather(batches, at, step);
                let first = (0..self.shape.schema.fields().len()).map(sample).collect::<Result<Vec<_>, _>>()?;
                self.begin(&first)?
            };
            if open.rows == 0 {
                open.begin_group(&self.shape.schema)?;
            }
            encode(&self.shape, &mut open.columns, batches, step)?;
            open.rows += step.len();
            self.rows += step.len() as u64;
            if open.rows == GROUP_ROWS || open.bytes() >= self.shape.most {
                open.close_group()?;
            }
            self.open = Some(open);
        }
        Ok(())
    }
}

/// Adds these rows to each column, several columns at once.
fn encode(
    shape: &Shape,
    columns: &mut [Vec<ArrowColumnWriter>],
    batches: &[&RecordBatch],
    rows: &[(usize, usize)],
) -> Result<(), ArrowError> {
    let todo = Mutex::new(columns.iter_mut().enumerate());
    let work = || -> Result<(), ArrowError> {
        loop {
            let Some((at, writers)) = todo.lock().unwrap_or_else(PoisonError::into_inner).next() else { return Ok(()) };
            let values = gather(batches, at, rows)?;
            for (leaf, writer) in compute_leaves(shape.schema.field(at), &values)?.iter().zip(writers) {
                writer.write(leaf)?;
            }
        }
    };
    thread::scope(|scope| {
        let others: Vec<_> = (1..shape.threads).map(|_| scope.spawn(work)).collect();
        let mut done = work();
        for other in others {
            done = done.and(other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
        done
    })
}

fn gather(batches: &[&RecordBatch], column: usize, rows: &[(usize, usize)]) -> Result<ArrayRef, ArrowError> {
    let arrays: Vec<_> = batches.iter().map(|batch| batch.column(column).as_ref()).collect();
    interleave(&arrays, rows)
}
