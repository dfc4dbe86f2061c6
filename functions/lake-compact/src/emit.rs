//! Reports and failures → metrics, one line each.
//!
//! Dimensions are bounded: the function, the dataset, a failure's code. Never a key.

use headgate::{
    Code,
    metrics::{Metrics, Unit},
};
use headgate_columnar::compact::Report;
use serde_json::Value;

/// The figures of one compaction. `Failures` is there with 0 as well, so that an alarm knows good times.
#[must_use]
pub fn of_report(function: &str, report: &Report) -> Metrics {
    let mut metrics = Metrics::new([("Function", function.to_owned()), ("Dataset", report.dataset.clone())]);
    for (name, things) in [
        ("Failures", u64::from(report.error.is_some())),
        ("Partitions", report.partitions),
        ("PartitionsCompacted", report.compacted),
        ("PartitionsFailed", report.failed.len() as u64),
        ("FilesReplaced", report.files_in),
        ("FilesWritten", report.files_out),
        ("FilesWaiting", report.waiting),
        ("FilesForeign", report.foreign),
        ("FilesLeft", report.left.len() as u64),
        ("SwapsFinished", report.finished),
        ("Rows", report.rows),
    ] {
        metrics.count(name, things);
    }
    for (name, bytes) in
        [("BytesReplaced", report.bytes_in), ("BytesRead", report.bytes_read), ("BytesWritten", report.bytes_out)]
    {
        metrics.add(name, Unit::Bytes, bytes as f64);
    }
    metrics.add("DoubledTime", Unit::Seconds, report.doubled_seconds);
    metrics.add("CompactTime", Unit::Seconds, report.seconds);
    metrics.property("outcome", serde_json::to_value(report.outcome).unwrap_or(Value::Null));
    metrics
}

/// One failure by its code.
#[must_use]
pub fn failure(function: &str, dataset: &str, code: Code) -> Metrics {
    let dimensions = [("Function", function), ("Dataset", dataset), ("Code", code.as_str())];
    let mut metrics = Metrics::new(dimensions.map(|(name, value)| (name, value.to_owned())));
    metrics.count("FailuresByCode", 1);
    metrics
}
