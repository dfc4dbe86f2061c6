//! Bytes as a source hands them over → documents: framing first, then compression, then format.
//!
//! Pure functions that end on any input, in memory bounded by their input and the caller's cap. Nothing here reads a
//! column, and no reason quotes a record.

use std::borrow::Cow;

use bytes::Bytes;

use crate::error::{Code, Error};

pub mod compression;
pub mod json;
pub mod kpl;
pub mod logs;
pub mod registry;

/// Why bytes cannot be decoded. Another delivery does not cure it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Refusal {
    /// The bounded reason.
    pub code: Code,
    /// What is wrong, for people; without content of the record.
    pub reason: Cow<'static, str>,
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::poison(refusal.code, refusal.reason)
    }
}

/// A part of a record that cannot be decoded, where the other parts can.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedPart {
    /// Which part of the record, the first being 0; kept and refused parts count alike.
    pub index: u64,
    /// Its bytes as they came: a slice of the record.
    pub raw: Bytes,
    /// Why.
    pub refusal: Refusal,
}

fn refuse(code: Code, reason: impl Into<Cow<'static, str>>) -> Refusal {
    Refusal { code, reason: reason.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_poison() {
        let refusal = refuse(Code::InvalidJson, "empty");
        assert_eq!(refusal.to_string(), "empty");
        assert_eq!(Error::from(refusal), Error::poison(Code::InvalidJson, "empty"));
    }
}
