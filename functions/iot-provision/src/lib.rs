//! A device that asks to come in → whether it may, and its place in the registry.

pub mod config;
mod emit;
mod event;
pub mod handler;
mod hook;
mod register;
mod report;
mod serial;
pub mod token;

pub use hook::item_key;
pub use report::Report;
