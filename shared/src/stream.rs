//! Records to pass on → a stream of a shard a key, record by record.
//!
//! No SDK type comes in: an adapter translates. A request may be taken in part, so each record has its own outcome, and
//! what was not told is not known: a record may then be there although its sender cannot say so.

use std::fmt;

use async_trait::async_trait;
use bytes::Bytes;
use serde::Serialize;

use crate::error::{Code, Error};

pub mod deliver;
pub mod memory;
mod throttles;

pub use deliver::{Delivery, Failed, Fared, Patience, deliver};
pub use throttles::{Hot, Throttles};

/// A record to be put.
///
/// Its `Debug` leaves key and data out, so that it may be logged.
#[derive(Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// What decides the shard; records of one key keep their order within a request.
    pub partition_key: String,
    /// The place in the hash space instead of the key's own: a decimal number of 128 bits.
    pub explicit_hash_key: Option<String>,
    /// The record.
    pub data: Bytes,
}

impl fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.data.len())
    }
}

/// What one request may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Records.
    pub records: usize,
    /// Bytes of all records.
    pub bytes: usize,
    /// Bytes of one record.
    pub record: usize,
    /// Characters of a partition key, whose bytes count as the record's; `None` where the service takes no keys.
    pub key: Option<usize>,
}

/// Why a record can be in no request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Misfit {
    /// It has more bytes than one may have.
    TooLarge,
    /// Its partition key is empty or too long.
    Key,
}

impl Limits {
    /// `PutRecords` (Kinesis API reference; Developer Guide, "Quotas and limits"). A stream may be set to take larger
    /// records and requests; what is within these limits any stream takes.
    pub const KINESIS: Self = Self { records: 500, bytes: 5 << 20, record: 1 << 20, key: Some(256) };
    /// `PutRecordBatch` (Firehose API reference).
    pub const FIREHOSE: Self = Self { records: 500, bytes: 4 << 20, record: 1000 << 10, key: None };

    /// The bytes that count of a record.
    #[must_use]
    pub fn size(&self, record: &Outgoing) -> usize {
        record.data.len() + self.key.map_or(0, |_| record.partition_key.len())
    }

    /// Why this record can be in no request.
    #[must_use]
    pub fn misfit(&self, record: &Outgoing) -> Option<Misfit> {
        let key_fits = |most| (1..=most).contains(&record.partition_key.chars().count());
        match self.key {
            _ if self.size(record) > self.record => Some(Misfit::TooLarge),
            Some(most) if !key_fits(most) => Some(Misfit::Key),
            _ => None,
        }
    }
}

/// What became of one record of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The stream has it.
    Accepted(Receipt),
    /// The stream does not have it.
    Refused(Refusal),
}

/// Where a stream put a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The shard's id; `None` where the service has no shards (Firehose).
    pub shard: Option<String>,
    /// The record's sequence number or id.
    pub sequence: String,
}

/// Why a stream does not have a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Why.
    pub reason: Reason,
    /// The shard that refused, where that was told.
    pub shard: Option<String>,
}

/// Why a record was refused, from a bounded list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Its shard, or the stream, has no more room in this second.
    Throttled,
    /// The service failed.
    Internal,
    /// The service will not take it, now or later.
    Rejected,
}

impl Reason {
    /// Whether the same record may be accepted later.
    #[must_use]
    pub fn retryable(self) -> bool {
        self != Self::Rejected
    }
}

/// Why a request failed as a whole.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StreamError {
    /// No answer, or an answer that says nothing of the records: each may be there or not.
    #[error("stream {stream}: {reason}")]
    Unavailable {
        /// The stream.
        stream: String,
        /// The service's own words.
        reason: String,
    },
    /// Refused (permission, no such stream, an invalid request): nothing is there, and a person must change something.
    #[error("stream {stream}: {reason}")]
    Refused {
        /// The stream.
        stream: String,
        /// The service's own words.
        reason: String,
    },
}

impl From<StreamError> for Error {
    fn from(error: StreamError) -> Self {
        let message = error.to_string();
        match error {
            StreamError::Unavailable { .. } => Self::retry(Code::Unavailable, message),
            StreamError::Refused { .. } => Self::misconfigured(Code::AccessDenied, message),
        }
    }
}

/// A stream: Kinesis, Firehose, memory.
#[async_trait]
pub trait Stream: fmt::Debug + Send + Sync {
    /// What errors call it.
    fn name(&self) -> &str;

    /// What a request may hold.
    fn limits(&self) -> Limits;

    /// Puts the records, which are within [`limits`](Self::limits), in their order. One request, made once; an outcome
    /// for each record. [`deliver()`] is the way to be sure of them.
    async fn put(&self, records: &[&Outgoing]) -> Result<Vec<Outcome>, StreamError>;
}
