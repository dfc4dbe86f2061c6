//! A rate and the time → how long to wait for the next record.

use std::time::{Duration, Instant};

/// Records by the clock, from the moment it began.
#[derive(Debug)]
pub(super) struct Pace {
    rate: f64,
    began: Instant,
    number: u64,
}

impl Pace {
    /// `rate` records a second, the first of them now.
    pub(super) fn begin(rate: f64, now: Instant) -> Self {
        Self { rate, began: now, number: 0 }
    }

    /// How long the next record waits. One that is late does not wait, and those after it catch up.
    pub(super) fn next(&mut self, now: Instant) -> Duration {
        let due = self.began + Duration::from_secs_f64(self.number as f64 / self.rate);
        self.number += 1;
        due.saturating_duration_since(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_even_and_catch_up() {
        let began = Instant::now();
        let mut pace = Pace::begin(10.0, began);
        let after = |millis| began + Duration::from_millis(millis);
        let waits = [0, 0, 150, 350, 350].map(|millis| pace.next(after(millis)).as_millis());
        assert_eq!(waits, [0, 100, 50, 0, 50]);
    }
}
