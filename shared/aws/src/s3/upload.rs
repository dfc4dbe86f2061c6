//! The port [`Upload`] → one put, or a multipart upload once the object outgrows a part.
//!
//! No request is made before a part is full. An error gives the whole upload up.

use std::{collections::BTreeSet, mem, ops::Range};

use async_trait::async_trait;
use bytes::Bytes;
use headgate::store::{Condition, ETag, Result, Store, StoreError, Upload};

use super::{
    S3Store,
    multipart::{Multipart, Part},
    parts::{Cut, Plan, S3},
    write::WriteId,
};

/// An object on its way to S3.
#[derive(Debug)]
pub(super) struct S3Upload {
    store: S3Store,
    key: String,
    write: WriteId,
    plan: Plan,
    wire: Wire,
    /// Sources whose tag was seen to hold.
    held: BTreeSet<(String, ETag)>,
}

/// What S3 knows of the upload.
#[derive(Debug)]
enum Wire {
    /// Nothing yet.
    Quiet,
    /// A multipart upload with parts.
    Open(Multipart),
    /// It was given up after an error.
    Ended,
}

impl S3Upload {
    pub(super) fn new(store: S3Store, key: &str) -> Self {
        Self {
            store,
            key: key.to_owned(),
            write: WriteId::random(),
            plan: Plan::new(S3),
            wire: Wire::Quiet,
            held: BTreeSet::new(),
        }
    }

    async fn send(&mut self, part: Part) -> Result<()> {
        if matches!(self.wire, Wire::Quiet) {
            self.wire = Wire::Open(Multipart::begin(&self.store, &self.key, &self.write).await?);
        }
        match &mut self.wire {
            Wire::Open(multipart) => multipart.send(part).await,
            Wire::Quiet | Wire::Ended => Err(self.ended()),
        }
    }

    async fn take(&mut self, mut body: &[u8]) -> Result<()> {
        while let Some(part) = self.plan.append(&mut body) {
            self.send(Part::Body(part)).await?;
        }
        Ok(())
    }

    async fn take_range(&mut self, source: &str, range: Range<u64>, etag: &ETag) -> Result<()> {
        let from = match self.plan.cut(&range) {
            Cut::Read => range.end,
            Cut::CopyFrom(from) => from,
        };
        if from > range.start {
            let head = self.store.get_range(source, range.start..from, etag).await?;
            self.take(&head).await?;
        }
        if from == range.end {
            return Ok(());
        }
        if let Some(part) = self.plan.flush() {
            self.send(Part::Body(part)).await?;
        }
        self.look_at(source, etag).await?;
        for piece in self.plan.pieces(from..range.end) {
            self.send(Part::Copy { source: source.to_owned(), range: piece, etag: etag.clone() }).await?;
        }
        Ok(())
    }

    /// Parts are copied in the background, each on the condition that the tag holds. One look ahead tells a caller
    /// whose source was replaced long ago before it prepares all the rest.
    async fn look_at(&mut self, source: &str, etag: &ETag) -> Result<()> {
        if self.held.contains(&(source.to_owned(), etag.clone())) {
            return Ok(());
        }
        // An empty range asks for nothing but the tag.
        self.store.get_range(source, 0..0, etag).await?;
        self.held.insert((source.to_owned(), etag.clone()));
        Ok(())
    }

    /// Passes a result on, and after an error removes what was sent.
    async fn or_give_up(&mut self, done: Result<()>) -> Result<()> {
        if done.is_err() {
            self.give_up().await.ok();
        }
        done
    }

    async fn give_up(&mut self) -> Result<()> {
        match mem::replace(&mut self.wire, Wire::Ended) {
            Wire::Open(multipart) => multipart.abort().await,
            Wire::Quiet | Wire::Ended => Ok(()),
        }
    }

    fn ended(&self) -> StoreError {
        StoreError::Unavailable { key: self.key.clone(), reason: "the upload was given up after an error".into() }
    }
}

#[async_trait]
impl Upload for S3Upload {
    async fn append(&mut self, body: Bytes) -> Result<()> {
        if matches!(self.wire, Wire::Ended) {
            return Err(self.ended());
        }
        let done = self.take(&body).await;
        self.or_give_up(done).await
    }

    async fn copy(&mut self, source: &str, range: Range<u64>, etag: &ETag) -> Result<()> {
        if matches!(self.wire, Wire::Ended) {
            return Err(self.ended());
        }
        let done = self.take_range(source, range, etag).await;
        self.or_give_up(done).await
    }

    async fn complete(mut self: Box<Self>, condition: Condition) -> Result<ETag> {
        let last = self.plan.flush();
        match mem::replace(&mut self.wire, Wire::Ended) {
            Wire::Quiet => self.store.put_as(&self.key, last.unwrap_or_default(), &condition, &self.write).await,
            Wire::Open(multipart) => multipart.complete(last, &condition, &self.write).await,
            Wire::Ended => Err(self.ended()),
        }
    }

    async fn abort(mut self: Box<Self>) -> Result<()> {
        self.give_up().await
    }
}
