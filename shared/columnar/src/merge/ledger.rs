//! Which change files a snapshot holds → a small text in its footer.
//!
//! The ledger travels with the data: bookmark and rows can never disagree. It must not grow with the age of the
//! table: what the lateness horizon has passed collapses into counts.

use std::collections::BTreeMap;

use headgate::{clock::Timestamp, store::ETag};
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use super::names::{self, CdcName};

/// The footer's key for the ledger.
pub const LEDGER_KEY: &str = "headgate.ledger";

/// Settled files of one stretch of the listing; a stretch fits one list request.
const STRETCH: u64 = 900;

/// A file as the store last showed it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// Its entity tag.
    pub etag: ETag,
    /// When it was written.
    pub modified: Timestamp,
}

/// Settled files between this stretch's first key and the next one's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stretch {
    /// The first key, below the prefix.
    pub from: String,
    /// How many there are.
    pub files: u64,
    /// The wrapping sum of the hashes of their keys: one file too many gives itself away.
    pub sum: u64,
}

/// What a snapshot holds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ledger {
    /// The dataset.
    pub dataset: String,
    /// It grows with every reload and truncate.
    pub generation: u64,
    /// It grows with every publish.
    pub sequence: u64,
    /// Whether the rows are in key order, strictly.
    pub sorted: bool,
    /// The generation's full load, by key below the prefix.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub loads: BTreeMap<String, Seen>,
    /// Full-load files left over from an earlier, longer load.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub stale_loads: BTreeMap<String, Seen>,
    /// Files of changes up to these digits belong to an earlier generation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cutoff: Option<String>,
    /// Applied files of changes that the horizon has not passed, by key below the prefix.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub files: BTreeMap<String, ETag>,
    /// The newest applied file's digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub newest: Option<String>,
    /// Files up to these digits are settled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub horizon: Option<String>,
    /// The settled files, in key order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub history: Vec<Stretch>,
    /// Versions that were published before this one, with when each was superseded (`versioned`).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub superseded: BTreeMap<u64, Timestamp>,
    /// Bad files that were set aside, by key below the prefix.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub quarantined: BTreeMap<String, ETag>,
}

/// The hash that a settled file adds to its stretch.
#[must_use]
pub fn fingerprint(key: &str) -> u64 {
    xxh3_64(key.as_bytes())
}

impl Ledger {
    /// Files that are in, settled ones included.
    #[must_use]
    pub fn applied(&self) -> u64 {
        self.loads.len() as u64 + self.files.len() as u64 + self.settled()
    }

    /// Files of changes that are in and settled.
    #[must_use]
    pub fn settled(&self) -> u64 {
        self.history.iter().map(|stretch| stretch.files).sum()
    }

    /// Whether a file of changes lies behind the horizon.
    #[must_use]
    pub fn is_settled(&self, name: &CdcName) -> bool {
        self.horizon.as_deref().is_some_and(|horizon| name.digits() <= horizon)
    }

    /// Whether a file of changes belongs to an earlier generation.
    #[must_use]
    pub fn is_cut_off(&self, name: &CdcName) -> bool {
        self.cutoff.as_deref().is_some_and(|cutoff| name.digits() <= cutoff)
    }

    /// Whether a file behind the horizon counts among those that are in.
    #[must_use]
    pub fn may_be_settled(&self, name: &CdcName) -> bool {
        !self.is_cut_off(name) && !self.quarantined.contains_key(&name.key)
    }

    /// The settled stretch that this key below the prefix belongs to.
    #[must_use]
    pub fn stretch_of(&self, key: &str) -> usize {
        self.history.partition_point(|stretch| stretch.from.as_str() <= key).saturating_sub(1)
    }

    /// Notes a file of changes as applied.
    pub fn apply(&mut self, name: &CdcName, etag: ETag) {
        if self.is_settled(name) {
            self.settle(name.key.clone());
        } else {
            self.files.insert(name.key.clone(), etag);
        }
        if self.newest.as_deref().is_none_or(|newest| newest < name.digits()) {
            self.newest = Some(name.digits().to_owned());
        }
    }

