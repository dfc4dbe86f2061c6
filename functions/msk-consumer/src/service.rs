//! `REGISTRY` → a client of the service that has the schemas.

use std::sync::Arc;

use headgate::{Error, registry::Registry};
use headgate_aws::{Aws, Endpoint};
use headgate_glue::GlueRegistry;
use headgate_kafka::schemas::{Confluent, Login};

/// The service that has the schemas.
#[derive(Debug, Clone)]
pub enum Service {
    /// The Glue schema registry of the function's account and region.
    Glue,
    /// A Confluent registry.
    Confluent(Box<Confluent>),
}

impl Service {
    /// Reads `glue` or a URL; the login is for the URL.
    ///
    /// # Errors
    /// As [`Confluent::new`].
    pub fn read(text: &str, login: Option<Login>) -> Result<Self, Error> {
        match text {
            "glue" => Ok(Self::Glue),
            url => Ok(Self::Confluent(Box::new(Confluent::new(url, login)?))),
        }
    }

    /// A client of it.
    pub async fn open(self) -> Arc<dyn Registry> {
        match self {
            Self::Glue => Arc::new(GlueRegistry::new(&Aws::connect(Endpoint::Environment).await)),
            Self::Confluent(registry) => Arc::new(*registry),
        }
    }
}
