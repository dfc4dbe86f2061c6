//! A store → the same store, each call as far away as S3 is.

use std::{ops::Range, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use headgate::store::{Condition, ETag, Keys, ObjectMeta, Page, Result, Store, Upload, memory::MemoryStore};

/// A store whose calls take at least so long. S3's own figure for small objects is 100 to 200 ms
/// (S3 User Guide, "Best practices design patterns: optimizing Amazon S3 performance").
#[derive(Debug, Clone)]
pub(crate) struct Distant {
    pub(crate) inner: MemoryStore,
    pub(crate) away: Duration,
}

impl Distant {
    async fn travel(&self) {
        if !self.away.is_zero() {
            tokio::time::sleep(self.away).await;
        }
    }
}

#[async_trait]
impl Store for Distant {
    async fn head(&self, key: &str) -> Result<Option<ObjectMeta>> {
        self.travel().await;
        self.inner.head(key).await
    }

    async fn get(&self, key: &str) -> Result<Option<(ETag, Bytes)>> {
        self.travel().await;
        self.inner.get(key).await
    }

    async fn get_range(&self, key: &str, range: Range<u64>, etag: &ETag) -> Result<Bytes> {
        self.travel().await;
        self.inner.get_range(key, range, etag).await
    }

    async fn list(&self, prefix: &str, start_after: Option<&str>) -> Result<Page> {
        self.travel().await;
        self.inner.list(prefix, start_after).await
    }

    async fn list_keys(&self, prefix: &str, start_after: Option<&str>) -> Result<Keys> {
        self.travel().await;
        self.inner.list_keys(prefix, start_after).await
    }

    async fn put(&self, key: &str, body: Bytes, condition: Condition) -> Result<ETag> {
        self.travel().await;
        self.inner.put(key, body, condition).await
    }

    async fn upload(&self, key: &str) -> Result<Box<dyn Upload>> {
        self.travel().await;
        Ok(Box::new(DistantUpload { inner: self.inner.upload(key).await?, store: self.clone() }))
    }

    async fn delete(&self, key: &str) -> Result<()> {
        self.travel().await;
        self.inner.delete(key).await
    }

    fn uri(&self, key: &str) -> String {
        self.inner.uri(key)
    }
}

struct DistantUpload {
    inner: Box<dyn Upload>,
    store: Distant,
}

#[async_trait]
impl Upload for DistantUpload {
    async fn append(&mut self, body: Bytes) -> Result<()> {
        self.store.travel().await;
        self.inner.append(body).await
    }

    async fn copy(&mut self, source: &str, range: Range<u64>, etag: &ETag) -> Result<()> {
        self.store.travel().await;
        self.inner.copy(source, range, etag).await
    }

    async fn complete(self: Box<Self>, condition: Condition) -> Result<ETag> {
        self.store.travel().await;
        self.inner.complete(condition).await
    }

    async fn abort(self: Box<Self>) -> Result<()> {
        self.store.travel().await;
        self.inner.abort().await
    }
}
