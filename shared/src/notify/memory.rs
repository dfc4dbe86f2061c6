//! [`Notify`] → memory, for tests: failures can be planned and calls are counted.
//!
//! It keeps every publication, repeated ones too, as a standard topic does.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;

use super::{Notice, Notify, NotifyError};
use crate::faults::{Faults, Unavailable};

/// What is asked of a topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Verb {
    /// [`Notify::publish`]
    Publish,
}

impl Unavailable for NotifyError {
    fn unavailable(topic: &str) -> Self {
        Self::Unavailable { topic: topic.to_owned(), reason: "no answer (planned failure)".to_owned() }
    }
}

/// The name that errors give it.
const NAME: &str = "memory";

/// A [`Notify`] in memory. Clones are the same topic.
#[derive(Debug, Clone, Default)]
pub struct MemoryNotify {
    published: Arc<Mutex<Vec<Notice>>>,
    faults: Faults<Verb, NotifyError>,
}

impl MemoryNotify {
    /// The handle by which failures are planned and calls counted.
    #[must_use]
    pub fn faults(&self) -> Faults<Verb, NotifyError> {
        self.faults.clone()
    }

    /// What was published, in the order it came.
    #[must_use]
    pub fn published(&self) -> Vec<Notice> {
        self.published.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[async_trait]
impl Notify for MemoryNotify {
    async fn publish(&self, notice: &Notice) -> Result<(), NotifyError> {
        self.faults.around(Verb::Publish, NAME, || {
            self.published.lock().unwrap_or_else(PoisonError::into_inner).push(notice.clone());
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_lost_answer_is_a_publication_nonetheless() {
        let notice = Notice {
            subject: "hot".to_owned(),
            body: "{}".to_owned(),
            attributes: Vec::new(),
            group: "g".to_owned(),
            deduplication: "1-0".to_owned(),
        };
        let topic = MemoryNotify::default();
        topic.faults().fail_before(1, NotifyError::unavailable(NAME));
        topic.faults().fail_after(2);
        for published in [0, 1] {
            assert_eq!(topic.publish(&notice).await, Err(NotifyError::unavailable(NAME)));
            assert_eq!(topic.published().len(), published);
        }
        assert_eq!(topic.publish(&notice).await, Ok(()));
        assert_eq!(topic.published(), [notice.clone(), notice]);
    }
}
