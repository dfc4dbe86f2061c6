//! The [`Store`] → memory, for tests: failures can be planned and calls are counted.
//!
//! It keeps the promises of S3 that matter, and no more: conditions are exact, a listing shows all that is there.

use std::{
    collections::BTreeMap,
    ops::{Bound, Range},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};

use crate::{
    clock::{Clock, Timestamp},
    faults::{Faults, Unavailable},
    store::{Condition, ETag, Keys, ObjectMeta, PAGE, Page, Result, Store, StoreError, Upload},
};

/// What is asked of a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Verb {
    /// [`Store::head`]
    Head,
    /// [`Store::get`]
    Get,
    /// [`Store::get_range`]
    GetRange,
    /// [`Store::list`]
    List,
    /// [`Store::put`]
    Put,
    /// [`Store::upload`]
    Upload,
    /// [`Upload::append`]
    Append,
    /// [`Upload::copy`]
    Copy,
    /// [`Upload::complete`]
    Complete,
    /// [`Upload::abort`]
    Abort,
    /// [`Store::delete`]
    Delete,
    /// [`Store::delete_all`]: two calls, for a request can end half-way.
    DeleteAll,
}

impl Unavailable for StoreError {
    fn unavailable(key: &str) -> Self {
        Self::Unavailable { key: key.to_owned(), reason: "no answer (planned failure)".to_owned() }
    }
}

/// A [`Store`] in memory. Clones are the same store.
#[derive(Debug, Clone)]
pub struct MemoryStore {
    clock: Arc<dyn Clock>,
    objects: Arc<Mutex<BTreeMap<String, Object>>>,
    faults: Faults<Verb, StoreError>,
}

#[derive(Debug, Clone)]
struct Object {
    body: Bytes,
    etag: ETag,
    last_modified: Timestamp,
}

impl Object {
    fn new(body: Bytes, last_modified: Timestamp) -> Self {
        let etag = ETag(format!("{:032x}", xxhash_rust::xxh3::xxh3_128(&body)));
        Self { body, etag, last_modified }
    }

    fn meta(&self, key: &str) -> ObjectMeta {
        ObjectMeta {
            key: key.to_owned(),
            size: self.body.len() as u64,
            last_modified: self.last_modified,
            etag: self.etag.clone(),
        }
    }
}

