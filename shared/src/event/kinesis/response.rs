//! The first failure of a batch → what the event source mapping wants to hear.
//!
//! Never null: Lambda takes an item without an identifier for the failure of the whole batch.

use serde::{Serialize, Serializer, ser::SerializeMap};
use serde_json::json;

use crate::position::SequenceNumber;

/// The answer to a batch: `{"batchItemFailures": []}`, or with the one record from which on to deliver again.
///
/// Lambda goes back to the lowest number it is told of and delivers that record and all after it, done or not, so that
/// one is all there is to say. It listens only where the mapping's `FunctionResponseTypes` has
/// `ReportBatchItemFailures`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BatchResponse {
    failed: Option<SequenceNumber>,
}

impl BatchResponse {
    /// Every record is done with.
    #[must_use]
    pub fn done() -> Self {
        Self::default()
    }

    /// This record and all after it are to be delivered again.
    #[must_use]
    pub fn failed_at(first: SequenceNumber) -> Self {
        Self { failed: Some(first) }
    }
}

impl Serialize for BatchResponse {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let failures: Vec<_> = self.failed.iter().map(|number| json!({"itemIdentifier": number.as_str()})).collect();
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry("batchItemFailures", &failures)?;
        map.end()
    }
}
