//! A sequence number or an offset → a place in a shard that can be compared and written down.
//!
//! A number has one form only, so that equal places are equal texts.

use std::{borrow::Cow, fmt};

use serde::{Deserialize, Deserializer, Serialize, de::Error as _};

use crate::position::SequenceNumber;

/// The place of a record in its shard or topic-partition: a number of 1 to 129 decimal digits, without leading zeros.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Mark(SequenceNumber);

impl Mark {
    /// The number, where `text` is one: 1 to 129 digits and nothing else.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        SequenceNumber::new(text).map(|number| Self::from(&number))
    }

    /// Its digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl From<&SequenceNumber> for Mark {
    fn from(number: &SequenceNumber) -> Self {
        if !number.as_str().starts_with('0') {
            return Self(number.clone());
        }
        let significant = number.as_str().trim_start_matches('0');
        let shortest = if significant.is_empty() { "0" } else { significant };
        Self(SequenceNumber::new(shortest).unwrap_or_else(|| number.clone()))
    }
}

impl From<u64> for Mark {
    fn from(offset: u64) -> Self {
        Self(SequenceNumber::from(offset))
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<'de> Deserialize<'de> for Mark {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        Self::new(&text).ok_or_else(|| D::Error::custom("a place in a shard is 1 to 129 digits"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, mark: Option<&str>) {
        assert_eq!(Mark::new(text).as_ref().map(Mark::as_str), mark);
        let json = serde_json::to_string(text).unwrap();
        let read = serde_json::from_str::<Mark>(&json).ok();
        assert_eq!(read.as_ref().map(Mark::as_str), mark);
        if let Some(read) = read {
            assert_eq!(serde_json::from_str::<Mark>(&serde_json::to_string(&read).unwrap()).unwrap(), read);
        }
    }

    #[test]
    fn it_has_one_form() {
        check("0", Some("0"));
        check("000", Some("0"));
        check("0017", Some("17"));
        let sequence = "49590338271490256608559692538361571095921575989136588898";
        check(sequence, Some(sequence));
        check("", None);
        check("-1", None);
        check("LATEST", None);
    }

    proptest! {
        #[test]
        fn offsets_compare_as_numbers_do(left: u64, right: u64) {
            prop_assert_eq!(Mark::from(left).cmp(&Mark::from(right)), left.cmp(&right));
            prop_assert_eq!(Mark::new(&left.to_string()), Some(Mark::from(left)));
        }
    }
}
