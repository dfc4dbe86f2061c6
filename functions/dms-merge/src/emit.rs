//! Reports and refusals → metrics, one line each.
//!
//! Dimensions are bounded: the function, the dataset, a failure's code, a reason to ignore. Never a key.

use headgate::{
    Code,
    metrics::{Metrics, Unit},
};
use headgate_columnar::merge::MergeReport;
use serde_json::Value;

use crate::route::Ignored;

/// The figures of one merge. `Failures` is there with 0 as well, so that an alarm knows good times.
#[must_use]
pub fn of_report(function: &str, report: &MergeReport) -> Metrics {
    let mut metrics = Metrics::new([("Function", function.to_owned()), ("Dataset", report.dataset.clone())]);
    for (name, things) in counts(report) {
        metrics.count(name, things);
    }
    for (name, bytes) in
        [("BytesRead", report.bytes_read), ("BytesCopied", report.bytes_copied), ("BytesWritten", report.bytes_written)]
    {
        metrics.add(name, Unit::Bytes, bytes as f64);
    }
    metrics.add("MergeTime", Unit::Seconds, report.seconds);
    if let Some(lag) = report.lag_seconds {
        metrics.add("Lag", Unit::Seconds, lag);
    }
    metrics.property("outcome", serde_json::to_value(report.outcome).unwrap_or(Value::Null));
    metrics
}

fn counts(report: &MergeReport) -> [(&'static str, u64); 23] {
    [
        ("Failures", u64::from(report.error.is_some())),
        ("Files", report.files),
        ("FilesLate", report.late),
        ("FilesOutdated", report.outdated),
        ("FilesPending", report.pending),
        ("FilesQuarantined", report.quarantined.len() as u64),
        ("FilesRefused", report.refused.len() as u64),
        ("FilesRepeated", report.duplicates),
        ("FilesUnrecognized", report.unrecognized.len() as u64),
        ("FilesVanished", report.vanished),
        ("RowsIn", report.rows_in),
        ("RowsSuperseded", report.superseded),
        ("Inserts", report.inserts),
        ("Updates", report.updates),
        ("Deletes", report.deletes),
        ("NoopDeletes", report.noop_deletes),
        ("GhostCandidates", report.ghost_candidates),
        ("Rows", report.rows),
        ("RowGroups", report.row_groups),
        ("RowGroupsCarried", report.row_groups_carried),
        ("RowGroupsRewritten", report.row_groups_rewritten),
        ("Publishes", report.publishes),
        ("Replans", report.replans),
    ]
}

/// One failure by its code; `dataset` is empty where it concerns none, such as a message that cannot be read.
#[must_use]
pub fn failure(function: &str, dataset: &str, code: Code) -> Metrics {
    let dimensions = [("Function", function), ("Dataset", dataset), ("Code", code.as_str())];
    let mut metrics = Metrics::new(dimensions.map(|(name, value)| (name, value.to_owned())));
    metrics.count("FailuresByCode", 1);
    metrics
}

/// Pokes that asked for nothing, by reason.
#[must_use]
pub fn ignored(function: &str, reason: Ignored, pokes: u64) -> Metrics {
    let mut metrics = Metrics::new([("Function", function.to_owned()), ("Reason", reason.as_str().to_owned())]);
    metrics.count("Ignored", pokes);
    metrics
}

#[cfg(test)]
mod tests {
    use headgate::{Error, clock::Timestamp};
    use headgate_columnar::merge::Outcome;
    use serde_json::json;

    use super::*;

    /// A line as `CloudWatch` gets it, without its directive and what is 0.
    fn line(metrics: &Metrics) -> Value {
        let mut out = Vec::new();
        metrics.emit(Timestamp(0), &mut out).unwrap();
        let mut line: Value = serde_json::from_slice(&out).unwrap();
        line.as_object_mut().unwrap().retain(|name, value| name != "_aws" && value.as_f64() != Some(0.0));
        line
    }

    #[test]
    fn a_report_is_one_line() {
        let report = MergeReport {
            dataset: "orders".to_owned(),
            outcome: Outcome::Stopped,
            error: Some(Error::poison(Code::NullKey, "a key column holds NULL")),
            files: 3,
            refused: vec!["cdc/a".to_owned()],
            unrecognized: vec!["cdc/b".to_owned(), "cdc/c".to_owned()],
            bytes_copied: 7,
            lag_seconds: Some(1.5),
            ..MergeReport::default()
        };
        let expected = json!({"Function": "f", "Dataset": "orders", "outcome": "stopped", "Failures": 1, "Files": 3,
            "FilesRefused": 1, "FilesUnrecognized": 2, "BytesCopied": 7, "Lag": 1.5});
        assert_eq!(line(&of_report("f", &report)), expected);
    }

    #[test]
    fn failures_and_ignored_pokes_are_counted_by_reason() {
        let expected = json!({"Function": "f", "Code": "invalid_event", "FailuresByCode": 1});
        assert_eq!(line(&failure("f", "", Code::InvalidEvent)), expected);
        let expected = json!({"Function": "f", "Reason": "other_bucket", "Ignored": 2});
        assert_eq!(line(&ignored("f", Ignored::OtherBucket, 2)), expected);
    }
}
