//! `kinesis-consumer` on a lake and a state in memory: every record is in the lake once, or in quarantine once.

mod crash;
mod filter;
pub mod lake;
mod limits;
mod readers;
mod traffic;
