//! An operator's command → a merge, an inspection, a replay, a hosted function, traffic, a demo.
//!
//! The binary is only wiring: what a command does and how it exits is decided here.

mod check;
mod command;
mod compact;
mod demo;
mod failure;
mod generate;
pub mod host;
mod inspect;
mod invoke;
mod lake;
mod merge;
mod progress;
mod replay;
mod table;
pub mod traffic;

pub use command::run;
pub use failure::Failure;
