//! A record → exactly one outcome, counted.
//!
//! What goes in is the sum of the fates; an outcome that is none of these does not exist.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::error::{Code, Error};

/// How a record ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// It is in the lake.
    Stored,
    /// Left out on purpose.
    Dropped {
        /// Why.
        reason: Dropped,
    },
    /// Bad: set aside with its raw bytes.
    Quarantined {
        /// Why.
        reason: Code,
    },
    /// The world failed: to be delivered again.
    Retry {
        /// Why.
        reason: Code,
    },
}

/// Why a record was left out on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dropped {
    /// A filter of the dataset.
    Filtered,
    /// A message of the transport, not of the data.
    Control,
    /// It was delivered before, and is where it belongs.
    Repeated,
    /// There is nothing in it, as in an empty array.
    Empty,
    /// It says that its key is gone, which the dataset does not ask for.
    Tombstone,
    /// A change of a row of which a later one, which says all of the row, is where it belongs.
    Superseded,
}

/// How many records ended how. As JSON a list, for a fate is no name of a member.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(from = "Vec<(Fate, u64)>", into = "Vec<(Fate, u64)>")]
pub struct Fates(BTreeMap<Fate, u64>);

impl From<Vec<(Fate, u64)>> for Fates {
    fn from(ended: Vec<(Fate, u64)>) -> Self {
        let mut fates = Self::default();
        for (fate, records) in ended {
            fates.add(fate, records);
        }
        fates
    }
}

impl From<Fates> for Vec<(Fate, u64)> {
    fn from(fates: Fates) -> Self {
        fates.0.into_iter().collect()
    }
}

impl Fates {
    /// Counts `records` that ended so.
    pub fn add(&mut self, fate: Fate, records: u64) {
        if records > 0 {
            *self.0.entry(fate).or_default() += records;
        }
    }

    /// How many ended so.
    #[must_use]
    pub fn of(&self, fate: Fate) -> u64 {
        self.0.get(&fate).copied().unwrap_or_default()
    }

    /// How many are set aside, for whatever reason.
    #[must_use]
    pub fn quarantined(&self) -> u64 {
        let quarantined = self.0.iter().filter(|(fate, _)| matches!(fate, Fate::Quarantined { .. }));
        quarantined.map(|(_, records)| records).sum()
    }

    /// The fates that occurred, in order.
    pub fn iter(&self) -> impl Iterator<Item = (Fate, u64)> {
        self.0.iter().map(|(fate, records)| (*fate, *records))
    }

    /// Checks that each of the `records` that went in has a fate.
    ///
    /// # Errors
    /// Retry: records are unaccounted for, which is a bug; nothing may be acknowledged.
    pub fn account_for(&self, records: u64) -> Result<(), Error> {
        let ended: u64 = self.0.values().sum();
        if ended == records {
            return Ok(());
        }
        Err(Error::retry(Code::Internal, format!("{records} records went in and {ended} have a fate")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_record_has_one_fate() {
        let mut fates = Fates::default();
        let bad = Fate::Quarantined { reason: Code::InvalidValue };
        for (fate, records) in [(bad, 1), (Fate::Stored, 5), (bad, 2), (Fate::Retry { reason: Code::Unavailable }, 0)] {
            fates.add(fate, records);
        }
        assert_eq!(fates.iter().collect::<Vec<_>>(), [(Fate::Stored, 5), (bad, 3)]);
        assert_eq!((fates.of(bad), fates.of(Fate::Dropped { reason: Dropped::Control })), (3, 0));
        assert_eq!(fates.account_for(8), Ok(()));
        let json = serde_json::to_string(&fates).unwrap();
        assert_eq!(json, r#"[["stored",5],[{"quarantined":{"reason":"invalid_value"}},3]]"#);
        assert_eq!(serde_json::from_str::<Fates>(&json).unwrap(), fates);
        let message = "9 records went in and 8 have a fate";
        assert_eq!(fates.account_for(9), Err(Error::retry(Code::Internal, message)));
    }
}
