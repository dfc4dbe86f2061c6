//! [`Notify`] → JSON files in a directory, one a notice, for the laptop.
//!
//! A notice that is published again is the same file: here nobody is told twice.

use std::path::PathBuf;

use async_trait::async_trait;
use serde_json::json;

use super::{Notice, Notify, NotifyError};
use crate::store::{Condition, Store, StoreError, directory::DirectoryStore};

/// A [`Notify`] in a directory.
#[derive(Debug, Clone)]
pub struct DirectoryNotify {
    files: DirectoryStore,
    name: String,
}

impl DirectoryNotify {
    /// The notices under `root`, which need not exist yet.
    #[must_use]
    pub fn new(root: PathBuf) -> Self {
        Self { name: root.display().to_string(), files: DirectoryStore::new(root) }
    }
}

#[async_trait]
impl Notify for DirectoryNotify {
    async fn publish(&self, notice: &Notice) -> Result<(), NotifyError> {
        let Notice { subject, body, attributes, group: _, deduplication } = notice;
        let attributes: serde_json::Map<_, _> =
            attributes.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
        let message: serde_json::Value = serde_json::from_str(body).unwrap_or_else(|_| json!(body));
        let file = json!({"subject": subject, "message": message, "attributes": attributes});
        let (key, topic) = (format!("{deduplication}.json"), self.name.clone());
        let written = self.files.put(&key, format!("{file:#}\n").into(), Condition::Always).await;
        written.map(|_| ()).map_err(|error| match error {
            StoreError::Refused { reason, .. } => NotifyError::Refused { topic, reason },
            error => NotifyError::Unavailable { topic, reason: error.to_string() },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_notice_is_a_file_however_often_it_is_published() {
        let folder = tempfile::tempdir().unwrap();
        let topic = DirectoryNotify::new(folder.path().to_owned());
        let notice = Notice {
            subject: "hot".to_owned(),
            body: r#"{"value":81}"#.to_owned(),
            attributes: vec![("severity", "warning".to_owned())],
            group: "g".to_owned(),
            deduplication: "a-0".to_owned(),
        };
        for _ in 0..2 {
            topic.publish(&notice).await.unwrap();
        }
        let files = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
        assert_eq!(files.filter(|name| !name.to_string_lossy().starts_with('.')).count(), 1);
        let text = std::fs::read_to_string(folder.path().join("a-0.json")).unwrap();
        let expected = json!({"subject": "hot", "message": {"value": 81}, "attributes": {"severity": "warning"}});
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), expected);
    }
}
