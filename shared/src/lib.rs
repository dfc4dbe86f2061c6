//! The domain of Headgate: what every function speaks, and nothing that only one of them needs.
//!
//! No AWS SDK and no arrow may come in here: the smallest function links this package.

pub mod clock;
pub mod config;
pub mod contract;
pub mod dataset;
pub mod decode;
pub mod error;
pub mod event;
pub mod fate;
pub mod faults;
pub mod flows;
pub mod landing;
mod lexer;
pub mod literal;
pub mod metrics;
pub mod notify;
pub mod partition;
pub mod position;
pub mod quarantine;
pub mod registry;
pub mod runtime;
pub mod state;
pub mod store;
pub mod stream;
pub mod things;

pub use error::{Class, Code, Error};
