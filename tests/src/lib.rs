//! What the integration tests stand on.

pub mod ministack;
pub mod python;
