//! Records, some time, and a stream that takes a part → each record accepted, or why not.
//!
//! At least once: only what was refused is sent again, but so is a request whose answer was lost, for nothing tells
//! what became of it. Nothing is called accepted that the stream did not say it has.

use std::time::Duration;

use serde::Serialize;
use tokio::time::{Instant, sleep, timeout};

use super::{Misfit, Outcome, Outgoing, Reason, Receipt, Stream, StreamError, Throttles};

/// How long and how often a delivery tries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// For everything, pauses included.
    pub time: Duration,
    /// For the answer to one request.
    pub answer: Duration,
    /// The first pause is at most this long.
    pub pause: Duration,
    /// A pause is never longer than this.
    pub longest_pause: Duration,
}

impl Patience {
    /// What suits a shard, whose room is anew each second, in the time there is.
    #[must_use]
    pub fn within(time: Duration) -> Self {
        let (pause, longest_pause) = (Duration::from_millis(100), Duration::from_secs(2));
        Self { time, answer: Duration::from_secs(10), pause, longest_pause }
    }

    /// The length of the pause after `failures` rounds that brought nothing, the first being 1: anything up to the
    /// first pause doubled each time, so that senders that were throttled together do not come back together
    /// ("Exponential Backoff And Jitter", AWS Architecture Blog).
    fn pause(&self, failures: u32) -> Duration {
        let doubled = self.pause.saturating_mul(1_u32.checked_shl(failures - 1).unwrap_or(u32::MAX));
        let most = doubled.min(self.longest_pause).as_micros();
        Duration::from_micros(fastrand::u64(0..=u64::try_from(most).unwrap_or(u64::MAX)))
    }
}

/// What became of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fared {
    /// The stream has it.
    Accepted(Receipt),
    /// The stream has not said that it has it.
    Failed(Failed),
}

/// Why a record is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Failed {
    /// It is larger than the stream takes. Never sent.
    TooLarge,
    /// Its partition key is empty or too long. Never sent.
    InvalidKey,
    /// Throttled when the time ended.
    Throttled,
    /// The service failed when the time ended.
    Internal,
    /// The service will not take it.
    Rejected,
    /// Sent, and no answer came: it may be there.
    Unanswered,
    /// The time ended, or the stream refused another request, before it was sent.
    Unsent,
}

impl From<Misfit> for Failed {
    fn from(misfit: Misfit) -> Self {
        match misfit {
            Misfit::TooLarge => Self::TooLarge,
            Misfit::Key => Self::InvalidKey,
        }
    }
}

impl From<Reason> for Failed {
    fn from(reason: Reason) -> Self {
        match reason {
            Reason::Throttled => Self::Throttled,
            Reason::Internal => Self::Internal,
            Reason::Rejected => Self::Rejected,
        }
    }
}

/// How a delivery ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// What became of each record, in their order.
    pub fared: Vec<Fared>,
    /// How many requests were made.
    pub requests: u64,
    /// Records that were throttled, each as often as it was.
    pub throttles: Throttles,
    /// The last request's failure, if a request failed as a whole.
    pub error: Option<StreamError>,
}

impl Delivery {
    /// The places of the records that are accepted, in order.
    pub fn accepted(&self) -> impl Iterator<Item = usize> {
        self.fared.iter().enumerate().filter(|(_, fared)| matches!(fared, Fared::Accepted(_))).map(|(at, _)| at)
    }

    /// Why the first record that is not accepted is not; `None` where all are.
    #[must_use]
    pub fn failed(&self) -> Option<Failed> {
        self.fared.iter().find_map(|fared| match fared {
            Fared::Accepted(_) => None,
            Fared::Failed(failed) => Some(*failed),
        })
    }
}

/// Puts the records in rounds: each sends, in order and in as few requests as they fit in, what is not accepted yet.
/// Between rounds there is a pause, the longer the more rounds in a row brought nothing.
///
/// Records of one key that are accepted in the same round keep their order; one that was throttled comes later.
pub async fn deliver(stream: &dyn Stream, records: &[Outgoing], patience: &Patience) -> Delivery {
    let mut sender = Sender::new(stream, records, patience);
    let mut pending = sender.fit();
    let mut failures = 0;
    while !pending.is_empty() {
        let before = pending.len();
        match sender.round(&pending).await {
            Round::Ended => break,
            Round::Left(left) => pending = left,
        }
        if pending.is_empty() {
            break;
        }
        failures = if pending.len() < before { 1 } else { failures + 1 };
        let pause = patience.pause(failures);
        if sender.left() <= pause {
            break;
        }
        sleep(pause).await;
    }
    sender.delivery
}

