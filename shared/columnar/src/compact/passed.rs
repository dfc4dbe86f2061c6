//! A file of the table → whether whoever wrote it is done with it.
//!
//! A file that may be written again is left alone: if it were replaced, a redelivery would find nothing at its key and
//! store its rows a second time.

use std::collections::HashMap;

use headgate::{
    Code, Error,
    dataset::{Stream, stream::Transport},
    landing::{self, Mark, Shard, object_place},
    state::State,
    store::Store,
};

use super::plan::{SOURCE, is_hash};
use crate::replay;

/// Why a file is left alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// Nobody writes it any more.
    Final,
    /// It may be written again.
    Waiting,
    /// Nobody of ours has written it.
    Foreign,
}

/// What is known of those who write.
pub(super) struct Writers<'a> {
    store: &'a dyn Store,
    state: Option<&'a dyn State>,
    stream: &'a Stream,
    /// A shard that has passed a place has passed it for ever, so what was read stays true.
    shards: HashMap<String, Shard>,
    replayed: HashMap<(String, String), bool>,
    /// The last file of each shard, of a table of windows.
    last: HashMap<(String, String), Mark>,
}

impl<'a> Writers<'a> {
    pub(super) async fn new(
        store: &'a dyn Store,
        state: Option<&'a dyn State>,
        stream: &'a Stream,
    ) -> Result<Self, Error> {
        let (shards, replayed) = (HashMap::new(), HashMap::new());
        let mut writers = Self { store, state, stream, shards, replayed, last: HashMap::new() };
        if stream.window.is_some() {
            writers.last = last(store, &stream.prefix).await?;
        } else if state.is_none() && stream.transport != Transport::Firehose {
            let told = format!("{}: the state with the checkpoints of its shards is needed", stream.name);
            return Err(Error::misconfigured(Code::InvalidConfig, told));
        }
        Ok(writers)
    }

    pub(super) async fn standing(&mut self, key: &str) -> Result<Standing, Error> {
        let name = key.rsplit('/').next().unwrap_or_default();
        let of = |is_final| if is_final { Standing::Final } else { Standing::Waiting };
        let Some((source, shard, first)) = object_place(name) else {
            // Firehose names its files itself, and writes none again.
            let is_firehose = self.stream.transport == Transport::Firehose;
            return Ok(if is_firehose { Standing::Final } else { Standing::Foreign });
        };
        if source == SOURCE && is_hash(&shard) {
            return Ok(Standing::Final);
        }
        if source == replay::SOURCE && is_hash(&shard) {
            return Ok(of(self.is_published(shard, &first).await?));
        }
        if self.stream.window.is_some() {
            // A shard's windows end one after the other, and the next only when the answer to the last was heard.
            return Ok(of(self.last.get(&(source, shard)).is_some_and(|last| first < *last)));
        }
        let Some(state) = self.state else { return Ok(of(self.stream.transport == Transport::Firehose)) };
        let item = landing::item_key(&self.stream.name, &source, &shard);
        if !self.shards.get(&item).is_some_and(|shard| shard.is_final(key, &first)) {
            self.shards.insert(item.clone(), landing::open(state, &item).await?);
        }
        Ok(of(self.shards.get(&item).is_some_and(|shard| shard.is_final(key, &first))))
    }

    /// An entry that is not published has the bytes of its files, and whoever comes by writes those that are not there.
    async fn is_published(&mut self, log: String, number: &Mark) -> Result<bool, Error> {
        let entry = (log, number.to_string());
        if let Some(known) = self.replayed.get(&entry) {
            return Ok(*known);
        }
        let published = replay::is_published(self.store, &self.stream.name, &entry.0, &entry.1).await?;
        self.replayed.insert(entry, published);
        Ok(published)
    }
}

async fn last(store: &dyn Store, prefix: &str) -> Result<HashMap<(String, String), Mark>, Error> {
    let (mut last, mut after): (HashMap<_, Mark>, Option<String>) = (HashMap::new(), None);
    loop {
        let page = store.list_keys(prefix, after.as_deref()).await?;
        for key in &page.keys {
            let name = key.rsplit('/').next().unwrap_or_default();
            if let Some((source, shard, first)) = object_place(name).filter(|(source, ..)| source != SOURCE) {
                let known = last.entry((source, shard)).or_insert_with(|| first.clone());
                if first > *known {
                    *known = first;
                }
            }
        }
        match page.keys.last() {
            Some(key) if page.more => after = Some(key.clone()),
            _ => return Ok(last),
        }
    }
}
