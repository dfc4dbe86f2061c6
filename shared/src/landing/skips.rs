//! Where batches begin → which places below the checkpoint never came.
//!
//! For shards whose places are numbers without holes, or whose holes hold nothing, as those of a topic-partition.

use serde::{Deserialize, Serialize};

use super::Mark;

/// The most stretches that are kept: a topic with transactions has one more with each of its batches.
const MOST: usize = 100;

/// Places that were skipped: no batch brought them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Skips {
    /// The last place of which nothing is known any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    forgotten: Option<u64>,
    /// The first and last place of each stretch, in order.
    stretches: Vec<(u64, u64)>,
}

impl Skips {
    /// Those of a shard whose batches are followed from now on.
    pub(super) fn after(checkpoint: Option<&Mark>) -> Self {
        Self { forgotten: checkpoint.and_then(place), stretches: Vec::new() }
    }

    /// Notes that a batch begins at `first`, with this checkpoint before it.
    pub(super) fn begin(&mut self, checkpoint: Option<&Mark>, first: u64) {
        let next = checkpoint.map_or(Some(0), |checkpoint| place(checkpoint)?.checked_add(1));
        if let Some(next) = next.filter(|next| *next < first) {
            self.stretches.push((next, first - 1));
        }
        if self.stretches.len() > MOST {
            self.forgotten = Some(self.stretches.remove(0).1);
        }
    }

    /// Whether a batch skipped this place; `None` where that is forgotten.
    pub(super) fn has(&self, mark: &Mark) -> Option<bool> {
        let place = place(mark)?;
        let known = self.forgotten.is_none_or(|forgotten| forgotten < place);
        known.then(|| self.stretches.iter().any(|(first, last)| (*first..=*last).contains(&place)))
    }
}

fn place(mark: &Mark) -> Option<u64> {
    mark.as_str().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Batches of one record each, at these places.
    fn check(checkpoint: Option<u64>, batches: &[u64], place: u64, expected: Option<bool>) {
        let mut checkpoint = checkpoint.map(Mark::from);
        let mut skips = Skips::after(checkpoint.as_ref());
        for first in batches {
            skips.begin(checkpoint.as_ref(), *first);
            checkpoint = Some(Mark::from(*first));
        }
        assert_eq!(skips.has(&Mark::from(place)), expected, "{batches:?}: {place}");
        let text = serde_json::to_string(&skips).unwrap();
        assert_eq!(serde_json::from_str::<Skips>(&text).unwrap(), skips);
    }

    #[test]
    fn what_no_batch_brought_is_known() {
        for (place, skipped) in [(0, true), (4, true), (5, false), (6, false), (7, true), (8, true), (9, false)] {
            check(None, &[5, 6, 9], place, Some(skipped));
        }
        check(None, &[0, 1], 0, Some(false));
    }

    #[test]
    fn what_was_before_all_that_is_kept_is_unknown() {
        check(Some(4), &[8], 4, None);
        check(Some(4), &[8], 5, Some(true));
        let every_second: Vec<u64> = (0..=150).map(|batch| batch * 2).collect();
        check(None, &every_second, 99, None);
        check(None, &every_second, 100, Some(false));
        check(None, &every_second, 101, Some(true));
    }
}
