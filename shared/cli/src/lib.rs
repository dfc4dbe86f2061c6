//! An operator's command → a merge, an inspection, a hosted function, a demo.
//!
//! The binary is only wiring: what a command does and how it exits is decided here.

pub mod host;
