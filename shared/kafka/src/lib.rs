//! Records of Kafka topics → rows of a contract, or Debezium's changes, whoever has the records.
//!
//! Nothing is landed here and no AWS SDK comes in: the consumer lands what comes out, and so does a replay of what the
//! consumer refused.

pub mod avro;
mod changes;
mod content;
mod debezium;
mod envelope;
mod event;
mod intake;
mod item;
pub mod replay;
mod rows;
pub mod schemas;

pub use changes::{Changes, accepts};
pub use envelope::Envelope;
pub use intake::{Finished, Intake, Target};
pub use item::{Item, Unread};
pub use rows::Rows;
