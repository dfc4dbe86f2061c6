//! A record that breaks its contract → the reason, and where in it.
//!
//! Never a value of the record: reasons are logged, and records may hold secrets.

use std::{borrow::Cow, fmt};

use crate::{error::Code, lexer::Broken};

/// What reading a part of a record gives.
pub(super) type Result<T> = std::result::Result<T, Refused>;

/// Why a record is refused. Small, for it is in every result of the hot path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// The bounded reason.
    pub code: Code,
    detail: Box<Detail>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Detail {
    path: String,
    reason: Cow<'static, str>,
}

impl Refused {
    pub(super) fn new(code: Code, reason: impl Into<Cow<'static, str>>) -> Self {
        Self { code, detail: Box::new(Detail { path: "$".to_owned(), reason: reason.into() }) }
    }

    /// Where in the record, as a JSON path.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.detail.path
    }

    /// What is wrong, for people.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.detail.reason
    }

    /// The same, seen from the object that the place is in.
    pub(super) fn within(mut self, name: &str) -> Self {
        // A record may name its fields as it likes.
        let name = name.char_indices().nth(64).map_or(name, |(end, _)| &name[..end]);
        self.detail.path.replace_range(..1, &format!("$.{name}"));
        self
    }

    /// The same, seen from the array that the place is in.
    pub(super) fn at(mut self, index: usize) -> Self {
        self.detail.path.replace_range(..1, &format!("$[{index}]"));
        self
    }
}

impl From<Broken> for Refused {
    fn from(Broken { what, at }: Broken) -> Self {
        Self::new(Code::InvalidJson, format!("{what} at byte {at}"))
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.detail.path, self.detail.reason)
    }
}

impl std::error::Error for Refused {}
