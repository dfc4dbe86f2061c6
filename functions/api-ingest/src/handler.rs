//! One request → its records in the stream, and the answer.
//!
//! 202 means that the stream has said of every record that it has it. No SDK type comes in: stream and state are ports.

use std::{sync::Arc, time::Duration};

use headgate::{
    Class, Code, Error,
    clock::{Clock, SystemClock, Timestamp},
    event::http::{self, Request, Response},
    metrics::Emitter,
    state::State,
    stream::{Delivery, Failed, Fared, Outgoing, Patience, Stream, StreamError, deliver},
};
use headgate_aws::{Aws, Endpoint, FirehoseStream, KinesisStream};
use serde_json::json;

use crate::{
    config::{Config, Target},
    emit::{self, Report},
    idempotency::{self, Begun, Hold},
    intake::{self, Intake},
    positions::Positions,
    refusal::{Partial, Refusal},
};

/// What the function works with.
#[derive(Debug, Clone)]
pub struct Ports {
    /// The settings.
    pub config: Config,
    /// Where records go.
    pub stream: Arc<dyn Stream>,
    /// Where idempotency keys are kept.
    pub state: Arc<dyn State>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Where metrics go.
    pub emitter: Emitter,
}

impl Ports {
    /// Makes the clients, once, before the first event.
    pub async fn open(config: Config) -> Self {
        let aws = Aws::connect(Endpoint::Environment).await;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        Self {
            stream: match &config.target {
                Target::Kinesis(stream) => Arc::new(KinesisStream::new(&aws, stream)),
                Target::Firehose(stream) => Arc::new(FirehoseStream::new(&aws, stream)),
            },
            state: config.state.open(Arc::clone(&clock)).await,
            clock,
            emitter: Emitter::Stdout,
            config,
        }
    }
}

/// Sends the records of the request in `event` on, and says how it went.
///
/// # Errors
/// Poison: the event is no HTTP request of payload format 2.0. Whatever is wrong with a request is an answer.
pub async fn handle(event: &[u8], deadline: Timestamp, ports: &Ports) -> Result<Response, Error> {
    let request = http::read(event)?;
    let mut report = Report::default();
    let answered = answer(&request, deadline, ports, &mut report).await;
    if let Err(refusal) = &answered {
        report.refused = Some(refusal.reason());
        if let Refusal::Unavailable(error) | Refusal::Misconfigured(error) = refusal {
            tracing::error!(class = ?error.class, code = error.code.as_str(), "nothing was sent: {error}");
        }
    }
    let response = answered.unwrap_or_else(|refusal| refusal.response());
    report.status = response.status_code;
    tell(&report, ports);
    Ok(response)
}

fn tell(report: &Report, ports: &Ports) {
    let logged = serde_json::to_string(report).unwrap_or_default();
    tracing::info!(dataset = report.dataset, report = logged, "request");
    let (function, now) = (&ports.config.function, ports.clock.now());
    ports.emitter.emit(emit::of_report(function, report), now);
    if let Some(reason) = report.refused {
        ports.emitter.emit(emit::refused(function, &report.dataset, reason), now);
    }
}

async fn answer(
    request: &Request<'_>,
    deadline: Timestamp,
    ports: &Ports,
    report: &mut Report,
) -> Result<Response, Refusal> {
    let Ports { config, stream, state, clock, .. } = ports;
    let dataset = config.dataset(request).ok_or(Refusal::UnknownDataset)?;
    dataset.clone_into(&mut report.dataset);
    let now = clock.now();
    let intake = intake::read(request, dataset, now, stream.limits(), config)?;
    report.records = intake.records.len();
    report.without_key = intake.without_key;
    let all = || accepted(dataset, &intake);
    let hold = match &intake.idempotency {
        None => None,
        Some(named) => match idempotency::begin(&**state, named, intake.records.len(), now, deadline).await? {
            Begun::Held(hold) => Some(hold),
            Begun::Done => {
                report.repeated = true;
                return Ok(all());
            }
        },
    };
    match send(&intake, hold, deadline, ports, report).await {
        None => Ok(all()),
        Some(refusal) => Err(refusal),
    }
}

