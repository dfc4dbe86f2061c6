//! The base and a reduced delta → the row groups of the new snapshot.
//!
//! Two passes. The first reads keys only, and of the old snapshot only where a changed key may be. The second goes
//! through the pieces in order and writes; a few row groups are worked on at a time, whatever the table's size.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use arrow::{
    array::{ArrayRef, RecordBatch},
    compute::concat,
    datatypes::SchemaRef,
};
use futures::{StreamExt, TryStreamExt, stream};
use headgate::{Code, dataset::Dataset, store::Store};

use tokio::sync::Semaphore;

use super::{
    Progress,
    base::{self, BaseFile, Content, Piece, Wanted},
    carry::Carrier,
    dedupe,
    delta::Reduced,
    encode::Encoded,
    fold::Fold,
    keys::KeyKind,
    output::Output,
    patch::{self, Edit},
    route::{self, Routes, Tally},
    rows::{internal, key_arrays},
    segment::{Encoding, Part},
    shape::{self, Item, Segment},
};
use crate::{
    changes::{FileKind, Refusal},
    object::{Failure, Parts},
    read::Rows,
};

/// Why a publish failed: at a base file, or as a whole.
#[derive(Debug)]
pub enum Trouble {
    /// This base file, by its place in the base, is bad.
    Bad(usize, Refusal),
    /// Anything else.
    Failed(Failure),
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<Refusal> for Trouble {
    fn from(refusal: Refusal) -> Self {
        Self::Failed(Failure::Refused(refusal))
    }
}

/// What a publish works with.
pub struct Work<'a, K: KeyKind> {
    /// The store.
    pub store: &'a Arc<dyn Store>,
    /// The dataset.
    pub dataset: &'a Dataset,
    /// Threads.
    pub threads: usize,
    /// The old snapshot, then the new full-load files.
    pub base: Arc<Vec<BaseFile>>,
    /// The table's columns.
    pub fold: Arc<Fold>,
    /// The changes.
    pub delta: Arc<Reduced<K>>,
    /// Whether the old snapshot is in key order.
    pub old_sorted: bool,
    /// The memory that this step may take for keys.
    pub memory: usize,
    /// As many turns as threads: who decodes and encodes holds one.
    pub busy: Arc<Semaphore>,
    /// Who hears how far it is.
    pub progress: &'a dyn Progress,
}

/// What a publish did.
#[derive(Debug, Clone, Copy, Default)]
pub struct Applied {
    /// What became of the changed keys.
    pub tally: Tally,
    /// Rows of the full load that a later one of the same key made moot.
    pub superseded: u64,
    /// Rows read of full-load files.
    pub loaded: u64,
    /// Whether the new snapshot is in key order.
    pub sorted: bool,
    /// Row groups carried.
    pub carried: u64,
    /// Row groups written.
    pub written: u64,
}

