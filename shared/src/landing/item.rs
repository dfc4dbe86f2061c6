//! What is known of a shard → the JSON value of its item, and back.
//!
//! Every object that may hold a row beyond what the checkpoint answers for is named here, from before its first byte
//! is written until it is either covered by the checkpoint or gone.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Mark, Object, skips::Skips};
use crate::{
    error::{Code, Error},
    state::Version,
};

/// The most bytes of an item: `DynamoDB` takes 400 KB, names and other attributes included.
const MOST: usize = 300_000;
/// For an attempt of a single object, so that one can always be made: what fills the item is settled by moving on.
const MOST_FOR_ONE: usize = 390_000;

/// The name of one attempt to land a batch: no two attempts ever have the same one.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Attempt(String);

impl Attempt {
    /// A name nobody has used.
    #[must_use]
    pub fn fresh() -> Self {
        Self(Version::fresh().0)
    }

    /// The name: 32 hexadecimal digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Objects that may be there, by key, each with the place of its first record.
pub(super) type Outstanding = BTreeMap<String, Mark>;

/// The item's value.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Ledger {
    /// The last place that is done.
    pub(super) checkpoint: Option<Mark>,
    intent: Option<Intent>,
    /// What the caller keeps with them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) note: Option<String>,
    /// What never came, where the caller says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) skips: Option<Skips>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Intent {
    /// The last attempt that added to it: for people who look for its objects.
    attempt: Attempt,
    keys: Outstanding,
}

impl Ledger {
    pub(super) fn read(item: &str, value: Value) -> Result<Self, Error> {
        serde_json::from_value(value).map_err(|error| {
            let message = format!("{item}: is not the item of a shard ({error}): remove it or use another key");
            Error::misconfigured(Code::InvalidJson, message)
        })
    }

    /// Its JSON, unless that is too long for an attempt of so many objects.
    pub(super) fn write(&self, item: &str, objects: usize) -> Result<Value, Error> {
        let internal = |error| Error::retry(Code::Internal, format!("{item}: cannot be written: {error}"));
        let value = serde_json::to_value(self).map_err(internal)?;
        let (bytes, most) = (value.to_string().len(), if objects > 1 { MOST } else { MOST_FOR_ONE });
        if bytes > most {
            let count = self.outstanding().count();
            let message = format!(
                "{item}: {count} unfinished objects make {bytes} bytes, more than {most}: deliver fewer records at once \
                 (bisect the batch), or partition the dataset by columns with fewer values"
            );
            return Err(Error::retry(Code::TooLarge, message));
        }
        Ok(value)
    }

    /// The same with the objects of this attempt, which are about to be written.
    pub(super) fn claimed(&self, attempt: &Attempt, objects: &[Object]) -> Self {
        let new = objects.iter().map(|object| (object.key.clone(), object.first.clone()));
        let keys = self.outstanding().map(|(key, first)| (key.clone(), first.clone())).chain(new).collect();
        let intent = Some(Intent { attempt: attempt.clone(), keys });
        Self { intent, ..self.clone() }
    }

    /// The same when these objects are written and all is done up to `last`.
    pub(super) fn finished(mut self, objects: &[Object], last: Mark) -> Self {
        for object in objects {
            self.forget(&object.key);
        }
        self.checkpoint = self.checkpoint.max(Some(last));
        self.tidied()
    }

    /// The same without its leftovers.
    pub(super) fn swept(mut self) -> Self {
        for key in self.leftovers() {
            self.forget(&key);
        }
        self.tidied()
    }

    /// The keys of unfinished objects that begin at or below the checkpoint. Whatever they begin with is in another
    /// object by now, or was left out, and no attempt that may still finish will write them.
    pub(super) fn leftovers(&self) -> Vec<String> {
        let done = |first: &Mark| self.checkpoint.as_ref().is_some_and(|checkpoint| first <= checkpoint);
        self.outstanding().filter(|(_, first)| done(first)).map(|(key, _)| key.clone()).collect()
    }

    pub(super) fn outstanding(&self) -> impl Iterator<Item = (&String, &Mark)> {
        self.intent.iter().flat_map(|intent| &intent.keys)
    }

    fn forget(&mut self, key: &str) {
        if let Some(intent) = &mut self.intent {
            intent.keys.remove(key);
        }
    }

    fn tidied(mut self) -> Self {
        self.intent = self.intent.filter(|intent| !intent.keys.is_empty());
        self
    }
}
