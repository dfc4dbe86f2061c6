//! The port [`Things`] → AWS IoT's registry, in the account and region of the caller.
//!
//! A package of its own, for this client is large and one function registers devices.

use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_iot::{
    Client,
    config::{Builder, retry::RetryConfig, timeout::TimeoutConfig},
    error::{ProvideErrorMetadata, SdkError},
    operation::{create_thing::CreateThingError, describe_certificate::DescribeCertificateError},
    types::CertificateStatus,
};
use headgate::things::{Certificate, Result, Status, Things, ThingsError};
use headgate_aws::{Aws, Failure};

/// One attempt, from the connection to the answer's last byte.
const PATIENCE: Duration = Duration::from_secs(5);
/// The first and two more, each after a random pause of up to 1 and 2 s.
const ATTEMPTS: u32 = 3;

/// A [`Things`] that is AWS IoT's.
#[derive(Debug, Clone)]
pub struct AwsThings {
    client: Client,
}

impl AwsThings {
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

fn failed<E>(what: &str, error: &SdkError<E>) -> ThingsError
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let what = what.to_owned();
    match Failure::of(error) {
        Failure::Unavailable(reason) => ThingsError::Unavailable { what, reason },
        Failure::Refused(reason) => ThingsError::Refused { what, reason },
        Failure::Missing | Failure::UploadGone | Failure::Condition => {
            ThingsError::Refused { what, reason: "404; correct AWS_ENDPOINT_URL".to_owned() }
        }
    }
}

/// AWS IoT API reference, `CertificateDescription`, `status`. One that is handed over to another account is that one's.
fn status(status: Option<&CertificateStatus>) -> Status {
    match status {
        Some(CertificateStatus::Active) => Status::Active,
        Some(CertificateStatus::PendingActivation) => Status::Pending,
        _ => Status::Barred,
    }
}

#[async_trait]
impl Things for AwsThings {
    async fn certificate(&self, id: &str) -> Result<Option<Certificate>> {
        let answer = match self.client.describe_certificate().certificate_id(id).send().await {
            Ok(answer) => answer.certificate_description,
            Err(error)
                if error.as_service_error().is_some_and(DescribeCertificateError::is_resource_not_found_exception) =>
            {
                None
            }
            Err(error) => return Err(failed(&format!("certificate {id}"), &error)),
        };
        let certificate = answer.and_then(|found| {
            let status = status(found.status());
            Some(Certificate { arn: found.certificate_arn?, ca: found.ca_certificate_id, status })
        });
        Ok(certificate)
    }

    async fn create_thing(&self, name: &str) -> Result<()> {
        match self.client.create_thing().thing_name(name).send().await {
            Ok(_) => Ok(()),
            // There is one, with attributes or a type of its own.
            Err(error)
                if error.as_service_error().is_some_and(CreateThingError::is_resource_already_exists_exception) =>
            {
                Ok(())
            }
            Err(error) => Err(failed(&format!("thing {name}"), &error)),
        }
    }

    async fn attach_policy(&self, policy: &str, certificate: &Certificate) -> Result<()> {
        let request = self.client.attach_policy().policy_name(policy).target(&certificate.arn);
        request.send().await.map(|_| ()).map_err(|error| failed(&format!("policy {policy}"), &error))
    }

    async fn attach_thing(&self, name: &str, certificate: &Certificate) -> Result<()> {
        let request = self.client.attach_thing_principal().thing_name(name).principal(&certificate.arn);
        request.send().await.map(|_| ()).map_err(|error| failed(&format!("thing {name}"), &error))
    }

    async fn activate(&self, id: &str) -> Result<()> {
        let request = self.client.update_certificate().certificate_id(id).new_status(CertificateStatus::Active);
        request.send().await.map(|_| ()).map_err(|error| failed(&format!("certificate {id}"), &error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_somebody_decided_stays() {
        for (told, expected) in [
            (Some(CertificateStatus::PendingActivation), Status::Pending),
            (Some(CertificateStatus::Active), Status::Active),
            (Some(CertificateStatus::Inactive), Status::Barred),
            (Some(CertificateStatus::RegisterInactive), Status::Barred),
            (Some(CertificateStatus::Revoked), Status::Barred),
            (Some(CertificateStatus::PendingTransfer), Status::Barred),
            (None, Status::Barred),
        ] {
            assert_eq!(status(told.as_ref()), expected, "{told:?}");
        }
    }
}
