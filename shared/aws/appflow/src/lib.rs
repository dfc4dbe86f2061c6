//! The port [`Flows`] → Amazon `AppFlow`, in the account and region of the caller.
//!
//! A package of its own, for this client is large and one function asks for runs.

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
    match Failure::of(error) {
        Failure::Unavailable(reason) => FlowsError::Unavailable { flow, reason },
        Failure::Refused(reason) => FlowsError::Refused { flow, reason },
        Failure::Missing | Failure::UploadGone | Failure::Condition => {
            FlowsError::Refused { flow, reason: "there is no such flow; correct $.source.flow".to_owned() }
        }
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
    Some(Run { status: status(record.execution_status.as_ref()), records, id: record.execution_id?, started })
}

#[async_trait]
impl Flows for AppFlow {
    async fn runs(&self, flow: &str, since: Timestamp) -> Result<Vec<Run>> {
        let (mut runs, mut next) = (Vec::new(), None);
        loop {
            let request = self.client.describe_flow_execution_records().flow_name(flow).max_results(PAGE);
            let answer = request.set_next_token(next).send().await.map_err(|error| failed(flow, &error))?;
            let page: Vec<_> = answer.flow_executions.unwrap_or_default().into_iter().filter_map(run).collect();
            // The newest come first: a page without one that is wanted is followed by none.
            let is_past = page.iter().all(|run| run.started < since);
            runs.extend(page.into_iter().filter(|run| run.started >= since));
            next = answer.next_token;
            if next.is_none() || is_past {
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
            .started_at(DateTime::from_millis(1_500));
        let expected =
            Run { id: "e".to_owned(), started: Timestamp(1_500), status: Status::Succeeded, records: Some(7) };
        assert_eq!(run(record.clone().build()), Some(expected));
        assert_eq!(run(record.set_started_at(None).build()), None);
        let ends = [ExecutionStatus::Error, ExecutionStatus::Canceled, ExecutionStatus::Cancelstarted];
        let ends = ends.map(|end| status(Some(&end)));
        assert_eq!(ends, [Status::Failed, Status::Failed, Status::Running]);
    }
}
