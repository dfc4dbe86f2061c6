//! The [`State`] → JSON files in a directory, one a key, for the laptop.
//!
//! A file is an object of a [`DirectoryStore`], so that what holds there among processes and kills holds here.

use std::{path::PathBuf, sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use serde_json::Value;

use super::{Expected, Item, Result, State, StateError, Version};
use crate::{
    clock::{Clock, Timestamp},
    store::{Condition, ETag, Store, StoreError, directory::DirectoryStore},
};

/// A [`State`] in a directory.
#[derive(Debug, Clone)]
pub struct FileState {
    files: DirectoryStore,
    clock: Arc<dyn Clock>,
}

impl FileState {
    /// The state under `root`, which need not exist yet; items end by `clock`.
    #[must_use]
    pub fn new(root: PathBuf, clock: Arc<dyn Clock>) -> Self {
        Self { files: DirectoryStore::new(root), clock }
    }

    /// The file's tag, if there is one, and the item, if it lives.
    async fn read(&self, key: &str) -> Result<(Option<ETag>, Option<Item>)> {
        let Some((etag, body)) = self.files.get(&file(key)).await? else { return Ok((None, None)) };
        let item: Item = serde_json::from_slice(&body)
            .map_err(|error| StateError::Refused { key: key.to_owned(), reason: format!("its file: {error}") })?;
        Ok((Some(etag), Some(item).filter(|item| item.lives(self.clock.now()))))
    }

    /// Replaces the file that was read by `item`, looking again for as long as other writers come in between.
    async fn change(&self, key: &str, expected: &Expected, item: &Item) -> Result<()> {
        let body = serde_json::to_vec(item)
            .map_err(|error| StateError::Refused { key: key.to_owned(), reason: error.to_string() })?;
        let body = Bytes::from(body);
        loop {
            let (etag, current) = self.read(key).await?;
            if !expected.holds(current.as_ref()) {
                return Err(StateError::Changed { key: key.to_owned() });
            }
            let condition = etag.map_or(Condition::Absent, Condition::Matches);
            match self.files.put(&file(key), body.clone(), condition).await {
                Err(StoreError::Changed { .. }) => {}
                other => return other.map(|_| ()).map_err(StateError::from),
            }
        }
    }
}

fn file(key: &str) -> String {
    format!("{key}.json")
}

#[async_trait]
impl State for FileState {
    async fn get(&self, key: &str) -> Result<Option<Item>> {
        Ok(self.read(key).await?.1)
    }

    async fn put_if(&self, key: &str, value: Value, expected: Expected, ttl: Option<Duration>) -> Result<Version> {
        let item = Item::new(value, self.clock.now(), ttl);
        self.change(key, &expected, &item).await?;
        Ok(item.version)
    }

    async fn delete_if(&self, key: &str, expected: Expected) -> Result<()> {
        // A file can be replaced on a condition but not removed on one: an item that is over stands for none.
        let over = Item { version: Version::fresh(), value: Value::Null, expires_at: Some(Timestamp(i64::MIN)) };
        self.change(key, &expected, &over).await
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        clock::{ManualClock, SystemClock},
        state::conformance,
    };

    #[tokio::test(flavor = "multi_thread")]
    async fn it_keeps_the_promises_of_a_state() {
        let folder = tempfile::tempdir().unwrap();
        conformance::check(Arc::new(FileState::new(folder.path().to_owned(), Arc::new(SystemClock)))).await;
    }

    #[tokio::test]
    async fn an_item_ends_with_its_time() {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::new(Timestamp(0)));
        let state = FileState::new(folder.path().to_owned(), Arc::clone(&clock) as Arc<dyn Clock>);
        conformance::check_expiry(&state, &|time| clock.advance(time)).await;
    }

    #[tokio::test]
    async fn another_process_sees_it_and_a_foreign_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let open = || FileState::new(folder.path().to_owned(), Arc::new(SystemClock));
        let version = open().put_if("a/b", json!({"n": 1}), Expected::Absent, None).await.unwrap();
        let expected = Item { version, value: json!({"n": 1}), expires_at: None };
        assert_eq!(open().get("a/b").await, Ok(Some(expected)));
        std::fs::write(folder.path().join("a/b.json"), "{}").unwrap();
        let refused = open().put_if("a/b", json!(1), Expected::Any, None).await;
        assert!(matches!(refused, Err(StateError::Refused { .. })), "{refused:?}");
    }
}
