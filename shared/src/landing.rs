//! The batches of one shard → objects in the lake, each record in exactly one of them.
//!
//! Nothing of records, columns or events comes in: a caller hands over keys and bytes, and the place of the last record
//! they answer for.
//!
//! A shard is a Kinesis shard or a Kafka topic-partition. What is known of it is one item of the [`State`]: the
//! checkpoint, which is the last place that is done, and the intent, which names the objects of attempts that did not
//! finish. A batch goes in so:
//!
//! 1. [`open`] reads the item. The caller leaves out the records at or below [`Shard::checkpoint`], and encodes the rest
//!    as one object for each partition of the dataset (the quarantine is one more).
//! 2. [`Shard::land`] claims the shard: it adds the objects to the intent. The item's version changes, so that an older
//!    invocation that is still running can neither move the checkpoint nor replace an object any more.
//! 3. It writes the objects: creates them, or replaces what an earlier attempt left, if the claim still holds.
//! 4. It moves the checkpoint, if the claim still holds. From here on the batch is done.
//! 5. It removes the leftovers: objects of attempts that did not finish, which begin at or below the checkpoint and
//!    which no finished attempt wrote. Such are rare: the contract changed between two attempts, or the records of a
//!    failed batch were skipped.
//!
//! **Why a repeat overwrites.** An object's key says where its first record is ([`object_name`]). Every attempt begins
//! right after the checkpoint, so the first record of a partition is the same in all of them, wherever the batch ends;
//! a redelivery that ends elsewhere writes the same keys. Hence the rules for callers:
//!
//! - one object for each partition, with all its records of the batch, never two. A key may say more, such as a time,
//!   where the caller takes it from [`Shard::note`] as long as [`Shard::is_unfinished`];
//! - a batch begins at or below the record after the checkpoint, and leaves none out in between;
//! - the bytes of every object hold the [`Attempt`] (file metadata, a field of each line). With the same bytes in two
//!   attempts, the tags of their objects would be the same too, and an old invocation could take its successor's object
//!   for the one it saw before and replace it with rows that the next batch brings again;
//! - [`Shard::land`] is called even where no record is left: it completes what an earlier invocation left undone.
//!
//! **What is not kept.** If an invocation, or a request of it, is still on its way after another took over, *and* the
//! contract was changed or records were skipped between the two, it can create an object after that was removed, and
//! its rows are there twice. None is ever lost.
//!
//! **Parallelization factor.** With more than one, Kinesis hands out several batches of a shard at once, and there is no
//! last place that is done: the batch with the higher numbers would make the others look done. Such a stream must not
//! land here.

use std::{collections::BTreeSet, time::Duration};

use bytes::Bytes;
use serde::Serialize;

use crate::{
    error::{Code, Error},
    state::{Expected, State, StateError, Version},
    store::{LONGEST_KEY, Store},
};

mod claim;
mod item;
mod mark;
mod name;
mod skips;

use claim::Claim;
pub use item::Attempt;
use item::Ledger;
pub use mark::Mark;
pub use name::{is_object_stem, object_name, object_place};
pub use skips::Coming;
use skips::Skips;

/// How long an item is kept after its last change: longer than Kinesis can keep a record (365 days).
///
/// A topic that keeps its records for longer can bring them again after such a silence.
pub const KEPT: Duration = Duration::from_hours(400 * 24);

/// An object to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// The whole key, which ends with an [`object_name`].
    pub key: String,
    /// The place of the first record in it, the one its name says.
    pub first: Mark,
    /// Its content, which holds the [`Attempt`].
    pub body: Bytes,
}

/// What was done to land a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Landed {
    /// Objects created.
    pub placed: u64,
    /// Objects that took the place of an earlier attempt's, or of this one's where an answer was lost.
    pub replaced: u64,
    /// Leftovers of earlier attempts removed; one that was never written counts as well.
    pub removed: u64,
    /// Bytes of the objects created and replaced.
    pub bytes: u64,
}

