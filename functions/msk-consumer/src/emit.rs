//! Reports → metrics.
//!
//! Dimensions are bounded: the function, the dataset, a reason. Never a topic's partition, never an offset.

use headgate::{
    fate::{Dropped, Fate, Fates},
    metrics::{Metrics, Unit},
};

use crate::{Report, Share};

/// The figures of one invocation. `Failures` is there with 0 as well, so that an alarm knows good times.
pub fn of_report(function: &str, report: &Report) -> Metrics {
    let mut metrics = Metrics::new([("Function", function.to_owned()), ("Dataset", report.dataset.clone())]);
    metrics.count("Failures", 0);
    for share in &report.partitions {
        for (name, things) in counts(share) {
            metrics.count(name, things);
        }
        metrics.add("BytesIn", Unit::Bytes, share.bytes_in as f64);
        metrics.add("BytesWritten", Unit::Bytes, share.landed.bytes as f64);
    }
    // The partition that is furthest behind is the one to know of.
    if let Some(age) = report.partitions.iter().filter_map(|share| share.age_milliseconds).max() {
        metrics.add("RecordAge", Unit::Milliseconds, age as f64);
    }
    if let Some(freshness) = report.partitions.iter().filter_map(|share| share.freshness_seconds).reduce(f64::max) {
        metrics.add("Freshness", Unit::Seconds, freshness);
    }
    metrics
}

fn counts(share: &Share) -> [(&'static str, u64); 14] {
    let dropped = |reason| share.fates.of(Fate::Dropped { reason });
    [
        ("Failures", u64::from(share.failure.is_some())),
        ("Partitions", 1),
        ("Records", share.records),
        ("RowsStored", share.stored),
        ("RowsQuarantined", share.fates.quarantined()),
        ("RowsRepeated", dropped(Dropped::Repeated)),
        ("RowsTombstone", dropped(Dropped::Tombstone)),
        ("RowsFiltered", dropped(Dropped::Filtered)),
        ("RowsControl", dropped(Dropped::Control)),
        ("RowsEmpty", dropped(Dropped::Empty)),
        ("UnknownFields", share.unknown_fields),
        ("Objects", share.landed.placed + share.landed.replaced),
        ("OffsetsSkipped", share.offsets_skipped),
        ("BatchesCutShort", u64::from(share.again_from.is_some() && share.failure.is_none())),
    ]
}

/// The refused documents by reason, a line each.
pub fn of_reasons<'a>(function: &'a str, report: &'a Report) -> impl Iterator<Item = Metrics> + 'a {
    let mut fates = Fates::default();
    for (fate, count) in report.partitions.iter().flat_map(|share| share.fates.iter()) {
        fates.add(fate, count);
    }
    let reasons: Vec<_> = fates.iter().collect();
    reasons.into_iter().filter_map(move |(fate, count)| {
        let Fate::Quarantined { reason } = fate else { return None };
        let dimensions = [("Function", function), ("Dataset", &report.dataset), ("Reason", reason.as_str())];
        let mut metrics = Metrics::new(dimensions.map(|(name, value)| (name, value.to_owned())));
        metrics.count("RowsQuarantined", count);
        Some(metrics)
    })
}
