//! The [`Stream`] → memory, for tests: failures can be planned for requests and for single records.
//!
//! A request beyond the limits is refused as a whole, as Kinesis does.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;

use super::{Limits, Outcome, Outgoing, Reason, Receipt, Refusal, Stream, StreamError};
use crate::faults::{Faults, Unavailable};

/// What is asked of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Verb {
    /// [`Stream::put`]
    Put,
}

impl Unavailable for StreamError {
    fn unavailable(stream: &str) -> Self {
        Self::Unavailable { stream: stream.to_owned(), reason: "no answer (planned failure)".to_owned() }
    }
}

/// The name that errors give it.
const NAME: &str = "memory";

/// A [`Stream`] in memory. Clones are the same stream.
#[derive(Debug, Clone)]
pub struct MemoryStream {
    limits: Limits,
    held: Arc<Mutex<Held>>,
    faults: Faults<Verb, StreamError>,
}

#[derive(Debug, Default)]
struct Held {
    records: Vec<Outgoing>,
    offered: u64,
    refused: BTreeMap<u64, Reason>,
    hot: BTreeMap<String, u64>,
    slow: BTreeMap<u64, Duration>,
}

impl MemoryStream {
    /// An empty stream of four shards.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self { limits, held: Arc::default(), faults: Faults::default() }
    }

    /// The handle by which failures of whole requests are planned and requests counted.
    #[must_use]
    pub fn faults(&self) -> Faults<Verb, StreamError> {
        self.faults.clone()
    }

    /// The record that is offered as number `number`, counted over all requests from 1, is refused.
    pub fn refuse(&self, number: u64, reason: Reason) {
        self.held().refused.insert(number, reason);
    }

    /// The next `times` records of this partition key are throttled.
    pub fn throttle(&self, key: &str, times: u64) {
        self.held().hot.insert(key.to_owned(), times);
    }

    /// The request number `number`, the first being 1, takes effect at once, and its answer takes this long.
    pub fn answer_late(&self, number: u64, late: Duration) {
        self.held().slow.insert(number, late);
    }

    /// All failures still planned are forgotten.
    pub fn recover(&self) {
        self.faults.revive();
        let mut held = self.held();
        held.refused.clear();
        held.hot.clear();
        held.slow.clear();
    }

    /// What the stream has, in the order it came.
    #[must_use]
    pub fn records(&self) -> Vec<Outgoing> {
        self.held().records.clone()
    }

    /// How many records were offered, refused ones included: the number of the last one.
    #[must_use]
    pub fn offered(&self) -> u64 {
        self.held().offered
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn check(&self, records: &[&Outgoing]) -> Result<(), StreamError> {
        let bytes: usize = records.iter().map(|record| self.limits.size(record)).sum();
        let fit = records.iter().all(|record| self.limits.misfit(record).is_none());
        if fit && (1..=self.limits.records).contains(&records.len()) && bytes <= self.limits.bytes {
            return Ok(());
        }
        let reason = format!("{} records of {bytes} bytes are not within the limits", records.len());
        Err(StreamError::Refused { stream: NAME.to_owned(), reason })
    }
}

impl Held {
    fn offer(&mut self, record: &Outgoing) -> Outcome {
        self.offered += 1;
        let shard = Some(shard(&record.partition_key));
        let planned = self.refused.remove(&self.offered);
        let hot = self.hot.get_mut(&record.partition_key).filter(|times| **times > 0).map(|times| *times -= 1);
        if let Some(reason) = planned.or(hot.map(|()| Reason::Throttled)) {
            return Outcome::Refused(Refusal { reason, shard });
        }
        self.records.push(record.clone());
        Outcome::Accepted(Receipt { shard, sequence: self.records.len().to_string() })
    }
}

fn shard(key: &str) -> String {
    format!("shardId-{:012}", xxhash_rust::xxh3::xxh3_64(key.as_bytes()) % 4)
}

#[async_trait]
impl Stream for MemoryStream {
    fn name(&self) -> &str {
        NAME
    }

    fn limits(&self) -> Limits {
        self.limits
    }

    async fn put(&self, records: &[&Outgoing]) -> Result<Vec<Outcome>, StreamError> {
        let outcomes = self.faults.around(Verb::Put, NAME, || {
            self.check(records)?;
            let mut held = self.held();
            Ok(records.iter().map(|record| held.offer(record)).collect())
        });
        let late = self.held().slow.remove(&self.faults.total());
        if let Some(late) = late {
            tokio::time::sleep(late).await;
        }
        outcomes
    }
}
