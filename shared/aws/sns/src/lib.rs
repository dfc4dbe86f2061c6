//! The port [`Notify`] → one SNS topic, by `Publish`.
//!
//! A package of its own, for one function publishes. A topic whose name ends in `.fifo` gets the group and the
//! deduplication id and drops what it had within five minutes; a standard topic takes neither, so all else a subscriber
//! needs is in the message.

use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_sns::{
    Client,
    config::{Builder, retry::RetryConfig, timeout::TimeoutConfig},
    error::BuildError,
    types::MessageAttributeValue,
};
use headgate::notify::{Notice, Notify, NotifyError};
use headgate_aws::{Aws, Failure};

/// One attempt, from the connection to the answer's last byte.
const PATIENCE: Duration = Duration::from_secs(3);
/// The first and one more, after a random pause of up to 1 s: all within what a publisher is given for a notice.
const ATTEMPTS: u32 = 2;

/// A [`Notify`] that is an SNS topic.
#[derive(Debug, Clone)]
pub struct SnsNotify {
    client: Client,
    topic: String,
}

impl SnsNotify {
    /// The topic of this ARN. Nothing is asked yet.
    #[must_use]
    pub fn new(aws: &Aws, topic: &str) -> Self {
        let patience = TimeoutConfig::builder().connect_timeout(PATIENCE).operation_attempt_timeout(PATIENCE).build();
        let config = Builder::from(aws.config())
            .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS))
            .timeout_config(patience)
            .build();
        Self { client: Client::from_conf(config), topic: topic.to_owned() }
    }

    /// SNS marks such topics by the end of their name (SNS Developer Guide, "FIFO topics").
    fn is_ordered(&self) -> bool {
        self.topic.rsplit_once('.').is_some_and(|(_, end)| end == "fifo")
    }

    fn refused(&self, reason: String) -> NotifyError {
        NotifyError::Refused { topic: self.topic.clone(), reason }
    }
}

fn attribute(value: &str) -> Result<MessageAttributeValue, BuildError> {
    MessageAttributeValue::builder().data_type("String").string_value(value).build()
}

#[async_trait]
impl Notify for SnsNotify {
    async fn publish(&self, notice: &Notice) -> Result<(), NotifyError> {
        let mut request = self.client.publish().topic_arn(&self.topic).subject(&notice.subject).message(&notice.body);
        for (name, value) in &notice.attributes {
            // SNS refuses an attribute without a value.
            if !value.is_empty() {
                let value = attribute(value).map_err(|error| self.refused(error.to_string()))?;
                request = request.message_attributes(*name, value);
            }
        }
        if self.is_ordered() {
            request = request.message_group_id(&notice.group).message_deduplication_id(&notice.deduplication);
        }
        let Err(error) = request.send().await else { return Ok(()) };
        Err(match Failure::of(&error) {
            Failure::Unavailable(reason) => NotifyError::Unavailable { topic: self.topic.clone(), reason },
            Failure::Refused(reason) => self.refused(format!("{reason}; the role needs sns:Publish on the topic")),
            Failure::Missing | Failure::UploadGone | Failure::Condition => {
                self.refused("404; create the topic, or correct its ARN".to_owned())
            }
        })
    }
}
