//! An SDK error → what the caller should do.
//!
//! The one place that reads status codes and AWS's error names; adapters see only [`Failure`].

use std::error::Error;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_s3::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use headgate::stream::{Reason, StreamError};

/// Why a call failed, by what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// There is no such object.
    Missing,
    /// The multipart upload is no more: completed by an earlier attempt, aborted, or expired.
    UploadGone,
    /// A condition does not hold, or a concurrent write decided it.
    Condition,
    /// The service did not answer, failed, or asked to slow down.
    Unavailable(String),
    /// The service understood and will not.
    Refused(String),
}

impl Failure {
    /// Reads the status, then AWS's error code: an error that comes with status 200 (a copy or a completion that
    /// failed after its header was sent) has only the code.
    pub fn of<E>(error: &SdkError<E>) -> Self
    where
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
    {
        match error {
            SdkError::ServiceError(answer) => {
                let told = answer.err();
                let status = answer.raw().status().as_u16();
                answered(status, told.code().unwrap_or_default(), told.message().unwrap_or_default())
            }
            SdkError::ConstructionFailure(_) => Self::Refused(words(error)),
            _ if lacks_credentials(error) => {
                Self::Refused(format!("{}; set AWS_PROFILE or the role's credentials, and AWS_REGION", words(error)))
            }
            _ => Self::Unavailable(words(error)),
        }
    }

    /// As the failure of a request to `stream`.
    pub(crate) fn of_stream(self, stream: &str) -> StreamError {
        let stream = stream.to_owned();
        match self {
            Self::Unavailable(reason) => StreamError::Unavailable { stream, reason },
            Self::Refused(reason) => StreamError::Refused { stream, reason },
            Self::Missing | Self::UploadGone | Self::Condition => {
                StreamError::Refused { stream, reason: "404; correct AWS_ENDPOINT_URL".to_owned() }
            }
        }
    }
}

/// Why one entry of a batch was refused, by its error code (Kinesis: `PutRecordsResultEntry.ErrorCode`; Firehose:
/// `PutRecordBatchResponseEntry.ErrorCode`).
pub(crate) fn entry(code: &str) -> Reason {
    match code {
        "ProvisionedThroughputExceededException" | "ServiceUnavailableException" | "ThrottlingException" => {
            Reason::Throttled
        }
        _ => match answered(400, code, "") {
            Failure::Unavailable(_) => Reason::Internal,
            _ => Reason::Rejected,
        },
    }
}

/// The class of an answer. Codes: <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>.
fn answered(status: u16, code: &str, message: &str) -> Failure {
    match (status, code) {
        (_, "NoSuchUpload") => Failure::UploadGone,
        (_, "NoSuchKey" | "NotFound") | (404, "") => Failure::Missing,
        (412, _) | (_, "PreconditionFailed" | "ConditionalRequestConflict" | "ConditionalCheckFailedException") => {
            Failure::Condition
        }
        (408 | 429 | 500.., _) => Failure::Unavailable(told(status, code, message)),
        (_, code) if passing(code) => Failure::Unavailable(told(status, code, message)),
        _ => Failure::Refused(format!("{}{}", told(status, code, message), remedy(status, code))),
    }
}

/// Errors that pass by themselves although their status is 200, 400 or 409. The names of throttling are those that
/// every AWS SDK tries again (AWS SDKs Reference Guide, "Retry behavior"), and KMS's as SNS tells it.
fn passing(code: &str) -> bool {
    matches!(
        code,
        "BandwidthLimitExceeded"
            | "InternalError"
            | "InternalFailure"
            | "InternalServerError"
            | "KMSThrottling"
            | "KMSThrottlingException"
            | "LimitExceededException"
            | "OperationAborted"
            | "PriorRequestNotComplete"
            | "ProvisionedThroughputExceededException"
            | "ReplicatedWriteConflictException"
            | "RequestLimitExceeded"
            | "RequestThrottled"
            | "RequestThrottledException"
            | "RequestTimeout"
            | "ServiceUnavailable"
            | "SlowDown"
            | "Throttled"
            | "ThrottledException"
            | "Throttling"
            | "ThrottlingException"
            | "TooManyRequestsException"
            | "TransactionConflictException"
    )
}

fn told(status: u16, code: &str, message: &str) -> String {
    [format!("{status} {code}").trim_end(), message].join(": ").trim_end_matches([':', ' ']).to_owned()
}

/// What a person should change.
fn remedy(status: u16, code: &str) -> &'static str {
    match (status, code) {
        (_, "NoSuchBucket") => "; create the bucket, or correct its name",
        (_, "ResourceNotFoundException") => "; create the table or stream, or correct its name and region",
        (301 | 307, _) | (_, "AuthorizationHeaderMalformed") => "; set AWS_REGION to the bucket's region",
        (_, "ExpiredToken" | "ExpiredTokenException") => "; renew the credentials",
        (_, "RequestTimeTooSkewed") => "; set this machine's clock",
        (401 | 403, _) | (_, "AccessDeniedException") => {
            "; allow the call in the role's policy, the bucket's policy and its key's policy \
             (without s3:ListBucket a missing object is refused too)"
        }
        _ => "",
    }
}

fn words<E: Error + 'static>(error: &SdkError<E>) -> String {
    DisplayErrorContext(error).to_string()
}

/// Whether the credentials chain came back empty or is set up wrongly; a provider that merely failed may work later.
fn lacks_credentials<E: Error + 'static>(error: &SdkError<E>) -> bool {
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(this) = cause {
        if let Some(credentials) = this.downcast_ref::<CredentialsError>() {
            return matches!(
                credentials,
                CredentialsError::CredentialsNotLoaded(_) | CredentialsError::InvalidConfiguration(_)
            );
        }
        cause = this.source();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(status: u16, code: &str, expected: &Failure) {
        assert_eq!(answered(status, code, "m"), *expected, "{status} {code}");
    }

    #[test]
    fn answers_become_what_to_do() {
        check(404, "NoSuchKey", &Failure::Missing);
        check(404, "", &Failure::Missing);
        check(404, "NoSuchUpload", &Failure::UploadGone);
        check(412, "PreconditionFailed", &Failure::Condition);
        check(200, "PreconditionFailed", &Failure::Condition);
        check(409, "ConditionalRequestConflict", &Failure::Condition);
        check(409, "OperationAborted", &Failure::Unavailable("409 OperationAborted: m".into()));
        check(400, "RequestTimeout", &Failure::Unavailable("400 RequestTimeout: m".into()));
        check(200, "InternalError", &Failure::Unavailable("200 InternalError: m".into()));
        check(503, "SlowDown", &Failure::Unavailable("503 SlowDown: m".into()));
        check(502, "", &Failure::Unavailable("502: m".into()));
        check(400, "EntityTooSmall", &Failure::Refused("400 EntityTooSmall: m".into()));
        check(
            404,
            "NoSuchBucket",
            &Failure::Refused("404 NoSuchBucket: m; create the bucket, or correct its name".into()),
        );
    }

    #[test]
    fn an_entry_may_pass_later() {
        let cases = [
            ("ProvisionedThroughputExceededException", Reason::Throttled),
            ("ServiceUnavailableException", Reason::Throttled),
            ("InternalFailure", Reason::Internal),
            ("InvalidArgumentException", Reason::Rejected),
        ];
        for (code, expected) in cases {
            assert_eq!(entry(code), expected, "{code}");
        }
    }

    #[test]
    fn an_answer_without_words_still_reads() {
        assert_eq!(told(403, "", ""), "403");
        assert_eq!(told(403, "AccessDenied", ""), "403 AccessDenied");
    }
}
