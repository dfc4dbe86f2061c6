//! Objects → their footers, and their row groups one by one.

use std::{ops::Range, sync::Arc};

use arrow::{
    array::{Array, ArrayRef},
    compute,
    datatypes::{DataType, SchemaRef},
    row::{RowConverter, SortField},
};
use futures::{StreamExt, TryStreamExt, stream};
use headgate::store::{ObjectMeta, Store};
use parquet::{
    arrow::arrow_reader::{
        ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder, statistics::StatisticsConverter,
    },
    file::metadata::{PageIndexPolicy, RowGroupMetaData},
};

use super::{
    build::{Trouble, blocking},
    rows::{Chunk, Order, head},
    union::{Union, conform},
};
use crate::{
    changes::Refusal,
    object::{Failure, Parts, footer_of, unreadable},
    schema::cast,
};

/// Footers that are read at once.
const AT_ONCE: usize = 16;
/// Objects up to this size are read whole for their footer.
const SMALL: u64 = 64 << 10;
/// Rows of a chunk.
const BATCH: usize = 64 << 10;

/// The inputs of a file, as far as their footers tell.
pub(super) struct Inputs {
    files: Vec<(ObjectMeta, ArrowReaderMetadata)>,
    /// The columns of all.
    pub(super) schema: SchemaRef,
    pub(super) rows: u64,
}

/// A row group of an input.
#[derive(Debug, Clone)]
pub(super) struct Unit {
    file: usize,
    group: usize,
    /// The number of its first row in the file.
    first: u64,
    /// The head of no key in it is less.
    pub(super) floor: u128,
}

impl Inputs {
    pub(super) async fn read(store: &Arc<dyn Store>, objects: &[ObjectMeta]) -> Result<Self, Trouble> {
        let one = |meta: ObjectMeta| async move {
            let found = footer_of(store, &meta, PageIndexPolicy::Skip, SMALL).await;
            let (footer, _) = found.map_err(|failure| trouble(&meta, failure))?;
            let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
            let footer = ArrowReaderMetadata::try_new(Arc::new(footer), options);
            let footer = footer.map_err(|error| Trouble::Bad(meta.key.clone(), unreadable(error)))?;
            Ok::<_, Trouble>((meta, footer))
        };
        let files: Vec<_> = stream::iter(objects.iter().cloned()).map(one).buffered(AT_ONCE).try_collect().await?;
        let (mut union, mut rows) = (Union::default(), 0);
        // The newest file's columns come first, in its order.
        let mut newest: Vec<_> = files.iter().collect();
        newest.sort_by_key(|(meta, _)| std::cmp::Reverse((meta.last_modified, &meta.key)));
        for (meta, footer) in newest {
            union.add(footer.schema()).map_err(|refusal| Trouble::Bad(meta.key.clone(), refusal))?;
            let length = footer.metadata().file_metadata().num_rows();
            rows += u32::try_from(length).map(u64::from).map_err(|_| {
                Trouble::Bad(meta.key.clone(), unreadable(format!("it says that it has {length} rows")))
            })?;
        }
        Ok(Self { schema: union.schema(), files, rows })
    }

    /// All row groups, by the least key that they may have.
    pub(super) fn units(&self, order: &Order) -> Result<Vec<Unit>, arrow::error::ArrowError> {
        let mut units = Vec::new();
        for (file, (_, footer)) in self.files.iter().enumerate() {
            let mut first = 0;
            for (group, metadata) in footer.metadata().row_groups().iter().enumerate() {
                let floor = match order.columns().first() {
                    // Without columns rows sort by their places, and so do these.
                    None => u128::MAX,
                    Some(column) => self.floor(footer, metadata, *column)?,
                };
                units.push(Unit { file, group, first, floor });
                first += metadata.num_rows().cast_unsigned();
            }
        }
        units.sort_by_key(|unit| (unit.floor, unit.file, unit.group));
        Ok(units)
    }

    /// 0 where nothing is known.
    fn floor(
        &self,
        footer: &ArrowReaderMetadata,
        group: &RowGroupMetaData,
        column: usize,
    ) -> Result<u128, arrow::error::ArrowError> {
        let field = self.schema.field(column);
        let to = field.data_type();
        let exact = to.is_integer() || matches!(to, DataType::Timestamp(..) | DataType::Date32 | DataType::Time64(_));
        let known = exact.then(|| least(footer, group, field.name(), to)).flatten();
        let Some(least) = known else { return Ok(0) };
        let keys = RowConverter::new(vec![SortField::new(to.clone())])?.convert_columns(&[least])?;
        Ok(keys.iter().next().map_or(0, |key| head(key.as_ref())))
    }

    /// The rows of a unit with their keys.
    pub(super) async fn decode(
        self: Arc<Self>,
        store: &Arc<dyn Store>,
        unit: &Unit,
        order: Arc<Order>,
    ) -> Result<Vec<Chunk>, Trouble> {
        let (meta, footer) = &self.files[unit.file];
        let range = range(footer.metadata().row_group(unit.group));
        let parts = Parts::fetch(store, meta, range).await?;
        let (inputs, unit, key) = (Arc::clone(&self), unit.clone(), meta.key.clone());
        blocking(move || inputs.rows_of(&unit, parts, &order).map_err(|refusal| Trouble::Bad(key, refusal))).await
    }

    fn rows_of(&self, unit: &Unit, parts: Parts, order: &Order) -> Result<Vec<Chunk>, Refusal> {
        let footer = self.files[unit.file].1.clone();
        let reader = ParquetRecordBatchReaderBuilder::new_with_metadata(parts, footer)
            .with_row_groups(vec![unit.group])
            .with_batch_size(BATCH)
            .build()
            .map_err(unreadable)?;
        let mut place = ((unit.file as u64) << 32) + unit.first;
        let mut chunks = Vec::new();
        for rows in reader {
            let rows = conform(&rows.map_err(unreadable)?, &self.schema)?;
            let places: Vec<u64> = (place..place + rows.num_rows() as u64).collect();
            place += rows.num_rows() as u64;
            chunks.push(order.keyed(rows, places).map_err(unreadable)?);
        }
        Ok(chunks)
    }
}

/// The least value of a row group's column, where the footer says it and no value is null.
fn least(footer: &ArrowReaderMetadata, group: &RowGroupMetaData, name: &str, to: &DataType) -> Option<ArrayRef> {
    let statistics = StatisticsConverter::try_new(name, footer.schema(), footer.parquet_schema()).ok()?;
    let nulls = statistics.row_group_null_counts([group]).ok()?;
    let least = statistics.row_group_mins([group]).ok()?;
    let known = nulls.is_valid(0) && nulls.value(0) == 0 && compute::is_null(&least).is_ok_and(|null| !null.value(0));
    if known { cast(&least, to).ok() } else { None }
}

fn range(group: &RowGroupMetaData) -> Option<Range<u64>> {
    let ranges = group.columns().iter().map(parquet::file::metadata::ColumnChunkMetaData::byte_range);
    ranges.map(|(start, length)| start..start + length).reduce(|a, b| a.start.min(b.start)..a.end.max(b.end))
}

fn trouble(meta: &ObjectMeta, failure: Failure) -> Trouble {
    match failure {
        Failure::Refused(refusal) => Trouble::Bad(meta.key.clone(), refusal),
        Failure::Store(error) => error.into(),
    }
}
