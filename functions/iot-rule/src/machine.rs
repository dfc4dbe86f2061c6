//! A device's readings in their order → when a condition begins, changes and ends.
//!
//! Pure, and small enough to be kept: what is known between two readings is one value.

use headgate::dataset::stream::watch::{Alert, Level, Measure, Side, Trend};
use serde::{Deserialize, Serialize};

/// Where a reading is among its device's: by its own time in milliseconds since 1970, then by what tells it from others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Place(pub(crate) i64, pub(crate) u64);

/// A reading that changed something.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Point {
    pub(crate) place: Place,
    pub(crate) value: f64,
    /// What was compared with the levels.
    pub(crate) score: f64,
    /// The level it brought.
    pub(crate) level: usize,
}

/// What is known of an alert of a device between two readings.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct Machine {
    #[serde(default, skip_serializing_if = "Phase::is_calm")]
    phase: Phase,
    /// Until then nothing begins anew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    quiet_until: Option<i64>,
    #[serde(default, skip_serializing_if = "Average::is_new")]
    average: Average,
}

#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Phase {
    #[default]
    Calm,
    /// It holds since then, and is not yet told.
    Pending { since: Place, level: usize },
    /// It is told.
    Open(Span),
}

/// A time in which a condition holds that is to be told.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Span {
    /// The first reading of it.
    pub(crate) since: Place,
    /// The one that made it one to be told.
    pub(crate) opened: Point,
    /// The last one that changed its level.
    pub(crate) latest: Point,
    /// The first one of its worst level.
    pub(crate) worst: Point,
    /// The one that ended it.
    pub(crate) resolved: Option<Point>,
}

/// A moving average and how far values are off it. Kept as a list, for it is read and written with each message.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(from = "(u32, f64, f64)", into = "(u32, f64, f64)")]
struct Average {
    seen: u32,
    mean: f64,
    variance: f64,
}

impl From<(u32, f64, f64)> for Average {
    fn from((seen, mean, variance): (u32, f64, f64)) -> Self {
        Self { seen, mean, variance }
    }
}

impl From<Average> for (u32, f64, f64) {
    fn from(average: Average) -> Self {
        (average.seen, average.mean, average.variance)
    }
}

impl Phase {
    fn is_calm(&self) -> bool {
        *self == Self::Calm
    }
}

impl Machine {
    /// The span that is open, if one is.
    pub(crate) fn open(&self) -> Option<Span> {
        match self.phase {
            Phase::Open(span) => Some(span),
            Phase::Calm | Phase::Pending { .. } => None,
        }
    }

    /// Takes the next reading; gives the span that it ended.
    pub(crate) fn step(&mut self, alert: &Alert, place: Place, value: f64) -> Option<Span> {
        let score = match alert.measure {
            Measure::Value => value,
            Measure::Deviation(trend) => {
                let limit = alert.levels.last().map_or(0.0, |level| level.bound);
                self.average.take(&trend, limit, value)?
            }
        };
        let level = reached(alert, score, self.level());
        let point = |level| Point { place, value, score, level };
        match (self.phase, level) {
            (Phase::Calm, None) => {}
            (Phase::Calm, Some(level)) => self.phase = Phase::Pending { since: place, level },
            (Phase::Pending { .. }, None) => self.phase = Phase::Calm,
            (Phase::Pending { since, .. }, Some(level)) => self.phase = Phase::Pending { since, level },
            (Phase::Open(span), None) => {
                self.phase = Phase::Calm;
                self.quiet_until = Some(place.0.saturating_add(milliseconds(alert.cooldown)));
                return Some(Span { resolved: Some(point(0)), ..span });
            }
            (Phase::Open(mut span), Some(level)) => {
                if level != span.latest.level {
                    span.latest = point(level);
                }
                if level > span.worst.level {
                    span.worst = point(level);
                }
                self.phase = Phase::Open(span);
            }
        }
        if let Phase::Pending { since, level } = self.phase
            && place.0.saturating_sub(since.0) >= milliseconds(alert.lasting)
            && self.quiet_until.is_none_or(|end| place.0 >= end)
        {
            let point = point(level);
            self.phase = Phase::Open(Span { since, opened: point, latest: point, worst: point, resolved: None });
        }
        None
    }

    fn level(&self) -> Option<usize> {
        match self.phase {
            Phase::Calm => None,
            Phase::Pending { level, .. } => Some(level),
            Phase::Open(span) => Some(span.latest.level),
        }
    }
}

fn milliseconds(time: std::time::Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

/// The worst level that begins with this score, or that was reached before and is not cleared by it.
fn reached(alert: &Alert, score: f64, before: Option<usize>) -> Option<usize> {
    let holds = |(index, level): (usize, &Level)| {
        let (begins, stays) = match alert.side {
            Side::Above => (score > level.bound, score > level.clear),
            Side::Below => (score < level.bound, score < level.clear),
        };
        begins || (stays && before.is_some_and(|before| index <= before))
    };
    (0..alert.levels.len()).rev().find(|index| holds((*index, &alert.levels[*index])))
}

impl Average {
    fn is_new(&self) -> bool {
        self.seen == 0
    }

    /// How many standard deviations the value is off the average of those before it, once enough were seen; then learns
    /// from it. One that is off by more than `limit` deviations teaches no more than one at the limit, so that an
    /// outlier does not hide the next; what stays off becomes the rule with time.
    fn take(&mut self, trend: &Trend, limit: f64, value: f64) -> Option<f64> {
        /// Keeps squares and quotients finite.
        const MOST: f64 = 1e150;
        let off = (value - self.mean).clamp(-MOST, MOST);
        let spread = self.variance.sqrt().max(trend.noise);
        let warm = self.seen >= trend.warm_up;
        let score = if off == 0.0 { 0.0 } else { (off.abs() / spread).min(MOST) };
        let learned = if warm && spread > 0.0 { off.clamp(-limit * spread, limit * spread) } else { off };
        // The first ones weigh the same, so that the very first is none to cling to.
        let weight = trend.alpha.max(1.0 / (f64::from(self.seen) + 1.0));
        self.mean += weight * learned;
        self.variance = (1.0 - weight) * (self.variance + weight * learned * learned);
        self.seen = self.seen.saturating_add(1);
        warm.then_some(score)
    }
}

#[cfg(test)]
mod tests;