    /// Moves the horizon to `lateness_hours` before the newest file, and collapses what it passes.
    pub fn advance(&mut self, lateness_hours: u32) {
        let Some(newest) = &self.newest else { return };
        let horizon = Timestamp(names::moment(newest).0 - i64::from(lateness_hours) * 3_600_000);
        let horizon = names::digits_of(horizon);
        if self.horizon.as_ref().is_some_and(|old| *old >= horizon) {
            return;
        }
        let is_passed = |key: &&String| names::order(key).is_some_and(|digits| digits[..] <= *horizon.as_bytes());
        let passed: Vec<String> = self.files.keys().filter(is_passed).cloned().collect();
        if passed.is_empty() {
            return;
        }
        self.horizon = Some(horizon);
        for key in passed {
            self.files.remove(&key);
            self.settle(key);
        }
    }

    fn settle(&mut self, key: String) {
        let at = self.history.partition_point(|stretch| stretch.from <= key);
        let sum = fingerprint(&key);
        let last = at == self.history.len();
        let stretch = match self.history.get_mut(at.saturating_sub(1)) {
            Some(stretch) if !last || stretch.files < STRETCH => stretch,
            _ => {
                self.history.push(Stretch { from: key, files: 1, sum });
                return;
            }
        };
        stretch.files += 1;
        stretch.sum = stretch.sum.wrapping_add(sum);
        if key < stretch.from {
            stretch.from = key;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = 60_000;
    const DAY: i64 = 1440 * MINUTE;

    /// The key of the file of changes written at this moment.
    fn key(at: i64, dated: bool) -> String {
        let digits = names::digits_of(Timestamp(at));
        let folder =
            if dated { format!("{}/{}/{}/", &digits[..4], &digits[4..6], &digits[6..8]) } else { String::new() };
        format!("{folder}{}-{}.parquet", &digits[..8], &digits[8..17])
    }

    fn apply(ledger: &mut Ledger, key: &str) {
        let name = names::cdc(key).unwrap();
        ledger.apply(&name, ETag(format!("{:032x}", fingerprint(key))));
    }

    #[test]
    fn a_year_of_files_a_minute_stays_small_and_is_all_accounted_for() {
        for dated in [false, true] {
            let mut ledger = Ledger::default();
            let start = names::moment("20240101000000000000").0;
            for day in 0..365 {
                for minute in 0..1440 {
                    apply(&mut ledger, &key(start + day * DAY + minute * MINUTE, dated));
                }
                ledger.advance(72);
            }
            let text = serde_json::to_string(&ledger).unwrap();
            assert!(text.len() <= 1 << 20, "{} bytes", text.len());
            assert_eq!((ledger.applied(), ledger.files.len()), (525_600, 72 * 60));
            assert_eq!(serde_json::from_str::<Ledger>(&text).unwrap(), ledger);
            assert!(ledger.history.is_sorted_by(|a, b| a.from < b.from));
            assert!(ledger.history.iter().all(|stretch| stretch.files <= STRETCH));
        }
    }

    #[test]
    fn a_file_that_is_included_joins_its_stretch() {
        let mut ledger = Ledger::default();
        for minute in 0..3000 {
            apply(&mut ledger, &key(minute * MINUTE, false));
        }
        ledger.advance(1);
        let (settled, sums) = (ledger.settled(), ledger.history[1].sum);
        let late = key(1000 * MINUTE + 1, false);
        assert!(ledger.is_settled(&names::cdc(&late).unwrap()));
        apply(&mut ledger, &late);
        assert_eq!(ledger.settled(), settled + 1);
        assert_eq!(ledger.history[1].sum, sums.wrapping_add(fingerprint(&late)));
        assert!(!ledger.files.contains_key(&late));
    }
}
