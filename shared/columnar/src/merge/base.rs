//! The old snapshot and new full-load files → pieces, each read by itself.
//!
//! A piece of the snapshot is one row group, so that it can be carried; a piece of a full load is as many rows as a
//! new row group wants.

use std::{
    io::{self, Read},
    ops::Range,
    sync::Arc,
};

use arrow::{
    array::{Array, ArrayRef, RecordBatch, new_null_array},
    compute::concat,
    datatypes::{FieldRef, SchemaRef},
};
use headgate::{
    dataset::Dataset,
    store::{ObjectMeta, Store},
};
use parquet::arrow::arrow_reader::ArrowReaderMetadata;

use super::{
    encode::Group,
    fold::Fold,
    rows::{internal, key_arrays},
    shape,
};
use crate::{
    changes::{FileKind, Op, Refusal},
    object::{Failure, Parts},
    read::{
        self, Rows,
        parquet::{ParquetChanges, Want, read_columns},
    },
    schema::cast,
};

/// What a stream of a text file asks the store for at a time.
const STREAM: u64 = 4 << 20;

/// A file whose rows the new snapshot begins with.
#[derive(Debug)]
pub struct BaseFile {
    /// The object.
    pub meta: ObjectMeta,
    /// Its place among the files, for columns that were forgotten; 0: the snapshot.
    pub ordinal: u32,
    /// How it reads.
    pub content: Content,
}

/// How a base file reads.
#[derive(Debug)]
pub enum Content {
    /// The old snapshot.
    Snapshot(Box<Snapshot>),
    /// A full-load file.
    Load(Box<ParquetChanges>),
    /// A full-load file of a text format, read as a stream.
    Text,
}

/// The old snapshot's footer.
#[derive(Debug)]
pub struct Snapshot {
    /// For reading.
    pub metadata: ArrowReaderMetadata,
    /// For carrying.
    pub groups: Vec<Group>,
}

impl Snapshot {
    /// Its columns.
    #[must_use]
    pub fn schema(&self) -> &SchemaRef {
        self.metadata.schema()
    }
}

/// Some rows of a base file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// The file's place in the base.
    pub file: usize,
    /// Its row groups; of a text file, its batches.
    pub part: Range<usize>,
    /// Rows.
    pub rows: usize,
    /// Bytes before compression, roughly.
    pub bytes: u64,
}

/// The pieces of Parquet files; those of text files come to light when they are read.
#[must_use]
pub fn pieces(file: usize, content: &Content, aim: usize) -> Vec<Piece> {
    let (groups, single) = match content {
        Content::Snapshot(snapshot) => (snapshot.metadata.metadata().row_groups(), true),
        Content::Load(load) => (load.footer().row_groups(), false),
        Content::Text => return Vec::new(),
    };
    let mut pieces: Vec<Piece> = Vec::new();
    for (at, group) in groups.iter().enumerate() {
        let rows = usize::try_from(group.num_rows()).unwrap_or(0);
        let bytes = u64::try_from(group.total_byte_size()).unwrap_or(0);
        match pieces.last_mut() {
            Some(last) if !single && last.rows + rows <= aim => {
                last.part.end = at + 1;
                last.rows += rows;
                last.bytes += bytes;
            }
            _ => pieces.push(Piece { file, part: at..at + 1, rows, bytes }),
        }
    }
    pieces
}

/// Bytes and rows of the base, to size row groups by.
#[must_use]
pub fn size(files: &[BaseFile]) -> (u64, u64) {
    let mut total = (0, 0);
    for file in files {
        for piece in pieces(0, &file.content, shape::aim(0, 0)) {
            total = (total.0 + piece.bytes, total.1 + piece.rows as u64);
        }
    }
    total
}

/// Fetches what a piece of a Parquet file needs: its key columns or all.
///
/// # Errors
/// Where the store fails.
pub async fn fetch(store: &Arc<dyn Store>, file: &BaseFile, piece: &Piece, want: &Wanted) -> Result<Parts, Failure> {
    let ranges: Vec<Range<u64>> = match &file.content {
        Content::Snapshot(snapshot) => {
            let leaves = want.leaves(snapshot.schema());
            let groups = &snapshot.groups[piece.part.clone()];
            groups.iter().flat_map(|group| leaves.iter().map(|&leaf| group.chunks[leaf].range())).collect()
        }
        Content::Load(load) => load.ranges(piece.part.clone(), want.want()).collect(),
        Content::Text => Vec::new(),
    };
    Ok(Parts::fetch(store, &file.meta, ranges).await?)
}

