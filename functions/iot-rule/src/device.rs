//! The readings of one device → its ledger, and what is to be told → its subscribers.
//!
//! What is to be told is written with the readings that brought it, in one conditional write; only then is it told, by
//! the one invocation that holds the ledger, and only then crossed out. No invocation ends well while something is left
//! to be told of its device, so whatever breaks off, the event's next delivery goes on from there.

use std::{fmt::Write, time::Duration};

use headgate::{
    Code, Error,
    clock::{Clock, Timestamp},
    notify::{Notify, NotifyError},
    state::{Expected, State, StateError, Version},
};
use tokio::time::{sleep, timeout};

use crate::{
    ledger::{Ledger, Taken, Watching},
    reading::Reading,
    transition::Event,
};

/// How long a device's item is kept after its last reading.
const KEPT: Duration = Duration::from_hours(400 * 24);
/// How long one invocation alone tells what is to be told; another one goes on after that. Lambda repeats an event after
/// a minute.
pub(crate) const LEASE: Duration = Duration::from_secs(30);
/// What a publication may take: it never begins with less than this left of the lease.
const PUBLICATION: Duration = Duration::from_secs(10);
/// How often another writer may be first.
const ATTEMPTS: u32 = 30;
const FIRST_PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// What a device's invocation works with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Desk<'a> {
    pub(crate) state: &'a dyn State,
    pub(crate) notify: &'a dyn Notify,
    pub(crate) clock: &'a dyn Clock,
    pub(crate) watching: &'a Watching,
    /// Names this invocation.
    pub(crate) who: &'a str,
    /// Until then it must have ended.
    pub(crate) end: Timestamp,
}

/// A ledger as it was found.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) ledger: Ledger,
    version: Option<Version>,
}

/// What became of a device's readings.
#[derive(Debug, Default)]
pub(crate) struct Applied {
    pub(crate) taken: Vec<Taken>,
    /// What was told, as often as it was.
    pub(crate) told: Vec<Event>,
}

/// The key of a device's item.
#[must_use]
pub fn item_key(dataset: &str, device: &str) -> String {
    let mut key = format!("iot/{dataset}/");
    for (at, byte) in device.bytes().enumerate() {
        match byte {
            b'-' | b'_' | b':' => key.push(char::from(byte)),
            b'.' if at > 0 => key.push('.'),
            byte if byte.is_ascii_alphanumeric() => key.push(char::from(byte)),
            byte => {
                // Writing to a string cannot fail.
                let _ = write!(key, "!{byte:02X}");
            }
        }
    }
    if device.is_empty() {
        key.push('!');
    }
    key
}

