//! One batch of a delivery stream → the answer.
//!
//! No SDK type comes in: the stream to put into again is a port.

use std::{sync::Arc, time::Duration};

use headgate::{
    Error,
    clock::{Clock, SystemClock, Timestamp},
    contract::Contract,
    dataset::{Stream, stream::Transport},
    event::firehose::{self, RESPONSE_BUDGET, Request, Response},
    fate::Fate,
    metrics::Emitter,
};
use headgate_aws::{Aws, Endpoint, FirehoseStream, KinesisStream};

use crate::{
    Report,
    config::{self, Config},
    emit,
    judge::{Judged, Verdict, judge},
    reingest::{Reingest, Target, again},
};

/// What the function works with.
#[derive(Debug, Clone)]
pub struct Ports {
    /// The dataset.
    pub dataset: Stream,
    /// What its records must be.
    pub contract: Contract,
    /// The most bytes of an answer.
    pub budget: usize,
    /// The most partitions of an answer.
    pub partitions: usize,
    /// What becomes of records that do not fit it.
    pub reingest: Reingest,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Where metrics go.
    pub emitter: Emitter,
    /// The function's name, for them.
    pub function: String,
}

impl Ports {
    /// Reads the dataset file, once, before the first event. No client of AWS is made unless records may be put again.
    ///
    /// # Errors
    /// Misconfigured: the dataset file is wrong.
    pub async fn open(config: Config) -> Result<Self, Error> {
        let (dataset, contract) =
            Contract::load(&config.datasets, &config.dataset, Transport::Firehose, config.mask_key.clone())?;
        let reingest = match config.reingest {
            config::Reingest::Off => Reingest::Off,
            config::Reingest::Kinesis(arn) => {
                let aws = Aws::connect(Endpoint::Environment).await;
                Reingest::Into(Target { stream: Arc::new(KinesisStream::new(&aws, &arn)), arn })
            }
            config::Reingest::Firehose { arn, name } => {
                let aws = Aws::connect(Endpoint::Environment).await;
                Reingest::Into(Target { stream: Arc::new(FirehoseStream::new(&aws, &name)), arn })
            }
        };
        Ok(Self {
            dataset,
            contract,
            budget: RESPONSE_BUDGET,
            partitions: config.partitions,
            reingest,
            clock: Arc::new(SystemClock),
            emitter: Emitter::Stdout,
            function: config.function,
        })
    }
}

/// What is set aside of an invocation's time for the answer, at most.
const MARGIN: Duration = Duration::from_secs(5);

/// How long Firehose waits for an answer (Amazon Data Firehose Developer Guide, "Data transformation").
const FIREHOSE: Duration = Duration::from_mins(5);

/// The longest that records are put again: a batch that takes longer holds up its shard.
const LONGEST: Duration = Duration::from_mins(1);

/// Transforms the batch.
///
/// # Errors
/// Poison: the event is none of Firehose's. Retry: a record would have no answer, which is a bug. Then Firehose takes
/// the whole batch for failed, and puts it as it came into the error prefix.
pub async fn handle(event: &[u8], deadline: Timestamp, ports: &Ports) -> Result<Response, Error> {
    let answered = answer(event, deadline, ports).await;
    let now = ports.clock.now();
    match answered {
        Ok((response, report)) => {
            let logged = serde_json::to_string(&report).unwrap_or_default();
            tracing::info!(report = logged, "batch");
            ports.emitter.emit(emit::of_report(&ports.function, &report, now), now);
            for metrics in emit::of_reasons(&ports.function, &report) {
                ports.emitter.emit(metrics, now);
            }
            Ok(response)
        }
        Err(error) => {
            ports.emitter.emit(emit::failure(&ports.function, &ports.dataset.name, error.code), now);
            Err(error)
        }
    }
}

async fn answer(event: &[u8], deadline: Timestamp, ports: &Ports) -> Result<(Response, Report), Error> {
    let request = firehose::read(event)?;
    let mut report = Report {
        dataset: ports.dataset.name.clone(),
        delivery_stream: request.delivery_stream_arn.to_string(),
        invocation: request.invocation_id.to_string(),
        records: request.records.len() as u64,
        ..Report::default()
    };
    let left =
        |until: Timestamp| u64::try_from(until.0 - ports.clock.now().0).map(Duration::from_millis).unwrap_or_default();
    // By then Firehose has given up, whatever the function's own timeout is.
    let deadline = deadline.min(ports.clock.now().plus(FIREHOSE));
    let end = deadline.minus(MARGIN.min(left(deadline) / 5));
    let mut judged = judge(&request, end, ports, &mut report);
    let time = left(end).min(LONGEST);
    again(&request, &mut judged.verdicts, &ports.reingest, time, &mut report).await;
    count(&judged.verdicts, &mut report);
    report.fates.account_for(report.records)?;
    let response = respond(&request, &judged);
    report.bytes_answered = response.size() as u64;
    Ok((response, report))
}

fn count(verdicts: &[Verdict], report: &mut Report) {
    for verdict in verdicts {
        let fate = verdict.fate();
        let count = match fate {
            Fate::Stored => &mut report.ok,
            Fate::Dropped { .. } => &mut report.dropped,
            Fate::Quarantined { .. } => &mut report.failed,
            Fate::Retry { .. } => &mut report.reingested,
        };
        *count += 1;
        report.fates.add(fate, 1);
    }
}

fn respond(request: &Request<'_>, judged: &Judged<'_>) -> Response {
    let mut response = Response::new(request.payload, judged.room);
    for (record, verdict) in request.records.iter().zip(&judged.verdicts) {
        let id = match record {
            Ok(record) => Some(&record.id),
            Err(unreadable) => unreadable.id.as_ref(),
        };
        // Firehose takes a record that is not answered for as failed.
        if let Some(id) = id {
            response.push(id, &judged.outcome(verdict));
        }
    }
    response
}

#[cfg(test)]
mod tests;
