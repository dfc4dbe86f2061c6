//! Reports and failures → metrics.
//!
//! Dimensions are bounded: the function, the dataset, a reason. Never a key, never a run.

use headgate::{
    Code,
    fate::{Dropped, Fate},
    metrics::{Metrics, Unit},
};
use headgate_columnar::merge::MergeReport;

use crate::{event::Ignored, report::Report};

/// The figures of one invocation for a dataset, then what was refused by reason. `Failures` is there with 0 as well, so
/// that an alarm knows good times.
#[must_use]
pub fn of_report(function: &str, report: &Report, failed: bool) -> Vec<Metrics> {
    let mut all = vec![figures(function, report, failed)];
    all.extend(report.fates.iter().filter_map(|(fate, records)| {
        let Fate::Quarantined { reason } = fate else { return None };
        let mut metrics = by(function, &report.dataset, "Reason", reason.as_str());
        metrics.count("Quarantined", records);
        Some(metrics)
    }));
    all
}

fn figures(function: &str, report: &Report, failed: bool) -> Metrics {
    let mut metrics = Metrics::new([("Function", function.to_owned()), ("Dataset", report.dataset.clone())]);
    for (name, things) in [
        ("Failures", u64::from(failed)),
        ("RunsLanded", report.landed),
        ("RunsFound", report.found),
        ("RunsRepeated", report.repeated),
        ("RunsFailed", report.failed),
        ("FilesRead", report.files),
        ("Records", report.records),
        ("RecordsMissing", report.missing),
        ("RecordsStored", report.fates.of(Fate::Stored)),
        ("RecordsFiltered", report.fates.of(Fate::Dropped { reason: Dropped::Filtered })),
        ("RecordsQuarantined", report.fates.quarantined()),
        ("RecordsDeleted", report.deleted),
        ("UnknownFields", report.unknown_fields),
    ] {
        metrics.count(name, things);
    }
    metrics.add("BytesIn", Unit::Bytes, report.bytes as f64);
    if let Some(merge) = &report.merge {
        of_merge(merge, &mut metrics);
    }
    metrics
}

fn of_merge(merge: &MergeReport, metrics: &mut Metrics) {
    for (name, things) in [
        ("Files", merge.files),
        ("FilesPending", merge.pending),
        ("FilesRefused", merge.refused.len() as u64),
        ("RowsSuperseded", merge.superseded),
        ("Inserts", merge.inserts),
        ("Updates", merge.updates),
        ("Deletes", merge.deletes),
        ("Rows", merge.rows),
        ("Publishes", merge.publishes),
    ] {
        metrics.count(name, things);
    }
    metrics.add("BytesWritten", Unit::Bytes, merge.bytes_written as f64);
    metrics.add("MergeTime", Unit::Seconds, merge.seconds);
    if let Some(lag) = merge.lag_seconds {
        metrics.add("Lag", Unit::Seconds, lag);
    }
}

/// A flow of the dataset was deactivated.
#[must_use]
pub fn deactivated(function: &str, dataset: &str) -> Metrics {
    let mut metrics = Metrics::new([("Function", function.to_owned()), ("Dataset", dataset.to_owned())]);
    metrics.count("FlowsDeactivated", 1);
    metrics
}

/// One failure by its code; `dataset` is empty where it concerns none.
#[must_use]
pub fn failure(function: &str, dataset: &str, code: Code) -> Metrics {
    let mut metrics = by(function, dataset, "Code", code.as_str());
    metrics.count("FailuresByCode", 1);
    metrics
}

/// An event that asked for nothing.
#[must_use]
pub(crate) fn ignored(function: &str, reason: Ignored) -> Metrics {
    let dimensions = [("Function", function), ("Reason", reason.as_str())];
    let mut metrics = Metrics::new(dimensions.map(|(name, value)| (name, value.to_owned())));
    metrics.count("Ignored", 1);
    metrics
}

fn by(function: &str, dataset: &str, name: &'static str, value: &str) -> Metrics {
    let dimensions = [("Function", function), ("Dataset", dataset), (name, value)];
    Metrics::new(dimensions.map(|(name, value)| (name, value.to_owned())))
}
