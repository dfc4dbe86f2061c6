//! Refused records of topics under a dataset that was changed: each is in the lake once and where it belongs, whatever
//! fails and whoever else replays.

mod changes;
mod failed;
mod late;
mod order;
mod rows;
mod trouble;
