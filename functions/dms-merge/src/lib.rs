//! An S3 notification or a schedule → merged tables, and an answer that AWS understands.
//!
//! An event is only a poke: which files are new is decided by the merge, never by what an event says.

pub mod config;
pub mod emit;
pub mod handler;
pub mod response;
pub mod route;
pub mod trigger;
