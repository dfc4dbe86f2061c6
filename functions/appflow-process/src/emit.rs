//! Reports and failures → metrics.
//!
//! Dimensions are bounded: the function, the dataset, a reason. Never a key, never a run.

use headgate::{
    Code,
    fate::{Dropped, Fate},
    metrics::{Metrics, Unit},
};
use headgate_columnar::merge::MergeReport;

use crate::{
    event::Ignored,
    intake::Taken,
    report::{Report, Tally},
};

/// The figures of a run, then what was refused of it by reason: emitted as soon as the run is noted as such, for that
/// happens once. A run that was known has none.
#[must_use]
pub fn of_run(function: &str, dataset: &str, taken: &Taken, is_found: bool) -> Vec<Metrics> {
    match taken {
        Taken::Known => Vec::new(),
        Taken::Failed => vec![counted(function, dataset, &[("RunsFailed", 1)])],
        Taken::Landed { tally, missing } => {
            let mut all = vec![figures(function, dataset, tally, *missing, is_found)];
            all.extend(tally.fates.iter().filter_map(|(fate, records)| {
                let Fate::Quarantined { reason } = fate else { return None };
                let mut metrics = by(function, dataset, "Reason", reason.as_str());
                metrics.count("Quarantined", records);
                Some(metrics)
            }));
            all
        }
    }
}

fn figures(function: &str, dataset: &str, tally: &Tally, missing: u64, is_found: bool) -> Metrics {
    let figures = [
        ("RunsLanded", 1),
        ("RunsFound", u64::from(is_found)),
        ("FilesRead", tally.files),
        ("Records", tally.records),
        ("RecordsMissing", missing),
        ("RecordsStored", tally.fates.of(Fate::Stored)),
        ("RecordsFiltered", tally.fates.of(Fate::Dropped { reason: Dropped::Filtered })),
        ("RecordsQuarantined", tally.fates.quarantined()),
        ("RecordsDeleted", tally.deleted),
        ("UnknownFields", tally.unknown_fields),
    ];
    let mut metrics = counted(function, dataset, &figures);
    metrics.add("BytesIn", Unit::Bytes, tally.bytes as f64);
    metrics
}

/// The figures of one invocation for a dataset. `Failures` is there with 0 as well, so that an alarm knows good times.
#[must_use]
pub fn of_report(function: &str, report: &Report, failed: bool) -> Metrics {
    let figures = [("Failures", u64::from(failed)), ("RunsRepeated", report.repeated)];
    let mut metrics = counted(function, &report.dataset, &figures);
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
    counted(function, dataset, &[("FlowsDeactivated", 1)])
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

fn counted(function: &str, dataset: &str, figures: &[(&'static str, u64)]) -> Metrics {
    let mut metrics = Metrics::new([("Function", function.to_owned()), ("Dataset", dataset.to_owned())]);
    for (name, things) in figures {
        metrics.count(name, *things);
    }
    metrics
}

fn by(function: &str, dataset: &str, name: &'static str, value: &str) -> Metrics {
    let dimensions = [("Function", function), ("Dataset", dataset), (name, value)];
    Metrics::new(dimensions.map(|(name, value)| (name, value.to_owned())))
}
