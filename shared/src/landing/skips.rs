//! Where batches begin → which places below the checkpoint never came.
//!
//! For shards whose places are numbers without holes, or whose holes hold nothing, as those of a topic-partition.

use serde::{Deserialize, Serialize};

use super::Mark;

/// The most stretches that are kept: a topic with transactions has one more with each of its batches.
const MOST: usize = 50;

/// Whether a batch brought the record at a place that the checkpoint has passed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Coming {
    /// One did.
    Came,
    /// None did.
    Skipped {
        /// What was noted with the batch that came next.
        note: Option<String>,
    },
    /// Nobody knows any more, or never did.
    Unknown,
}

/// Places that were skipped: no batch brought them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Skips {
    /// The last place of which nothing is known any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    forgotten: Option<u64>,
    /// In order.
    stretches: Vec<Stretch>,
}

/// The first and last place, and what was noted with the batch that came next.
type Stretch = (u64, u64, Option<String>);

impl Skips {
    /// Those of a shard whose batches are followed from now on.
    pub(super) fn after(checkpoint: Option<&Mark>) -> Self {
        Self { forgotten: checkpoint.and_then(place), stretches: Vec::new() }
    }

    /// Notes that a batch begins at `first`, with this checkpoint before it.
    pub(super) fn begin(&mut self, checkpoint: Option<&Mark>, first: u64, note: Option<&str>) {
        let next = checkpoint.map_or(Some(0), |checkpoint| place(checkpoint)?.checked_add(1));
        if let Some(next) = next.filter(|next| *next < first) {
            self.stretches.push((next, first - 1, note.map(str::to_owned)));
        }
        if self.stretches.len() > MOST {
            self.forgotten = Some(self.stretches.remove(0).1);
        }
    }

    /// What became of this place.
    pub(super) fn at(&self, mark: &Mark) -> Coming {
        let Some(place) = place(mark).filter(|place| self.forgotten.is_none_or(|forgotten| forgotten < *place)) else {
            return Coming::Unknown;
        };
        match self.stretches.iter().find(|(first, last, _)| (*first..=*last).contains(&place)) {
            Some((_, _, note)) => Coming::Skipped { note: note.clone() },
            None => Coming::Came,
        }
    }
}

fn place(mark: &Mark) -> Option<u64> {
    mark.as_str().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Batches of one record each, at these places, each with its number as the note.
    fn check(checkpoint: Option<u64>, batches: &[u64], place: u64, expected: &Coming) {
        let mut checkpoint = checkpoint.map(Mark::from);
        let mut skips = Skips::after(checkpoint.as_ref());
        for first in batches {
            skips.begin(checkpoint.as_ref(), *first, Some(&first.to_string()));
            checkpoint = Some(Mark::from(*first));
        }
        assert_eq!(skips.at(&Mark::from(place)), *expected, "{batches:?}: {place}");
        let text = serde_json::to_string(&skips).unwrap();
        assert_eq!(serde_json::from_str::<Skips>(&text).unwrap(), skips);
    }

    fn skipped(note: &str) -> Coming {
        Coming::Skipped { note: Some(note.to_owned()) }
    }

    #[test]
    fn what_no_batch_brought_is_known() {
        for (place, note) in
            [(0, Some("5")), (4, Some("5")), (5, None), (6, None), (7, Some("9")), (8, Some("9")), (9, None)]
        {
            check(None, &[5, 6, 9], place, &note.map_or(Coming::Came, skipped));
        }
        check(None, &[0, 1], 0, &Coming::Came);
    }

    #[test]
    fn what_was_before_all_that_is_kept_is_unknown() {
        check(Some(4), &[8], 4, &Coming::Unknown);
        check(Some(4), &[8], 5, &skipped("8"));
        let every_second: Vec<u64> = (0..=100).map(|batch| batch * 2).collect();
        check(None, &every_second, 99, &Coming::Unknown);
        check(None, &every_second, 100, &Coming::Came);
        check(None, &every_second, 101, &skipped("102"));
    }
}
