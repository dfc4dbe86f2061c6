//! Batches of Kafka topic-partitions → typed Parquet in the lake, each record exactly once.

pub mod avro;
pub mod config;
mod content;
mod debezium;
mod emit;
pub mod envelope;
pub mod handler;
mod lot;
mod report;
pub mod schemas;

pub use report::{Report, Share};
