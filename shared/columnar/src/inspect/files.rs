//! The folder of a stream's table → its partitions, and what its newest file holds.

use std::{collections::BTreeMap, sync::Arc};

use headgate::{
    Code, Error,
    clock::Clock,
    dataset::Stream,
    partition::time_end,
    store::{ObjectMeta, Store},
};
use parquet::{arrow::parquet_to_arrow_schema, file::metadata::PageIndexPolicy};
use serde::Serialize;

use super::{Refused, age, each, refused::refused};
use crate::{
    compact::is_table,
    object::{self, Failure},
};

/// What is known of the table of a stream, of devices or of windows.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Files {
    /// The dataset.
    pub dataset: String,
    /// The table's folder.
    pub prefix: String,
    /// All of it.
    #[serde(flatten)]
    pub all: Sizes,
    /// The key of the file that was written last.
    pub newest: Option<String>,
    /// Seconds since then.
    pub newest_seconds: Option<f64>,
    /// Rows of that file.
    pub newest_rows: u64,
    /// Its columns: name and type.
    pub schema: Vec<(String, String)>,
    /// By the folder, relative to the table's; an empty one where it is not partitioned.
    pub partitions: BTreeMap<String, Sizes>,
    /// Keys under the prefix that are no files of the table: by their names, or by the paths of their partitions.
    pub unrecognized: Vec<String>,
    /// What was refused.
    pub refused: Refused,
}

/// Files together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Sizes {
    /// How many.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Those below half of what a compaction makes.
    pub small: u64,
}

impl Sizes {
    fn add(&mut self, bytes: u64, is_small: bool) {
        self.files += 1;
        self.bytes += bytes;
        self.small += u64::from(is_small);
    }
}

/// Looks at the files of a stream's table. Their names and sizes are listed; the footer of one is read.
///
/// # Errors
/// Where the store fails, or the newest file is no Parquet.
pub async fn inspect_files(store: &Arc<dyn Store>, stream: &Stream, clock: &dyn Clock) -> Result<Files, Error> {
    let mut files = Files { dataset: stream.name.clone(), prefix: stream.prefix.clone(), ..Files::default() };
    let mut newest: Option<ObjectMeta> = None;
    each(store.as_ref(), &stream.prefix, |object| {
        if !files.take(&object, stream) {
            files.unrecognized.push(object.key);
        } else if newest.as_ref().is_none_or(|newest| newest.last_modified <= object.last_modified) {
            newest = Some(object);
        }
    })
    .await?;
    if let Some(newest) = newest {
        files.newest_seconds = Some(age(&newest, clock));
        files.open(store, &newest).await?;
        files.newest = Some(newest.key);
    }
    files.refused = refused(store.as_ref(), &stream.name, clock).await?;
    Ok(files)
}

impl Files {
    /// Whether it is one of the table.
    fn take(&mut self, object: &ObjectMeta, stream: &Stream) -> bool {
        let path = &object.key[stream.prefix.len()..];
        let folder = &path[..path.rfind('/').map_or(0, |slash| slash + 1)];
        let is_path = stream.partition_by.time.is_none_or(|granularity| time_end(folder, granularity).is_some());
        if !is_table(path) || !is_path {
            return false;
        }
        let is_small = object.size < stream.compact.clone().unwrap_or_default().target / 2;
        self.all.add(object.size, is_small);
        self.partitions.entry(folder.to_owned()).or_default().add(object.size, is_small);
        true
    }

    async fn open(&mut self, store: &Arc<dyn Store>, newest: &ObjectMeta) -> Result<(), Error> {
        let (footer, _) =
            object::footer_of(store, newest, PageIndexPolicy::Skip, 0).await.map_err(|failure| match failure {
                Failure::Refused(refusal) => Error::poison(refusal.code, format!("{}: {}", newest.key, refusal.reason)),
                Failure::Store(error) => error.into(),
            })?;
        let about = footer.file_metadata();
        let schema = parquet_to_arrow_schema(about.schema_descr(), about.key_value_metadata())
            .map_err(|error| Error::poison(Code::UnreadableFile, format!("{}: {error}", newest.key)))?;
        self.newest_rows = about.num_rows().cast_unsigned();
        let column = |field: &Arc<arrow::datatypes::Field>| (field.name().clone(), field.data_type().to_string());
        self.schema = schema.fields().iter().map(column).collect();
        Ok(())
    }
}
