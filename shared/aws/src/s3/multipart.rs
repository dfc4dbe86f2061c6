//! Parts → one multipart upload, several parts at a time.
//!
//! However it ends, no upload is left open: S3 would keep its parts, invisible, at full price. Where even the
//! process ends, the bucket's lifecycle rule `AbortIncompleteMultipartUpload` remains.

use std::{mem, ops::Range};

use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
use bytes::Bytes;
use headgate::store::{Condition, ETag, Result, StoreError};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use tokio::{runtime::Handle, task::JoinSet};

use super::{
    S3Store,
    write::{self, WriteId},
};
use crate::failure::Failure;

/// Bodies under way at once: with the one being gathered, 5 parts of 8 MiB are in memory (up to 16 GiB in all; parts
/// double after each 1000).
const BODIES: usize = 4;

/// Copies under way at once: they take no memory here, only S3's time.
const COPIES: usize = 16;

/// Everything but RFC 3986's unreserved characters and the separator.
const SOURCE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

/// What a part is made of.
#[derive(Debug)]
pub(super) enum Part {
    Body(Bytes),
    Copy { source: String, range: Range<u64>, etag: ETag },
}

/// An upload that S3 has begun.
#[derive(Debug)]
pub(super) struct Multipart {
    target: Target,
    bodies: JoinSet<Result<CompletedPart>>,
    copies: JoinSet<Result<CompletedPart>>,
    done: Vec<CompletedPart>,
    sent: i32,
    open: bool,
}

/// What names the upload to S3.
#[derive(Debug, Clone)]
struct Target {
    store: S3Store,
    key: String,
    upload: String,
}

impl Multipart {
    pub(super) async fn begin(store: &S3Store, key: &str, write: &WriteId) -> Result<Self> {
        let request = store.client.create_multipart_upload().bucket(&store.bucket).key(store.full(key));
        let answer = request.metadata(write::WRITE, &write.0).send().await;
        let answer = answer.map_err(|error| store.error(key, Failure::of(&error)))?;
        let Some(upload) = answer.upload_id().map(str::to_owned) else {
            return Err(store.error(key, Failure::Unavailable("an upload without an id".into())));
        };
        let target = Target { store: store.clone(), key: key.to_owned(), upload };
        Ok(Self { target, bodies: JoinSet::new(), copies: JoinSet::new(), done: Vec::new(), sent: 0, open: true })
    }

    /// Starts the next part, after waiting for room. The failure of an earlier part may show here.
    pub(super) async fn send(&mut self, part: Part) -> Result<()> {
        self.sent += 1;
        let (target, number) = (self.target.clone(), self.sent);
        match part {
            Part::Body(body) => {
                self.done.extend(until(&mut self.bodies, BODIES - 1, &self.target).await?);
                self.bodies.spawn(async move { target.send(number, body).await });
            }
            Part::Copy { source, range, etag } => {
                self.done.extend(until(&mut self.copies, COPIES - 1, &self.target).await?);
                self.copies.spawn(async move { target.copy(number, &source, range, &etag).await });
            }
        }
        Ok(())
    }

    /// Sends what is left and makes the object visible, or leaves nothing.
    pub(super) async fn complete(
        mut self,
        last: Option<Bytes>,
        condition: &Condition,
        write: &WriteId,
    ) -> Result<ETag> {
        match self.finish(last, condition, write).await {
            Ok(etag) => {
                self.open = false;
                Ok(etag)
            }
            Err(error) => {
                self.abort().await.ok();
                Err(error)
            }
        }
    }

    async fn finish(&mut self, last: Option<Bytes>, condition: &Condition, write: &WriteId) -> Result<ETag> {
        if let Some(body) = last {
            self.send(Part::Body(body)).await?;
        }
        self.done.extend(until(&mut self.bodies, 0, &self.target).await?);
        self.done.extend(until(&mut self.copies, 0, &self.target).await?);
        let mut parts = mem::take(&mut self.done);
        parts.sort_by_key(CompletedPart::part_number);
        self.target.complete(parts, condition, write).await
    }

