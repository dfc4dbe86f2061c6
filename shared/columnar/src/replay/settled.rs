//! A record's place → whether its delivery is over.
//!
//! A shard's state comes first, and only then that the object is the one that is read: what a state calls settled was
//! written before.

use std::collections::HashMap;

use headgate::{
    Code, Error,
    landing::{self, Mark, Shard},
    position::Position,
    store::ObjectMeta,
};

use super::Target;

/// The most shards that are kept at hand; an object has one, where nobody made it by hand.
const SHARDS: usize = 16;

/// What is known of the shards of an object's records.
pub(super) struct Settled<'a> {
    target: Target<'a>,
    object: &'a ObjectMeta,
    shards: HashMap<String, Shard>,
}

impl<'a> Settled<'a> {
    pub(super) fn of(target: Target<'a>, object: &'a ObjectMeta) -> Self {
        Self { target, object, shards: HashMap::new() }
    }

    /// Whether no delivery can bring the record again. What comes from elsewhere than Kinesis never is.
    ///
    /// # Errors
    /// Retry: lake or state do not answer, or the object is written anew while it is read.
    pub(super) async fn holds(&mut self, position: &Position) -> Result<bool, Error> {
        let Position::Shard { stream, shard, sequence, .. } = position else { return Ok(false) };
        let item = landing::item_key(&self.target.stream.name, stream, shard);
        if !self.shards.contains_key(&item) {
            if self.shards.len() == SHARDS {
                self.shards.clear();
            }
            let shard = landing::open(self.target.state, &item).await?;
            let there = self.target.store.head(&self.object.key).await?;
            if there.is_none_or(|there| there.etag != self.object.etag) {
                let message = format!("{}: changed while it was read; run it again", self.object.key);
                return Err(Error::retry(Code::Contended, message));
            }
            self.shards.insert(item.clone(), shard);
        }
        Ok(self.shards.get(&item).is_some_and(|shard| shard.is_settled(&Mark::from(sequence))))
    }
}
