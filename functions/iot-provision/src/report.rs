//! What one invocation did → one line of the log.

use serde::Serialize;

use crate::{hook::Denial, register::Became};

/// What became of an event.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Report {
    /// The template that a device wants to be provisioned by.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub template: String,
    /// The certificate.
    pub certificate: String,
    /// Whether the device may be provisioned, where that was asked.
    pub allowed: Option<bool>,
    /// Whether it was allowed before.
    pub repeated: bool,
    /// Why it may not.
    pub(crate) denial: Option<Denial>,
    /// What became of a certificate that was registered.
    pub(crate) became: Option<Became>,
    /// Milliseconds.
    pub milliseconds: i64,
}
