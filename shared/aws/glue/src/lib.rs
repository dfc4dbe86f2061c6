//! The port [`Registry`] → the AWS Glue schema registry, by `GetSchemaVersion`.
//!
//! A package of its own, for Glue's SDK is larger than all the others together and one function asks for schemas. Only
//! Glue's own word makes a schema unknown.

use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_glue::{
    Client,
    config::{Builder, retry::RetryConfig, timeout::TimeoutConfig},
    error::SdkError,
    operation::get_schema_version::GetSchemaVersionError,
    types::DataFormat,
};
use headgate::{
    Code, Error,
    decode::registry::SchemaId,
    registry::{Registry, SchemaText},
};
use headgate_aws::{Aws, Failure};

/// One attempt, from the connection to the answer's last byte.
const PATIENCE: Duration = Duration::from_secs(3);
/// The first and two more, each after a random pause of up to 1 and 2 s.
const ATTEMPTS: u32 = 3;

/// A [`Registry`] that is Glue's, of the account and region of the caller.
#[derive(Debug, Clone)]
pub struct GlueRegistry {
    client: Client,
}

impl GlueRegistry {
    /// A client. Nothing is asked yet.
    #[must_use]
    pub fn new(aws: &Aws) -> Self {
        let patience = TimeoutConfig::builder().connect_timeout(PATIENCE).operation_attempt_timeout(PATIENCE).build();
        let config = Builder::from(aws.config())
            .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS))
            .timeout_config(patience)
            .build();
        Self { client: Client::from_conf(config) }
    }
}

#[async_trait]
impl Registry for GlueRegistry {
    async fn schema(&self, id: SchemaId) -> Result<Option<SchemaText>, Error> {
        let SchemaId::Glue(_) = id else { return Ok(None) };
        let answer = match self.client.get_schema_version().schema_version_id(id.to_string()).send().await {
            Ok(answer) => answer,
            Err(error) => return failed(id, &error),
        };
        if answer.data_format.is_some_and(|format| format != DataFormat::Avro) {
            return Err(Error::poison(Code::InvalidSchema, format!("schema {id}: is not Avro")));
        }
        match answer.schema_definition {
            Some(schema) => Ok(Some(SchemaText { schema, references: Vec::new() })),
            None => Err(Error::retry(Code::Unavailable, told(id, "answered without a schema"))),
        }
    }
}

fn told(id: SchemaId, what: &str) -> String {
    format!("the Glue schema registry: schema {id}: {what}")
}

fn failed(id: SchemaId, error: &SdkError<GetSchemaVersionError>) -> Result<Option<SchemaText>, Error> {
    use GetSchemaVersionError::{EntityNotFoundException, InvalidInputException};
    // An id, the one thing that is sent, comes from a record: where Glue takes it for none, so it is.
    if let Some(EntityNotFoundException(_) | InvalidInputException(_)) = error.as_service_error() {
        return Ok(None);
    }
    Err(match Failure::of(error) {
        Failure::Refused(why) => {
            let message = format!("{}; the role needs glue:GetSchemaVersion", told(id, &why));
            Error::misconfigured(Code::AccessDenied, message)
        }
        Failure::Unavailable(why) => Error::retry(Code::Unavailable, told(id, &why)),
        // Answers that Glue does not give.
        Failure::Missing | Failure::UploadGone | Failure::Condition => {
            Error::misconfigured(Code::InvalidConfig, told(id, "404; correct AWS_ENDPOINT_URL"))
        }
    })
}
