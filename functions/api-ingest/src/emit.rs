//! How a request ended → metrics, one line, and a second one where it was refused.
//!
//! Dimensions are bounded: the function, a dataset that is served, a reason. Never a key, and never a path.

use headgate::metrics::{Metrics, Unit};
use serde::Serialize;

/// What a request came to: logged once, emitted once.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Report {
    /// The dataset; empty where the path names none.
    pub dataset: String,
    /// The HTTP status of the answer.
    pub status: u16,
    /// Why it is not 202.
    pub refused: Option<&'static str>,
    /// Records that were read.
    pub records: usize,
    /// Records that the stream took in this request.
    pub accepted: usize,
    /// Their bytes.
    pub bytes: u64,
    /// Records that were to be sent in this request and that the stream did not say it has.
    pub failed: usize,
    /// Records whose partition key is not a field of theirs, though one is configured.
    pub without_key: u64,
    /// Whether the answer is that of an earlier request with the same idempotency key.
    pub repeated: bool,
    /// Put requests.
    pub puts: u64,
    /// Records that were throttled, each as often as it was.
    pub throttles: u64,
    /// Where most of them were, in words.
    pub hot: Option<String>,
}

/// The figures of one request. `Failures`, an answer of 5xx, is there with 0 as well, so that an alarm knows good times.
#[must_use]
pub fn of_report(function: &str, report: &Report) -> Metrics {
    let mut metrics = Metrics::new([("Function", function.to_owned()), ("Dataset", report.dataset.clone())]);
    let counts = [
        ("Requests", 1),
        ("Failures", u64::from(report.status >= 500)),
        ("RecordsAccepted", report.accepted as u64),
        ("RecordsNotAccepted", report.failed as u64),
        ("RecordsWithoutKey", report.without_key),
        ("Repeated", u64::from(report.repeated)),
        ("Puts", report.puts),
        ("Throttles", report.throttles),
        ("HotShards", u64::from(report.hot.is_some())),
    ];
    for (name, things) in counts {
        metrics.count(name, things);
    }
    metrics.add("BytesAccepted", Unit::Bytes, report.bytes as f64);
    if let Some(hot) = &report.hot {
        metrics.property("hot", hot.clone());
    }
    metrics
}

/// One refused request by its reason.
#[must_use]
pub fn refused(function: &str, dataset: &str, reason: &str) -> Metrics {
    let dimensions = [("Function", function), ("Dataset", dataset), ("Reason", reason)];
    let mut metrics = Metrics::new(dimensions.map(|(name, value)| (name, value.to_owned())));
    metrics.count("RequestsRefused", 1);
    metrics
}