struct Sender<'a> {
    stream: &'a dyn Stream,
    records: &'a [Outgoing],
    answer: Duration,
    end: Instant,
    delivery: Delivery,
}

/// What a round leaves.
enum Round {
    /// These records, for another round; in order.
    Left(Vec<usize>),
    /// There shall be no other: the time is over, or the stream refuses.
    Ended,
}

impl<'a> Sender<'a> {
    fn new(stream: &'a dyn Stream, records: &'a [Outgoing], patience: &Patience) -> Self {
        let fared = vec![Fared::Failed(Failed::Unsent); records.len()];
        let delivery = Delivery { fared, requests: 0, throttles: Throttles::default(), error: None };
        Self { stream, records, answer: patience.answer, end: Instant::now() + patience.time, delivery }
    }

    /// The records that can be in a request.
    fn fit(&mut self) -> Vec<usize> {
        let limits = self.stream.limits();
        let mut fit = Vec::with_capacity(self.records.len());
        for (at, record) in self.records.iter().enumerate() {
            match limits.misfit(record) {
                None => fit.push(at),
                Some(misfit) => self.fared(at, misfit.into()),
            }
        }
        fit
    }

    fn left(&self) -> Duration {
        self.end.saturating_duration_since(Instant::now())
    }

    async fn round(&mut self, pending: &[usize]) -> Round {
        let (mut left, mut rest) = (Vec::new(), pending);
        while !rest.is_empty() {
            if self.left().is_zero() {
                return Round::Ended;
            }
            let (batch, after) = rest.split_at(self.batch(rest));
            match self.request(batch).await {
                Ok(outcomes) => self.told(batch, outcomes, &mut left),
                Err(error) => {
                    let refused = matches!(error, StreamError::Refused { .. });
                    self.delivery.error = Some(error);
                    if refused {
                        for at in batch {
                            self.fared(*at, Failed::Rejected);
                        }
                        return Round::Ended;
                    }
                    for at in batch {
                        self.fared(*at, Failed::Unanswered);
                    }
                    // A service that does not answer gets a pause before it is asked for more.
                    left.extend_from_slice(rest);
                    return Round::Left(left);
                }
            }
            rest = after;
        }
        Round::Left(left)
    }

    /// How many of `pending`, from its first on, fit into one request.
    fn batch(&self, pending: &[usize]) -> usize {
        let limits = self.stream.limits();
        let mut bytes = 0;
        let fits = pending.iter().take(limits.records).take_while(|at| {
            bytes += limits.size(&self.records[**at]);
            bytes <= limits.bytes
        });
        // A record that fits by itself is within the request's bytes; the least of 1 keeps the round going anyway.
        fits.count().max(1)
    }

    async fn request(&mut self, batch: &[usize]) -> Result<Vec<Outcome>, StreamError> {
        let records: Vec<_> = batch.iter().map(|at| &self.records[*at]).collect();
        self.delivery.requests += 1;
        let stream = self.stream;
        let patience = self.left().min(self.answer);
        let silent = |reason: String| StreamError::Unavailable { stream: stream.name().to_owned(), reason };
        match timeout(patience, stream.put(&records)).await {
            Ok(Ok(outcomes)) if outcomes.len() != batch.len() => {
                Err(silent(format!("{} records were sent and {} outcomes told", batch.len(), outcomes.len())))
            }
            Ok(answer) => answer,
            Err(_) => Err(silent(format!("no answer in {patience:.1?}"))),
        }
    }

    fn told(&mut self, batch: &[usize], outcomes: Vec<Outcome>, left: &mut Vec<usize>) {
        for (at, outcome) in batch.iter().zip(outcomes) {
            match outcome {
                Outcome::Accepted(receipt) => self.delivery.fared[*at] = Fared::Accepted(receipt),
                Outcome::Refused(refusal) => {
                    if refusal.reason == Reason::Throttled {
                        let key = &self.records[*at].partition_key;
                        self.delivery.throttles.add(key, refusal.shard.as_deref());
                    }
                    if refusal.reason.retryable() {
                        left.push(*at);
                    }
                    self.fared(*at, refusal.reason.into());
                }
            }
        }
    }

    /// What an earlier request may have put there stays so, whatever later ones are told.
    fn fared(&mut self, at: usize, failed: Failed) {
        if self.delivery.fared[at] != Fared::Failed(Failed::Unanswered) {
            self.delivery.fared[at] = Fared::Failed(failed);
        }
    }
}

#[cfg(test)]
mod tests;
