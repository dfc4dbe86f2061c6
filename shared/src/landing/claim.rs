//! A claim on a shard → its objects, written for as long as nobody else has claimed it.
//!
//! No object is replaced unless the claim was seen to hold after the object's tag was read.

use futures::{StreamExt, TryStreamExt, stream};

use super::{Landed, Object};
use crate::{
    error::{Code, Error},
    state::{State, Version},
    store::{Condition, Store, StoreError},
};

/// How many objects are written or removed at once.
const AT_ONCE: usize = 16;
/// How often a call is made whose outcome is unknown, or whose object keeps changing.
const ROUNDS: usize = 5;

/// What it takes to write under a claim.
#[derive(Debug, Clone, Copy)]
pub(super) struct Claim<'a> {
    pub(super) store: &'a dyn Store,
    pub(super) state: &'a dyn State,
    /// The shard's item.
    pub(super) item: &'a str,
    /// What the item has since the claim.
    pub(super) version: &'a Version,
}

/// What a put found at its key.
enum Found {
    Nothing,
    Object,
}

/// Why a round failed.
enum Failure {
    /// Another round may do better.
    Again(StoreError),
    Final(Error),
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Refused { .. } => Self::Final(error.into()),
            _ => Self::Again(error),
        }
    }
}

impl Claim<'_> {
    /// Writes all objects, several at once.
    pub(super) async fn place(&self, objects: &[Object]) -> Result<Landed, Error> {
        let placing = stream::iter(objects.iter().map(|object| self.place_one(object)));
        let count = |landed: Landed, (found, bytes)| async move {
            Ok(match found {
                Found::Nothing => Landed { placed: landed.placed + 1, bytes: landed.bytes + bytes, ..landed },
                Found::Object => Landed { replaced: landed.replaced + 1, bytes: landed.bytes + bytes, ..landed },
            })
        };
        placing.buffer_unordered(AT_ONCE).try_fold(Landed::default(), count).await
    }

    async fn place_one(&self, object: &Object) -> Result<(Found, u64), Error> {
        rounds(async || Ok((self.try_place(object).await?, object.body.len() as u64))).await
    }

    /// The order is what keeps a slow attempt from writing over the one that took over: whoever took over changed the
    /// item first and the object later. So if the item is unchanged after the tag was read, the tag is of an object
    /// from before the takeover, and the replacement fails if the object is the successor's by then.
    async fn try_place(&self, object: &Object) -> Result<Found, Failure> {
        let Object { key, body, .. } = object;
        match self.store.put(key, body.clone(), Condition::Absent).await {
            Ok(_) => return Ok(Found::Nothing),
            Err(StoreError::Changed { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        let Some(there) = self.store.head(key).await? else {
            return Err(StoreError::Changed { key: key.clone() }.into());
        };
        self.holds().await.map_err(Failure::Final)?;
        self.store.put(key, body.clone(), Condition::Matches(there.etag)).await?;
        Ok(Found::Object)
    }

    async fn holds(&self) -> Result<(), Error> {
        let current = self.state.get(self.item).await?;
        if current.is_some_and(|item| item.version == *self.version) {
            return Ok(());
        }
        Err(Error::retry(Code::Contended, format!("{}: claimed by another invocation", self.item)))
    }
}

/// Removes all objects, several at once.
pub(super) async fn remove(store: &dyn Store, keys: &[String]) -> Result<u64, Error> {
    let removing = keys.iter().map(|key| rounds(async || Ok(store.delete(key).await?)));
    stream::iter(removing).buffer_unordered(AT_ONCE).try_collect::<Vec<()>>().await?;
    Ok(keys.len() as u64)
}

/// Tries again at once where that may help: a port waits by itself where it is asked to slow down.
async fn rounds<T>(round: impl AsyncFn() -> Result<T, Failure>) -> Result<T, Error> {
    let mut left = ROUNDS;
    loop {
        left -= 1;
        match round().await {
            Ok(done) => return Ok(done),
            Err(Failure::Again(_)) if left > 0 => {}
            Err(Failure::Again(error)) => return Err(error.into()),
            Err(Failure::Final(error)) => return Err(error),
        }
    }
}
