//! An event of any source → what it pokes.
//!
//! Pure, and blind to datasets: a key becomes a table in [`crate::route`]. The wire shapes end here.

mod wire;

use std::fmt;

use headgate::{Code, Error};
use serde_json::Value;

/// An event, by how it is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trigger {
    /// A batch from SQS: each message is answered for by itself.
    Messages(Vec<Message>),
    /// Anything else: answered for as a whole.
    Event(Vec<Poke>),
}

/// A message of an SQS batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The message id, by which SQS hears of a failure.
    pub id: String,
    /// What it pokes, or why its body cannot be read.
    pub pokes: Result<Vec<Poke>, Error>,
}

/// One thing an event asks for.
#[derive(Clone, PartialEq, Eq)]
pub enum Poke {
    /// Something happened to this object.
    Object {
        /// Its bucket.
        bucket: String,
        /// Its key, decoded.
        key: String,
    },
    /// Merge this table.
    Table(String),
    /// Merge every table.
    AllTables,
    /// What S3 sends when a notification is set up: nothing to do.
    Test,
    /// An S3 event about anything but an object's coming or going.
    Other,
}

impl fmt::Debug for Poke {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Object { bucket, key } => write!(f, "s3://{bucket}/{key}"),
            Self::Table(name) => write!(f, "table {name}"),
            Self::AllTables => f.write_str("all tables"),
            Self::Test => f.write_str("test"),
            Self::Other => f.write_str("other"),
        }
    }
}

/// Reads the event of an invocation.
///
/// # Errors
/// Poison, `invalid_event`: where it is of none of the kinds this function is triggered by. A message of an SQS
/// batch that cannot be read does not fail the batch; it carries its own error.
pub fn read(event: &Value) -> Result<Trigger, Error> {
    if wire::is_sqs(event) {
        return wire::messages(event).map(Trigger::Messages);
    }
    wire::pokes(event).map(Trigger::Event)
}

pub(crate) fn invalid(what: impl fmt::Display) -> Error {
    Error::poison(
        Code::InvalidEvent,
        format!(
            "{what}; this function takes S3 notifications (direct, in SQS, through SNS), the EventBridge events \
             \"Object Created\" and \"Object Deleted\", and schedules such as {{\"tables\": [\"orders\"]}}"
        ),
    )
}

#[cfg(test)]
mod tests;