/// A shard as one invocation found it, good for one batch.
#[derive(Debug)]
pub struct Shard {
    item: String,
    attempt: Attempt,
    ledger: Ledger,
    version: Option<Version>,
    /// Where the batch begins, where that tells what never came.
    first: Option<u64>,
}

/// The key of a shard's item.
#[must_use]
pub fn item_key(dataset: &str, stream: &str, shard: &str) -> String {
    format!("shard/{dataset}/{stream}/{shard}")
}

/// Reads what is known of a shard. `item` is the key of its item, such as [`item_key`] gives: another one for each
/// shard, and for a topic that is made anew, whose offsets begin again.
///
/// # Errors
/// Retry where the state does not answer; misconfigured where it refuses, or where the item is none of ours.
pub async fn open(state: &dyn State, item: &str) -> Result<Shard, Error> {
    let found = state.get(item).await?;
    let (version, value) = found.map(|item| (item.version, item.value)).unzip();
    let ledger = value.map(|value| Ledger::read(item, value)).transpose()?.unwrap_or_default();
    Ok(Shard { item: item.to_owned(), attempt: Attempt::fresh(), ledger, version, first: None })
}

impl Shard {
    /// The last place that is done: leave out the records at or below it.
    #[must_use]
    pub fn checkpoint(&self) -> Option<&Mark> {
        self.ledger.checkpoint.as_ref()
    }

    /// Whether the record at this place is done.
    #[must_use]
    pub fn is_done(&self, place: &Mark) -> bool {
        self.checkpoint().is_some_and(|checkpoint| place <= checkpoint)
    }

    /// What the caller noted last, whether or not the attempt that noted it finished.
    #[must_use]
    pub fn note(&self) -> Option<&str> {
        self.ledger.note.as_deref()
    }

    /// Keeps a note of at most a few bytes with the shard, from the claim on: a later attempt reads it, finished or not.
    #[must_use]
    pub fn noting(mut self, note: String) -> Self {
        self.ledger.note = Some(note);
        self
    }

    /// Whether an attempt that did not finish meant to write this object, which may therefore be there.
    #[must_use]
    pub fn is_unfinished(&self, key: &str) -> bool {
        self.ledger.outstanding().any(|(outstanding, _)| outstanding == key)
    }

    /// Whether nothing more will be written of the record at this place: it is done, and no object of an attempt that
    /// did not finish may hold it.
    #[must_use]
    pub fn is_settled(&self, place: &Mark) -> bool {
        self.is_done(place) && self.ledger.outstanding().all(|(_, first)| first > place)
    }

    /// Whether no attempt writes or removes this object any more, which begins at `first`, but for one that was overtaken
    /// and still runs.
    #[must_use]
    pub fn is_final(&self, key: &str, first: &Mark) -> bool {
        self.is_done(first) && !self.is_unfinished(key)
    }

    /// Says that the batch's first record that is not done is at this place, and that whatever is between it and the
    /// checkpoint never came: it expired, or its batch was given up. For shards whose places have no holes but of what
    /// nobody delivers, such as those of a topic-partition.
    #[must_use]
    pub fn beginning(mut self, first: u64) -> Self {
        self.first = Some(first);
        self
    }

    /// Whether a batch brought the record at this place.
    #[must_use]
    pub fn coming(&self, place: &Mark) -> Coming {
        let skips = self.ledger.skips.as_ref().filter(|_| self.is_done(place));
        skips.map_or(Coming::Unknown, |skips| skips.at(place))
    }

    /// The name of this attempt, which the bytes of its objects must hold.
    #[must_use]
    pub fn attempt(&self) -> &Attempt {
        &self.attempt
    }

