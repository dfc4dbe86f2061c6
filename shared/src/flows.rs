//! Runs of flows → the one verb we need of them: which came to an end.
//!
//! No SDK type comes in: an adapter translates. A run is told again each time, for as long as the service knows it.

use std::{fmt, str::FromStr};

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
    pub id: RunId,
    /// When it began: milliseconds since 1970.
    pub started: Timestamp,
    /// When it ended, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Timestamp>,
    /// How it stands.
    pub status: Status,
    /// How many records it brought, where that is known.
    pub records: Option<u64>,
}

impl Run {
    /// Whether something became of it at this moment or later.
    #[must_use]
    pub fn is_since(&self, moment: Timestamp) -> bool {
        self.started >= moment || self.ended.is_some_and(|ended| ended >= moment)
    }
}

/// The id of an execution: 1 to 64 ASCII letters, digits and `-`; theirs are UUIDs. It is safe as a part of a key.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RunId(String);

/// A text is no [`RunId`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be letters, digits and `-`, 1 to 64 of them")]
pub struct NoRunId;

const LONGEST_ID: usize = 64;

impl RunId {
    /// Its characters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The id that a part of a key begins with: all of its first letters, digits and `-`. A UUID is whole, so a `-` may
    /// follow it.
    #[must_use]
    pub fn of_part(part: &str) -> Option<Self> {
        let whole = part.find(|character| !is_of_id(character)).unwrap_or(part.len());
        let is_uuid = begins_with_uuid(part) && matches!(part.as_bytes().get(UUID), None | Some(b'-'));
        part[..if is_uuid { UUID } else { whole }].parse().ok()
    }
}

const UUID: usize = 36;

/// Whether a part of a key begins with a UUID, as the ids of runs are.
#[must_use]
pub fn begins_with_uuid(part: &str) -> bool {
    const DASHES: [usize; 4] = [8, 13, 18, 23];
    let is_of_uuid =
        |(at, byte): (usize, u8)| if DASHES.contains(&at) { byte == b'-' } else { byte.is_ascii_hexdigit() };
    part.len() >= UUID && part.bytes().take(UUID).enumerate().all(is_of_uuid)
}

fn is_of_id(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == '-'
}

impl TryFrom<String> for RunId {
    type Error = NoRunId;

    fn try_from(text: String) -> Result<Self, NoRunId> {
        if (1..=LONGEST_ID).contains(&text.len()) && text.chars().all(is_of_id) { Ok(Self(text)) } else { Err(NoRunId) }
    }
}

impl FromStr for RunId {
    type Err = NoRunId;

    fn from_str(text: &str) -> Result<Self, NoRunId> {
        text.to_owned().try_into()
    }
}

impl From<RunId> for String {
    fn from(id: RunId) -> Self {
        id.0
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
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
    /// Refused, for a permission is missing: a person must change something.
    #[error("flow {flow}: {reason}")]
    Refused {
        /// The flow.
        flow: String,
        /// The service's own words.
        reason: String,
    },
    /// There is no such flow, or what tells of its runs cannot be read: a person must correct it.
    #[error("flow {flow}: {reason}")]
    Wrong {
        /// The flow.
        flow: String,
        /// What is wrong, and where to correct it.
        reason: String,
    },
}

impl From<FlowsError> for Error {
    fn from(error: FlowsError) -> Self {
        let message = error.to_string();
        match error {
            FlowsError::Unavailable { .. } => Self::retry(Code::Unavailable, message),
            FlowsError::Refused { .. } => Self::misconfigured(Code::AccessDenied, message),
            FlowsError::Wrong { .. } => Self::misconfigured(Code::InvalidConfig, message),
        }
    }
}

/// What a call gives.
pub type Result<T, E = FlowsError> = std::result::Result<T, E>;

/// A service that runs flows: Amazon `AppFlow`, a directory, memory.
#[async_trait]
pub trait Flows: fmt::Debug + Send + Sync {
    /// The runs of the flow that began or ended at this moment or later, in any order.
    async fn runs(&self, flow: &str, since: Timestamp) -> Result<Vec<Run>>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_a_part_of_a_key_and_not_of_another_id() {
        let uuid = "2c07e424-0000-4000-8000-000000000001";
        let check = |part: &str, id: &str| assert_eq!(RunId::of_part(part), id.parse().ok(), "{part}");
        for rest in ["", ".parquet", "_0", "=x"] {
            check(&format!("run-1{rest}"), "run-1");
            check(&format!("{uuid}{rest}"), uuid);
        }
        check("run-10", "run-10");
        check("2026", "2026");
        check(&format!("{uuid}-2026-11-28T20:00:00"), uuid);
        check(&format!("{uuid}0-1"), &format!("{uuid}0-1"));
        check("_SUCCESS", "");
        assert!(begins_with_uuid(uuid) && !begins_with_uuid("2026-01-01T00:00:00-000000000000000000"));
        for none in ["", "../x", "a/b", "a.b", "é", &"a".repeat(65)] {
            assert_eq!(none.parse::<RunId>(), Err(NoRunId), "{none}");
            assert!(serde_json::from_value::<RunId>(none.into()).is_err());
        }
    }
}
