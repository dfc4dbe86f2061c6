//! A claim on a shard → its objects, written for as long as nobody else has claimed it.
//!
//! No object is replaced unless the claim was seen to hold after the object's tag was read.

use futures::{FutureExt, StreamExt, TryStreamExt, stream};

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
        let mut landed = Landed::default();
        let placing: Vec<_> = objects.iter().map(|object| self.place_one(object).boxed()).collect();
        let mut placing = stream::iter(placing).buffer_unordered(AT_ONCE);
        while let Some((found, bytes)) = placing.try_next().await? {
            match found {
                Found::Nothing => landed.placed += 1,
                Found::Object => landed.replaced += 1,
            }
            landed.bytes += bytes;
        }
        Ok(landed)
    }

    async fn place_one(&self, object: &Object) -> Result<(Found, u64), Error> {
        let mut rounds = Rounds::default();
        loop {
            match self.try_place(object).await {
                Ok(found) => return Ok((found, object.body.len() as u64)),
                Err(failure) => rounds.another(failure)?,
            }
        }
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

/// Removes all objects, several at once, and says how many.
pub(super) async fn remove(store: &dyn Store, keys: &[String]) -> Result<u64, Error> {
    let removing: Vec<_> = keys.iter().map(|key| remove_one(store, key).boxed()).collect();
    stream::iter(removing).buffer_unordered(AT_ONCE).try_collect::<Vec<()>>().await?;
    Ok(keys.len() as u64)
}

async fn remove_one(store: &dyn Store, key: &str) -> Result<(), Error> {
    let mut rounds = Rounds::default();
    loop {
        match store.delete(key).await {
            Ok(()) => return Ok(()),
            Err(error) => rounds.another(error.into())?,
        }
    }
}

/// How often something failed. The next round follows at once: a port waits by itself where it is asked to slow down.
#[derive(Default)]
struct Rounds(usize);

impl Rounds {
    /// Allows another round, or says why there is none.
    fn another(&mut self, failure: Failure) -> Result<(), Error> {
        self.0 += 1;
        match failure {
            Failure::Again(_) if self.0 < ROUNDS => Ok(()),
            Failure::Again(error) => Err(error.into()),
            Failure::Final(error) => Err(error),
        }
    }
}
