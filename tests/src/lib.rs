//! What the integration tests stand on.

use std::io::{self, Write};

pub mod ministack;
pub mod python;

/// Says what this machine cannot test: past the test runner's capture, which swallows what a passed test prints.
pub fn shout(message: &str) {
    io::stderr().write_all(format!("\n*** {message} ***\n\n").as_bytes()).ok();
}
