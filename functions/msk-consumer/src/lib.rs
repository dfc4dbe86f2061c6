//! Batches of Kafka topic-partitions → typed Parquet in the lake, or files of changes, each record exactly once.

pub mod avro;
mod changes;
pub mod config;
mod content;
mod debezium;
mod emit;
pub mod envelope;
mod event;
pub mod handler;
mod lot;
mod report;
mod rows;
pub mod schemas;

pub use report::{Report, Share};
pub use rows::Rows;
