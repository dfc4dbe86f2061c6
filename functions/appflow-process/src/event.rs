//! The JSON that AWS sends → what is asked.
//!
//! Reports of flows are thin on promises: counts are texts, times end in `Z[UTC]`, ARNs may have their parts in the
//! wrong order, and a new kind of report is none of our business.

use std::borrow::Cow;

use headgate::{
    Code, Error,
    clock::Timestamp,
    flows::{NoRunId, Run, RunId, Status},
    literal::time,
};
use serde::Deserialize;
use serde_json::Value;

/// What an event asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// This run of the flow came to an end.
    Ended {
        /// The flow's name.
        flow: String,
        /// The run.
        run: Run,
        /// Why it failed, in the service's words.
        reason: Option<String>,
    },
    /// The flow runs no more.
    Deactivated {
        /// The flow's name.
        flow: String,
    },
    /// Take this run in again.
    Again {
        /// The dataset's name.
        dataset: String,
        /// The run.
        run: RunId,
    },
    /// Look for runs whose reports never came: of all datasets, or of these.
    Look(Option<Vec<String>>),
    /// Nothing.
    Nothing(Ignored),
}

/// Why an event asks for nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ignored {
    /// It is of another kind.
    OtherReport,
    /// No dataset is of its flow.
    OtherFlow,
}

impl Ignored {
    /// As metrics and answers have it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OtherReport => "other_report",
            Self::OtherFlow => "other_flow",
        }
    }
}

#[derive(Deserialize)]
struct Event<'a> {
    #[serde(borrow)]
    source: Option<Cow<'a, str>>,
    #[serde(rename = "detail-type", borrow)]
    detail_type: Option<Cow<'a, str>>,
    detail: Option<Value>,
    /// A schedule's own input.
    datasets: Option<Names>,
    /// An operator's: a run of a dataset.
    #[serde(borrow)]
    dataset: Option<Cow<'a, str>>,
    #[serde(borrow)]
    run: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Names {
    All(String),
    These(Vec<String>),
}

/// Reads an event.
///
/// # Errors
/// Poison: it is none of ours, or a report that does not say which run it is about.
pub fn read(event: &[u8]) -> Result<Asked, Error> {
    let event: Event<'_> = serde_json::from_slice(event).map_err(|error| invalid(format!("the event: {error}")))?;
    if let (None, None, Some(dataset), Some(run)) = (&event.source, &event.datasets, event.dataset, event.run) {
        let run = run.parse().map_err(|error: NoRunId| invalid(format!("`run` {error}")))?;
        return Ok(Asked::Again { dataset: dataset.into_owned(), run });
    }
    match (event.source.as_deref(), event.detail_type.as_deref(), event.datasets) {
        (None, None, Some(names)) => names_of(names),
        (Some("aws.events" | "aws.scheduler"), Some("Scheduled Event"), _) => Ok(Asked::Look(None)),
        (Some("aws.appflow"), Some("AppFlow End Flow Run Report"), _) => ended(&detail(event.detail)?),
        (Some("aws.appflow"), Some("AppFlow Scheduled Flow Deactivated" | "AppFlow Event Flow Deactivated"), _) => {
            Ok(Asked::Deactivated { flow: text(&detail(event.detail)?, "flow-name")?.to_owned() })
        }
        (Some("aws.appflow"), Some(_), _) => Ok(Asked::Nothing(Ignored::OtherReport)),
        _ => Err(invalid(
            "neither a report of AppFlow nor a schedule: `source` must be `aws.appflow`, `aws.events` or `aws.scheduler`, or `datasets` \"all\" or a list of names, or `dataset` and `run` a run to take again",
        )),
    }
}

fn names_of(names: Names) -> Result<Asked, Error> {
    match names {
        Names::All(word) if word == "all" => Ok(Asked::Look(None)),
        Names::All(_) => Err(invalid("`datasets` must be \"all\" or a list of names")),
        Names::These(names) => Ok(Asked::Look(Some(names))),
    }
}

fn detail(detail: Option<Value>) -> Result<Value, Error> {
    detail.filter(Value::is_object).ok_or_else(|| invalid("`detail` must be an object"))
}

