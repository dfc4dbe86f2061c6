//! Change files → their rows, several files ahead of the one that is being applied.

use std::sync::Arc;

use headgate::{
    dataset::{Dataset, Format},
    store::{ObjectMeta, Store},
};
use parquet::file::metadata::PageIndexPolicy;

use super::{
    base::{store_trouble, text},
    fold::FileColumns,
    names::CdcName,
    plan::Role,
};
use crate::{
    changes::{Changes, FileKind, Refusal},
    object::{self, Failure, Parts},
    read::parquet::{ParquetChanges, Want},
    schema::declared,
};
use arrow::datatypes::DataType;

/// Row groups of a file of changes are decoded together up to this many bytes.
const TOGETHER: u64 = 32 << 20;

/// A file of changes, decoded.
#[derive(Debug)]
pub struct Decoded {
    /// The file.
    pub name: CdcName,
    /// The object.
    pub meta: ObjectMeta,
    /// What it is to the snapshot.
    pub role: Role,
    /// Its columns.
    pub columns: FileColumns,
    /// Its rows: of a settled file only the keys.
    pub changes: Vec<Changes>,
    /// Its columns that the dataset does not declare.
    pub undeclared: Vec<String>,
}

/// Reads a file of changes.
///
/// # Errors
/// Where the store fails or the file is bad.
pub async fn decode(
    store: &Arc<dyn Store>,
    dataset: &Arc<Dataset>,
    name: CdcName,
    meta: ObjectMeta,
    role: Role,
) -> Result<Decoded, Failure> {
    let (mut columns, changes, undeclared) = match dataset.source.format {
        Format::Parquet => parquet(store, dataset, &meta, role).await?,
        Format::Csv(_) | Format::DebeziumJson => stream(store, dataset, &meta).await?,
    };
    // A partition that is behind the others has not heard of a new column: to it none is gone.
    columns.complete &= !name.is_of_partition();
    Ok(Decoded { name, meta, role, columns, changes, undeclared })
}

type Read = (FileColumns, Vec<Changes>, Vec<String>);

async fn parquet(
    store: &Arc<dyn Store>,
    dataset: &Arc<Dataset>,
    meta: &ObjectMeta,
    role: Role,
) -> Result<Read, Failure> {
    let (file, mut parts) = open_parquet(store, dataset, meta, FileKind::Cdc).await?;
    let want = if role == Role::Settled { Want::Keys } else { Want::Rows };
    let (columns, undeclared) = file_columns(&file, dataset);
    let mut changes = Vec::new();
    for together in together(&file) {
        if meta.size > object::SMALL {
            parts = Parts::fetch(store, meta, file.ranges(together.clone(), want)).await?;
        }
        let (reading, parts) = (Arc::clone(&file), parts.clone());
        changes.push(blocking(move || reading.read(parts, together, want).map_err(Failure::from)).await?);
    }
    Ok((columns, changes, undeclared))
}

/// A Parquet change file by its footer, with what was read on the way: all of a small one.
///
/// # Errors
/// Where the store fails or the file is bad.
pub async fn open_parquet(
    store: &Arc<dyn Store>,
    dataset: &Arc<Dataset>,
    meta: &ObjectMeta,
    kind: FileKind,
) -> Result<(Arc<ParquetChanges>, Parts), Failure> {
    let (footer, parts) = object::footer(store, meta, PageIndexPolicy::Skip).await?;
    let dataset = Arc::clone(dataset);
    let file = blocking(move || ParquetChanges::new(footer, kind, &dataset).map_err(Failure::from)).await?;
    Ok((Arc::new(file), parts))
}

/// A file's columns, and those of them that the dataset does not declare.
#[must_use]
pub fn file_columns(file: &ParquetChanges, dataset: &Dataset) -> (FileColumns, Vec<String>) {
    let fields = file.schema().fields().iter();
    let columns: Vec<(String, DataType)> = fields.map(|f| (f.name().clone(), f.data_type().clone())).collect();
    let is_declared = |name: &str| dataset.columns.as_ref().is_none_or(|all| all.iter().any(|c| c.name == name));
    let undeclared = columns.iter().map(|(name, _)| name).filter(|name| !is_declared(name)).cloned().collect();
    (FileColumns { columns, complete: true }, undeclared)
}

/// The columns that the dataset declares, as a snapshot has them.
#[must_use]
pub fn declared_columns(dataset: &Dataset) -> Option<Vec<(String, DataType)>> {
    let columns = dataset.columns.as_ref()?;
    Some(columns.iter().map(|column| (column.name.clone(), declared(&column.r#type))).collect())
}

async fn stream(store: &Arc<dyn Store>, dataset: &Arc<Dataset>, meta: &ObjectMeta) -> Result<Read, Failure> {
    let (store, dataset, meta) = (Arc::clone(store), Arc::clone(dataset), meta.clone());
    blocking(move || {
        let mut rows = text(&store, &meta, FileKind::Cdc, &dataset)?;
        let mut changes = Vec::new();
        while let Some(batch) = rows.next_batch().map_err(store_trouble)? {
            changes.push(batch);
        }
        let fields = rows.schema().fields().iter();
        let columns = fields.map(|field| (field.name().clone(), field.data_type().clone())).collect();
        Ok((FileColumns { columns, complete: rows.complete() }, changes, rows.undeclared().to_vec()))
    })
    .await
}

fn together(file: &ParquetChanges) -> Vec<std::ops::Range<usize>> {
    let mut ranges: Vec<std::ops::Range<usize>> = Vec::new();
    let mut held = 0;
    for (at, group) in file.footer().row_groups().iter().enumerate() {
        let bytes = u64::try_from(group.total_byte_size()).unwrap_or(0);
        match ranges.last_mut() {
            Some(last) if held + bytes <= TOGETHER => {
                last.end = at + 1;
                held += bytes;
            }
            _ => {
                ranges.push(at..at + 1);
                held = bytes;
            }
        }
    }
    ranges
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, Failure> + Send + 'static) -> Result<T, Failure> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| {
        // A decoder that panics met bytes that no writer makes.
        let reason = format!("decoding failed: {error}");
        Err(Refusal { code: headgate::Code::UnreadableFile, column: None, reason }.into())
    })
}
