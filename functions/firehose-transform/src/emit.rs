//! Reports and failures → metrics.
//!
//! Dimensions are bounded: the function, the dataset, a reason. Never a partition, never a record.

use headgate::{
    Code,
    clock::Timestamp,
    fate::{Dropped, Fate},
    metrics::{Metrics, Unit},
};

use crate::Report;

/// The figures of one invocation. `Failures` is there with 0 as well, so that an alarm knows good times.
pub(crate) fn of_report(function: &str, report: &Report, now: Timestamp) -> Metrics {
    let mut metrics = Metrics::new([("Function", function.to_owned()), ("Dataset", report.dataset.clone())]);
    let counts = [
        ("Failures", 0),
        ("Records", report.records),
        ("RecordsOk", report.ok),
        ("RecordsDropped", report.dropped),
        ("RecordsFailed", report.failed),
        ("RecordsReingested", report.reingested),
        ("RecordsUnanswered", report.unanswered),
        ("Documents", report.documents),
        ("DocumentsFiltered", report.filtered),
        ("UnknownFields", report.unknown_fields),
        ("Partitions", report.partitions),
        ("Puts", report.puts),
        ("Throttles", report.throttles),
    ];
    for (name, things) in counts {
        metrics.count(name, things);
    }
    metrics.add("BytesIn", Unit::Bytes, report.bytes_in as f64);
    metrics.add("BytesOut", Unit::Bytes, report.bytes_out as f64);
    metrics.add("BytesAnswered", Unit::Bytes, report.bytes_answered as f64);
    if let Some(newest) = report.newest {
        metrics.add("Freshness", Unit::Seconds, (now.0 - newest) as f64 / 1000.0);
    }
    metrics
}

/// The records that are not delivered by reason, a line each.
pub(crate) fn of_reasons<'a>(function: &'a str, report: &'a Report) -> impl Iterator<Item = Metrics> + 'a {
    report.fates.iter().filter_map(move |(fate, count)| {
        let (name, reason) = match fate {
            Fate::Quarantined { reason } => ("RecordsFailed", reason.as_str()),
            Fate::Dropped { reason } => ("RecordsDropped", dropped(reason)),
            Fate::Stored | Fate::Retry { .. } => return None,
        };
        let dimensions = [("Function", function), ("Dataset", &report.dataset), ("Reason", reason)];
        let mut metrics = Metrics::new(dimensions.map(|(name, value)| (name, value.to_owned())));
        metrics.count(name, count);
        Some(metrics)
    })
}

fn dropped(reason: Dropped) -> &'static str {
    match reason {
        Dropped::Filtered => "filtered",
        Dropped::Control => "control",
        Dropped::Repeated => "repeated",
        Dropped::Empty => "empty",
        Dropped::Tombstone => "tombstone",
        Dropped::Superseded => "superseded",
    }
}

/// A batch that nothing could be answered to.
pub(crate) fn failure(function: &str, dataset: &str, code: Code) -> Metrics {
    let dimensions = [("Function", function), ("Dataset", dataset)];
    let mut metrics = Metrics::new(dimensions.map(|(name, value)| (name, value.to_owned())));
    metrics.count("Failures", 1);
    metrics.property("code", code.as_str());
    metrics
}
