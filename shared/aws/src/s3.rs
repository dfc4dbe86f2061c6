//! The port [`Store`] → S3.
//!
//! Every write carries an id of its own: the SDK repeats a request whose answer was lost, and the id tells "we have
//! already written this" from "another writer was first".

mod delete;
mod multipart;
mod parts;
mod upload;
mod write;

use std::ops::Range;

use async_trait::async_trait;
use aws_sdk_s3::{Client, operation::get_object::builders::GetObjectFluentBuilder, types::Object};
use bytes::Bytes;
use headgate::{
    clock::Timestamp,
    store::{Condition, ETag, ObjectMeta, Page, Result, Store, StoreError, Upload},
};

use self::{upload::S3Upload, write::WriteId};
use crate::{Aws, failure::Failure};

/// The SDK repeats a request until the answer's head is there; a body that breaks off is asked for again here.
const BODY_ATTEMPTS: usize = 3;

/// A bucket, or what is under one prefix of it.
#[derive(Debug, Clone)]
pub struct S3Store {
    client: Client,
    bucket: String,
    /// Empty, or ends with `/`.
    prefix: String,
}

impl S3Store {
    /// The keys of `bucket` under `prefix`, which may be empty and may end with `/`.
    #[must_use]
    pub fn new(aws: &Aws, bucket: &str, prefix: &str) -> Self {
        let prefix = prefix.trim_matches('/');
        let prefix = if prefix.is_empty() { String::new() } else { format!("{prefix}/") };
        Self { client: aws.s3(), bucket: bucket.to_owned(), prefix }
    }

    /// The key in the bucket.
    fn full(&self, key: &str) -> String {
        format!("{}{key}", self.prefix)
    }

    /// What a failed call on `key` is to the caller.
    fn error(&self, key: &str, failure: Failure) -> StoreError {
        let key = key.to_owned();
        let place = format!("bucket {}", self.bucket);
        match failure {
            Failure::Missing => StoreError::NotFound { key },
            Failure::Condition | Failure::UploadGone => StoreError::Changed { key },
            Failure::Unavailable(told) => StoreError::Unavailable { key, reason: format!("{place}: {told}") },
            Failure::Refused(told) => StoreError::Refused { key, reason: format!("{place}: {told}") },
        }
    }

    /// The tag of an answer, without quotes.
    fn etag(&self, key: &str, told: Option<&str>) -> Result<ETag> {
        let etag = told.map(|quoted| ETag(quoted.trim_matches('"').to_owned()));
        etag.ok_or_else(|| self.error(key, Failure::Unavailable("an answer without an ETag".into())))
    }

    fn meta(&self, object: &Object) -> Result<Option<ObjectMeta>> {
        let Some(key) = object.key().and_then(|key| key.strip_prefix(&self.prefix)).filter(|key| !key.is_empty())
        else {
            // The console makes an object named like the prefix itself.
            return Ok(None);
        };
        Ok(Some(ObjectMeta {
            key: key.to_owned(),
            size: size(object.size()),
            last_modified: moment(object.last_modified()),
            etag: self.etag(key, object.e_tag())?,
        }))
    }

    /// An object or a part of it, as `select` says, whole.
    async fn fetch(
        &self,
        key: &str,
        select: impl Fn(GetObjectFluentBuilder) -> GetObjectFluentBuilder,
    ) -> Result<(ETag, Bytes)> {
        let mut broken = String::new();
        for _ in 0..BODY_ATTEMPTS {
            let request = select(self.client.get_object().bucket(&self.bucket).key(self.full(key)));
            let answer = request.send().await.map_err(|error| self.error(key, Failure::of(&error)))?;
            let etag = self.etag(key, answer.e_tag())?;
            match answer.body.collect().await {
                Ok(body) => return Ok((etag, body.into_bytes())),
                Err(error) => broken = format!("the body broke off: {error}"),
            }
        }
        Err(self.error(key, Failure::Unavailable(broken)))
    }
}

