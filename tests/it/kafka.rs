//! `msk-consumer` on a lake and a state in memory: every record is in the lake once, or in quarantine once.

pub mod changes;
mod crash;
pub mod lake;
mod limits;
mod open;
mod play;
mod replay;
mod table;
