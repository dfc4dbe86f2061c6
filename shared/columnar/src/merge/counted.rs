//! A store → the same store, and what was asked of it.

use std::{
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use async_trait::async_trait;
use bytes::Bytes;
use headgate::store::{Condition, ETag, Keys, ObjectMeta, Page, Result, Store, Upload};

/// What was asked.
#[derive(Debug, Default)]
pub struct Counts {
    bytes_read: AtomicU64,
    list_requests: AtomicU64,
}

impl Counts {
    /// Bytes that came back.
    pub fn bytes_read(&self) -> u64 {
        self.bytes_read.load(Relaxed)
    }

    /// List requests made.
    pub fn list_requests(&self) -> u64 {
        self.list_requests.load(Relaxed)
    }
}

/// Counts on the way.
#[derive(Debug)]
pub struct Counted {
    inner: Arc<dyn Store>,
    counts: Arc<Counts>,
}

/// The store, counted.
#[must_use]
pub fn counted(inner: &Arc<dyn Store>) -> (Arc<dyn Store>, Arc<Counts>) {
    let counts = Arc::new(Counts::default());
    (Arc::new(Counted { inner: Arc::clone(inner), counts: Arc::clone(&counts) }), counts)
}

#[async_trait]
impl Store for Counted {
    async fn head(&self, key: &str) -> Result<Option<ObjectMeta>> {
        self.inner.head(key).await
    }

    async fn get(&self, key: &str) -> Result<Option<(ETag, Bytes)>> {
        let got = self.inner.get(key).await?;
        self.counts.bytes_read.fetch_add(got.as_ref().map_or(0, |(_, bytes)| bytes.len() as u64), Relaxed);
        Ok(got)
    }

    async fn get_range(&self, key: &str, range: Range<u64>, etag: &ETag) -> Result<Bytes> {
        self.counts.bytes_read.fetch_add(range.end.saturating_sub(range.start), Relaxed);
        self.inner.get_range(key, range, etag).await
    }

    async fn list(&self, prefix: &str, start_after: Option<&str>) -> Result<Page> {
        self.counts.list_requests.fetch_add(1, Relaxed);
        self.inner.list(prefix, start_after).await
    }

    async fn list_keys(&self, prefix: &str, start_after: Option<&str>) -> Result<Keys> {
        self.counts.list_requests.fetch_add(1, Relaxed);
        self.inner.list_keys(prefix, start_after).await
    }

    async fn put(&self, key: &str, body: Bytes, condition: Condition) -> Result<ETag> {
        self.inner.put(key, body, condition).await
    }

    async fn upload(&self, key: &str) -> Result<Box<dyn Upload>> {
        self.inner.upload(key).await
    }

    async fn delete(&self, key: &str) -> Result<()> {
        self.inner.delete(key).await
    }

    async fn delete_all(&self, objects: &[(String, ETag)]) -> Result<Vec<String>> {
        self.inner.delete_all(objects).await
    }

    fn uri(&self, key: &str) -> String {
        self.inner.uri(key)
    }
}
