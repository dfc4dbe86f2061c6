//! Runs of flows → the one verb we need of them: which came to an end.
//!
//! No SDK type comes in: an adapter translates. A run is told again each time, for as long as the service knows it.

use std::fmt;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::{
    clock::Timestamp,
    error::{Code, Error},
};

pub mod directory;
pub mod memory;

/// One execution of a flow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// The id of its execution.
    pub id: String,
    /// When it began: milliseconds since 1970.
    pub started: Timestamp,
    /// How it stands.
    pub status: Status,
    /// How many records it brought, where that is known.
    pub records: Option<u64>,
}

/// How a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It goes on.
    Running,
    /// It ended well: its files are whole.
    Succeeded,
    /// It ended otherwise; its files, if any, are not all there is.
    Failed,
}

/// Why a call failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FlowsError {
    /// No answer, or asked to slow down: the same call may work later.
    #[error("flow {flow}: {reason}")]
    Unavailable {
        /// The flow.
        flow: String,
        /// The service's own words.
        reason: String,
    },
    /// Refused (permission, no such flow): a person must change something.
    #[error("flow {flow}: {reason}")]
    Refused {
        /// The flow.
        flow: String,
        /// The service's own words.
        reason: String,
    },
}

impl From<FlowsError> for Error {
    fn from(error: FlowsError) -> Self {
        let message = error.to_string();
        match error {
            FlowsError::Unavailable { .. } => Self::retry(Code::Unavailable, message),
            FlowsError::Refused { .. } => Self::misconfigured(Code::AccessDenied, message),
        }
    }
}

/// What a call gives.
pub type Result<T, E = FlowsError> = std::result::Result<T, E>;

/// A service that runs flows: Amazon `AppFlow`, a directory, memory.
#[async_trait]
pub trait Flows: fmt::Debug + Send + Sync {
    /// The runs of the flow that began at this moment or later, in any order.
    async fn runs(&self, flow: &str, since: Timestamp) -> Result<Vec<Run>>;
}
