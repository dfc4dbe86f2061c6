//! Whole compactions of a table in memory, which a consumer lands in at the same time.

mod cells;
mod columns;
mod faults;
mod keys;
mod property;
mod rules;
mod scene;
mod schemas;
