//! Batches of Kafka topic-partitions → typed Parquet in the lake, or files of changes, each record exactly once.

pub mod config;
mod emit;
pub mod handler;
mod lot;
mod report;
pub mod service;

pub use report::{Report, Share};
