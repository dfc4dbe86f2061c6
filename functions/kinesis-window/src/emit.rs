//! Reports and failures → metrics.
//!
//! Dimensions are bounded: the function, the dataset, a reason. Never a key, never a shard.

use headgate::{
    Code,
    fate::{Dropped, Fate},
    metrics::{Metrics, Unit},
};

use crate::{Report, report::Closed};

/// The figures of one invocation. `Failures` is there with 0 as well, so that an alarm knows good times.
pub fn of_report(function: &str, report: &Report) -> Metrics {
    let mut metrics = Metrics::new([("Function", function.to_owned()), ("Dataset", report.dataset.clone())]);
    for (name, things) in counts(report) {
        metrics.count(name, things);
    }
    metrics.add("BytesIn", Unit::Bytes, report.bytes_in as f64);
    let written: u64 = report.closed.iter().map(|closed| closed.bytes).sum();
    metrics.add("BytesWritten", Unit::Bytes, (report.landed.bytes + written) as f64);
    metrics.add("StateBytes", Unit::Bytes, report.state_bytes as f64);
    metrics.add("IteratorAge", Unit::Milliseconds, report.age_milliseconds as f64);
    if let Some(freshness) = report.freshness_seconds {
        metrics.add("Freshness", Unit::Seconds, freshness);
    }
    metrics.property("shard", report.shard.as_str());
    metrics
}

fn counts(report: &Report) -> [(&'static str, u64); 14] {
    let dropped = |reason| report.fates.of(Fate::Dropped { reason });
    let of_closed = |figure: fn(&Closed) -> u64| report.closed.iter().map(figure).sum();
    [
        ("Failures", 0),
        ("Records", report.records),
        ("RowsCounted", report.counted),
        ("RowsQuarantined", report.fates.quarantined()),
        ("RowsRepeated", dropped(Dropped::Repeated)),
        ("RowsFiltered", dropped(Dropped::Filtered)),
        ("RowsControl", dropped(Dropped::Control)),
        ("RowsEmpty", dropped(Dropped::Empty)),
        ("UnknownFields", report.unknown_fields),
        ("KeysSpilled", report.spilled),
        ("WindowsClosed", report.closed.len() as u64),
        ("WindowsClosedEarly", u64::from(report.early)),
        ("RowsWritten", of_closed(|closed| closed.rows)),
        ("SumsOutOfRange", of_closed(|closed| closed.sums_out_of_range)),
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

/// A batch that goes back, or fails.
pub fn failure(function: &str, dataset: &str, code: Code) -> Metrics {
    let dimensions = [("Function", function), ("Dataset", dataset)];
    let mut metrics = Metrics::new(dimensions.map(|(name, value)| (name, value.to_owned())));
    metrics.count("Failures", 1);
    metrics.property("code", code.as_str());
    metrics
}
