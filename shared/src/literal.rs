//! A value's text → the value.
//!
//! No column and no format comes in: what a text means does not depend on who asks.

pub mod scalar;
pub mod time;
