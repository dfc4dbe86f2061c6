//! `msk-consumer` on a lake and a state in memory: every record is in the lake once, or in quarantine once.

pub mod changes;
pub mod lake;
mod open;
mod play;
mod table;
