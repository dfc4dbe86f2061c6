//! A decimal text → a place in a Kinesis shard that compares as the number it is.
//!
//! The text stays as it came, because Kinesis is told of it again.

use std::{borrow::Cow, cmp::Ordering, fmt, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// A record's place in its shard: a decimal number, of 56 digits as a rule, unique within the shard and growing with
/// time (Kinesis API, `Record.SequenceNumber`). It does not fit a `u128`. A clone shares the text.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SequenceNumber(Arc<str>);

/// The API says only `0|([1-9]\d{0,128})`.
const DIGITS: usize = 129;

impl SequenceNumber {
    /// The number, where `text` is one: 1 to 129 digits and nothing else.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        // Without an end at the first other byte, the compiler compares many at once.
        let digits = text.bytes().fold(true, |digits, byte| digits & byte.is_ascii_digit());
        let decimal = digits && (1..=DIGITS).contains(&text.len());
        decimal.then(|| Self(text.into()))
    }

    /// The text as it came.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<u64> for SequenceNumber {
    fn from(number: u64) -> Self {
        Self(number.to_string().into())
    }
}

impl Ord for SequenceNumber {
    fn cmp(&self, other: &Self) -> Ordering {
        // Without leading zeros the longer number is the larger. The text decides last, to agree with `Eq`.
        fn rank(number: &SequenceNumber) -> (usize, &str, &str) {
            let significant = number.0.trim_start_matches('0');
            (significant.len(), significant, &number.0)
        }
        rank(self).cmp(&rank(other))
    }
}

impl PartialOrd for SequenceNumber {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for SequenceNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for SequenceNumber {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for SequenceNumber {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        Self::new(&text).ok_or_else(|| D::Error::custom("a sequence number is 1 to 129 digits"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, number: bool) {
        assert_eq!(SequenceNumber::new(text).as_ref().map(SequenceNumber::as_str), number.then_some(text));
        let json = serde_json::to_string(text).unwrap();
        assert_eq!(serde_json::from_str::<SequenceNumber>(&json).is_ok(), number, "{json}");
    }

    #[test]
    fn only_digits_are_a_number() {
        check("0", true);
        check("49590338271490256608559692538361571095921575989136588898", true);
        check(&"9".repeat(129), true);
        check(&"9".repeat(130), false);
        check("", false);
        check("-1", false);
        check("1.0", false);
        check("１", false);
        check("TRIM_HORIZON", false);
        assert!(serde_json::from_str::<SequenceNumber>("21").is_err(), "a JSON number has lost digits on its way");
    }

    #[test]
    fn long_numbers_are_larger() {
        let number = |text: &str| SequenceNumber::new(text).unwrap();
        assert!(number("9") < number("10") && number("099") < number("100"));
        assert!(number("49590338271490256608559692538361571095921575989136588898") < number(&"5".repeat(56)));
        assert_ne!(number("7"), number("07"));
        assert_ne!(number("7").cmp(&number("07")), Ordering::Equal);
    }

    proptest! {
        #[test]
        fn it_compares_as_numbers_do(left: u128, right: u128) {
            let number = |n: u128| SequenceNumber::new(&n.to_string()).unwrap();
            prop_assert_eq!(number(left).cmp(&number(right)), left.cmp(&right));
        }
    }
}
