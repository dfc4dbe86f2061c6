//! A signed HTTP request → its records in a stream, and an answer that says which.
//!
//! Nothing is answered with 2xx unless the stream has all of it, and nothing is sent of a body that is bad in part.

pub mod body;
pub mod config;
pub mod emit;
pub mod handler;
pub mod idempotency;
pub mod intake;
pub mod partition;
pub mod positions;
pub mod refusal;
pub mod signature;
