//! Batches of a Kinesis shard's tumbling window → what is told of it by key, in the state and in the lake.

mod carried;
mod closing;
pub mod config;
mod emit;
mod groups;
pub mod handler;
mod latest;
mod plan;
mod report;
mod scalar;
mod spill;
mod sum;
mod tally;

pub use report::Report;