impl<K: KeyKind> Work<'_, K> {
    /// Writes the new snapshot's row groups.
    ///
    /// # Errors
    /// Where a base file is bad or the store fails.
    pub async fn apply(&self, output: &mut Output) -> Result<Applied, Trouble> {
        let schema = self.fold.schema();
        let (bytes, rows) = base::size(&self.base);
        let delta_bytes = self.delta.rows.get_array_memory_size() as u64;
        let aim = shape::aim(bytes + delta_bytes, rows + self.delta.rows.num_rows() as u64);
        let (pieces, found) = if self.delta.truncated { (Vec::new(), Vec::new()) } else { self.search(aim).await? };
        let sorted = route::is_sorted(&found, self.old_sorted);
        let superseded = if sorted || found.iter().all(|piece| piece.old) {
            HashMap::new()
        } else {
            dedupe::superseded(self, &pieces).await?
        };
        let routes = route::route(&found, &self.delta, sorted, &superseded);
        let loaded = found.iter().filter(|piece| !piece.old).map(|piece| piece.rows as u64).sum();
        let mut applied = Applied {
            tally: routes.tally,
            superseded: superseded.values().map(|rows| rows.len() as u64).sum(),
            loaded,
            sorted,
            ..Applied::default()
        };
        self.write(&schema, aim, &pieces, routes, output, &mut applied).await?;
        Ok(applied)
    }

    /// Runs on a thread that may be busy for long; a panic of a decoder is a bad file.
    pub async fn on_thread<T: Send + 'static>(
        work: impl FnOnce() -> Result<T, Refusal> + Send + 'static,
    ) -> Result<T, Refusal> {
        tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| {
            Err(Refusal { code: Code::UnreadableFile, column: None, reason: format!("decoding failed: {error}") })
        })
    }

    /// The keys of a piece of a Parquet file, with its rows.
    pub async fn keys(&self, piece: &Piece) -> Result<K::Column, Trouble> {
        let file = &self.base[piece.file];
        let primary_key = self.dataset.primary_key.clone();
        let parts = base::fetch(self.store, file, piece, &Wanted::Keys(primary_key.clone())).await?;
        let (base, delta, piece) = (Arc::clone(&self.base), Arc::clone(&self.delta), piece.clone());
        let at = piece.file;
        Self::on_thread(move || {
            let keys = base::keys(&base[piece.file], &piece, parts, &primary_key)?;
            encode_keys(&delta.kind, &keys, &primary_key)
        })
        .await
        .map_err(|refusal| self.blame(at, refusal))
    }

    /// A text file's rows from the first, on a thread that may wait.
    pub async fn open_text(&self, file: usize) -> Result<Box<dyn Rows>, Trouble> {
        let (store, meta) = (Arc::clone(self.store), self.base[file].meta.clone());
        let dataset = self.dataset.clone();
        let opened = tokio::task::spawn_blocking(move || base::text(&store, &meta, FileKind::Load, &dataset)).await;
        match opened.map_err(internal)? {
            Ok(rows) => Ok(rows),
            Err(Failure::Refused(refusal)) => Err(self.blame(file, refusal)),
            Err(failure) => Err(failure.into()),
        }
    }

    /// The next batches of a text file, `aim` rows or more of them; none after the last.
    pub async fn read_text(
        &self,
        file: usize,
        mut rows: Box<dyn Rows>,
        enough: impl Fn(usize, u64) -> bool + Send + 'static,
    ) -> Result<(Box<dyn Rows>, Vec<RecordBatch>), Trouble> {
        let read = tokio::task::spawn_blocking(move || {
            let (mut batches, mut bytes) = (Vec::new(), 0);
            while !enough(batches.len(), bytes) {
                match base::next_load_batch(rows.as_mut()) {
                    Ok(Some(batch)) => {
                        bytes += batch.get_array_memory_size() as u64;
                        batches.push(batch);
                    }
                    Ok(None) => break,
                    Err(failure) => return Err(failure),
                }
            }
            Ok((rows, batches))
        });
        match read.await.map_err(internal)? {
            Ok(read) => Ok(read),
            Err(Failure::Refused(refusal)) => Err(self.blame(file, refusal)),
            Err(failure) => Err(failure.into()),
        }
    }

    /// A refusal, with the full-load file that is to blame.
    pub(super) fn blame(&self, file: usize, refusal: Refusal) -> Trouble {
        match self.base[file].content {
            Content::Snapshot(_) => Trouble::Failed(Failure::Refused(refusal)),
            Content::Load(_) | Content::Text => Trouble::Bad(file, refusal),
        }
    }

    async fn write(
        &self,
        schema: &SchemaRef,
        aim: usize,
        pieces: &[Piece],
        routes: Routes,
        output: &mut Output,
        applied: &mut Applied,
    ) -> Result<(), Trouble> {
        let (old, mut carrier) = self.carrier(schema)?;
        let shapes: Vec<shape::Piece> = pieces
            .iter()
            .zip(&routes.edits)
            .map(|(piece, edits)| shape::Piece {
                rows: rows_after(piece.rows, edits),
                untouched: edits.is_empty() && carrier.is_some() && Some(piece.file) == old,
            })
            .collect();
        let segments = shape::plan(routes.items, &shapes, aim);
        let total = segments.len() as u64;
        let texts = Mutex::new(HashMap::new());
        let (edits, new_rows) = (&routes.edits, &routes.new_rows);
        let made = stream::iter(segments).then(|segment| {
            let texts = &texts;
            async move {
                Ok::<_, Trouble>(match segment {
                    Segment::Carry(range) => Made::Carry(range),
                    Segment::Write { items, rows } => {
                        let parts = self.gather(items, pieces, edits, new_rows, texts).await?;
                        Made::Write(tokio::spawn(self.encoder(schema, parts, rows, aim)))
                    }
                })
            }
        });
        // What is ahead of the writer is being fetched or encoded: the memory that a merge takes.
        let mut made = std::pin::pin!(
            made.map(|made| async move {
                match made? {
                    Made::Write(task) => Ok(Ready::Write(task.await.map_err(internal)??)),
                    Made::Carry(range) => Ok::<_, Trouble>(Ready::Carry(range)),
                }
            })
            .buffered(self.threads + 1)
        );
        let mut done = 0;
        while let Some(ready) = made.try_next().await? {
            match ready {
                Ready::Write(encoded) => {
                    applied.written += encoded.groups.len() as u64;
                    output.write(encoded).await?;
                }
                Ready::Carry(range) => {
                    let (Some(old), Some(carrier)) = (old, carrier.as_mut()) else { continue };
                    let Content::Snapshot(snapshot) = &self.base[old].content else { continue };
                    // The snapshot comes first in the base: its pieces are its row groups, in order.
                    let moved = carrier.carry(&snapshot.groups[range])?;
                    applied.carried += moved.groups.len() as u64;
                    output.carry(moved, &self.base[old]).await?;
                }
            }
            done += 1;
            self.progress.row_groups(done, total);
        }
        Ok(())
    }

    fn carrier(&self, schema: &SchemaRef) -> Result<(Option<usize>, Option<Carrier>), Refusal> {
        let old = self.base.iter().position(|file| matches!(file.content, Content::Snapshot(_)));
        let Some(Content::Snapshot(snapshot)) = old.map(|at| &self.base[at].content) else { return Ok((None, None)) };
        Ok((old, Carrier::new(snapshot, &self.fold, schema, self.dataset.compression)?))
    }

    /// What an encoder needs for each item. Text files are streams: they are read here, in order.
    async fn gather(
        &self,
        items: Vec<Item>,
        pieces: &[Piece],
        edits: &[Vec<Edit>],
        new_rows: &[u32],
        texts: &Mutex<HashMap<usize, Box<dyn Rows>>>,
    ) -> Result<Vec<Part>, Trouble> {
        let mut parts = Vec::with_capacity(items.len());
        for item in items {
            parts.push(match item {
                Item::New(range) => Part::New(new_rows[range].to_vec()),
                Item::Piece(at) => {
                    let piece = &pieces[at];
                    let read = match self.base[piece.file].content {
                        Content::Text => Some(self.text_piece(piece, texts).await?),
                        _ => None,
                    };
                    Part::Old { piece: piece.clone(), edits: edits[at].clone(), read }
                }
            });
        }
        Ok(parts)
    }

    async fn text_piece(
        &self,
        piece: &Piece,
        texts: &Mutex<HashMap<usize, Box<dyn Rows>>>,
    ) -> Result<Vec<RecordBatch>, Trouble> {
        let open = texts.lock().unwrap_or_else(PoisonError::into_inner).remove(&piece.file);
        let rows = match open {
            Some(rows) => rows,
            None => self.open_text(piece.file).await?,
        };
        let wanted = piece.part.len();
        let (rows, batches) = self.read_text(piece.file, rows, move |count, _| count >= wanted).await?;
        texts.lock().unwrap_or_else(PoisonError::into_inner).insert(piece.file, rows);
        Ok(batches)
    }

    fn encoder(
        &self,
        schema: &SchemaRef,
        parts: Vec<Part>,
        rows: usize,
        aim: usize,
    ) -> impl Future<Output = Result<Encoded, Trouble>> + Send + use<K> {
        let (store, busy) = (Arc::clone(self.store), Arc::clone(&self.busy));
        let (delta, schema) = (Arc::clone(&self.delta), Arc::clone(schema));
        let (base, fold, compression) = (Arc::clone(&self.base), Arc::clone(&self.fold), self.dataset.compression);
        async move {
            let wanted = Wanted::Rows(Arc::clone(&fold));
            let mut fetched = Vec::with_capacity(parts.len());
            for part in &parts {
                fetched.push(match part {
                    Part::Old { piece, read: None, .. } => {
                        base::fetch(&store, &base[piece.file], piece, &wanted).await?
                    }
                    _ => Parts::default(),
                });
            }
            // Fetching may run ahead; decoded rows are in memory only while a thread works on them.
            let _turn = busy.acquire().await.map_err(internal)?;
            let encoding = Encoding { parts, fetched, base, fold, schema, compression };
            let work = move || Ok(encoding.run(&delta.rows, rows, aim));
            Self::on_thread(work).await?
        }
    }
}

