//! A device's serial number as it was sent → one that may name a thing.

use std::fmt;

/// A serial number: 1 to 128 letters, digits, `:`, `_` or `-`, which is what a thing may be called (AWS IoT API
/// reference, `CreateThing`, `thingName`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Serial(String);

impl Serial {
    pub(crate) fn new(text: &str) -> Option<Self> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b":_-".contains(&byte);
        ((1..=128).contains(&text.len()) && text.bytes().all(plain)).then(|| Self(text.to_owned()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Serial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_serial_may_name_a_thing() {
        for good in ["A-1_b:2", "0", &"x".repeat(128)] {
            assert_eq!(Serial::new(good).map(|serial| serial.0), Some(good.to_owned()));
        }
        for bad in ["", "a b", "a/b", "+", "é", "a.b", &"x".repeat(129)] {
            assert_eq!(Serial::new(bad), None, "{bad}");
        }
    }
}
