//! Chunks in any order → their rows in order, in bounded memory.
//!
//! Chunks come by the least key that they may have. So what is below the least key of all that is still to come is
//! final, and goes on at once: rows that arrived about when they happened never touch the disk. Where too little of the
//! memory is final, it goes to the disk as a sorted run, while more comes in; the runs are merged at the end.

use std::{
    collections::VecDeque,
    sync::Arc,
    thread::{self, JoinHandle},
};

use arrow::{
    array::{ArrayRef, RecordBatch, UInt64Array},
    compute::interleave_record_batch,
    datatypes::{DataType, Field, Schema, SchemaRef},
    error::ArrowError,
};

use super::{
    rows::{Chunk, Entry, Order, compare},
    runs::{Merge, Run, Runs},
};

/// The most rows of a piece that goes to the disk, and comes back, and the fewest.
pub(super) const PIECE: usize = 8192;
const LEAST_PIECE: usize = 256;
/// As many pieces may take what may be held: of each run one is in memory when they are merged.
const PIECES: usize = 64;
/// Runs that are on their way to the disk at once.
pub(super) const SPILLS: usize = 2;

/// Takes rows in order.
pub(super) trait Sorted {
    /// These rows of these batches, each a batch's number and a row's.
    fn take(&mut self, batches: &[&RecordBatch], rows: &[(usize, usize)]) -> Result<(), ArrowError>;
}

/// Rows on their way.
pub(super) struct Sorter {
    order: Arc<Order>,
    schema: SchemaRef,
    /// Bytes that may be held, beside [`SPILLS`] times as many that are on their way to the disk.
    most: usize,
    chunks: Vec<Chunk>,
    entries: Vec<Entry>,
    held: usize,
    runs: Runs,
    spilling: VecDeque<JoinHandle<Result<Run, ArrowError>>>,
}

impl Sorter {
    pub(super) fn new(order: Arc<Order>, schema: SchemaRef, most: usize) -> Self {
        let (chunks, entries, runs) = (Vec::new(), Vec::new(), Runs::default());
        Self { order, schema, most, chunks, entries, held: 0, runs, spilling: VecDeque::new() }
    }

    /// Adds rows. `floor` is the least head of all keys that are still to come, as far as it is known.
    ///
    /// # Errors
    /// Where the disk or `sorted` fails.
    pub(super) fn add(&mut self, chunk: Chunk, floor: Option<u128>, sorted: &mut dyn Sorted) -> Result<(), ArrowError> {
        let number = u32::try_from(self.chunks.len()).unwrap_or(u32::MAX);
        self.held += chunk.memory();
        self.entries.extend((0..chunk.places.len()).map(|row| chunk.entry(number, row)));
        self.chunks.push(chunk);
        if self.held < self.most {
            return Ok(());
        }
        if let Some(floor) = floor.filter(|floor| *floor > 0 && !self.spilled()) {
            arrange(&self.chunks, &mut self.entries);
            let ready = self.entries.partition_point(|entry| entry.head < floor);
            if ready * 2 >= self.entries.len() && ready > 0 {
                self.emit(ready, sorted)?;
                return self.keep(ready);
            }
        }
        self.spill()
    }

    /// Gives the rest, or what gives it step by step where it is more than the memory holds.
    ///
    /// # Errors
    /// As [`Sorter::add`].
    pub(super) fn finish(mut self, sorted: &mut dyn Sorted) -> Result<Option<Merge>, ArrowError> {
        if !self.spilled() {
            arrange(&self.chunks, &mut self.entries);
            return self.emit(self.entries.len(), sorted).map(|()| None);
        }
        if !self.entries.is_empty() {
            self.spill()?;
        }
        self.settle(0)?;
        Merge::of(self.runs.open(&self.order)?).map(Some)
    }

    /// Whether something went to the disk.
    pub(super) fn spilled(&self) -> bool {
        !self.spilling.is_empty() || !self.runs.is_empty()
    }

    fn emit(&self, ready: usize, sorted: &mut dyn Sorted) -> Result<(), ArrowError> {
        let batches: Vec<_> = self.chunks.iter().map(|chunk| &chunk.rows).collect();
        let rows: Vec<_> = self.entries[..ready].iter().map(pick).collect();
        sorted.take(&batches, &rows)
    }

    /// Keeps what is not final, without what is.
    fn keep(&mut self, ready: usize) -> Result<(), ArrowError> {
        let rest = self.entries.split_off(ready);
        let chunks = std::mem::take(&mut self.chunks);
        (self.entries, self.held) = (Vec::new(), 0);
        if rest.is_empty() {
            return Ok(());
        }
        let batches: Vec<_> = chunks.iter().map(|chunk| &chunk.rows).collect();
        let rows = interleave_record_batch(&batches, &rest.iter().map(pick).collect::<Vec<_>>())?;
        let chunk = self.order.keyed(rows, rest.iter().map(|entry| entry.place).collect())?;
        self.held = chunk.memory();
        self.entries.extend((0..chunk.places.len()).map(|row| chunk.entry(0, row)));
        self.chunks.push(chunk);
        Ok(())
    }

    fn spill(&mut self) -> Result<(), ArrowError> {
        self.settle(SPILLS - 1)?;
        let row = (self.held / self.entries.len().max(1)).max(1);
        let piece = (self.most / PIECES / row).clamp(LEAST_PIECE, PIECE);
        let (chunks, entries) = (std::mem::take(&mut self.chunks), std::mem::take(&mut self.entries));
        self.held = 0;
        let schema = with_places(&self.schema);
        self.spilling.push_back(thread::spawn(move || run_of(&chunks, entries, piece, &schema)));
        Ok(())
    }

    /// Waits until no more than `most` runs are on their way to the disk.
    fn settle(&mut self, most: usize) -> Result<(), ArrowError> {
        while self.spilling.len() > most
            && let Some(spilling) = self.spilling.pop_front()
        {
            self.runs.push(spilling.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?);
        }
        Ok(())
    }
}

fn arrange(chunks: &[Chunk], entries: &mut [Entry]) {
    entries.sort_unstable_by(|a, b| compare(chunks, a, b));
}

fn run_of(chunks: &[Chunk], mut entries: Vec<Entry>, piece: usize, schema: &SchemaRef) -> Result<Run, ArrowError> {
    arrange(chunks, &mut entries);
    let mut run = Run::create(schema)?;
    let batches: Vec<_> = chunks.iter().map(|chunk| &chunk.rows).collect();
    for piece in entries.chunks(piece) {
        let rows = interleave_record_batch(&batches, &piece.iter().map(pick).collect::<Vec<_>>())?;
        let places: ArrayRef = Arc::new(piece.iter().map(|entry| entry.place).collect::<UInt64Array>());
        let columns = rows.columns().iter().cloned().chain([places]).collect();
        run.write(&RecordBatch::try_new(Arc::clone(schema), columns)?)?;
    }
    Ok(run)
}

fn pick(entry: &Entry) -> (usize, usize) {
    (entry.chunk as usize, entry.row as usize)
}

/// The schema of a run: the places of the rows come last.
fn with_places(schema: &SchemaRef) -> SchemaRef {
    let place = Arc::new(Field::new("", DataType::UInt64, false));
    Arc::new(Schema::new(schema.fields().iter().cloned().chain([place]).collect::<Vec<_>>()))
}

#[cfg(test)]
mod tests;
