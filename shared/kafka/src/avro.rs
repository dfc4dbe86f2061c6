//! An Avro datum and the schema it was written with → one JSON object, which the contract reads.
//!
//! The binary encoding of the specification 1.12 alone: no container files, no schema resolution, for columns are found
//! by name. Nothing here asks for a schema.
//!
//! | Avro | JSON |
//! |---|---|
//! | union | the value that is there |
//! | `bytes`, `fixed` | base64 |
//! | `enum` | its symbol |
//! | `decimal` | text of its digits, exact |
//! | `uuid` | text |
//! | `date` | `2026-11-25` |
//! | `time-…` | `10:00:00.000` |
//! | `timestamp-…` | `2026-11-25T10:00:00.000Z`; `local-timestamp-…` without the `Z` |
//! | `duration` | an object of `months`, `days`, `milliseconds` |
//!
//! Kafka Connect's and Debezium's types (`connect.name`) that say the same read the same. A logical type that is unknown
//! or does not fit is left out of account, as the specification asks.

mod connect;
mod decode;
mod logical;
mod schema;

pub use decode::{Style, decode};
pub use schema::Schema;

#[cfg(test)]
mod tests;