enum Made {
    Carry(std::ops::Range<usize>),
    Write(tokio::task::JoinHandle<Result<Encoded, Trouble>>),
}

enum Ready {
    Carry(std::ops::Range<usize>),
    Write(Encoded),
}

fn rows_after(rows: usize, edits: &[Edit]) -> usize {
    let inserted = edits.iter().filter(|edit| matches!(edit.change, patch::Change::Insert(_))).count();
    let deleted = edits.iter().filter(|edit| edit.change == patch::Change::Delete).count();
    rows + inserted - deleted
}

/// The keys of batches of a text file.
pub(super) fn text_keys<K: KeyKind>(
    kind: &K,
    batches: &[RecordBatch],
    primary_key: &[String],
) -> Result<K::Column, Refusal> {
    let mut columns: Vec<Vec<ArrayRef>> = vec![Vec::new(); primary_key.len()];
    for rows in batches {
        for (column, array) in columns.iter_mut().zip(key_arrays(rows, primary_key)?) {
            column.push(array);
        }
    }
    let joined = columns.iter().map(|arrays| {
        let arrays: Vec<&dyn arrow::array::Array> = arrays.iter().map(AsRef::as_ref).collect();
        concat(&arrays).map_err(internal)
    });
    encode_keys(kind, &joined.collect::<Result<Vec<_>, _>>()?, primary_key)
}

fn encode_keys<K: KeyKind>(kind: &K, keys: &[ArrayRef], primary_key: &[String]) -> Result<K::Column, Refusal> {
    if let Some((row, at)) = super::keys::first_null(keys, |_| true) {
        return Err(Refusal {
            code: Code::NullKey,
            column: Some(primary_key[at].as_str().into()),
            reason: format!("the key is NULL (row {} of its part of the file)", row + 1),
        });
    }
    kind.encode(keys)
}
