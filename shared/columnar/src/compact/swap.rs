//! A file that nobody sees, and those it is made of → that file in their place.
//!
//! One object of a dataset, the *plan*, says what is being swapped. It is never removed and no two of its versions are
//! equal, so whoever changes it has seen all that happened before.

use std::{sync::Arc, time::Instant};

use bytes::Bytes;
use headgate::{
    Code, Error,
    clock::{Clock, Timestamp},
    landing::Attempt,
    store::{Condition, ETag, ObjectMeta, Store, StoreError},
};
use serde::{Deserialize, Serialize};

use super::{
    build::{Built, Trouble, abandon, internal},
    plan::LEAST_AGE,
};

/// How often the plan is read again where another compaction has changed it.
const ROUNDS: usize = 5;

/// The plan's content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Plan {
    /// Makes each version another one.
    attempt: Attempt,
    since: Timestamp,
    swap: Option<Swap>,
}

/// A swap that was decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Swap {
    /// The key of the new file.
    pub(super) output: String,
    /// The columns that it is sorted by.
    pub(super) order: Vec<String>,
    /// The keys and tags of the files that it takes the place of.
    pub(super) inputs: Vec<(String, ETag)>,
}

/// A swap that may not be finished.
#[derive(Debug)]
pub(super) struct Begun {
    pub(super) swap: Swap,
    version: ETag,
    since: Timestamp,
}

/// What a swap did.
#[derive(Debug, Default)]
pub(super) struct Swapped {
    /// How long both the old files and the new one were there, in seconds.
    pub(super) doubled: f64,
    /// Files that were written anew since, and are left.
    pub(super) left: Vec<String>,
}

/// The plan of a dataset.
#[derive(Debug, Clone)]
pub(super) struct Swaps<'a> {
    pub(super) store: &'a Arc<dyn Store>,
    pub(super) clock: &'a dyn Clock,
    pub(super) dataset: &'a str,
}

impl Swaps<'_> {
    fn key(&self) -> String {
        format!("_headgate/compact/{}/plan.json", self.dataset)
    }

    async fn read(&self) -> Result<Option<(ETag, Plan)>, Error> {
        let key = self.key();
        let Some((version, text)) = self.store.get(&key).await? else { return Ok(None) };
        let plan = serde_json::from_slice(&text).map_err(|error| {
            Error::misconfigured(
                Code::InvalidJson,
                format!("{key}: is no plan of a compaction ({error}); move it away"),
            )
        })?;
        Ok(Some((version, plan)))
    }

    async fn write(&self, swap: Option<Swap>, condition: Condition) -> Result<(ETag, Timestamp), Trouble> {
        let since = self.clock.now();
        let plan = Plan { attempt: Attempt::fresh(), since, swap };
        let text = serde_json::to_vec(&plan).map_err(|error| Trouble::Failed(internal(&error)))?;
        Ok((self.store.put(&self.key(), Bytes::from(text), condition).await?, since))
    }

    /// The swap that an earlier compaction, or another one, has not finished yet.
    pub(super) async fn unfinished(&self) -> Result<Option<Begun>, Error> {
        let found = self.read().await?;
        Ok(found.and_then(|(version, plan)| Some(Begun { swap: plan.swap?, version, since: plan.since })))
    }

    /// Puts the built file in the place of its inputs.
    ///
    /// Until the plan says so nothing has happened; from then on nothing else can, for this dataset, until it is done.
    pub(super) async fn swap(&self, swap: Swap, built: Built) -> Result<Swapped, Trouble> {
        match self.decide(&swap).await {
            Ok(begun) => self.complete(begun, Some(built)).await,
            Err(trouble) => {
                abandon(built.upload).await;
                Err(trouble)
            }
        }
    }

    async fn decide(&self, swap: &Swap) -> Result<Begun, Trouble> {
        for _ in 0..ROUNDS {
            let condition = match self.read().await.map_err(Trouble::Failed)? {
                Some((_, Plan { swap: Some(_), .. })) => break,
                Some((version, _)) => Condition::Matches(version),
                None => Condition::Absent,
            };
            // After the plan was read: whoever removes one of them from now on has changed it.
            if !self.are_there(&swap.inputs).await? {
                break;
            }
            match self.write(Some(swap.clone()), condition).await {
                Ok((version, since)) => return Ok(Begun { swap: swap.clone(), version, since }),
                Err(Trouble::Failed(error)) if error.code == Code::Contended => {}
                Err(trouble) => return Err(trouble),
            }
        }
        let told = format!("{}: another compaction, or a writer, was first; run it again", self.dataset);
        Err(Trouble::Failed(Error::retry(Code::Contended, told)))
    }

    /// Completes a swap: the new file becomes visible, then the old ones go. `built` is the new file, unless it is there.
    pub(super) async fn complete(&self, begun: Begun, built: Option<Built>) -> Result<Swapped, Trouble> {
        let Begun { swap, version, .. } = begun;
        if let Some(built) = built {
            match built.upload.complete(Condition::Absent).await {
                Ok(_) => {}
                // Somebody else has completed this swap, with the same rows.
                Err(StoreError::Changed { .. }) if self.is_there(&swap).await? => {}
                Err(error) => return Err(error.into()),
            }
        }
        let visible = Instant::now();
        let left = self.store.delete_all(&swap.inputs).await?;
        let doubled = visible.elapsed().as_secs_f64();
        match self.write(None, Condition::Matches(version)).await {
            // Somebody else has done all of it.
            Err(Trouble::Failed(error)) if error.code == Code::Contended => {}
            written => _ = written?,
        }
        Ok(Swapped { doubled, left })
    }

    /// Whether the new file is visible.
    pub(super) async fn is_there(&self, swap: &Swap) -> Result<bool, StoreError> {
        Ok(self.store.head(&swap.output).await?.is_some())
    }

    /// Ends a swap whose files are gone before the new one was there, once nobody can be at it any more.
    pub(super) async fn give_up(&self, begun: Begun) -> Result<Error, Trouble> {
        let Begun { swap, version, since } = begun;
        if since.plus(LEAST_AGE) <= self.clock.now() {
            self.write(None, Condition::Matches(version)).await?;
        }
        let told = format!("{}: files that it was to be made of are gone, removed by somebody else", swap.output);
        Ok(Error::retry(Code::FilesGone, told))
    }

    async fn are_there(&self, inputs: &[(String, ETag)]) -> Result<bool, StoreError> {
        let found = find(self.store.as_ref(), inputs).await?;
        Ok(found.len() == inputs.len())
    }
}

/// Those of these objects, which are in one folder and in order, that are there and unchanged.
pub(super) async fn find(store: &dyn Store, objects: &[(String, ETag)]) -> Result<Vec<ObjectMeta>, StoreError> {
    let (Some((first, _)), Some((last, _))) = (objects.first(), objects.last()) else { return Ok(Vec::new()) };
    let folder = &first[..first.rfind('/').map_or(0, |slash| slash + 1)];
    let (mut found, mut after) = (Vec::new(), None::<String>);
    loop {
        let page = store.list(folder, after.as_deref()).await?;
        after = page.objects.last().map(|object| object.key.clone());
        let same = |object: &ObjectMeta| {
            objects.binary_search_by(|(key, _)| key.cmp(&object.key)).is_ok_and(|at| objects[at].1 == object.etag)
        };
        found.extend(page.objects.into_iter().filter(same));
        if !page.more || after.as_ref().is_some_and(|after| after >= last) {
            return Ok(found);
        }
    }
}
