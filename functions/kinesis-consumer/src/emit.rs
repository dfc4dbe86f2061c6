//! Reports and failures → metrics.
//!
//! Dimensions are bounded: the function, the dataset, a reason. Never a key, never a shard.

use headgate::{
    Code,
    fate::{Dropped, Fate},
    metrics::{Metrics, Unit},
};

use crate::Report;

/// The figures of one invocation. `Failures` is there with 0 as well, so that an alarm knows good times.
pub fn of_report(function: &str, report: &Report) -> Metrics {
    let mut metrics = Metrics::new([("Function", function.to_owned()), ("Dataset", report.dataset.clone())]);
    for (name, things) in counts(report) {
        metrics.count(name, things);
    }
    metrics.add("BytesIn", Unit::Bytes, report.bytes_in as f64);
    metrics.add("BytesWritten", Unit::Bytes, report.landed.bytes as f64);
    metrics.add("IteratorAge", Unit::Milliseconds, report.age_milliseconds as f64);
    if let Some(freshness) = report.freshness_seconds {
        metrics.add("Freshness", Unit::Seconds, freshness);
    }
    metrics.property("shard", report.shard.as_str());
    metrics
}

fn counts(report: &Report) -> [(&'static str, u64); 11] {
    let dropped = |reason| report.fates.of(Fate::Dropped { reason });
    [
        ("Failures", 0),
        ("Records", report.records),
        ("RowsStored", report.stored),
        ("RowsQuarantined", report.fates.quarantined()),
        ("RowsRepeated", dropped(Dropped::Repeated)),
        ("RowsFiltered", dropped(Dropped::Filtered)),
        ("RowsControl", dropped(Dropped::Control)),
        ("RowsEmpty", dropped(Dropped::Empty)),
        ("UnknownFields", report.unknown_fields),
        ("Objects", report.landed.placed + report.landed.replaced),
        ("BatchesCutShort", u64::from(report.again_from.is_some())),
    ]
}

/// The refused documents by reason, a line each.
pub fn of_reasons<'a>(function: &'a str, report: &'a Report) -> impl Iterator<Item = Metrics> + 'a {
    report.fates.iter().filter_map(move |(fate, count)| {
        let Fate::Quarantined { reason } = fate else { return None };
        let dimensions = [("Function", function), ("Dataset", &report.dataset), ("Reason", reason.as_str())];
        let mut metrics = Metrics::new(dimensions.map(|(name, value)| (name, value.to_owned())));
        metrics.count("RowsQuarantined", count);
        Some(metrics)
    })
}

/// A batch that goes back.
pub fn failure(function: &str, dataset: &str, code: Code) -> Metrics {
    let dimensions = [("Function", function), ("Dataset", dataset)];
    let mut metrics = Metrics::new(dimensions.map(|(name, value)| (name, value.to_owned())));
    metrics.count("Failures", 1);
    metrics.property("code", code.as_str());
    metrics
}
