//! The port [`Stream`] → one Firehose delivery stream, by `PutRecordBatch`.
//!
//! Firehose has neither partition keys nor shards: keys are left out, and nothing is put between records.

use async_trait::async_trait;
use aws_sdk_firehose::{
    Client,
    primitives::Blob,
    types::{PutRecordBatchResponseEntry, Record},
};
use headgate::stream::{Limits, Outcome, Outgoing, Receipt, Refusal, Stream, StreamError};

use crate::{
    Aws,
    failure::{self, Failure},
};

/// A [`Stream`] that is a Firehose delivery stream.
#[derive(Debug, Clone)]
pub struct FirehoseStream {
    client: Client,
    stream: String,
}

impl FirehoseStream {
    /// The delivery stream of this name.
    #[must_use]
    pub fn new(aws: &Aws, stream: &str) -> Self {
        Self { client: aws.firehose(), stream: stream.to_owned() }
    }
}

#[async_trait]
impl Stream for FirehoseStream {
    fn name(&self) -> &str {
        &self.stream
    }

    fn limits(&self) -> Limits {
        Limits::FIREHOSE
    }

    async fn put(&self, records: &[&Outgoing]) -> Result<Vec<Outcome>, StreamError> {
        let refuse = |reason: String| StreamError::Refused { stream: self.stream.clone(), reason };
        let record = |record: &&Outgoing| Record::builder().data(Blob::new(record.data.as_ref())).build();
        let entries: Result<Vec<_>, _> = records.iter().map(record).collect();
        let request = self.client.put_record_batch().delivery_stream_name(&self.stream);
        let request = request.set_records(Some(entries.map_err(|error| refuse(error.to_string()))?));
        let answer = request.send().await.map_err(|error| Failure::of(&error).of_stream(&self.stream))?;
        Ok(answer.request_responses.into_iter().map(outcome).collect())
    }
}

fn outcome(entry: PutRecordBatchResponseEntry) -> Outcome {
    match (entry.error_code, entry.record_id) {
        (None, Some(sequence)) => Outcome::Accepted(Receipt { shard: None, sequence }),
        (code, _) => {
            // An entry with neither says nothing: to be sent again.
            let reason = failure::entry(code.as_deref().unwrap_or("InternalFailure"));
            Outcome::Refused(Refusal { reason, shard: None })
        }
    }
}

#[cfg(test)]
mod tests {
    use headgate::stream::Reason;

    use super::*;

    #[track_caller]
    fn check(code: Option<&str>, id: Option<&str>, expected: &Outcome) {
        let entry = PutRecordBatchResponseEntry::builder()
            .set_error_code(code.map(str::to_owned))
            .set_record_id(id.map(str::to_owned))
            .build();
        assert_eq!(outcome(entry), *expected);
    }

    #[test]
    fn entries_become_outcomes() {
        let refused = |reason| Outcome::Refused(Refusal { reason, shard: None });
        check(None, Some("r"), &Outcome::Accepted(Receipt { shard: None, sequence: "r".into() }));
        check(Some("ServiceUnavailableException"), None, &refused(Reason::Throttled));
        check(Some("InternalFailure"), None, &refused(Reason::Internal));
        check(None, None, &refused(Reason::Internal));
    }
}
