//! Reports and failures → metrics.
//!
//! Dimensions are bounded: the function, a reason. Never a serial number, never a certificate.

use headgate::{
    Code,
    metrics::{Metrics, Unit},
};

use crate::{Report, register::Became};

fn metrics(function: &str) -> Metrics {
    Metrics::new([("Function", function.to_owned())])
}

/// The figures of one invocation. `Failures` is there with 0 as well, so that an alarm knows good times.
pub(crate) fn of_report(function: &str, report: &Report) -> Metrics {
    let mut metrics = metrics(function);
    let became = |what: &[Became]| u64::from(report.became.is_some_and(|became| what.contains(&became)));
    for (name, things) in [
        ("Failures", u64::from(report.denial.is_some_and(crate::hook::Denial::is_ours))),
        ("Allowed", u64::from(report.allowed == Some(true))),
        ("Denied", u64::from(report.allowed == Some(false))),
        ("Activated", became(&[Became::Activated])),
        ("UnknownCa", became(&[Became::UnknownCa])),
        ("LeftAsItIs", became(&[Became::ActiveBefore, Became::Barred, Became::NotPending, Became::Gone])),
    ] {
        metrics.count(name, things);
    }
    metrics.add("Duration", Unit::Milliseconds, report.milliseconds as f64);
    metrics
}

/// A denial by its reason.
pub(crate) fn of_denial(function: &str, report: &Report) -> Option<Metrics> {
    let reason = report.denial?.as_str().to_owned();
    let mut metrics = Metrics::new([("Function", function.to_owned()), ("Reason", reason)]);
    metrics.count("Denied", 1);
    Some(metrics)
}

/// An event that must come again.
pub(crate) fn failure(function: &str, code: Code) -> Metrics {
    let mut metrics = metrics(function);
    metrics.count("Failures", 1);
    metrics.property("code", code.as_str());
    metrics
}
