//! The port [`Flows`] → Amazon `AppFlow`, in the account and region of the caller.
//!
//! A package of its own, for this client is large and one function asks for runs.

use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_appflow::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
    types::{ExecutionRecord, ExecutionStatus},
};
use headgate::{
    clock::Timestamp,
    flows::{Flows, FlowsError, Result, Run, Status},
};
use headgate_aws::{Aws, Failure};

/// Runs a request; AWS gives no more.
const PAGE: i32 = 100;

/// A [`Flows`] that is `AppFlow`'s.
#[derive(Debug, Clone)]
pub struct AppFlow {
    client: Client,
}

impl AppFlow {
    /// A client. Nothing is asked yet.
    #[must_use]
    pub fn new(aws: &Aws) -> Self {
        Self { client: Client::new(aws.config()) }
    }
}

fn failed<E>(flow: &str, error: &SdkError<E>) -> FlowsError
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let flow = flow.to_owned();
    let missing = || FlowsError::Wrong {
        flow: flow.clone(),
        reason: "there is no such flow in this account and region; correct $.source.flow".to_owned(),
    };
    if error.code() == Some("ResourceNotFoundException") {
        return missing();
    }
    match Failure::of(error) {
        Failure::Unavailable(reason) => FlowsError::Unavailable { flow, reason },
        Failure::Refused(reason) => FlowsError::Refused { flow, reason },
        Failure::Missing | Failure::UploadGone | Failure::Condition => missing(),
    }
}

/// API reference, `ExecutionRecord`. One that is being cancelled has not ended yet.
fn status(status: Option<&ExecutionStatus>) -> Status {
    match status {
        Some(ExecutionStatus::Successful) => Status::Succeeded,
        Some(ExecutionStatus::Error | ExecutionStatus::Canceled) => Status::Failed,
        _ => Status::Running,
    }
}

/// A record without an id or a beginning tells of no run that could be looked for.
fn run(record: ExecutionRecord) -> Option<Run> {
    let started = Timestamp(record.started_at?.to_millis().ok()?);
    let result = record.execution_result.as_ref();
    let records = result.and_then(|result| u64::try_from(result.records_processed?).ok());
    let status = status(record.execution_status.as_ref());
    let ended = record.last_updated_at.and_then(|at| at.to_millis().ok()).map(Timestamp);
    let ended = ended.filter(|_| status != Status::Running);
    Some(Run { status, records, id: record.execution_id?.parse().ok()?, started, ended })
}

/// A run that ended may have begun this long before.
const LONGEST: Duration = Duration::from_hours(24);

/// In which order runs come. The service does not say: only where all came with the newest first is it taken for granted
/// that the rest does, too.
#[derive(Debug, Default)]
struct Order {
    first: Option<Timestamp>,
    last: Option<Timestamp>,
    is_other: bool,
}

impl Order {
    fn see(&mut self, run: &Run) {
        self.first.get_or_insert(run.started);
        self.is_other |= self.last.replace(run.started).is_some_and(|last| last < run.started);
    }

    /// Whether none that began at this moment or later is to come.
    fn is_past(&self, moment: Timestamp) -> bool {
        !self.is_other && self.last < self.first && self.last.is_some_and(|last| last < moment)
    }
}

#[async_trait]
impl Flows for AppFlow {
    async fn runs(&self, flow: &str, since: Timestamp) -> Result<Vec<Run>> {
        let (mut runs, mut next, mut order) = (Vec::new(), None, Order::default());
        loop {
            let request = self.client.describe_flow_execution_records().flow_name(flow).max_results(PAGE);
            let answer = request.set_next_token(next).send().await.map_err(|error| failed(flow, &error))?;
            // A page may be empty, or have runs of no use alone, and be followed by others.
            for run in answer.flow_executions.unwrap_or_default().into_iter().filter_map(run) {
                order.see(&run);
                runs.extend(run.is_since(since).then_some(run));
            }
            next = answer.next_token;
            if next.is_none() || order.is_past(since.minus(LONGEST)) {
                return Ok(runs);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_appflow::{primitives::DateTime, types::ExecutionResult};

    use super::*;

    #[test]
    fn a_record_becomes_a_run() {
        let result = ExecutionResult::builder().records_processed(7).build();
        let record = ExecutionRecord::builder()
            .execution_id("e")
            .execution_status(ExecutionStatus::Successful)
            .execution_result(result)
            .started_at(DateTime::from_millis(1_500))
            .last_updated_at(DateTime::from_millis(2_500));
        let expected = Run {
            id: "e".parse().unwrap(),
            started: Timestamp(1_500),
            ended: Some(Timestamp(2_500)),
            status: Status::Succeeded,
            records: Some(7),
        };
        assert_eq!(run(record.clone().build()), Some(expected));
        assert_eq!(run(record.clone().execution_id("../e").build()), None);
        assert_eq!(run(record.set_started_at(None).build()), None);
        let ends = [ExecutionStatus::Error, ExecutionStatus::Canceled, ExecutionStatus::Cancelstarted];
        let ends = ends.map(|end| status(Some(&end)));
        assert_eq!(ends, [Status::Failed, Status::Failed, Status::Running]);
    }
    #[test]
    fn only_the_newest_first_ends_a_walk() {
        let check = |began: &[i64], ended: bool| {
            let mut order = Order::default();
            for at in began {
                let (id, started) = ("e".parse().unwrap(), Timestamp(*at));
                order.see(&Run { id, started, ended: None, status: Status::Succeeded, records: None });
            }
            assert_eq!(order.is_past(Timestamp(5)), ended, "{began:?}");
        };
        check(&[], false);
        check(&[4], false);
        check(&[4, 4], false);
        check(&[9, 5], false);
        check(&[9, 5, 4], true);
        check(&[4, 3], true);
        check(&[1, 2], false);
        check(&[9, 4, 8, 3], false);
    }
}
