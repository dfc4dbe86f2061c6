//! A batch of the old snapshot and what changes in it → the batch as it is now.

use arrow::array::{Array, ArrayRef, MutableArrayData, make_array};

use super::rows::internal;
use crate::changes::Refusal;

/// One change to a batch; changes are sorted by row, an insert before anything else at its row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Edit {
    /// The row of the old batch.
    pub row: u32,
    /// What happens there.
    pub change: Change,
}

/// What happens at a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    /// This row of the delta is put before it.
    Insert(u32),
    /// This row of the delta takes its place.
    Replace(u32),
    /// It goes.
    Delete,
}

/// Consecutive rows of one source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Run {
    source: usize,
    start: usize,
    end: usize,
}

const OLD: usize = 0;
const DELTA: usize = 1;

/// Where each row of the new batch comes from.
#[derive(Debug)]
pub struct Splice {
    runs: Vec<Run>,
    rows: usize,
}

impl Splice {
    /// `rows` old rows with `edits` done.
    #[must_use]
    pub fn new(rows: usize, edits: &[Edit]) -> Self {
        let runs = runs(rows, edits);
        let rows = runs.iter().map(|run| run.end - run.start).sum();
        Self { runs, rows }
    }

    /// One column of the new batch, of those of the old batch and of the delta, which have the same type.
    ///
    /// # Errors
    /// Where a piece of text grows beyond what one array holds.
    pub fn column(&self, old: ArrayRef, delta: &ArrayRef) -> Result<ArrayRef, Refusal> {
        if matches!(self.runs[..], [Run { source: OLD, start: 0, end }] if end == old.len()) {
            return Ok(old);
        }
        let (old, delta) = (old.to_data(), delta.to_data());
        let mut spliced = MutableArrayData::new(vec![&old, &delta], false, self.rows);
        for run in &self.runs {
            spliced.try_extend(run.source, run.start, run.end).map_err(internal)?;
        }
        Ok(make_array(spliced.freeze()))
    }
}

fn runs(rows: usize, edits: &[Edit]) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::with_capacity(edits.len() * 2 + 1);
    let mut push = |source: usize, start: usize, end: usize| match runs.last_mut() {
        _ if start == end => {}
        Some(last) if last.source == source && last.end == start => last.end = end,
        _ => runs.push(Run { source, start, end }),
    };
    let mut next = 0;
    for edit in edits {
        let row = edit.row as usize;
        push(OLD, next, row.max(next));
        next = next.max(row);
        match edit.change {
            Change::Insert(delta) => push(DELTA, delta as usize, delta as usize + 1),
            Change::Replace(delta) => {
                push(DELTA, delta as usize, delta as usize + 1);
                next = row + 1;
            }
            Change::Delete => next = row + 1,
        }
    }
    push(OLD, next, rows);
    runs
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Int32Array, StringArray};

    use super::*;

    fn columns(values: &[i32]) -> [ArrayRef; 2] {
        let text: StringArray = values.iter().map(|v| (v % 2 == 0).then(|| v.to_string())).collect();
        [Arc::new(Int32Array::from(values.to_vec())), Arc::new(text)]
    }

    fn check(edits: &[(u32, Change)], expected: &[i32]) {
        let edits: Vec<_> = edits.iter().map(|&(row, change)| Edit { row, change }).collect();
        let splice = Splice::new(5, &edits);
        let (old, delta) = (columns(&[0, 1, 2, 3, 4]), columns(&[10, 11, 12]));
        for ((old, delta), expected) in old.into_iter().zip(&delta).zip(columns(expected)) {
            assert_eq!(&splice.column(old, delta).unwrap(), &expected);
        }
    }

    #[test]
    fn rows_are_replaced_removed_and_put_in() {
        use Change::{Delete, Insert, Replace};
        check(&[], &[0, 1, 2, 3, 4]);
        check(&[(1, Replace(0)), (3, Delete)], &[0, 10, 2, 4]);
        check(&[(0, Insert(0)), (0, Insert(1)), (5, Insert(2))], &[10, 11, 0, 1, 2, 3, 4, 12]);
        check(&[(2, Insert(0)), (2, Replace(1)), (3, Delete), (4, Delete)], &[0, 1, 10, 11]);
        check(&[(0, Delete), (1, Delete), (2, Delete), (3, Delete), (4, Delete)], &[]);
    }
}
