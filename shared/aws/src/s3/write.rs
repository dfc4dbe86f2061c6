//! One write with its condition → its outcome, known even where an answer was lost.
//!
//! A repeated conditional request fails on the effect of its own first attempt. So no failed condition is
//! believed before the object was asked whose write it holds.

use std::hash::{BuildHasher, RandomState};

use bytes::Bytes;
use headgate::store::{Condition, ETag, Result};

use super::S3Store;
use crate::failure::Failure;

/// User metadata, `x-amz-meta-headgate-write` on the wire.
pub(super) const WRITE: &str = "headgate-write";

/// Names one write, over all its attempts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct WriteId(pub(super) String);

impl WriteId {
    /// 128 bits from the keys of the standard library's hashers, which the operating system seeds.
    pub(super) fn random() -> Self {
        let half = || RandomState::new().hash_one(());
        Self(format!("{:016x}{:016x}", half(), half()))
    }
}

/// The tag as the conditional headers want it.
pub(super) fn quoted(etag: &ETag) -> String {
    format!("\"{etag}\"")
}

/// The header `If-Match`, where the condition needs it.
pub(super) fn if_match(condition: &Condition) -> Option<String> {
    match condition {
        Condition::Matches(etag) => Some(quoted(etag)),
        Condition::Always | Condition::Absent => None,
    }
}

/// The header `If-None-Match`, where the condition needs it.
pub(super) fn if_none_match(condition: &Condition) -> Option<String> {
    (*condition == Condition::Absent).then(|| "*".to_owned())
}

impl S3Store {
    pub(super) async fn put_as(&self, key: &str, body: Bytes, condition: &Condition, write: &WriteId) -> Result<ETag> {
        let request = self.client.put_object().bucket(&self.bucket).key(self.full(key)).body(body.into());
        let request = request.metadata(WRITE, &write.0);
        let request = request.set_if_match(if_match(condition)).set_if_none_match(if_none_match(condition));
        match request.send().await {
            Ok(answer) => self.etag(key, answer.e_tag()),
            Err(error) => self.settle(key, Failure::of(&error), write).await,
        }
    }

    /// Whether a write that seems to have lost has in fact been done, by an attempt whose answer was lost. The
    /// failure of the look itself is reported if it fails: then nobody knows.
    pub(super) async fn settle(&self, key: &str, failure: Failure, write: &WriteId) -> Result<ETag> {
        // `If-Match` on a key that is gone is a 404; a completion whose upload is gone may have been completed.
        if !matches!(failure, Failure::Condition | Failure::Missing | Failure::UploadGone) {
            return Err(self.error(key, failure));
        }
        match self.client.head_object().bucket(&self.bucket).key(self.full(key)).send().await {
            Ok(answer) if answer.metadata().and_then(|meta| meta.get(WRITE)) == Some(&write.0) => {
                self.etag(key, answer.e_tag())
            }
            Ok(_) => Err(self.error(key, Failure::Condition)),
            Err(error) => Err(match Failure::of(&error) {
                Failure::Missing => self.error(key, Failure::Condition),
                unknown => self.error(key, unknown),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_writes_share_an_id() {
        let ids: std::collections::HashSet<_> = (0..1000).map(|_| WriteId::random().0).collect();
        assert_eq!(ids.len(), 1000);
        assert!(ids.iter().all(|id| id.len() == 32));
    }

    #[test]
    fn conditions_become_headers() {
        let matches = Condition::Matches(ETag("a-2".into()));
        assert_eq!((if_match(&matches), if_none_match(&matches)), (Some("\"a-2\"".into()), None));
        assert_eq!((if_match(&Condition::Absent), if_none_match(&Condition::Absent)), (None, Some("*".into())));
        assert_eq!((if_match(&Condition::Always), if_none_match(&Condition::Always)), (None, None));
    }
}
