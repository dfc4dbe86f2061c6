//! A record's place → whether its delivery is over, and whether it came at all.
//!
//! A shard's state comes first, and only then that the object is the one that is read: what a state calls settled was
//! written before.

use std::collections::HashMap;

use headgate::{
    Code, Error,
    landing::{self, Coming, Mark, Shard},
    position::Position,
    store::ObjectMeta,
};

use super::{
    Origin, Target,
    kind::{Cause, Kind},
};

/// The most shards that are kept at hand; an object of refused records has one, where nobody made it by hand.
const SHARDS: usize = 16;

/// What is known of the shards of an object's records.
pub(super) struct Settled<'a, K> {
    target: Target<'a, K>,
    origin: Origin,
    object: &'a ObjectMeta,
    shards: HashMap<String, Shard>,
}

/// What is known of a record's delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Delivery {
    /// It may come again.
    Open,
    /// It is over, and the record is nowhere but in its line.
    Over(Cause),
    /// It is over, and the record has landed.
    Landed,
    /// It is over, and nobody knows whether the record has landed.
    Unclear,
}

impl<'a, K: Kind> Settled<'a, K> {
    pub(super) fn of(target: Target<'a, K>, origin: Origin, object: &'a ObjectMeta) -> Self {
        Self { target, origin, object, shards: HashMap::new() }
    }

    /// How the delivery of a record stands. Of a device's message nothing is kept that says so: whoever replays it waits
    /// for its end. That of what comes from elsewhere than a device, a stream or a topic never ends.
    ///
    /// # Errors
    /// Retry: lake or state do not answer, or the object is written anew while it is read.
    pub(super) async fn delivery(&mut self, position: &Position) -> Result<Delivery, Error> {
        let Some((stream, shard, mark)) = place(position) else {
            let of_device = matches!(position, Position::Message { .. });
            return Ok(if of_device { Delivery::Over(Cause::Refused) } else { Delivery::Open });
        };
        let item = landing::item_key(self.target.kind.dataset(), stream, &shard);
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
        let Some(shard) = self.shards.get(&item).filter(|shard| shard.is_settled(&mark)) else {
            return Ok(Delivery::Open);
        };
        if self.origin == Origin::Quarantine {
            return Ok(Delivery::Over(Cause::Refused));
        }
        if !self.target.kind.lands_in_parts() {
            return Ok(Delivery::Over(Cause::GivenUp { note: None }));
        }
        Ok(match shard.coming(&mark) {
            Coming::Skipped { note } => Delivery::Over(Cause::GivenUp { note }),
            Coming::Came => Delivery::Landed,
            Coming::Unknown => Delivery::Unclear,
        })
    }
}

/// The stream or topic, the shard or partition, and the place in it.
pub(super) fn place(position: &Position) -> Option<(&str, String, Mark)> {
    match position {
        Position::Shard { stream, shard, sequence, .. } => Some((stream, shard.clone(), Mark::from(sequence))),
        Position::Offset { topic, partition, offset } => {
            Some((topic, partition.to_string(), Mark::from(u64::try_from(*offset).ok()?)))
        }
        Position::Row { .. } | Position::Message { .. } => None,
    }
}
