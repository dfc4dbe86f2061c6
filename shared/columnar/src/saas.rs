//! Files of a flow's run → a file of changes for a merge, and what is refused.
//!
//! No store and no event come in. Every format becomes JSON records first: one contract reads them all.

mod batch;
mod csv;
mod nulls;
mod parquet;
mod records;

#[cfg(test)]
mod tests;

pub use batch::{Give, Landed, Piece, Readers, Run, land};
