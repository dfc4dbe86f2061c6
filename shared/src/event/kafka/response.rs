//! The failures of a batch → what the event source mapping wants to hear.

use serde::Serialize;

/// The answer to a batch: `{"batchItemFailures": [{"itemIdentifier": {"partition": "<topic>-<n>", "offset": 123}}]}`.
///
/// The identifier is an object, unlike that of any other source. Lambda delivers just these records again, not what
/// follows them, and the whole batch where it does not know one of them (AWS Lambda Developer Guide, partial batch
/// responses of Kafka event sources).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BatchResponse {
    batch_item_failures: Vec<Failure>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Failure {
    item_identifier: Item,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Item {
    partition: String,
    offset: i64,
}

impl BatchResponse {
    /// Every record is done with.
    #[must_use]
    pub fn done() -> Self {
        Self::default()
    }

    /// This record is to be delivered again.
    pub fn fail(&mut self, topic: &str, partition: i32, offset: i64) {
        let item_identifier = Item { partition: format!("{topic}-{partition}"), offset };
        self.batch_item_failures.push(Failure { item_identifier });
    }
}