/// What of a piece is wanted.
#[derive(Debug, Clone)]
pub enum Wanted {
    /// The key columns of these names.
    Keys(Vec<String>),
    /// All columns of the new snapshot.
    Rows(Arc<Fold>),
}

impl Wanted {
    fn want(&self) -> Want {
        match self {
            Self::Keys(_) => Want::Keys,
            Self::Rows(_) => Want::Rows,
        }
    }

    fn leaves(&self, schema: &SchemaRef) -> Vec<usize> {
        let named = |at: &usize| {
            let name = schema.field(*at).name();
            match self {
                Self::Keys(names) => names.contains(name),
                Self::Rows(fold) => fold.column(name).is_some_and(|column| column.since == 0),
            }
        };
        (0..schema.fields().len()).filter(named).collect()
    }
}

/// Decodes the key columns of a piece, in key order.
///
/// # Errors
/// Where the file is bad.
pub fn keys(file: &BaseFile, piece: &Piece, parts: Parts, primary_key: &[String]) -> Result<Vec<ArrayRef>, Refusal> {
    let rows = match &file.content {
        Content::Snapshot(snapshot) => {
            let leaves = Wanted::Keys(primary_key.to_vec()).leaves(snapshot.schema());
            read_columns(&snapshot.metadata, parts, piece.part.clone(), &leaves)?
        }
        Content::Load(load) => load.read(parts, piece.part.clone(), Want::Keys)?.rows,
        Content::Text => return Err(internal("a text file is read as a stream")),
    };
    key_arrays(&rows, primary_key)
}

/// Decodes one column of a piece in the new snapshot's schema, by its place there.
///
/// # Errors
/// Where the file is bad.
pub fn column(
    file: &BaseFile,
    piece: &Piece,
    parts: Parts,
    fold: &Fold,
    (at, field): (usize, &FieldRef),
) -> Result<ArrayRef, Refusal> {
    let known = fold.columns().get(at).is_some_and(|column| column.since <= file.ordinal);
    let read = match &file.content {
        _ if !known => None,
        Content::Snapshot(snapshot) => {
            let leaf = snapshot.schema().fields().iter().position(|old| old.name() == field.name());
            let read = |leaf| read_columns(&snapshot.metadata, parts, piece.part.clone(), &[leaf]);
            leaf.map(read).transpose()?.map(|batch| Arc::clone(batch.column(0)))
        }
        Content::Load(load) => load.read_column(parts, piece.part.clone(), field.name())?,
        Content::Text => return Err(internal("a text file is read as a stream")),
    };
    read.map_or_else(|| Ok(new_null_array(field.data_type(), piece.rows)), |array| fit(&array, field))
}

/// One column of batches of a text file, in the new snapshot's schema.
///
/// # Errors
/// Where a value does not fit its column's type.
pub fn text_column(
    batches: &[RecordBatch],
    ordinal: u32,
    fold: &Fold,
    (at, field): (usize, &FieldRef),
) -> Result<ArrayRef, Refusal> {
    let known = fold.columns().get(at).is_some_and(|column| column.since <= ordinal);
    let arrays = batches.iter().map(|rows| match rows.column_by_name(field.name()).filter(|_| known) {
        Some(array) => fit(array, field),
        None => Ok(new_null_array(field.data_type(), rows.num_rows())),
    });
    let arrays = arrays.collect::<Result<Vec<_>, _>>()?;
    let arrays: Vec<&dyn Array> = arrays.iter().map(AsRef::as_ref).collect();
    concat(&arrays).map_err(internal)
}

fn fit(array: &ArrayRef, field: &FieldRef) -> Result<ArrayRef, Refusal> {
    cast(array, field.data_type()).map_err(|error| Refusal {
        code: headgate::Code::InvalidValue,
        column: Some(field.name().as_str().into()),
        reason: error.to_string(),
    })
}