impl Desk<'_> {
    /// Reads a device's ledger.
    ///
    /// # Errors
    /// Retry where the state does not answer; misconfigured where it refuses, or where the item is none of ours.
    pub(crate) async fn open(&self, device: &str) -> Result<Found, Error> {
        let key = item_key(&self.watching.dataset, device);
        let (version, value) = self.state.get(&key).await?.map(|item| (item.version, item.value)).unzip();
        let ledger = value.map(|value| Ledger::read(&key, value, self.watching)).transpose()?;
        Ok(Found { ledger: ledger.unwrap_or_default(), version })
    }

    /// Puts the readings of a device, each with whether the stream has it, into its ledger, which was found so, and tells
    /// what is then to be told.
    ///
    /// # Errors
    /// Retry or misconfigured: the same readings must come again, and nothing is lost by then.
    pub(crate) async fn apply(
        &self,
        device: &str,
        mut found: Found,
        readings: &[&Reading],
        sent: &[bool],
    ) -> Result<Applied, Error> {
        let (mut pause, mut told) = (Pause::default(), Vec::new());
        for _ in 0..ATTEMPTS {
            if found.ledger.is_full() {
                // Nothing more is taken, so that nothing is lost: what is left must be told first.
                self.settle(device, found, &mut told).await?;
                found = self.open(device).await?;
                continue;
            }
            let (taken, changed) = found.ledger.take(readings, sent, self.watching);
            let now = self.clock.now();
            if changed {
                found.ledger.claim(self.who, now, now.plus(LEASE));
                if !self.write(device, &mut found).await? {
                    pause.take().await;
                    found = self.open(device).await?;
                    continue;
                }
            }
            self.settle(device, found, &mut told).await?;
            return Ok(Applied { taken, told });
        }
        Err(contended(device))
    }

    /// Writes the ledger over the version that was found; false where another writer was first.
    async fn write(&self, device: &str, found: &mut Found) -> Result<bool, Error> {
        let key = item_key(&self.watching.dataset, device);
        let value = found.ledger.write(self.watching)?;
        let expected = found.version.clone().map_or(Expected::Absent, Expected::Version);
        match self.state.put_if(&key, value, expected, Some(KEPT)).await {
            Ok(version) => {
                found.version = Some(version);
                Ok(true)
            }
            Err(StateError::Changed { .. }) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Sees to it that nothing is left to be told.
    async fn settle(&self, device: &str, mut found: Found, told: &mut Vec<Event>) -> Result<(), Error> {
        let mut pause = Pause::default();
        while !found.ledger.outbox.is_empty() {
            let now = self.clock.now();
            if found.ledger.is_held_by(self.who) {
                found = self.tell(device, found, told).await?;
                continue;
            }
            if found.ledger.claim(self.who, now, now.plus(LEASE)) {
                if self.write(device, &mut found).await? {
                    continue;
                }
            } else if now.plus(pause.next) >= self.end {
                let message =
                    format!("{device}: another invocation is telling its alerts, and no time is left to wait");
                return Err(Error::retry(Code::Contended, message));
            } else {
                pause.take().await;
            }
            found = self.open(device).await?;
        }
        Ok(())
    }

    /// Tells what is to be told as far as the lease goes, and crosses it out. Gives the ledger as it then is.
    async fn tell(&self, device: &str, mut found: Found, told: &mut Vec<Event>) -> Result<Found, Error> {
        let (mut done, mut failure) = (Vec::new(), None);
        let lease = found.ledger.hold.as_ref().map_or(Timestamp(0), |hold| hold.until);
        for transition in &found.ledger.outbox {
            if self.clock.now().plus(PUBLICATION) > lease {
                break;
            }
            let notice = transition.notice(&self.watching.dataset, device);
            let published = timeout(PUBLICATION, self.notify.publish(&notice)).await;
            let silent =
                |_| Err(NotifyError::Unavailable { topic: "alerts".to_owned(), reason: "no answer".to_owned() });
            match published.unwrap_or_else(silent) {
                Ok(()) => {
                    told.push(transition.event);
                    done.push(transition.clone());
                }
                Err(error) => {
                    failure = Some(Error::from(error));
                    break;
                }
            }
        }
        let mut pause = Pause::default();
        for _ in 0..ATTEMPTS {
            found.ledger.told(&done);
            found.ledger.release(self.who);
            if failure.is_none() {
                let now = self.clock.now();
                found.ledger.claim(self.who, now, now.plus(LEASE));
            }
            if self.write(device, &mut found).await? {
                return failure.map_or(Ok(found), Err);
            }
            pause.take().await;
            found = self.open(device).await?;
        }
        Err(contended(device))
    }
}

fn contended(device: &str) -> Error {
    let message = format!("{device}: other invocations wrote its item {ATTEMPTS} times; let them be fewer at once");
    Error::retry(Code::Contended, message)
}

/// How long to wait before a ledger is looked at again.
#[derive(Debug)]
struct Pause {
    next: Duration,
}

impl Default for Pause {
    fn default() -> Self {
        Self { next: FIRST_PAUSE }
    }
}

impl Pause {
    async fn take(&mut self) {
        sleep(self.next).await;
        self.next = (self.next * 2).min(LONGEST_PAUSE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_names_one_device_whatever_its_name() {
        assert_eq!(item_key("t", "oven-1_a:b.c"), "iot/t/oven-1_a:b.c");
        assert_eq!(item_key("t", "a/../b c!"), "iot/t/a!2F..!2Fb!20c!21");
        assert_eq!([item_key("t", ""), item_key("t", "!"), item_key("t", ".")], ["iot/t/!", "iot/t/!21", "iot/t/!2E"]);
    }
}
