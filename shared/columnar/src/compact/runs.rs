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
const BATCH: usize = 8 * PIECE;
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

/// Gives the rows of all runs in order.
///
/// # Errors
/// Where a run cannot be read, or `sorted` fails.
pub(super) fn merge(mut runs: Vec<Cursor>, sorted: &mut dyn Sorted) -> Result<(), ArrowError> {
    let (mut chunks, mut heads, mut rows) = (Vec::new(), Vec::new(), Vec::new());
    for (run, cursor) in runs.iter_mut().enumerate() {
        if let Some(chunk) = cursor.next()? {
            heads.push(Head { run, chunk: chunks.len(), row: 0 });
            chunks.push(chunk);
        }
    }
    while !heads.is_empty() {
        let least = least(&chunks, &heads, None);
        let bound = (heads.len() > 1).then(|| self::least(&chunks, &heads, Some(least)));
        let bound = bound.map(|at| entry(&chunks, &heads[at]));
        let head = &mut heads[least];
        let length = chunks[head.chunk].places.len();
        while head.row < length && bound.is_none_or(|bound| compare(&chunks, &entry(&chunks, head), &bound).is_lt()) {
            rows.push((head.chunk, head.row));
            head.row += 1;
        }
        if head.row == length {
            match runs[head.run].next()? {
                Some(chunk) => {
                    (head.chunk, head.row) = (chunks.len(), 0);
                    chunks.push(chunk);
                }
                None => _ = heads.swap_remove(least),
            }
        }
        if rows.len() >= BATCH {
            give(&mut chunks, &mut heads, &mut rows, sorted)?;
        }
    }
    give(&mut chunks, &mut heads, &mut rows, sorted)
}

fn least(chunks: &[Chunk], heads: &[Head], but: Option<usize>) -> usize {
    let others = (0..heads.len()).filter(|at| Some(*at) != but);
    let least = others.min_by(|a, b| compare(chunks, &entry(chunks, &heads[*a]), &entry(chunks, &heads[*b])));
    least.unwrap_or_default()
}

fn entry(chunks: &[Chunk], head: &Head) -> Entry {
    chunks[head.chunk].entry(head.chunk as u32, head.row)
}

/// Gives the rows at hand, and drops the chunks that no run is in any more.
fn give(
    chunks: &mut Vec<Chunk>,
    heads: &mut [Head],
    rows: &mut Vec<(usize, usize)>,
    sorted: &mut dyn Sorted,
) -> Result<(), ArrowError> {
    sorted.take(&chunks.iter().map(|chunk| &chunk.rows).collect::<Vec<_>>(), rows)?;
    rows.clear();
    let mut old: Vec<_> = std::mem::take(chunks).into_iter().map(Some).collect();
    for head in heads {
        if let Some(chunk) = old[head.chunk].take() {
            head.chunk = chunks.len();
            chunks.push(chunk);
        }
    }
    Ok(())
}
