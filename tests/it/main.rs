//! The integration tests, one binary: this is its table of contents.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by a panic")]

mod dynamodb;
mod events;
mod house;
mod kafka;
mod merge;
mod s3;
