//! The environment → SDK clients that give up in a stated time.
//!
//! Built once, before the first event: a handler gets a port and never comes here.

use std::time::Duration;

use aws_config::{BehaviorVersion, Region, SdkConfig, retry::RetryConfig, timeout::TimeoutConfig};
use aws_sdk_s3::config::{
    Credentials, RequestChecksumCalculation, RuntimeComponents, SharedCredentialsProvider, SharedHttpClient,
};
use aws_smithy_http_client::{
    Builder, ConnectorBuilder,
    proxy::ProxyConfig,
    tls::{Provider, rustls_provider::CryptoMode},
};

/// A connection inside a region takes milliseconds; a longer silence is a lost packet or a closed port.
const CONNECT: Duration = Duration::from_secs(3);

/// From the request's first byte to the answer's first: an 8 MiB part over a slow uplink, or a server-side copy
/// of [512 MiB](crate::s3), takes tens of seconds at worst.
const READ: Duration = Duration::from_mins(1);

/// All attempts together, well inside Lambda's 15 minutes.
const OPERATION: Duration = Duration::from_mins(5);

/// The first and four more, each after a random pause of up to 1, 2, 4 and 8 s.
const ATTEMPTS: u32 = 5;

/// Of one put to a stream: it takes milliseconds, and its sender has a deadline.
const PUT: Duration = Duration::from_secs(10);

/// Whom the clients talk to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Endpoint {
    /// AWS as the environment says: region, profile and credentials by the SDK's own chain, and an emulator
    /// instead where `AWS_ENDPOINT_URL` names one.
    Environment,
    /// An emulator at this address, such as `http://127.0.0.1:4566`, whatever the environment says. It accepts
    /// any credentials.
    Emulator(String),
}

/// What every client is made from: credentials, region, timeouts, retries.
#[derive(Debug, Clone)]
pub struct Aws {
    config: SdkConfig,
}

impl Aws {
    /// Reads the environment once. Wrong or missing credentials show at the first call, as
    /// [`Refused`](headgate::store::StoreError::Refused).
    pub async fn connect(endpoint: Endpoint) -> Self {
        let loader = aws_config::defaults(BehaviorVersion::v2026_01_12())
            .http_client(https())
            .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS))
            .timeout_config(patience());
        let loader = match endpoint {
            Endpoint::Environment => loader,
            Endpoint::Emulator(url) => {
                loader.endpoint_url(url).region(Region::from_static("us-east-1")).credentials_provider(anybody())
            }
        };
        Self { config: loader.load().await }
    }

    /// What a client is made from, for packages that hold the client of one more service.
    #[must_use]
    pub fn config(&self) -> &SdkConfig {
        &self.config
    }

    pub(crate) fn s3(&self) -> aws_sdk_s3::Client {
        let config = aws_sdk_s3::config::Builder::from(&self.config)
            // Emulators have no DNS name per bucket.
            .force_path_style(self.config.endpoint_url().is_some())
            // The signature covers each body's SHA-256 and S3 verifies it. A CRC on top would cost a second pass,
            // and would oblige `CompleteMultipartUpload` to repeat one for every part, copied parts included.
            .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
            .build();
        aws_sdk_s3::Client::from_conf(config)
    }

    pub(crate) fn dynamodb(&self) -> aws_sdk_dynamodb::Client {
        aws_sdk_dynamodb::Client::new(&self.config)
    }

    /// Without repetitions: a put is repeated by [`deliver`](headgate::stream::deliver()), which knows the time left and
    /// sends only what was refused.
    pub(crate) fn kinesis(&self) -> aws_sdk_kinesis::Client {
        let config = aws_sdk_kinesis::config::Builder::from(&self.config)
            .retry_config(RetryConfig::disabled())
            .timeout_config(put_patience())
            .build();
        aws_sdk_kinesis::Client::from_conf(config)
    }

    /// As [`kinesis`](Self::kinesis).
    pub(crate) fn firehose(&self) -> aws_sdk_firehose::Client {
        let config = aws_sdk_firehose::config::Builder::from(&self.config)
            .retry_config(RetryConfig::disabled())
            .timeout_config(put_patience())
            .build();
        aws_sdk_firehose::Client::from_conf(config)
    }
}

/// As the SDK's default, but with the cryptography of ring, which is a fraction of the default's size.
fn https() -> SharedHttpClient {
    Builder::new().build_with_connector_fn(|settings, components| {
        let mut connector = ConnectorBuilder::default().tls_provider(Provider::Rustls(CryptoMode::Ring));
        connector.set_connector_settings(settings.cloned());
        connector.set_sleep_impl(components.and_then(RuntimeComponents::sleep_impl));
        connector.set_proxy_config(Some(ProxyConfig::from_env()));
        connector.build()
    })
}

fn patience() -> TimeoutConfig {
    TimeoutConfig::builder().connect_timeout(CONNECT).read_timeout(READ).operation_timeout(OPERATION).build()
}

fn put_patience() -> TimeoutConfig {
    TimeoutConfig::builder().connect_timeout(CONNECT).read_timeout(PUT).operation_timeout(PUT).build()
}

fn anybody() -> SharedCredentialsProvider {
    SharedCredentialsProvider::new(Credentials::new("test", "test", None, None, "emulator"))
}
