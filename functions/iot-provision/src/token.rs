//! A token that a device brings → whether one of our keys signed it for this serial number, and until when.
//!
//! `<expiry>.<signature>`: the expiry in seconds since 1970, and HMAC-SHA-256 of `<serial>.<expiry>` in hexadecimal
//! digits. Compared in constant time.

use std::{fmt, str::FromStr};

use headgate::{Code, Error, clock::Timestamp};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::hook::Denial;

/// The keys that tokens are signed with: several while one takes another's place.
#[derive(Clone)]
pub struct Keys(Vec<Hmac<Sha256>>);

/// What is shorter can be guessed.
const LEAST: usize = 16;

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} keys", self.0.len())
    }
}

impl FromStr for Keys {
    type Err = Error;

    /// Reads keys with a comma between them.
    ///
    /// # Errors
    /// Misconfigured: one is too short. No key is told.
    fn from_str(text: &str) -> Result<Self, Error> {
        let short = || Error::misconfigured(Code::InvalidConfig, "each key must have at least 16 bytes");
        let key = |key: &str| {
            let long = Some(key).filter(|key| key.len() >= LEAST).ok_or_else(short)?;
            Hmac::new_from_slice(long.as_bytes()).map_err(|_| short())
        };
        text.split(',').map(str::trim).map(key).collect::<Result<_, _>>().map(Self)
    }
}

impl Keys {
    /// A token for this serial number that is good until then.
    #[must_use]
    pub fn sign(&self, serial: &str, expiry: u64) -> String {
        let signature = self.0.first().map(|key| hex::encode(signed(key, serial, expiry).finalize().into_bytes()));
        format!("{expiry}.{}", signature.unwrap_or_default())
    }

    /// Whether the token is good for this serial number.
    pub(crate) fn check(&self, token: &str, serial: &str, now: Timestamp) -> Result<(), Denial> {
        let (expiry, signature) = token.split_once('.').ok_or(Denial::InvalidToken)?;
        let plain = !expiry.is_empty() && expiry.bytes().all(|byte| byte.is_ascii_digit());
        let expiry: u64 = Some(expiry).filter(|_| plain).and_then(|it| it.parse().ok()).ok_or(Denial::InvalidToken)?;
        let signature = hex::decode(signature).map_err(|_| Denial::InvalidToken)?;
        let ours = |key| signed(key, serial, expiry).verify_slice(&signature).is_ok();
        if !self.0.iter().any(ours) {
            return Err(Denial::InvalidToken);
        }
        let over = i64::try_from(expiry).is_ok_and(|expiry| expiry.saturating_mul(1000) <= now.0);
        if over { Err(Denial::ExpiredToken) } else { Ok(()) }
    }
}

fn signed(key: &Hmac<Sha256>, serial: &str, expiry: u64) -> Hmac<Sha256> {
    let mut mac = key.clone();
    mac.update(format!("{serial}.{expiry}").as_bytes());
    mac
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_good_for_one_serial_until_it_expires() {
        let keys: Keys = "a key of sixteen bytes, another key of sixteen bytes".parse().unwrap();
        let old: Keys = "another key of sixteen bytes".parse().unwrap();
        let now = Timestamp(1_000_000);
        let check = |token: &str| keys.check(token, "A-1", now);
        assert_eq!(check(&keys.sign("A-1", 1001)), Ok(()));
        assert_eq!(check(&old.sign("A-1", u64::MAX)), Ok(()));
        assert_eq!(check(&keys.sign("A-1", 1000)), Err(Denial::ExpiredToken));
        let token = keys.sign("A-1", 1001);
        let (later, other) = (token.replacen("1001", "1002", 1), keys.sign("A-2", 1001));
        for bad in [later.as_str(), &other, "", ".", "1001.", "1001", "+1001.00", "x", &token[..token.len() - 2]] {
            assert_eq!(check(bad), Err(Denial::InvalidToken), "{bad}");
        }
    }

    #[test]
    fn a_short_key_is_refused_and_none_is_told() {
        let told = "long enough, a key,".parse::<Keys>().unwrap_err().message;
        assert_eq!(told, "each key must have at least 16 bytes");
        assert_eq!(format!("{:?}", "a key of sixteen bytes".parse::<Keys>().unwrap()), "1 keys");
    }
}
