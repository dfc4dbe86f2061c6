//! What a rule of AWS IoT Core gives → alerts, each told once, and readings that go on.

mod aside;
pub mod config;
mod device;
mod emit;
mod failed;
mod forward;
pub mod handler;
mod intake;
pub mod ledger;
mod machine;
mod message;
mod reading;
mod report;
pub mod sql;
mod transition;

pub use device::item_key;
pub use report::Report;
