//! A schedule → small files of closed partitions made few, and an answer that says how it went.

pub mod config;
pub mod emit;
pub mod event;
pub mod handler;
