//! Rows that a contract reads → Parquet files, one a partition.
//!
//! No event and no store come in: what is read here may have come from anywhere.

mod aside;
mod batch;
mod file;
mod gather;
mod intake;
mod kinesis;
mod level;
mod rows;

pub use aside::{Aside, Why};
pub use batch::{Batch, Item};
pub use file::{Properties, encode};
pub use gather::Gather;
pub use intake::{Body, Intake, PARTITIONS, Source, Tally, UNPACKED};
pub use kinesis::take_record;
pub use rows::Rows;
