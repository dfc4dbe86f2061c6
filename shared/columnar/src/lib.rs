//! Change files and snapshots → arrow and parquet, which live here and nowhere else.

pub mod bounds;
pub mod changes;
pub mod compact;
pub mod inspect;
pub mod merge;
mod object;
pub mod read;
pub mod replay;
pub mod rows;
pub mod saas;
pub mod sample;
pub mod schema;
pub mod stream;
