//! An idempotency key → one request at a time, and what is left of its body to send.
//!
//! The item says what the stream has said it has. It is written after the put, so it may say too little and never too
//! much: a crash between the two sends records twice and loses none.

use std::time::Duration;

use headgate::{
    Class, Code, Error,
    clock::Timestamp,
    state::{Expected, Item, State, StateError, Version},
};
use serde::{Deserialize, Serialize};

use crate::{intake::Named, positions::Positions, refusal::Refusal};

/// How long a key is known.
pub const TTL: Duration = Duration::from_hours(24);

/// A sender is not told to wait longer than this, in seconds: whoever holds the key may be done much sooner.
const LONGEST_WAIT: u64 = 5;

/// What is kept of a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Entry {
    fingerprint: String,
    records: usize,
    accepted: Positions,
    /// Until then someone is at it; longer than an invocation's deadline nobody can be.
    held_until: Option<Timestamp>,
}

/// How a request with a key begins.
#[derive(Debug)]
pub enum Begun {
    /// It is ours to send what is left.
    Held(Hold),
    /// All of it was accepted before.
    Done,
}

/// A key that is ours until [`Hold::finish`] or the deadline.
#[derive(Debug)]
pub struct Hold {
    key: String,
    version: Version,
    entry: Entry,
}

/// Takes the key of a body of `records` records, until `deadline` at most.
///
/// # Errors
/// [`Refusal::KeyReused`], [`Refusal::UnderWay`], [`Refusal::Unavailable`] or [`Refusal::Misconfigured`].
pub async fn begin(
    state: &dyn State,
    named: &Named,
    records: usize,
    now: Timestamp,
    deadline: Timestamp,
) -> Result<Begun, Refusal> {
    let known = state.get(&named.key).await.map_err(failure)?;
    let (expected, accepted) = match known.as_ref().map(entry).transpose()? {
        None => (Expected::Absent, Positions::default()),
        Some((_, entry)) if entry.fingerprint != named.fingerprint => return Err(Refusal::KeyReused),
        Some((_, entry)) if entry.accepted.len() >= entry.records => return Ok(Begun::Done),
        Some((_, Entry { held_until: Some(until), .. })) if now < until => return Err(under_way(now, until)),
        Some((version, entry)) => (Expected::Version(version), entry.accepted),
    };
    let fingerprint = named.fingerprint.clone();
    let entry = Entry { fingerprint, records, accepted, held_until: Some(deadline) };
    match write(state, &named.key, &entry, expected).await {
        Ok(version) => Ok(Begun::Held(Hold { key: named.key.clone(), version, entry })),
        Err(StateError::Changed { .. }) => Err(under_way(now, now)),
        Err(error) => Err(failure(error)),
    }
}

impl Hold {
    /// What the stream has already.
    #[must_use]
    pub fn accepted(&self) -> &Positions {
        &self.entry.accepted
    }

    /// Notes what the stream has now, and lets the key go.
    ///
    /// # Errors
    /// Where the state could not be written: a repetition may then send records again.
    pub async fn finish(mut self, state: &dyn State, accepted: Positions) -> Result<(), Error> {
        self.entry.accepted = accepted;
        self.entry.held_until = None;
        write(state, &self.key, &self.entry, Expected::Version(self.version)).await?;
        Ok(())
    }
}

async fn write(state: &dyn State, key: &str, entry: &Entry, expected: Expected) -> Result<Version, StateError> {
    let value = serde_json::to_value(entry)
        .map_err(|error| StateError::Refused { key: key.to_owned(), reason: error.to_string() })?;
    state.put_if(key, value, expected, Some(TTL)).await
}

fn entry(item: &Item) -> Result<(Version, Entry), Refusal> {
    let entry = Entry::deserialize(&item.value).map_err(|_| {
        let told = "the item of an idempotency key was not written by this function; give it a table of its own";
        Refusal::Misconfigured(Error::misconfigured(Code::InvalidConfig, told))
    })?;
    Ok((item.version.clone(), entry))
}

fn under_way(now: Timestamp, until: Timestamp) -> Refusal {
    let milliseconds = u64::try_from(until.0.saturating_sub(now.0)).unwrap_or_default();
    Refusal::UnderWay { seconds: milliseconds.div_ceil(1000).clamp(1, LONGEST_WAIT) }
}

fn failure(error: StateError) -> Refusal {
    let error = Error::from(error);
    match error.class {
        Class::Misconfigured => Refusal::Misconfigured(error),
        Class::Retry | Class::Poison => Refusal::Unavailable(error),
    }
}