    /// Stops what is under way and removes what was sent. An upload that is gone already is no error.
    pub(super) async fn abort(mut self) -> Result<()> {
        self.open = false;
        self.bodies.shutdown().await;
        self.copies.shutdown().await;
        self.target.abort().await
    }
}

impl Drop for Multipart {
    /// A caller that was cancelled cannot wait, so the runtime removes the parts.
    fn drop(&mut self) {
        if let (true, Ok(runtime)) = (self.open, Handle::try_current()) {
            let target = self.target.clone();
            runtime.spawn(async move { target.abort().await });
        }
    }
}

impl Target {
    async fn send(&self, number: i32, body: Bytes) -> Result<CompletedPart> {
        let Self { store, key, upload } = self;
        let request = store.client.upload_part().bucket(&store.bucket).key(store.full(key)).upload_id(upload);
        let answer = request.part_number(number).body(body.into()).send().await;
        let answer = answer.map_err(|error| store.error(key, Failure::of(&error)))?;
        Ok(part(number, answer.e_tag()))
    }

    async fn copy(&self, number: i32, source: &str, range: Range<u64>, etag: &ETag) -> Result<CompletedPart> {
        let Self { store, key, upload } = self;
        let from = format!("{}/{}", store.bucket, store.full(source));
        let request = store.client.upload_part_copy().bucket(&store.bucket).key(store.full(key)).upload_id(upload);
        let request = request
            .part_number(number)
            .copy_source(utf8_percent_encode(&from, SOURCE).to_string())
            .copy_source_range(format!("bytes={}-{}", range.start, range.end - 1))
            .copy_source_if_match(write::quoted(etag));
        // What fails here is the source's condition.
        let answer = request.send().await.map_err(|error| store.error(source, Failure::of(&error)))?;
        Ok(part(number, answer.copy_part_result().and_then(|copied| copied.e_tag())))
    }

    async fn complete(&self, parts: Vec<CompletedPart>, condition: &Condition, write: &WriteId) -> Result<ETag> {
        let Self { store, key, upload } = self;
        let parts = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
        let request = store.client.complete_multipart_upload().bucket(&store.bucket).key(store.full(key));
        let request = request.upload_id(upload).multipart_upload(parts);
        let request = request.set_if_match(write::if_match(condition));
        match request.set_if_none_match(write::if_none_match(condition)).send().await {
            Ok(answer) => store.etag(key, answer.e_tag()),
            Err(error) => store.settle(key, Failure::of(&error), write).await,
        }
    }

    async fn abort(&self) -> Result<()> {
        let Self { store, key, upload } = self;
        let request = store.client.abort_multipart_upload().bucket(&store.bucket).key(store.full(key));
        match request.upload_id(upload).send().await.map_err(|error| Failure::of(&error)) {
            Ok(_) | Err(Failure::UploadGone | Failure::Missing) => Ok(()),
            Err(failure) => Err(store.error(key, failure)),
        }
    }
}

fn part(number: i32, etag: Option<&str>) -> CompletedPart {
    CompletedPart::builder().part_number(number).set_e_tag(etag.map(str::to_owned)).build()
}

/// Waits until at most `left` parts are under way, and gives those that got done.
async fn until(tasks: &mut JoinSet<Result<CompletedPart>>, left: usize, target: &Target) -> Result<Vec<CompletedPart>> {
    let mut done = Vec::new();
    while tasks.len() > left {
        match tasks.join_next().await {
            Some(Ok(part)) => done.push(part?),
            Some(Err(ended)) => {
                let reason = format!("a part did not end well: {ended}");
                return Err(StoreError::Unavailable { key: target.key.clone(), reason });
            }
            None => break,
        }
    }
    Ok(done)
}
