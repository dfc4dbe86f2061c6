//! A seed → numbers that look random and are the same everywhere (`SplitMix64`).
//!
//! For samples only: their bias is below what these can show, and nothing here is secret.

/// The state of a generator.
#[derive(Debug)]
pub struct Random(u64);

impl Random {
    /// A generator that always gives the same numbers for the same seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `bound`, which is not 0. The bias is below what a demo can show.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    /// As [`Self::below`], for signed numbers; 0 where the bound is not positive.
    pub fn up_to(&mut self, bound: i64) -> i64 {
        i64::try_from(self.below(u64::try_from(bound).unwrap_or_default().max(1))).unwrap_or_default()
    }

    /// One of `choices`, of which there is at least one.
    pub fn pick(&mut self, choices: &[&'static str]) -> &'static str {
        let at = self.below(choices.len().max(1) as u64);
        choices.get(usize::try_from(at).unwrap_or_default()).copied().unwrap_or_default()
    }

    /// Puts `items` in a random order.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for at in (1..items.len()).rev() {
            let other = self.below(at as u64 + 1);
            items.swap(at, usize::try_from(other).unwrap_or_default());
        }
    }
}