impl MemoryStore {
    /// An empty store whose objects get their time from `clock`.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, objects: Arc::default(), faults: Faults::default() }
    }

    /// The handle by which failures are planned and calls counted. The calls of an upload count as well.
    #[must_use]
    pub fn faults(&self) -> Faults<Verb, StoreError> {
        self.faults.clone()
    }

    /// Puts an object as if it had been written at `last_modified`; neither counted nor failed.
    pub fn put_at(&self, key: &str, body: impl Into<Bytes>, last_modified: Timestamp) -> ETag {
        let object = Object::new(body.into(), last_modified);
        let etag = object.etag.clone();
        self.objects().insert(key.to_owned(), object);
        etag
    }

    fn objects(&self) -> MutexGuard<'_, BTreeMap<String, Object>> {
        self.objects.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What `of` tells of the next objects, and whether more follow.
    fn page<T>(&self, prefix: &str, start_after: Option<&str>, of: impl Fn(&str, &Object) -> T) -> (Vec<T>, bool) {
        let from = match start_after {
            Some(after) if after >= prefix => Bound::Excluded(after),
            _ => Bound::Included(prefix),
        };
        let objects = self.objects();
        let mut found =
            objects.range::<str, _>((from, Bound::Unbounded)).take_while(|(key, _)| key.starts_with(prefix));
        let page = found.by_ref().take(PAGE).map(|(key, object)| of(key, object)).collect();
        (page, found.next().is_some())
    }

    fn range(&self, key: &str, range: Range<u64>, etag: &ETag) -> Result<Bytes> {
        let objects = self.objects();
        let object = objects.get(key).ok_or_else(|| StoreError::NotFound { key: key.to_owned() })?;
        if object.etag != *etag {
            return Err(StoreError::Changed { key: key.to_owned() });
        }
        let size = object.body.len();
        match (usize::try_from(range.start), usize::try_from(range.end)) {
            (Ok(start), Ok(end)) if start <= end && end <= size => Ok(object.body.slice(start..end)),
            _ => {
                let reason = format!("the range {range:?} is not within its {size} bytes");
                Err(StoreError::Refused { key: key.to_owned(), reason })
            }
        }
    }

    fn write(&self, key: &str, body: Bytes, condition: &Condition) -> Result<ETag> {
        if key.is_empty() || key.starts_with('/') {
            let reason = "a key may not be empty nor begin with `/`".to_owned();
            return Err(StoreError::Refused { key: key.to_owned(), reason });
        }
        let object = Object::new(body, self.clock.now());
        let mut objects = self.objects();
        let current = objects.get(key).map(|object| &object.etag);
        let holds = match condition {
            Condition::Always => true,
            Condition::Absent => current.is_none(),
            Condition::Matches(expected) => current == Some(expected),
        };
        if !holds {
            return Err(StoreError::Changed { key: key.to_owned() });
        }
        let etag = object.etag.clone();
        objects.insert(key.to_owned(), object);
        Ok(etag)
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn head(&self, key: &str) -> Result<Option<ObjectMeta>> {
        self.faults.around(Verb::Head, key, || Ok(self.objects().get(key).map(|object| object.meta(key))))
    }

    async fn get(&self, key: &str) -> Result<Option<(ETag, Bytes)>> {
        self.faults.around(Verb::Get, key, || {
            Ok(self.objects().get(key).map(|object| (object.etag.clone(), object.body.clone())))
        })
    }

    async fn get_range(&self, key: &str, range: Range<u64>, etag: &ETag) -> Result<Bytes> {
        self.faults.around(Verb::GetRange, key, || self.range(key, range, etag))
    }

    async fn list(&self, prefix: &str, start_after: Option<&str>) -> Result<Page> {
        self.faults.around(Verb::List, prefix, || {
            let (objects, more) = self.page(prefix, start_after, |key, object| object.meta(key));
            Ok(Page { objects, more })
        })
    }

    async fn list_keys(&self, prefix: &str, start_after: Option<&str>) -> Result<Keys> {
        self.faults.around(Verb::List, prefix, || {
            let (keys, more) = self.page(prefix, start_after, |key, _| key.to_owned());
            Ok(Keys { keys, more })
        })
    }

    async fn put(&self, key: &str, body: Bytes, condition: Condition) -> Result<ETag> {
        self.faults.around(Verb::Put, key, || self.write(key, body, &condition))
    }

    async fn upload(&self, key: &str) -> Result<Box<dyn Upload>> {
        self.faults.around(Verb::Upload, key, || {
            let upload = MemoryUpload { store: self.clone(), key: key.to_owned(), body: BytesMut::new() };
            Ok(Box::new(upload) as Box<dyn Upload>)
        })
    }

    async fn delete(&self, key: &str) -> Result<()> {
        self.faults.around(Verb::Delete, key, || {
            self.objects().remove(key);
            Ok(())
        })
    }

    async fn delete_all(&self, objects: &[(String, ETag)]) -> Result<Vec<String>> {
        let mut left = Vec::new();
        let (first, second) = objects.split_at(objects.len().div_ceil(2));
        for half in [first, second] {
            let Some((key, _)) = half.first() else { continue };
            self.faults.around(Verb::DeleteAll, key, || {
                let mut there = self.objects();
                for (key, etag) in half {
                    match there.get(key) {
                        Some(object) if object.etag == *etag => _ = there.remove(key),
                        Some(_) => left.push(key.clone()),
                        None => {}
                    }
                }
                Ok(())
            })?;
        }
        Ok(left)
    }

    fn uri(&self, key: &str) -> String {
        format!("memory:///{key}")
    }
}

struct MemoryUpload {
    store: MemoryStore,
    key: String,
    body: BytesMut,
}

#[async_trait]
impl Upload for MemoryUpload {
    async fn append(&mut self, body: Bytes) -> Result<()> {
        self.store.faults.around(Verb::Append, &self.key, || {
            self.body.extend_from_slice(&body);
            Ok(())
        })
    }

    async fn copy(&mut self, source: &str, range: Range<u64>, etag: &ETag) -> Result<()> {
        self.store.faults.around(Verb::Copy, &self.key, || {
            self.body.extend_from_slice(&self.store.range(source, range, etag)?);
            Ok(())
        })
    }

    async fn complete(self: Box<Self>, condition: Condition) -> Result<ETag> {
        let Self { store, key, body } = *self;
        store.faults.around(Verb::Complete, &key, || store.write(&key, body.freeze(), &condition))
    }

    async fn abort(self: Box<Self>) -> Result<()> {
        self.store.faults.around(Verb::Abort, &self.key, || Ok(()))
    }
}

#[cfg(test)]
mod tests;
