//! Figures of one invocation → one line of `CloudWatch`'s embedded metric format.
//!
//! The line is written as it is, never through a logger: `CloudWatch` reads `_aws` only at the top level
//! (`CloudWatch` User Guide, "Specification: embedded metric format").

use std::{
    collections::BTreeMap,
    io::{self, Write},
};

use serde_json::{Map, Value, json};

use crate::clock::Timestamp;

mod emitter;

pub use emitter::Emitter;

/// The namespace of all our metrics.
pub const NAMESPACE: &str = "Headgate";

/// The most metrics in one line.
const METRICS: usize = 100;

/// The most characters of a dimension's value.
const DIMENSION: usize = 1024;

/// What a figure counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Unit {
    /// Things.
    Count,
    /// Bytes.
    Bytes,
    /// Seconds.
    Seconds,
    /// Milliseconds.
    Milliseconds,
}

impl Unit {
    fn as_str(self) -> &'static str {
        match self {
            Self::Count => "Count",
            Self::Bytes => "Bytes",
            Self::Seconds => "Seconds",
            Self::Milliseconds => "Milliseconds",
        }
    }
}

/// The figures of one invocation for one set of dimensions, such as function and dataset.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Metrics {
    dimensions: BTreeMap<&'static str, String>,
    figures: BTreeMap<&'static str, (Unit, f64)>,
    properties: BTreeMap<&'static str, Value>,
}

impl Metrics {
    /// No figures yet. A dimension whose value is empty is left out, for `CloudWatch` refuses it.
    pub fn new(dimensions: impl IntoIterator<Item = (&'static str, String)>) -> Self {
        let dimensions = dimensions.into_iter().filter(|(_, value)| !value.is_empty());
        let dimensions = dimensions.map(|(name, value)| (name, value.chars().take(DIMENSION).collect())).collect();
        Self { dimensions, ..Self::default() }
    }

    /// Adds to the figure `name`, which begins at 0. What is not a finite number is left out.
    pub fn add(&mut self, name: &'static str, unit: Unit, value: f64) {
        if value.is_finite() {
            self.figures.entry(name).or_insert((unit, 0.0)).1 += value;
        }
    }

    /// Adds to the number of things `name`.
    pub fn count(&mut self, name: &'static str, things: u64) {
        self.add(name, Unit::Count, things as f64);
    }

    /// Adds a fact that is not a metric but helps to read the line, such as a request's id.
    pub fn property(&mut self, name: &'static str, value: impl Into<Value>) {
        self.properties.insert(name, value.into());
    }

    /// Writes the figures as of `now`: one line, or more if they are more than 100; none if there are none.
    ///
    /// # Errors
    /// As the writer's.
    pub fn emit(&self, now: Timestamp, out: &mut impl Write) -> io::Result<()> {
        let figures: Vec<_> = self.figures.iter().collect();
        for figures in figures.chunks(METRICS) {
            let mut line = self.line(now, figures).to_string();
            line.push('\n');
            // One call a line, so that lines of several threads do not mix.
            out.write_all(line.as_bytes())?;
        }
        out.flush()
    }

    fn line(&self, now: Timestamp, figures: &[(&&'static str, &(Unit, f64))]) -> Value {
        let metrics: Vec<_> =
            figures.iter().map(|(name, (unit, _))| json!({"Name": name, "Unit": unit.as_str()})).collect();
        let names: Vec<_> = self.dimensions.keys().collect();
        let mut line = Map::new();
        line.extend(self.properties.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
        line.extend(self.dimensions.iter().map(|(name, value)| ((*name).to_owned(), json!(value))));
        line.extend(figures.iter().map(|(name, (_, value))| ((**name).to_owned(), number(*value))));
        let directive = json!({"Namespace": NAMESPACE, "Dimensions": [names], "Metrics": metrics});
        line.insert("_aws".to_owned(), json!({"Timestamp": now.0, "CloudWatchMetrics": [directive]}));
        Value::Object(line)
    }
}

/// Whole numbers as such: `3`, not `3.0`.
fn number(value: f64) -> Value {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if value.fract() == 0.0 && value.abs() < EXACT { json!(value as i64) } else { json!(value) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(metrics: &Metrics) -> Vec<Value> {
        let mut out = Vec::new();
        metrics.emit(Timestamp(1_700_000_000_000), &mut out).unwrap();
        String::from_utf8(out).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    #[test]
    fn a_line_is_as_the_specification_says() {
        let mut metrics = Metrics::new([("Function", "dms-merge".to_owned()), ("Dataset", String::new())]);
        metrics.count("Rows", 120);
        metrics.count("Rows", 3);
        metrics.add("Duration", Unit::Seconds, 1.5);
        metrics.add("Lag", Unit::Seconds, f64::NAN);
        metrics.property("request_id", "r-1");
        let expected = json!({
            "_aws": {"Timestamp": 1_700_000_000_000_i64, "CloudWatchMetrics": [{
                "Namespace": "Headgate", "Dimensions": [["Function"]],
                "Metrics": [{"Name": "Duration", "Unit": "Seconds"}, {"Name": "Rows", "Unit": "Count"}],
            }]},
            "Function": "dms-merge", "Rows": 123, "Duration": 1.5, "request_id": "r-1",
        });
        assert_eq!(lines(&metrics), [expected]);
    }

    #[test]
    fn limits_are_kept() {
        let mut metrics = Metrics::new([("Dataset", "é".repeat(2000))]);
        for number in 0..250 {
            metrics.count(Box::leak(format!("metric {number}").into_boxed_str()), number);
        }
        let lines = lines(&metrics);
        let sizes: Vec<_> = lines
            .iter()
            .map(|line| line["_aws"]["CloudWatchMetrics"][0]["Metrics"].as_array().unwrap().len())
            .collect();
        assert_eq!(sizes, [100, 100, 50]);
        assert!(lines.iter().all(|line| line["Dataset"].as_str().unwrap().chars().count() == DIMENSION));
    }

    #[test]
    fn no_figures_no_line() {
        assert_eq!(lines(&Metrics::new([("Function", "f".to_owned())])), [Value::Null; 0]);
    }
}
