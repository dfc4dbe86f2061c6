//! A request → the records to send, or the first reason not to.
//!
//! Pure: what a request may do is decided before anything is sent or stored.

use bytes::Bytes;
use headgate::{
    clock::Timestamp,
    event::http::Request,
    stream::{Limits, Misfit, Outgoing},
};
use sha2::{Digest, Sha256};

use crate::{
    body,
    config::{Config, Target},
    partition::{self, Key},
    refusal::Refusal,
    signature::Signing,
};

/// A request that may be sent on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Intake {
    /// Its records, in order.
    pub records: Vec<Outgoing>,
    /// Their bytes, keys aside.
    pub bytes: u64,
    /// Records whose partition key is not a field of theirs, though one is configured.
    pub without_key: u64,
    /// What the sender calls it.
    pub idempotency: Option<Named>,
}

/// A request's idempotency key and what it stands for.
#[derive(Clone, PartialEq, Eq)]
pub struct Named {
    /// Where its state is kept: dataset and the key's hash, for a key may be of any characters.
    pub key: String,
    /// SHA-256 of the unpacked body, as hex: packed anew it is still the same.
    pub fingerprint: String,
}

impl std::fmt::Debug for Named {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.key)
    }
}

/// The header of the idempotency key.
const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// Reads `request` to `dataset` as it came at `now`, for a stream of these limits.
///
/// # Errors
/// The first reason not to accept it: method, signature, media type, key, body, records.
pub fn read(
    request: &Request<'_>,
    dataset: &str,
    now: Timestamp,
    limits: Limits,
    config: &Config,
) -> Result<Intake, Refusal> {
    if request.method != "POST" {
        return Err(Refusal::Method);
    }
    if let Signing::Keys(keys) = &config.signing {
        keys.verify(request, dataset, &config.terms, now)?;
    }
    body::check(request)?;
    let key = request.header(IDEMPOTENCY_KEY).map(checked).transpose()?;
    let body = body::unpacked(request, config.bounds)?;
    let documents = body::records(&body, config.bounds)?;
    let idempotency = key.map(|key| Named {
        key: format!("api-ingest/{}/{dataset}/{}", config.target.name(), hex::encode(Sha256::digest(key))),
        fingerprint: hex::encode(Sha256::digest(&body)),
    });
    let mut intake = Intake { records: Vec::with_capacity(documents.len()), bytes: 0, without_key: 0, idempotency };
    for (at, document) in documents.into_iter().enumerate() {
        let key = partition::key(&document.raw, at, config.partition_key.as_ref());
        intake.without_key += u64::from(config.partition_key.is_some() && matches!(key, Key::Spread(_)));
        let (Key::Field(partition_key) | Key::Spread(partition_key)) = key;
        intake.bytes += document.raw.len() as u64;
        let data = if matches!(config.target, Target::Firehose(_)) { on_one_line(document.raw) } else { document.raw };
        let record = Outgoing { partition_key, explicit_hash_key: None, data };
        if limits.misfit(&record) == Some(Misfit::TooLarge) {
            return Err(Refusal::RecordTooLarge { at, bytes: limits.size(&record), most: limits.record });
        }
        intake.records.push(record);
    }
    Ok(intake)
}

/// Line breaks between a record's tokens would make it several lines of the file that Firehose writes. Within JSON
/// they are white space, for in a string they are escaped.
fn on_one_line(raw: Bytes) -> Bytes {
    if !raw.contains(&b'\n') && !raw.contains(&b'\r') {
        return raw;
    }
    raw.iter().map(|byte| if matches!(byte, b'\n' | b'\r') { b' ' } else { *byte }).collect()
}

fn checked(key: &str) -> Result<&str, Refusal> {
    let visible = key.bytes().all(|byte| byte.is_ascii_graphic());
    if visible && (1..=255).contains(&key.len()) { Ok(key) } else { Err(Refusal::InvalidKey) }
}

#[cfg(test)]
mod tests;