#[async_trait]
impl Store for S3Store {
    /// S3 answers the same for a missing bucket as for a missing object; the listing tells them apart.
    async fn head(&self, key: &str) -> Result<Option<ObjectMeta>> {
        match self.client.head_object().bucket(&self.bucket).key(self.full(key)).send().await {
            Ok(answer) => Ok(Some(ObjectMeta {
                key: key.to_owned(),
                size: size(answer.content_length()),
                last_modified: moment(answer.last_modified()),
                etag: self.etag(key, answer.e_tag())?,
            })),
            Err(error) => absent(self.error(key, Failure::of(&error))),
        }
    }

    async fn get(&self, key: &str) -> Result<Option<(ETag, Bytes)>> {
        self.fetch(key, |request| request).await.map_or_else(absent, |found| Ok(Some(found)))
    }

    async fn get_range(&self, key: &str, range: Range<u64>, etag: &ETag) -> Result<Bytes> {
        if range.is_empty() {
            // HTTP has no empty range. The tag still has to hold.
            let meta = self.head(key).await?.ok_or_else(|| self.error(key, Failure::Missing))?;
            return if meta.etag == *etag { Ok(Bytes::new()) } else { Err(self.error(key, Failure::Condition)) };
        }
        let wanted = format!("bytes={}-{}", range.start, range.end - 1);
        let (_, body) = self.fetch(key, |request| request.range(&wanted).if_match(write::quoted(etag))).await?;
        if body.len() as u64 != range.end - range.start {
            let told = format!("{wanted} ends beyond the object, {} bytes came", body.len());
            return Err(self.error(key, Failure::Refused(told)));
        }
        Ok(body)
    }

    async fn list(&self, prefix: &str, start_after: Option<&str>) -> Result<Page> {
        let request = self.client.list_objects_v2().bucket(&self.bucket).prefix(self.full(prefix));
        // S3 puts `headgate::store::PAGE` keys on a page unless fewer are asked for.
        let request = request.set_start_after(start_after.map(|key| self.full(key)));
        let answer = request.send().await.map_err(|error| self.error(prefix, Failure::of(&error)))?;
        let objects =
            answer.contents().iter().filter_map(|object| self.meta(object).transpose()).collect::<Result<_>>()?;
        Ok(Page { objects, more: answer.is_truncated().unwrap_or_default() })
    }

    async fn put(&self, key: &str, body: Bytes, condition: Condition) -> Result<ETag> {
        self.put_as(key, body, &condition, &WriteId::random()).await
    }

    async fn upload(&self, key: &str) -> Result<Box<dyn Upload>> {
        Ok(Box::new(S3Upload::new(self.clone(), key)))
    }

    async fn delete(&self, key: &str) -> Result<()> {
        let answer = self.client.delete_object().bucket(&self.bucket).key(self.full(key)).send().await;
        match answer.map_err(|error| self.error(key, Failure::of(&error))) {
            Ok(_) | Err(StoreError::NotFound { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn delete_all(&self, objects: &[(String, ETag)]) -> Result<Vec<String>> {
        delete::all(self, objects).await
    }

    fn uri(&self, key: &str) -> String {
        format!("s3://{}/{}", self.bucket, self.full(key))
    }
}

/// `None` where the failure is that there is no such object.
fn absent<T>(error: StoreError) -> Result<Option<T>> {
    if matches!(error, StoreError::NotFound { .. }) { Ok(None) } else { Err(error) }
}

fn size(told: Option<i64>) -> u64 {
    told.and_then(|size| u64::try_from(size).ok()).unwrap_or_default()
}

/// Whole seconds, as HTTP's header has them; the listing's XML has room for a fraction, and some servers use it.
fn moment(told: Option<&aws_sdk_s3::primitives::DateTime>) -> Timestamp {
    Timestamp(told.map_or(0, |at| at.secs() * 1000))
}
