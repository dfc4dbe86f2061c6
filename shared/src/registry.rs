//! A schema's id → the schema: the port to schema registries.
//!
//! What a schema says is not looked at here, and nothing is kept.

use std::fmt;

use async_trait::async_trait;

use crate::{decode::registry::SchemaId, error::Error};

/// A schema as a registry has it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SchemaText {
    /// The schema.
    pub schema: String,
    /// The schemas it names, each after those that it names itself.
    pub references: Vec<String>,
}

/// Where schemas are kept.
#[async_trait]
pub trait Registry: fmt::Debug + Send + Sync {
    /// The Avro schema with this id; `None` where the registry says that it has none.
    ///
    /// # Errors
    /// Poison where what it has is no Avro schema. Retry where it does not answer, misconfigured where it refuses: then
    /// nothing is known of the schema.
    async fn schema(&self, id: SchemaId) -> Result<Option<SchemaText>, Error>;
}
