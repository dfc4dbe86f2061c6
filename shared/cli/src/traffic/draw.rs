//! Random numbers → what records are made of.

use std::fmt::Write;

use headgate_columnar::sample::Random;

/// A generator that always draws the same for the same seed.
#[derive(Debug)]
pub(super) struct Draw(Random);

const LETTERS: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
/// As many as an `f64` tells apart below 1.
const STEPS: u64 = 1 << 53;

impl Draw {
    pub(super) fn new(seed: u64) -> Self {
        Self(Random::new(seed))
    }

    /// A number below `bound`; 0 where there is none.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.0.below(bound.max(1))
    }

    /// A number from 0 to below 1.
    pub(super) fn unit(&mut self) -> f64 {
        self.0.below(STEPS) as f64 / STEPS as f64
    }

    /// A number from `low` to below `high`.
    pub(super) fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    pub(super) fn chance(&mut self, share: f64) -> bool {
        self.unit() < share
    }

    /// One of `choices`, of which there is at least one.
    pub(super) fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len() as u64) as usize]
    }

    /// One of `population` members, from 0, by Zipf's law with the exponent `skew`; which are frequent is scattered.
    ///
    /// A continuous power law, cut in the middle between ranks: it needs no table, is near Zipf's, and exact for 0.
    #[expect(clippy::cast_sign_loss, reason = "it is above 0")]
    pub(super) fn member(&mut self, population: u64, skew: f64) -> u64 {
        // A prime that divides no population here: a step by which every member is met once.
        const SCATTER: u64 = 2_654_435_761;
        const LOW: f64 = 0.5;
        let (high, at, power) = (population as f64 + LOW, self.unit(), 1.0 - skew);
        let rank = if power.abs() < 1e-6 {
            LOW * (high / LOW).powf(at)
        } else {
            let low = LOW.powf(power);
            (low + (high.powf(power) - low) * at).powf(1.0 / power)
        };
        (rank.round() as u64).clamp(1, population) * SCATTER % population
    }

    pub(super) fn letters(&mut self, count: u64) -> String {
        (0..count).map(|_| char::from(self.one_of(LETTERS))).collect()
    }

    pub(super) fn uuid(&mut self) -> String {
        let (high, low) = (self.below(u64::MAX), self.below(u64::MAX));
        let mut text = String::with_capacity(36);
        // Version 4, variant 1 (RFC 9562, 5.4). A string takes all that is written.
        let _ = write!(
            text,
            "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
            high >> 32,
            high >> 16 & 0xffff,
            high & 0xfff,
            0x8000 | low >> 48 & 0x3fff,
            low & 0xffff_ffff_ffff
        );
        text
    }
}
