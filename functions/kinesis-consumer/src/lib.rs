//! Batches of a Kinesis shard → typed Parquet in the lake, each record exactly once.

pub mod config;
mod emit;
pub mod handler;
mod report;

pub use report::Report;
