//! The port [`Stream`] → one Kinesis data stream, by `PutRecords`.
//!
//! One call is one request: what was refused is sent again by the one who knows the time left.

use async_trait::async_trait;
use aws_sdk_kinesis::{
    Client,
    primitives::Blob,
    types::{PutRecordsRequestEntry, PutRecordsResultEntry},
};
use headgate::stream::{Limits, Outcome, Outgoing, Receipt, Refusal, Stream, StreamError};

use crate::{
    Aws,
    failure::{self, Failure},
};

/// A [`Stream`] that is a Kinesis data stream.
#[derive(Debug, Clone)]
pub struct KinesisStream {
    client: Client,
    stream: String,
}

impl KinesisStream {
    /// The stream of this name or ARN. An ARN names a stream of another account too.
    #[must_use]
    pub fn new(aws: &Aws, stream: &str) -> Self {
        Self { client: aws.kinesis(), stream: stream.to_owned() }
    }
}

#[async_trait]
impl Stream for KinesisStream {
    fn name(&self) -> &str {
        &self.stream
    }

    fn limits(&self) -> Limits {
        Limits::KINESIS
    }

    async fn put(&self, records: &[&Outgoing]) -> Result<Vec<Outcome>, StreamError> {
        let refuse = |reason: String| StreamError::Refused { stream: self.stream.clone(), reason };
        let entries: Result<Vec<_>, _> = records.iter().copied().map(entry).collect();
        let request = self.client.put_records().set_records(Some(entries.map_err(|error| refuse(error.to_string()))?));
        let request = if self.stream.starts_with("arn:") {
            request.stream_arn(&self.stream)
        } else {
            request.stream_name(&self.stream)
        };
        let answer = request.send().await.map_err(|error| Failure::of(&error).of_stream(&self.stream))?;
        Ok(answer.records.into_iter().map(outcome).collect())
    }
}

fn entry(record: &Outgoing) -> Result<PutRecordsRequestEntry, aws_sdk_kinesis::error::BuildError> {
    PutRecordsRequestEntry::builder()
        .data(Blob::new(record.data.as_ref()))
        .partition_key(&record.partition_key)
        .set_explicit_hash_key(record.explicit_hash_key.clone())
        .build()
}

fn outcome(entry: PutRecordsResultEntry) -> Outcome {
    match (entry.error_code, entry.sequence_number) {
        (None, Some(sequence)) => Outcome::Accepted(Receipt { shard: entry.shard_id, sequence }),
        (code, _) => {
            // An entry with neither says nothing: to be sent again.
            let code = code.unwrap_or_else(|| "InternalFailure".to_owned());
            let shard = entry.shard_id.or_else(|| told_shard(&entry.error_message.unwrap_or_default()));
            Outcome::Refused(Refusal { reason: failure::entry(&code), shard })
        }
    }
}

/// The shard in `Rate exceeded for shard shardId-000000000001 in stream …` (Kinesis API reference, `PutRecords`,
/// example of a partial failure).
fn told_shard(message: &str) -> Option<String> {
    let begins = &message[message.find("shardId-")?..];
    let id = begins.split(|end: char| !end.is_ascii_alphanumeric() && end != '-').next();
    id.map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use headgate::stream::Reason;

    use super::*;

    #[track_caller]
    fn check(code: Option<&str>, sequence: Option<&str>, message: &str, expected: &Outcome) {
        let entry = PutRecordsResultEntry::builder()
            .set_error_code(code.map(str::to_owned))
            .set_sequence_number(sequence.map(str::to_owned))
            .error_message(message)
            .build();
        assert_eq!(outcome(entry), *expected);
    }

    fn refused(reason: Reason, shard: Option<&str>) -> Outcome {
        Outcome::Refused(Refusal { reason, shard: shard.map(str::to_owned) })
    }

    #[test]
    fn entries_become_outcomes() {
        let receipt =
            Receipt { shard: None, sequence: "49543463076548007577105092703039560359975228518395012686".into() };
        check(None, Some(&receipt.sequence.clone()), "", &Outcome::Accepted(receipt));
        check(
            Some("ProvisionedThroughputExceededException"),
            None,
            "Rate exceeded for shard shardId-000000000001 in stream exampleStreamName under account 111111111111.",
            &refused(Reason::Throttled, Some("shardId-000000000001")),
        );
        check(Some("InternalFailure"), None, "Internal service failure.", &refused(Reason::Internal, None));
        check(None, None, "", &refused(Reason::Internal, None));
        check(Some("SomethingNew"), Some("1"), "", &refused(Reason::Rejected, None));
    }
}
