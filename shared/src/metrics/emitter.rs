//! Figures → standard output, or a test's memory.
//!
//! The one place that a function's metrics leave by.

use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
};

use super::Metrics;
use crate::clock::Timestamp;

/// Where metrics go.
#[derive(Debug, Clone)]
pub enum Emitter {
    /// Standard output, from where Lambda hands them to `CloudWatch`.
    Stdout,
    /// Memory, for tests.
    Memory(Arc<Mutex<Vec<Metrics>>>),
}

impl Emitter {
    /// Emits these figures as of `now`.
    pub fn emit(&self, metrics: Metrics, now: Timestamp) {
        match self {
            Self::Stdout => {
                if let Err(error) = metrics.emit(now, &mut io::stdout().lock()) {
                    tracing::warn!("metrics are lost: {error}");
                }
            }
            Self::Memory(seen) => seen.lock().unwrap_or_else(PoisonError::into_inner).push(metrics),
        }
    }
}
