//! Throttled records → which shard, or which key, is too hot.
//!
//! Keys are data: they are counted here, and only their number leaves.

use std::{
    collections::BTreeMap,
    fmt::{self, Display},
};

/// How often records were throttled, by shard and by partition key.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Throttles {
    total: u64,
    shards: BTreeMap<String, u64>,
    keys: BTreeMap<String, u64>,
}

/// Where most records were throttled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hot {
    /// The shard, where shards were told.
    pub shard: Option<String>,
    /// How often it throttled a record; without a shard, how often any was.
    pub throttles: u64,
    /// How many partition keys were throttled, in whichever shard: one alone is a hot key, which no further shard cools.
    pub keys: usize,
}

impl Throttles {
    /// Counts a record of this key that this shard, if it was told, throttled.
    pub fn add(&mut self, key: &str, shard: Option<&str>) {
        self.total += 1;
        if let Some(shard) = shard {
            bump(&mut self.shards, shard);
        }
        bump(&mut self.keys, key);
    }

    /// How often a record was throttled.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.total
    }

    /// By shard, for those that were told.
    #[must_use]
    pub fn shards(&self) -> &BTreeMap<String, u64> {
        &self.shards
    }

    /// By partition key. Not for logs: keys are data.
    #[must_use]
    pub fn keys(&self) -> &BTreeMap<String, u64> {
        &self.keys
    }

    /// The shard that throttled most, the first by name among equals; `None` where nothing was throttled.
    #[must_use]
    pub fn hottest(&self) -> Option<Hot> {
        let hottest = self.shards.iter().rev().max_by_key(|(_, throttles)| **throttles);
        let (shard, throttles) = match hottest {
            Some((shard, throttles)) => (Some(shard.clone()), *throttles),
            None => (None, self.total),
        };
        (throttles > 0).then_some(Hot { shard, throttles, keys: self.keys.len() })
    }
}

fn bump(counts: &mut BTreeMap<String, u64>, name: &str) {
    match counts.get_mut(name) {
        Some(count) => *count += 1,
        None => drop(counts.insert(name.to_owned(), 1)),
    }
}

impl fmt::Debug for Throttles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} throttles of {} keys by {:?}", self.total, self.keys.len(), self.shards)
    }
}

impl Display for Hot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shard = self.shard.as_deref().unwrap_or("the stream");
        write!(f, "{shard} throttled {} times; partition keys: {}", self.throttles, self.keys)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(records: &[(&str, Option<&str>)], expected: Option<&str>) {
        let mut throttles = Throttles::default();
        for (key, shard) in records {
            throttles.add(key, *shard);
        }
        assert_eq!(throttles.hottest().map(|hot| hot.to_string()).as_deref(), expected);
    }

    #[test]
    fn the_hottest_shard_is_told_without_its_keys() {
        check(&[], None);
        check(&[("ada", None), ("ada", None)], Some("the stream throttled 2 times; partition keys: 1"));
        check(&[("ada", Some("s-2")), ("bob", Some("s-1"))], Some("s-1 throttled 1 times; partition keys: 2"));
        check(
            &[("ada", Some("s-2")), ("bob", Some("s-1")), ("bob", Some("s-2"))],
            Some("s-2 throttled 2 times; partition keys: 2"),
        );
        let mut throttles = Throttles::default();
        throttles.add("ada", Some("s-1"));
        assert_eq!(format!("{throttles:?}"), "1 throttles of 1 keys by {\"s-1\": 1}");
    }
}
