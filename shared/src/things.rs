//! Certificates and things of a device registry → the few verbs we need of them.
//!
//! No SDK type comes in: an adapter translates. Each verb may be called again after a lost answer, and changes nothing
//! then.

use std::fmt;

use async_trait::async_trait;

use crate::error::{Code, Error};

pub mod memory;

/// A certificate that a device shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// What policies and things are attached to.
    pub arn: String,
    /// The CA that signed it; `None` where the registry did not say.
    pub ca: Option<String>,
    /// Whether it opens a door.
    pub status: Status,
}

/// Whether a certificate opens a door.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// It was never looked at.
    Pending,
    /// It does.
    Active,
    /// It does not: somebody decided so.
    Barred,
}

/// Why a call failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ThingsError {
    /// No answer, or asked to slow down: the same call may work later.
    #[error("{what}: {reason}")]
    Unavailable {
        /// What it was about.
        what: String,
        /// The service's own words.
        reason: String,
    },
    /// Refused (permission, no such policy): a person must change something.
    #[error("{what}: {reason}")]
    Refused {
        /// What it was about.
        what: String,
        /// The service's own words.
        reason: String,
    },
}

impl From<ThingsError> for Error {
    fn from(error: ThingsError) -> Self {
        let message = error.to_string();
        match error {
            ThingsError::Unavailable { .. } => Self::retry(Code::Unavailable, message),
            ThingsError::Refused { .. } => Self::misconfigured(Code::AccessDenied, message),
        }
    }
}

/// What a call gives.
pub type Result<T, E = ThingsError> = std::result::Result<T, E>;

/// A registry of devices: AWS IoT, memory.
#[async_trait]
pub trait Things: fmt::Debug + Send + Sync {
    /// The certificate of this id, or `None` where there is none.
    async fn certificate(&self, id: &str) -> Result<Option<Certificate>>;

    /// Makes the thing, unless there is one of this name.
    async fn create_thing(&self, name: &str) -> Result<()>;

    /// Lets the holder of the certificate do what the policy says.
    async fn attach_policy(&self, policy: &str, certificate: &Certificate) -> Result<()>;

    /// Says that the certificate is this thing's.
    async fn attach_thing(&self, name: &str, certificate: &Certificate) -> Result<()>;

    /// Lets the certificate open doors.
    async fn activate(&self, id: &str) -> Result<()>;
}
