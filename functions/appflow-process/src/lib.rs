//! The end of a flow's run, or a schedule → its records in the lake, and the table of their last versions.
//!
//! A report is only a poke, and may never come: which runs are in is decided by what is noted in the lake.

pub mod config;
pub mod emit;
mod event;
mod files;
pub mod handler;
mod intake;
mod ledger;
mod report;
mod runs;

pub use ledger::note_key;
pub use report::Report;