fn ended(detail: &Value) -> Result<Asked, Error> {
    let id = text(detail, "execution-id")?;
    let id = id.parse().map_err(|error: NoRunId| invalid(format!("`detail.execution-id` {error}")))?;
    let started = text(detail, "start-time")?;
    let started = moment(started)
        .ok_or_else(|| invalid("`detail.start-time` is no time such as 2026-01-01T00:00:00.000Z[UTC]"))?;
    let is_well = detail.get("status").and_then(Value::as_str) == Some("Execution Successful");
    Ok(Asked::Ended {
        flow: text(detail, "flow-name")?.to_owned(),
        run: Run {
            id,
            started,
            ended: detail.get("end-time").and_then(Value::as_str).and_then(moment),
            status: if is_well { Status::Succeeded } else { Status::Failed },
            records: count(detail, "num-of-records-processed"),
        },
        reason: detail
            .get("error")
            .or(detail.get("status"))
            .and_then(Value::as_str)
            .map(str::to_owned)
            .filter(|_| !is_well),
    })
}

fn text<'a>(detail: &'a Value, name: &str) -> Result<&'a str, Error> {
    let text = detail.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    text.ok_or_else(|| invalid(format!("`detail.{name}` must be a text")))
}

/// A count, which comes as a text.
fn count(detail: &Value, name: &str) -> Option<u64> {
    let value = detail.get(name)?;
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

/// `2023-08-29T12:55:23.835Z[UTC]`, as Java writes a moment with its zone.
fn moment(text: &str) -> Option<Timestamp> {
    let text = text.split_once('[').map_or(text, |(moment, _)| moment);
    time::moment_floor(text.as_bytes(), time::MILLI).map(Timestamp)
}

fn invalid(what: impl Into<String>) -> Error {
    Error::poison(Code::InvalidEvent, what.into())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn report(change: impl Fn(&mut Value)) -> Result<Asked, Error> {
        let mut event = json!({"source": "aws.appflow", "detail-type": "AppFlow End Flow Run Report", "detail": {
            "flow-name": "deals", "execution-id": "2c07e424-0000-4000-8000-000000000001", "status": "Execution Successful",
            "start-time": "1970-01-01T00:00:01.500Z[UTC]", "num-of-records-processed": "63000"}});
        change(&mut event["detail"]);
        read(event.to_string().as_bytes())
    }

    #[test]
    fn a_report_tells_a_run() {
        let asked = report(|detail| detail["num-of-records-processed"] = json!("many"));
        let Ok(Asked::Ended { flow, run, reason: None }) = asked else { panic!("{asked:?}") };
        assert_eq!(
            (flow.as_str(), run.started, run.status, run.records),
            ("deals", Timestamp(1_500), Status::Succeeded, None)
        );
        let asked = report(|detail| {
            detail["status"] = json!("Execution Failed");
            detail["error"] = json!("denied");
        });
        let Ok(Asked::Ended { run, reason, .. }) = asked else { panic!("{asked:?}") };
        assert_eq!((run.status, run.records, reason.as_deref()), (Status::Failed, Some(63_000), Some("denied")));
    }

    #[test]
    fn schedules_come_from_two_services_and_operators_name_a_run() {
        let check = |event: Value| read(event.to_string().as_bytes());
        for source in ["aws.events", "aws.scheduler"] {
            let asked = check(json!({"source": source, "detail-type": "Scheduled Event", "detail": {}}));
            assert_eq!(asked, Ok(Asked::Look(None)));
        }
        let again = Asked::Again { dataset: "deals".to_owned(), run: "run-1".parse().unwrap() };
        assert_eq!(check(json!({"dataset": "deals", "run": "run-1"})), Ok(again));
        for bad in [json!({"dataset": "deals", "run": "../1"}), json!({"dataset": "deals"}), json!({"run": "run-1"})] {
            assert_eq!(check(bad.clone()).unwrap_err().code, Code::InvalidEvent, "{bad}");
        }
    }

    #[test]
    fn a_report_without_its_run_is_poison() {
        for (field, value) in [
            ("execution-id", json!("../x")),
            ("execution-id", json!("")),
            ("flow-name", json!(1)),
            ("start-time", json!("yesterday")),
        ] {
            let error = report(|detail| detail[field] = value.clone()).unwrap_err();
            assert!(error.message.contains(field), "{error}");
        }
    }
}
