//! Something a person should know → whoever subscribed.
//!
//! No SDK type comes in: an adapter translates. A publication whose answer is lost may be there nonetheless, so each
//! notice carries what tells it from all others, and is published again with the same.

use std::fmt;

use async_trait::async_trait;

use crate::error::{Code, Error};

pub mod directory;
pub mod memory;

/// What is to be told.
#[derive(Clone, PartialEq, Eq)]
pub struct Notice {
    /// One line for people: printable ASCII, fewer than 100 characters.
    pub subject: String,
    /// JSON.
    pub body: String,
    /// By which subscribers choose.
    pub attributes: Vec<(&'static str, String)>,
    /// Notices of one group are told in their order, where the service keeps one.
    pub group: String,
    /// The same for each publication of this notice, and for no other notice.
    pub deduplication: String,
}

impl fmt::Debug for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.deduplication, self.subject)
    }
}

/// Why a notice was not published.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotifyError {
    /// No answer, or asked to slow down: it may be published or not, and the same call may work later.
    #[error("topic {topic}: {reason}")]
    Unavailable {
        /// The topic.
        topic: String,
        /// The service's own words.
        reason: String,
    },
    /// Refused (permission, no such topic): nothing is published, and a person must change something.
    #[error("topic {topic}: {reason}")]
    Refused {
        /// The topic.
        topic: String,
        /// The service's own words.
        reason: String,
    },
}

impl From<NotifyError> for Error {
    fn from(error: NotifyError) -> Self {
        let message = error.to_string();
        match error {
            NotifyError::Unavailable { .. } => Self::retry(Code::Unavailable, message),
            NotifyError::Refused { .. } => Self::misconfigured(Code::AccessDenied, message),
        }
    }
}

/// A topic: SNS, files, memory.
#[async_trait]
pub trait Notify: fmt::Debug + Send + Sync {
    /// Publishes the notice to all who subscribed.
    async fn publish(&self, notice: &Notice) -> Result<(), NotifyError>;
}

const SUBJECT: usize = 99;

/// The text as a [`Notice::subject`]: what is not printable ASCII becomes `?`, and what is too much is cut off.
///
/// SNS refuses others (`Publish`, API reference: "ASCII text that begins with a letter, number, or punctuation mark;
/// must not include line breaks or control characters; and must be less than 100 characters long").
#[must_use]
pub fn subject(text: &str) -> String {
    let printable = |letter: char| if matches!(letter, ' '..='~') { letter } else { '?' };
    text.trim_start().chars().map(printable).take(SUBJECT).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_is_what_sns_takes() {
        assert_eq!(subject("  warning: café\n\u{7f}1"), "warning: caf???1");
        assert_eq!(subject(&"é".repeat(300)), "?".repeat(99));
    }
}
