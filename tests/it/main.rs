//! The integration tests, one binary: this is its table of contents.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by a panic")]

mod apply;
mod compact;
mod consume;
mod dynamodb;
mod events;
mod faults;
mod house;
mod ingest;
mod kafka;
mod kinesis;
mod landed;
mod merge;
mod package;
mod registries;
mod replay;
mod s3;
mod sns;
