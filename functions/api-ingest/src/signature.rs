//! A request's signature header, its timestamp and its body → whether one of our keys signed it, just now.
//!
//! HMAC-SHA-256 over `<timestamp>.<body>`, the body as it was sent, before it is unpacked. Compared in constant time;
//! no key and no signature is ever shown.

use std::{fmt, time::Duration};

use headgate::{clock::Timestamp, event::http::Request};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::refusal::Refusal;

/// The shortest secret, in bytes: what is shorter can be guessed.
const SHORTEST: usize = 16;

/// The one scheme there is.
const SCHEME: &str = "v1=";

/// Who may send.
#[derive(Debug, Clone)]
pub enum Signing {
    /// Who signs with one of these.
    Keys(Keys),
    /// Everyone who gets here: something before this function checks, such as a function URL's `AWS_IAM`.
    Unsigned,
}

/// Secrets, several at a time while they are rotated.
#[derive(Debug, Clone)]
pub struct Keys(Vec<Key>);

#[derive(Clone)]
struct Key {
    /// The one dataset it is for, or all.
    dataset: Option<String>,
    mac: Hmac<Sha256>,
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a key of {}", self.dataset.as_deref().unwrap_or("all datasets"))
    }
}

/// Where a request carries its signature, and how long that holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// The header with the signature.
    pub signature_header: String,
    /// The header with the time of signing, in seconds since 1970.
    pub timestamp_header: String,
    /// How far that time may be from now.
    pub window: Duration,
}

impl Keys {
    /// Reads `secret,secret,orders:secret`: a secret for every dataset, or for the one of `datasets` that is named
    /// before it.
    ///
    /// # Errors
    /// What is wrong, without a secret: an entry that is too short or for a dataset that is not served, or a dataset
    /// without a key.
    pub fn parse<'a>(written: &str, datasets: impl Iterator<Item = &'a str> + Clone) -> Result<Self, String> {
        let mut keys = Vec::new();
        for (number, entry) in written.split(',').map(str::trim).enumerate() {
            let named = datasets.clone().find_map(|name| Some((name, entry.strip_prefix(name)?.strip_prefix(':')?)));
            if named.is_none() && entry.contains(':') {
                // Taken as a secret for all, it would let the sender of another dataset sign for every one here.
                return Err(format!("key {} has a `:` and begins with none of the datasets served", number + 1));
            }
            let (dataset, secret) = named.map_or((None, entry), |(name, secret)| (Some(name.to_owned()), secret));
            if secret.len() < SHORTEST {
                return Err(format!("key {} is shorter than {SHORTEST} bytes", number + 1));
            }
            let mac = Hmac::new_from_slice(secret.as_bytes()).map_err(|_| format!("key {} is unfit", number + 1))?;
            keys.push(Key { dataset, mac });
        }
        let keys = Self(keys);
        let mut without = datasets.filter(|name| keys.of(name).next().is_none());
        match without.next() {
            Some(name) => Err(format!("no key for the dataset {name}")),
            None => Ok(keys),
        }
    }

    fn of(&self, dataset: &str) -> impl Iterator<Item = &Key> {
        self.0.iter().filter(move |key| key.dataset.as_deref().is_none_or(|of| of == dataset))
    }

    /// Checks that `request` was signed for `dataset` at about `now`.
    ///
    /// # Errors
    /// [`Refusal::Unsigned`], [`Refusal::OutOfTime`] or [`Refusal::WrongSignature`].
    pub fn verify(&self, request: &Request<'_>, dataset: &str, terms: &Terms, now: Timestamp) -> Result<(), Refusal> {
        let unsigned = || Refusal::Unsigned { terms: terms.clone() };
        let header = |name| request.header(name).ok_or_else(unsigned);
        let (signatures, signed_at) = (header(&terms.signature_header)?, header(&terms.timestamp_header)?);
        let seconds: i64 = signed_at.parse().map_err(|_| unsigned())?;
        let apart = now.0.abs_diff(seconds.saturating_mul(1000));
        if apart > u64::try_from(terms.window.as_millis()).unwrap_or(u64::MAX) {
            return Err(Refusal::OutOfTime { terms: terms.clone() });
        }
        let signatures: Vec<_> = signatures.split(',').filter_map(signature).collect();
        let signed = self.of(dataset).any(|key| {
            let mac = key.mac.clone().chain_update(signed_at).chain_update(".").chain_update(&request.body);
            signatures.iter().any(|signature| mac.clone().verify_slice(signature).is_ok())
        });
        if signed { Ok(()) } else { Err(Refusal::WrongSignature { terms: terms.clone() }) }
    }
}

/// The bytes of `v1=<hex>`; other schemes may stand beside it.
fn signature(written: &str) -> Option<Vec<u8>> {
    hex::decode(written.trim().strip_prefix(SCHEME)?).ok()
}

/// `v1=<hex>`, as a client writes it: for samples and tests.
#[must_use]
pub fn sign(secret: &str, seconds: i64, body: &[u8]) -> String {
    let Ok(mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else { return String::new() };
    let mac = mac.chain_update(seconds.to_string()).chain_update(".").chain_update(body);
    format!("{SCHEME}{}", hex::encode(mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests;
