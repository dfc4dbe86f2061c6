//! A change file's rows as every format gives them.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};

/// What a row does to its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Op {
    /// The row was inserted; over an existing key it replaces.
    Insert,
    /// The row was updated; where the key is missing it inserts.
    Update,
    /// The key is gone.
    Delete,
    /// Every row of the table is gone; the row's values mean nothing.
    Truncate,
}

/// Consecutive rows of one change file, in file order.
#[derive(Debug, Clone)]
pub struct Changes {
    /// One operation a row.
    pub ops: Vec<Op>,
    /// The table's columns only: no operation, timestamp, sequence or before-image columns.
    pub rows: RecordBatch,
    /// The key columns before the change, in key order, as long as the batch; a row whose entries are all NULL
    /// tells nothing. `None` where the file has no before-images of the key.
    pub old_keys: Option<Vec<ArrayRef>>,
}

impl Changes {
    /// Whether no row says anything but that every row is gone: such rows need no key, nor its columns.
    #[must_use]
    pub fn only_truncate(&self) -> bool {
        self.ops.iter().all(|op| *op == Op::Truncate)
    }
}

/// Which kind of file a change file is: it decides what a missing operation column means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// Part of a full load.
    Load,
    /// Changes.
    Cdc,
}

/// Where a bad file is bad, for the message: the file is named by who read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The bounded reason.
    pub code: headgate::Code,
    /// The column, where one is to blame.
    pub column: Option<Arc<str>>,
    /// What is wrong, with the row (counted from 1) where it is known.
    pub reason: String,
}
