//! The merge engine against a plain replay of the same files.
//!
//! Whatever the order, batching, repetition, crashes and races: what readers see equals the replay.

pub mod file;
pub mod lake;
mod replay;

mod age;
mod bad;
mod carry;
mod crash;
mod late;
mod ordered;
mod property;
mod race;
mod reload;
mod versioned;
mod wire;
