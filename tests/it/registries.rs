//! Clients of schema registries over HTTP: what the registry says, and what becomes of one that fails.

mod confluent;
mod glue;
mod server;
