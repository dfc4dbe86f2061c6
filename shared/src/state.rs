//! Small facts under keys, changed one writer at a time → the few verbs we need of them.
//!
//! No SDK type comes in: an adapter translates. An item whose time is over does not exist, even where it is not
//! yet removed.

use std::{
    collections::hash_map::RandomState,
    fmt,
    hash::{BuildHasher, Hasher},
    time::Duration,
};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    clock::Timestamp,
    error::{Code, Error},
    store::StoreError,
};

pub mod conformance;
pub mod file;
pub mod memory;

/// An item's version: no two writes ever have the same one.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Version(pub String);

impl Version {
    /// A version nobody has used: random, because a counter would begin anew after a deletion.
    #[must_use]
    pub fn fresh() -> Self {
        let random = || RandomState::new().build_hasher().finish();
        Self(format!("{:016x}{:016x}", random(), random()))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What is kept under a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// Changes with every write.
    pub version: Version,
    /// The fact.
    pub value: Value,
    /// From this moment on it does not exist.
    pub expires_at: Option<Timestamp>,
}

impl Item {
    /// A new item that lives for `ttl` from `now` on, or for ever.
    #[must_use]
    pub fn new(value: Value, now: Timestamp, ttl: Option<Duration>) -> Self {
        let expires_at = ttl.map(|ttl| now.plus(ttl));
        Self { version: Version::fresh(), value, expires_at }
    }

    /// Whether it still exists.
    #[must_use]
    pub fn lives(&self, now: Timestamp) -> bool {
        self.expires_at.is_none_or(|end| now < end)
    }
}

/// When a write may take effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expected {
    /// In any case.
    Any,
    /// Only if there is no such item.
    Absent,
    /// Only over this version.
    Version(Version),
}

impl Expected {
    /// Whether the condition holds over this item.
    #[must_use]
    pub fn holds(&self, current: Option<&Item>) -> bool {
        match self {
            Self::Any => true,
            Self::Absent => current.is_none(),
            Self::Version(version) => current.is_some_and(|item| item.version == *version),
        }
    }
}

/// Why a state call failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StateError {
    /// The condition does not hold: look again, then decide.
    #[error("{key}: changed by another writer")]
    Changed {
        /// The item.
        key: String,
    },
    /// No answer, or asked to slow down: the same call may work later.
    #[error("{key}: {reason}")]
    Unavailable {
        /// The item.
        key: String,
        /// The service's own words.
        reason: String,
    },
    /// Refused (permission, no such table, an invalid key): a person must change something.
    #[error("{key}: {reason}")]
    Refused {
        /// The item.
        key: String,
        /// The service's own words.
        reason: String,
    },
}

impl From<StateError> for Error {
    fn from(error: StateError) -> Self {
        let message = error.to_string();
        match error {
            StateError::Changed { .. } => Self::retry(Code::Contended, message),
            StateError::Unavailable { .. } => Self::retry(Code::Unavailable, message),
            StateError::Refused { .. } => Self::misconfigured(Code::AccessDenied, message),
        }
    }
}

impl From<StoreError> for StateError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotFound { key } | StoreError::Changed { key } => Self::Changed { key },
            StoreError::Unavailable { key, reason } => Self::Unavailable { key, reason },
            StoreError::Refused { key, reason } => Self::Refused { key, reason },
        }
    }
}

/// What a state call gives.
pub type Result<T, E = StateError> = std::result::Result<T, E>;

/// A place for small facts: `DynamoDB`, files, memory.
#[async_trait]
pub trait State: fmt::Debug + Send + Sync {
    /// The item as the last write left it, or `None` where there is none.
    async fn get(&self, key: &str) -> Result<Option<Item>>;

    /// Writes the item, to live for `ttl`; [`StateError::Changed`] if the condition does not hold.
    async fn put_if(&self, key: &str, value: Value, expected: Expected, ttl: Option<Duration>) -> Result<Version>;

    /// Removes the item; [`StateError::Changed`] if the condition does not hold.
    async fn delete_if(&self, key: &str, expected: Expected) -> Result<()>;
}
