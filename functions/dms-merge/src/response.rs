//! How each table fared → what AWS is told.
//!
//! Pure. Success is said only of what is wholly merged: anything else is delivered again.

use std::collections::{BTreeMap, BTreeSet};

use headgate::{Class, Code, Error};
use headgate_columnar::merge::{MergeReport, Outcome};
use serde_json::{Value, json};

use crate::route::Ignored;

/// How a table fared in this invocation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fared {
    /// All there was is in.
    Done(Outcome),
    /// It did not come to its end.
    Failed(Error),
}

/// Every table of an invocation.
pub type Tables = BTreeMap<String, Fared>;

impl Fared {
    /// What a merge's report comes to.
    #[must_use]
    pub fn of(report: &MergeReport) -> Self {
        match report.outcome {
            Outcome::Merged | Outcome::UpToDate => Self::Done(report.outcome),
            Outcome::More => Self::Failed(Error::retry(
                Code::Deadline,
                format!("{} change files still wait; the next delivery goes on", report.pending),
            )),
            Outcome::Stopped => Self::Failed(report.error.clone().unwrap_or_else(unexplained)),
        }
    }

    fn error(&self) -> Option<&Error> {
        match self {
            Self::Done(_) => None,
            Self::Failed(error) => Some(error),
        }
    }
}

fn unexplained() -> Error {
    Error::retry(Code::Internal, "the merge stopped without saying why")
}

/// A message of an SQS batch and the tables it poked, or why it poked none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// The message id.
    pub id: String,
    /// The tables it poked.
    pub tables: Result<BTreeSet<String>, Error>,
}

impl Answered {
    /// Why this message must be delivered again (or go to the dead letters); `None` if it is done with.
    #[must_use]
    pub fn failure<'a>(&'a self, fared: &'a Tables) -> Option<&'a Error> {
        match &self.tables {
            Err(error) => Some(error),
            Ok(tables) => tables.iter().find_map(|table| fared.get(table).and_then(Fared::error)),
        }
    }
}

/// The partial batch response: the messages that were not wholly answered for.
#[must_use]
pub fn batch(messages: &[Answered], fared: &Tables) -> Value {
    let failed: Vec<_> = messages
        .iter()
        .filter(|message| message.failure(fared).is_some())
        .map(|message| json!({"itemIdentifier": message.id}))
        .collect();
    json!({"batchItemFailures": failed})
}

/// The answer to any other event: a summary, or one error for all tables that failed.
///
/// # Errors
/// Where a table failed or has more to do. The class is the one that hopes most (retry before misconfigured before
/// poison), with that failure's code, and the message names every failed table.
pub fn whole(fared: &Tables, ignored: &BTreeMap<Ignored, u64>) -> Result<Value, Error> {
    let failed: Vec<_> =
        fared.iter().filter_map(|(table, fared)| fared.error().map(|error| (table.as_str(), error))).collect();
    match failed.iter().min_by_key(|(_, error)| hope(error.class)) {
        Some((_, worth)) => Err(Error {
            class: worth.class,
            code: worth.code,
            message: failed.iter().map(|(table, error)| format!("{table}: {error}")).collect::<Vec<_>>().join("; "),
        }),
        None => Ok(json!({"tables": outcomes(fared), "ignored": ignored})),
    }
}

fn outcomes(fared: &Tables) -> BTreeMap<&str, Outcome> {
    let done = |(table, fared)| match fared {
        &Fared::Done(outcome) => Some((table, outcome)),
        Fared::Failed(_) => None,
    };
    fared.iter().map(|(table, fared)| (table.as_str(), fared)).filter_map(done).collect()
}

fn hope(class: Class) -> u8 {
    match class {
        Class::Retry => 0,
        Class::Misconfigured => 1,
        Class::Poison => 2,
    }
}

#[cfg(test)]
mod tests;