fn accepted(dataset: &str, intake: &Intake) -> Response {
    Response::json(202, &json!({"dataset": dataset, "accepted": intake.records.len(), "bytes": intake.bytes}))
}

/// Sends what is not accepted yet and notes what then is; `None` where that is all.
async fn send(
    intake: &Intake,
    hold: Option<Hold>,
    deadline: Timestamp,
    ports: &Ports,
    report: &mut Report,
) -> Option<Refusal> {
    let before = hold.as_ref().map(|hold| hold.accepted().clone()).unwrap_or_default();
    let places: Vec<_> = before.rest(intake.records.len()).collect();
    let rest: Vec<Outgoing> = places.iter().map(|at| intake.records[*at].clone()).collect();
    let patience = Patience::within(left(ports.clock.now(), deadline));
    let delivery = deliver(&*ports.stream, &rest, &patience).await;
    count(&delivery, &rest, report);
    let accepted = before.with(delivery.accepted().map(|at| places[at]));
    let keyed = match hold {
        Some(hold) => noted(hold, accepted.clone(), deadline, ports).await,
        None => false,
    };
    let failed = delivery.failed()?;
    Some(refusal(delivery, Partial { accepted, records: intake.records.len(), failed, keyed }))
}

/// Notes what is accepted under the key, and whether that worked.
///
/// What is accepted is accepted: the answer stands either way, and must still be given. Where it did not work, a
/// repetition may send records again.
async fn noted(hold: Hold, accepted: Positions, deadline: Timestamp, ports: &Ports) -> bool {
    let whole = Duration::from_millis(u64::try_from(deadline.0 - ports.clock.now().0).unwrap_or_default());
    let finish = hold.finish(&*ports.state, accepted);
    let told = tokio::time::timeout(whole.saturating_sub(ANSWER.min(whole / 5)), finish).await;
    let silent = |_| Err(Error::retry(Code::Unavailable, "the state did not answer in time"));
    let Err(error) = told.unwrap_or_else(silent) else { return true };
    tracing::warn!(class = ?error.class, code = error.code.as_str(), "the idempotency key is not noted: {error}");
    false
}

/// What a body that is not all accepted is answered with.
fn refusal(delivery: Delivery, partial: Partial) -> Refusal {
    match delivery.error {
        Some(error @ StreamError::Refused { .. }) if partial.accepted.is_empty() && all_unsent(&delivery.fared) => {
            Refusal::Misconfigured(error.into())
        }
        Some(error) => {
            let error = Error::from(error);
            let passing = error.class != Class::Misconfigured;
            tracing::error!(passing, code = error.code.as_str(), "not all is accepted: {error}");
            Refusal::Partial(partial)
        }
        None => Refusal::Partial(partial),
    }
}

/// Whether it is certain that the stream has nothing.
fn all_unsent(fared: &[Fared]) -> bool {
    fared.iter().all(|fared| matches!(fared, Fared::Failed(Failed::Rejected | Failed::Unsent)))
}

fn count(delivery: &Delivery, sent: &[Outgoing], report: &mut Report) {
    report.accepted = delivery.accepted().count();
    report.failed = sent.len() - report.accepted;
    report.bytes = delivery.accepted().map(|at| sent[at].data.len() as u64).sum();
    report.puts = delivery.requests;
    report.throttles = delivery.throttles.total();
    report.hot = delivery.throttles.hottest().map(|hot| hot.to_string());
}

/// The most that is set aside for the state's last word and the answer.
const MARGIN: Duration = Duration::from_secs(3);

/// The most that is set aside for the answer alone.
const ANSWER: Duration = Duration::from_millis(500);

/// The time of an invocation that is for sending.
fn left(now: Timestamp, deadline: Timestamp) -> Duration {
    let whole = Duration::from_millis(u64::try_from(deadline.0.saturating_sub(now.0)).unwrap_or_default());
    whole.saturating_sub(MARGIN.min(whole / 5))
}

#[cfg(test)]
mod tests;
