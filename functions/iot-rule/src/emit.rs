//! Reports and failures → metrics.
//!
//! Dimensions are bounded: the function, the dataset, a reason. Never a device, never a topic.

use headgate::{
    Code,
    fate::Fate,
    metrics::{Metrics, Unit},
};

use crate::Report;

fn metrics(function: &str, dataset: &str) -> Metrics {
    Metrics::new([("Function", function.to_owned()), ("Dataset", dataset.to_owned())])
}

/// The figures of one invocation. `Failures` is there with 0 as well, so that an alarm knows good times.
pub(crate) fn of_report(function: &str, report: &Report) -> Metrics {
    let mut metrics = metrics(function, &report.dataset);
    for (name, things) in [
        ("Failures", 0),
        ("Messages", report.messages),
        ("MessagesJudged", report.judged),
        ("MessagesRepeated", report.repeated),
        ("MessagesLate", report.late),
        ("MessagesFuture", report.future),
        ("MessagesFiltered", report.filtered),
        ("MessagesQuarantined", report.quarantined),
        ("MessagesForwarded", report.forwarded),
        ("AlertsOpened", report.opened),
        ("AlertsUpdated", report.updated),
        ("AlertsResolved", report.resolved),
    ] {
        metrics.count(name, things);
    }
    if let Some(lag) = report.lag_milliseconds {
        metrics.add("Lag", Unit::Milliseconds, lag as f64);
    }
    metrics
}

/// The refused messages by reason, a line each.
pub(crate) fn of_reasons<'a>(function: &'a str, report: &'a Report) -> impl Iterator<Item = Metrics> + 'a {
    report.fates.iter().filter_map(move |(fate, count)| {
        let Fate::Quarantined { reason } = fate else { return None };
        let dimensions = [("Function", function), ("Dataset", &report.dataset), ("Reason", reason.as_str())];
        let mut metrics = Metrics::new(dimensions.map(|(name, value)| (name, value.to_owned())));
        metrics.count("MessagesQuarantined", count);
        Some(metrics)
    })
}

/// An event that must come again.
pub(crate) fn failure(function: &str, dataset: &str, code: Code) -> Metrics {
    let mut metrics = metrics(function, dataset);
    metrics.count("Failures", 1);
    metrics.property("code", code.as_str());
    metrics
}
