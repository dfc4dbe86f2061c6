//! Objects under keys → the few verbs we need of them.
//!
//! No SDK type comes in: an adapter translates. Keys are `/`-separated, never begin with `/`, and are listed
//! in the order of their bytes, as S3 does.

use std::{fmt, ops::Range};

use async_trait::async_trait;
use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::{
    clock::Timestamp,
    error::{Code, Error},
};

pub mod conformance;
pub mod directory;
pub mod memory;

/// The most keys that one [`Store::list`] call returns (S3's own limit).
pub const PAGE: usize = 1000;

/// The most bytes of the folder of its bucket that a lake may be in.
pub const LONGEST_ROOT: usize = 100;

/// The most bytes of a key: S3's keys end at 1,024, the lake's folder and its `/` included.
pub const LONGEST_KEY: usize = 1_024 - LONGEST_ROOT - 1;

/// An object's entity tag, without quotes: it changes whenever the content does.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ETag(pub String);

impl fmt::Display for ETag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a store tells of an object without its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectMeta {
    /// The whole key.
    pub key: String,
    /// Bytes.
    pub size: u64,
    /// When it was written (S3: whole seconds).
    pub last_modified: Timestamp,
    /// Its entity tag.
    pub etag: ETag,
}

/// One page of a listing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Page {
    /// At most [`PAGE`] objects in key order.
    pub objects: Vec<ObjectMeta>,
    /// Whether keys follow: ask again after the last one.
    pub more: bool,
}

/// One page of a listing without what is known of the objects.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Keys {
    /// At most [`PAGE`] keys in order.
    pub keys: Vec<String>,
    /// Whether keys follow: ask again after the last one.
    pub more: bool,
}

/// When a write may take effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// In any case.
    Always,
    /// Only if there is no such object (`If-None-Match: *`).
    Absent,
    /// Only over the object with this tag (`If-Match`).
    Matches(ETag),
}

/// Why a store call failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// There is no such object (404), where one must be.
    #[error("{key}: no such object")]
    NotFound {
        /// The object.
        key: String,
    },
    /// The condition does not hold (412), or a concurrent write decided it (409): look again, then decide.
    #[error("{key}: changed by another writer")]
    Changed {
        /// The object.
        key: String,
    },
    /// The store failed or asked to slow down (5xx, timeout): the same call may work later.
    #[error("{key}: {reason}")]
    Unavailable {
        /// The object or prefix.
        key: String,
        /// The store's own words.
        reason: String,
    },
    /// The store refuses (403, no such bucket, an invalid request): a person must change something.
    #[error("{key}: {reason}")]
    Refused {
        /// The object or prefix.
        key: String,
        /// The store's own words.
        reason: String,
    },
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        let message = error.to_string();
        match error {
            StoreError::NotFound { .. } | StoreError::Changed { .. } => Self::retry(Code::Contended, message),
            StoreError::Unavailable { .. } => Self::retry(Code::Unavailable, message),
            StoreError::Refused { .. } => Self::misconfigured(Code::AccessDenied, message),
        }
    }
}

/// What a store call gives.
pub type Result<T, E = StoreError> = std::result::Result<T, E>;

/// A place for objects: S3, a directory, memory.
#[async_trait]
pub trait Store: fmt::Debug + Send + Sync {
    /// The object's metadata, or `None` where there is none.
    async fn head(&self, key: &str) -> Result<Option<ObjectMeta>>;

    /// The whole object with its tag, or `None` where there is none.
    async fn get(&self, key: &str) -> Result<Option<(ETag, Bytes)>>;

    /// The bytes `range` of the object that has the tag `etag`; [`StoreError::Changed`] if it has another one now.
    async fn get_range(&self, key: &str, range: Range<u64>, etag: &ETag) -> Result<Bytes>;

    /// The next page of the keys that start with `prefix` and come after `start_after`. One list request.
    async fn list(&self, prefix: &str, start_after: Option<&str>) -> Result<Page>;

    /// The same for the keys alone, which a store may know at a smaller price. One list request.
    async fn list_keys(&self, prefix: &str, start_after: Option<&str>) -> Result<Keys> {
        let page = self.list(prefix, start_after).await?;
        Ok(Keys { keys: page.objects.into_iter().map(|object| object.key).collect(), more: page.more })
    }

    /// Writes the object at once; [`StoreError::Changed`] if the condition does not hold.
    async fn put(&self, key: &str, body: Bytes, condition: Condition) -> Result<ETag>;

    /// Begins to write a large object piece by piece; nothing is visible before [`Upload::complete`].
    async fn upload(&self, key: &str) -> Result<Box<dyn Upload>>;

    /// Removes the object; no error where there is none.
    async fn delete(&self, key: &str) -> Result<()>;

    /// Removes these objects, at most [`PAGE`], each if it still has its tag: one request where the store can. What is
    /// gone is no error. Gives the keys that were left, for they have another tag.
    ///
    /// Where it fails, some may be gone.
    async fn delete_all(&self, objects: &[(String, ETag)]) -> Result<Vec<String>> {
        let mut left = Vec::new();
        for (key, etag) in objects {
            match self.head(key).await? {
                None => {}
                Some(meta) if meta.etag == *etag => self.delete(key).await?,
                Some(_) => left.push(key.clone()),
            }
        }
        Ok(left)
    }

    /// The object's address for people and catalogs, such as `s3://bucket/key`.
    fn uri(&self, key: &str) -> String;
}

/// An object being written from its first byte to its last.
#[async_trait]
pub trait Upload: Send {
    /// Adds these bytes.
    async fn append(&mut self, body: Bytes) -> Result<()>;

    /// Adds the bytes `range` of another object of the same store, which must still have the tag `etag`.
    /// The bytes do not pass through this process where the store can copy by itself.
    async fn copy(&mut self, source: &str, range: Range<u64>, etag: &ETag) -> Result<()>;

    /// Makes the object visible, whole, or fails with [`StoreError::Changed`] and leaves no trace.
    async fn complete(self: Box<Self>, condition: Condition) -> Result<ETag>;

    /// Gives up and removes what was sent.
    async fn abort(self: Box<Self>) -> Result<()>;
}