/// An object of a text format, opened for reading as a stream. Blocking: for threads that may wait.
///
/// # Errors
/// Where its beginning cannot be read.
pub fn text(
    store: &Arc<dyn Store>,
    meta: &ObjectMeta,
    kind: FileKind,
    dataset: &Dataset,
) -> Result<Box<dyn Rows>, Failure> {
    if meta.size == 0 {
        let reason = "the file is empty (0 bytes)".to_owned();
        return Err(Refusal { code: headgate::Code::UnreadableFile, column: None, reason }.into());
    }
    let trouble = Arc::new(std::sync::Mutex::new(None));
    let open = || -> io::Result<Box<dyn Read + Send>> {
        Ok(Box::new(Stream {
            store: Arc::clone(store),
            meta: meta.clone(),
            at: 0,
            chunk: bytes::Bytes::new(),
            runtime: tokio::runtime::Handle::current(),
            trouble: Arc::clone(&trouble),
        }))
    };
    let opened = read::open(&dataset.source.format, kind, dataset, &open);
    let failed = trouble.lock().ok().and_then(|mut trouble| trouble.take());
    match failed {
        Some(error) => Err(Failure::Store(error)),
        None => Ok(Box::new(Watched { rows: opened?, trouble }) as Box<dyn Rows>),
    }
}

/// The next rows of a full-load file.
///
/// # Errors
/// Where the file is bad or holds anything but inserts.
pub fn next_load_batch(rows: &mut dyn Rows) -> Result<Option<RecordBatch>, Failure> {
    let Some(changes) = rows.next_batch().map_err(store_trouble)? else { return Ok(None) };
    if changes.ops.iter().any(|op| *op != Op::Insert) {
        let reason = "a full load has only inserts".to_owned();
        return Err(Refusal { code: headgate::Code::UnknownOp, column: None, reason }.into());
    }
    Ok(Some(changes.rows))
}

/// A store's failure that came up through a reader of text.
#[must_use]
pub fn store_trouble(refusal: Refusal) -> Failure {
    if refusal.code == headgate::Code::Unavailable {
        let error = headgate::store::StoreError::Unavailable { key: String::new(), reason: refusal.reason };
        return Failure::Store(error);
    }
    Failure::Refused(refusal)
}

type Trouble = Arc<std::sync::Mutex<Option<headgate::store::StoreError>>>;

/// Rows that tell a store's failure from a bad file.
#[derive(Debug)]
struct Watched {
    rows: Box<dyn Rows>,
    trouble: Trouble,
}

impl Rows for Watched {
    fn schema(&self) -> &SchemaRef {
        self.rows.schema()
    }

    fn complete(&self) -> bool {
        self.rows.complete()
    }

    fn undeclared(&self) -> &[String] {
        self.rows.undeclared()
    }

    fn earliest(&self) -> Option<headgate::clock::Timestamp> {
        self.rows.earliest()
    }

    fn next_batch(&mut self) -> Result<Option<crate::changes::Changes>, Refusal> {
        let next = self.rows.next_batch();
        match self.trouble.lock().ok().and_then(|mut trouble| trouble.take()) {
            Some(error) => Err(Refusal { code: headgate::Code::Unavailable, column: None, reason: error.to_string() }),
            None => next,
        }
    }
}

/// An object as a stream of bytes.
#[derive(Debug)]
struct Stream {
    store: Arc<dyn Store>,
    meta: ObjectMeta,
    at: u64,
    chunk: bytes::Bytes,
    runtime: tokio::runtime::Handle,
    trouble: Trouble,
}

impl Read for Stream {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.chunk.is_empty() && self.at < self.meta.size {
            let end = (self.at + STREAM).min(self.meta.size);
            let get = self.store.get_range(&self.meta.key, self.at..end, &self.meta.etag);
            self.chunk = self.runtime.block_on(get).map_err(|error| {
                let told = io::Error::other(error.to_string());
                if let Ok(mut trouble) = self.trouble.lock() {
                    *trouble = Some(error);
                }
                told
            })?;
            self.at = end;
        }
        let length = into.len().min(self.chunk.len());
        into[..length].copy_from_slice(&self.chunk.split_to(length));
        Ok(length)
    }
}
