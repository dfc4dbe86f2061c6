//! Sorted runs on the local disk → all their rows in order.
//!
//! A run's file has no name: it is gone with the process, however that ends.

use std::{
    fs::File,
    io::{BufReader, BufWriter, Seek, SeekFrom, Write},
    sync::Arc,
};

use arrow::{
    array::{AsArray, RecordBatch},
    datatypes::{SchemaRef, UInt64Type},
    error::ArrowError,
    ipc::{reader::StreamReader, writer::StreamWriter},
};

use super::{
    rows::{Chunk, Entry, Order, compare},
    sort::{PIECE, Sorted},
};

/// Rows that are given on at once, about.
pub(super) const BATCH: usize = 8 * PIECE;
/// The buffer of a run's file.
const BUFFER: usize = 256 << 10;

/// A run being written.
pub(super) struct Run(StreamWriter<BufWriter<File>>);

impl Run {
    pub(super) fn create(schema: &SchemaRef) -> Result<Self, ArrowError> {
        let file = tempfile::tempfile()?;
        Ok(Self(StreamWriter::try_new(BufWriter::with_capacity(BUFFER, file), schema)?))
    }

    pub(super) fn write(&mut self, rows: &RecordBatch) -> Result<(), ArrowError> {
        self.0.write(rows)
    }
}

/// Runs, in the order in which they were written.
#[derive(Default)]
pub(super) struct Runs(Vec<File>, Option<ArrowError>);

impl Runs {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty() && self.1.is_none()
    }

    pub(super) fn push(&mut self, run: Run) {
        let finish = |mut run: Run| -> Result<File, ArrowError> {
            run.0.finish()?;
            let mut buffer = run.0.into_inner()?;
            buffer.flush()?;
            let mut file = buffer.into_inner().map_err(|error| ArrowError::from(error.into_error()))?;
            file.seek(SeekFrom::Start(0))?;
            Ok(file)
        };
        match finish(run) {
            Ok(file) => self.0.push(file),
            Err(error) => self.1 = Some(error),
        }
    }

    pub(super) fn open(&mut self, order: &Arc<Order>) -> Result<Vec<Cursor>, ArrowError> {
        if let Some(error) = self.1.take() {
            return Err(error);
        }
        let open = |file| {
            let pieces = StreamReader::try_new(BufReader::with_capacity(BUFFER, file), None)?;
            Ok(Cursor { pieces, order: Arc::clone(order) })
        };
        self.0.drain(..).map(open).collect()
    }
}

/// A run being read.
pub(super) struct Cursor {
    pieces: StreamReader<BufReader<File>>,
    order: Arc<Order>,
}

impl Cursor {
    fn next(&mut self) -> Result<Option<Chunk>, ArrowError> {
        let Some(piece) = self.pieces.next().transpose()? else { return Ok(None) };
        let last = piece.num_columns() - 1;
        let places = piece.column(last).as_primitive::<UInt64Type>().values().to_vec();
        let rows = piece.project(&(0..last).collect::<Vec<_>>())?;
        self.order.keyed(rows, places).map(Some)
    }
}

/// Where a run is: a row of the chunk of its piece.
struct Head {
    run: usize,
    chunk: usize,
    row: usize,
}

/// Rows that come next, each a batch's number and a row's.
pub(super) struct Picked {
    batches: Vec<RecordBatch>,
    rows: Vec<(usize, usize)>,
}

impl Picked {
    /// Gives them on.
    ///
    /// # Errors
    /// Where `sorted` fails.
    pub(super) fn give(&self, sorted: &mut dyn Sorted) -> Result<(), ArrowError> {
        sorted.take(&self.batches.iter().collect::<Vec<_>>(), &self.rows)
    }
}

/// All runs on their way to one.
pub(super) struct Merge {
    runs: Vec<Cursor>,
    chunks: Vec<Chunk>,
    /// The least comes last.
    heads: Vec<Head>,
}

impl Merge {
    /// # Errors
    /// Where a run cannot be read.
    pub(super) fn of(runs: Vec<Cursor>) -> Result<Self, ArrowError> {
        let mut merge = Self { runs, chunks: Vec::new(), heads: Vec::new() };
        for run in 0..merge.runs.len() {
            merge.enter(run)?;
        }
        Ok(merge)
    }

    /// Some rows in order; `None` where there are no more.
    ///
    /// # Errors
    /// Where a run cannot be read.
    pub(super) fn next(&mut self) -> Result<Option<Picked>, ArrowError> {
        let mut rows = Vec::with_capacity(BATCH + PIECE);
        while rows.len() < BATCH
            && let Some(mut head) = self.heads.pop()
        {
            let bound = self.heads.last().map(|next| entry(&self.chunks, next));
            let is_next = |head: &Head| {
                bound.is_none_or(|bound| compare(&self.chunks, &entry(&self.chunks, head), &bound).is_lt())
            };
            let length = self.chunks[head.chunk].places.len();
            while head.row < length && is_next(&head) {
                rows.push((head.chunk, head.row));
                head.row += 1;
            }
            if head.row == length {
                self.enter(head.run)?;
            } else {
                self.put(head);
            }
        }
        if rows.is_empty() {
            return Ok(None);
        }
        let batches = self.chunks.iter().map(|chunk| chunk.rows.clone()).collect();
        self.forget();
        Ok(Some(Picked { batches, rows }))
    }

    /// Goes on with the next piece of a run, if there is one.
    fn enter(&mut self, run: usize) -> Result<(), ArrowError> {
        if let Some(chunk) = self.runs[run].next()? {
            self.chunks.push(chunk);
            self.put(Head { run, chunk: self.chunks.len() - 1, row: 0 });
        }
        Ok(())
    }

    fn put(&mut self, head: Head) {
        let new = entry(&self.chunks, &head);
        let later = |other: &Head| compare(&self.chunks, &entry(&self.chunks, other), &new).is_gt();
        self.heads.insert(self.heads.partition_point(later), head);
    }

    /// Drops the chunks that no run is in any more.
    fn forget(&mut self) {
        let mut old: Vec<_> = std::mem::take(&mut self.chunks).into_iter().map(Some).collect();
        for head in &mut self.heads {
            if let Some(chunk) = old[head.chunk].take() {
                head.chunk = self.chunks.len();
                self.chunks.push(chunk);
            }
        }
    }
}

fn entry(chunks: &[Chunk], head: &Head) -> Entry {
    chunks[head.chunk].entry(head.chunk as u32, head.row)
}
