//! Records that pass through Firehose → lines of JSON that keep their contract, and the partition of each.
//!
//! Every record is answered for exactly once, and what is refused stays whole in the error prefix.

pub mod config;
mod emit;
pub mod handler;
mod judge;
pub mod reingest;
mod report;
mod room;
mod transform;

pub use report::Report;
