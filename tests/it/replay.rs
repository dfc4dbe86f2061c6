//! Refused records under a contract that was changed: each is in the table once, whatever fails and whoever else replays.

mod again;
mod crash;
mod device;
mod failed;
mod lines;
mod rest;
pub mod scene;
mod settled;
mod wire;
