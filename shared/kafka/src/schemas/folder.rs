//! A folder of `<id>.avsc` files → schemas, with no service to ask.
//!
//! A file stands for itself: what it names must be in it.

use std::{io::ErrorKind, path::PathBuf};

use async_trait::async_trait;
use headgate::{
    Code, Error,
    decode::registry::SchemaId,
    registry::{Registry, SchemaText},
};

/// Files named by the number that a Confluent registry gave a schema, or by the UUID of a Glue schema version.
#[derive(Debug, Clone)]
pub struct Folder(PathBuf);

impl Folder {
    /// The files in this folder.
    #[must_use]
    pub fn new(path: PathBuf) -> Self {
        Self(path)
    }
}

#[async_trait]
impl Registry for Folder {
    async fn schema(&self, id: SchemaId) -> Result<Option<SchemaText>, Error> {
        let path = self.0.join(format!("{id}.avsc"));
        match tokio::fs::read_to_string(&path).await {
            Ok(schema) => Ok(Some(SchemaText { schema, references: Vec::new() })),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => {
                let message = format!("SCHEMAS_DIR: {}: {error}", path.display());
                Err(Error::misconfigured(Code::InvalidConfig, message))
            }
        }
    }
}