    /// Writes the objects of a batch and moves the checkpoint to `last`, the place of the batch's last record, whatever
    /// became of that record. Where `last` is done already, it only completes what an earlier invocation left undone.
    ///
    /// # Errors
    /// Whatever fails, the same records may be delivered again, with other bounds as well.
    /// Retry: [`Code::Contended`] where another invocation took over; [`Code::Unavailable`] where a port does not answer,
    /// and the batch may be done nonetheless; [`Code::TooLarge`] where so many objects are unfinished that their keys
    /// do not fit the item, which a smaller batch cures; [`Code::Internal`] where the objects break the rules above.
    /// Misconfigured where a port refuses, or where a key is too long for S3.
    pub async fn land(
        self,
        store: &dyn Store,
        state: &dyn State,
        objects: Vec<Object>,
        last: Mark,
    ) -> Result<Landed, Error> {
        self.allows(&objects, &last)?;
        let Self { item, attempt, mut ledger, mut version, first } = self;
        let done = ledger.checkpoint.as_ref().is_some_and(|checkpoint| last <= *checkpoint);
        let mut landed = Landed::default();
        if !objects.is_empty() {
            ledger = ledger.claimed(&attempt, &objects);
            let claimed = write(state, &item, &ledger, version.take(), objects.len()).await?;
            landed = Claim { store, state, item: &item, version: &claimed }.place(&objects).await?;
            version = Some(claimed);
        }
        if !done {
            // Not with the claim: another attempt may begin earlier.
            if let Some(first) = first {
                let checkpoint = ledger.checkpoint.as_ref();
                let mut skips = ledger.skips.take().unwrap_or_else(|| Skips::after(checkpoint));
                skips.begin(checkpoint, first, ledger.note.as_deref());
                ledger.skips = Some(skips);
            }
            ledger = ledger.finished(&objects, last);
            version = Some(write(state, &item, &ledger, version.take(), 0).await?);
        }
        // Not before the checkpoint has moved: until then somebody may take over and write one of them again.
        let leftovers = ledger.leftovers();
        if leftovers.is_empty() {
            return Ok(landed);
        }
        landed.removed = claim::remove(store, &leftovers).await?;
        match write(state, &item, &ledger.swept(), version, 0).await {
            // Whoever took over has them in the item too, and removes them again, which does no harm.
            Err(error) if error.code == Code::Contended => Ok(landed),
            written => written.map(|_| landed),
        }
    }

    /// What a caller must not do, found before it does harm.
    fn allows(&self, objects: &[Object], last: &Mark) -> Result<(), Error> {
        // Only a source's name that needs many escapes makes a key so long, and values that fill the path beside it.
        if let Some(long) = objects.iter().find(|object| object.key.len() > LONGEST_KEY) {
            let (key, length) = (&long.key, long.key.len());
            let cure = "give the dataset a shorter prefix, or fewer columns in partition_by";
            let message = format!("{key}: the key has {length} bytes, and at most {LONGEST_KEY} fit S3: {cure}");
            return Err(Error::misconfigured(Code::InvalidConfig, message));
        }
        let keys: BTreeSet<_> = objects.iter().map(|object| &object.key).collect();
        let outside = objects.iter().find(|object| self.is_done(&object.first) || object.first > *last);
        let wrong = match outside {
            Some(object) => format!("{} begins at {}, outside of the batch", object.key, object.first),
            None if keys.len() < objects.len() => "two objects have the same key".to_owned(),
            None => return Ok(()),
        };
        Err(Error::retry(Code::Internal, format!("{}: {wrong}", self.item)))
    }
}

/// Writes the item over the version that was seen.
async fn write(
    state: &dyn State,
    item: &str,
    ledger: &Ledger,
    seen: Option<Version>,
    objects: usize,
) -> Result<Version, Error> {
    let value = ledger.write(item, objects)?;
    let expected = seen.map_or(Expected::Absent, Expected::Version);
    state.put_if(item, value, expected, Some(KEPT)).await.map_err(|error| match error {
        StateError::Changed { key } => Error::retry(Code::Contended, format!("{key}: claimed by another invocation")),
        error => error.into(),
    })
}

#[cfg(test)]
mod tests;
