//! Records for which the answer has no room → the stream they came from, as they came.
//!
//! A record is called dropped only after the stream has said that it has it.
//!
//! No loop without an end: nothing can be written on a record that is put again, for its bytes are the producer's, so
//! rounds cannot be counted. Instead, nothing is put again unless a record of the same batch is delivered. Each put is
//! for one record that is dropped here, so that records are never more than they were, and each batch that puts any
//! takes at least one out for good: `n` records that go round together are through after at most `n` batches. One that
//! could not even be answered alone is refused before it comes here.

use std::{sync::Arc, time::Duration};

use headgate::{
    Code, Error,
    event::firehose::{Origin, Record, Request, Source},
    stream::{Delivery, Failed, Fared, Outgoing, Patience, Stream, StreamError, deliver},
};

use crate::{Report, judge::Verdict, transform::Why};

/// What becomes of records that do not fit the answer.
#[derive(Debug, Clone)]
pub enum Reingest {
    /// They go to the error prefix.
    Off,
    /// They are put again.
    Into(Target),
}

/// The stream that the records come from.
#[derive(Debug, Clone)]
pub struct Target {
    /// The ARN by which an event names it: records of any other source are never put here.
    pub arn: String,
    /// The same, to put into.
    pub stream: Arc<dyn Stream>,
}

impl Target {
    /// What to put for a record; `None` where it did not come from here, or cannot go back to where it was.
    fn outgoing(&self, record: &Record<'_>, request: &Request<'_>) -> Option<Outgoing> {
        let partition_key = match (&request.source, &record.origin) {
            (Source::Kinesis(arn), Origin::Kinesis(metadata)) if *arn == self.arn => {
                metadata.partition_key.clone()?.into_owned()
            }
            // Firehose has no keys.
            (Source::DirectPut, _) if request.delivery_stream_arn == self.arn => String::new(),
            _ => return None,
        };
        Some(Outgoing { partition_key, explicit_hash_key: None, data: record.data.clone() })
    }
}

/// Puts the records again for which there is no room. What is not put goes to the error prefix, and never fails the
/// invocation: that would take the good records along.
pub(crate) async fn again(
    request: &Request<'_>,
    verdicts: &mut [Verdict],
    reingest: &Reingest,
    time: Duration,
    report: &mut Report,
) {
    if let Reingest::Into(target) = reingest
        && verdicts.iter().any(|verdict| matches!(verdict, Verdict::Ok(..)))
    {
        put(request, verdicts, target, time, report).await;
    }
    for (verdict, record) in verdicts.iter_mut().zip(&request.records) {
        if *verdict == Verdict::NoRoom
            && let Ok(record) = record
        {
            let why = Why::new(Code::TooLarge, "the answer has no room; lower the buffer hint of the transformation");
            *verdict = Verdict::Refused(why.code);
            report.refuse(&record.id, why);
        }
    }
}

async fn put(request: &Request<'_>, verdicts: &mut [Verdict], target: &Target, time: Duration, report: &mut Report) {
    let (mut places, mut records) = (Vec::new(), Vec::new());
    for (place, (verdict, record)) in verdicts.iter().zip(&request.records).enumerate() {
        if *verdict == Verdict::NoRoom
            && let Ok(record) = record
            && let Some(outgoing) = target.outgoing(record, request)
        {
            places.push(place);
            records.push(outgoing);
        }
    }
    if records.is_empty() {
        return;
    }
    let delivery = deliver(target.stream.as_ref(), &records, &Patience::within(time)).await;
    report.puts += delivery.requests;
    report.throttles += delivery.throttles.total();
    if let Some(error) = delivery.error.clone() {
        let error = Error::from(error);
        tracing::error!(code = error.code.as_str(), "records could not be put again: {error}");
    }
    for (place, fared) in places.into_iter().zip(&delivery.fared) {
        verdicts[place] = match fared {
            Fared::Accepted(_) => Verdict::Reingested,
            Fared::Failed(failed) => {
                let code = code(*failed, &delivery);
                if let Ok(record) = &request.records[place] {
                    report.refuse(&record.id, Why::new(code, "no room in the answer, and it could not be put again"));
                }
                Verdict::Refused(code)
            }
        };
    }
}

fn code(failed: Failed, delivery: &Delivery) -> Code {
    match failed {
        Failed::TooLarge | Failed::InvalidKey => Code::TooLarge,
        Failed::Rejected => Code::AccessDenied,
        Failed::Unsent if matches!(delivery.error, Some(StreamError::Refused { .. })) => Code::AccessDenied,
        Failed::Throttled | Failed::Internal | Failed::Unanswered | Failed::Unsent => Code::Unavailable,
    }
}
