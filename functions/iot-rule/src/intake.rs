//! An event → readings by device, and what is refused.
//!
//! No IO: what is wrong with a message is said here, and nothing more of it is done.

use bytes::Bytes;
use headgate::{
    Code, Error,
    clock::Timestamp,
    contract::Contract,
    dataset::Stream,
    fate::{Dropped, Fate, Fates},
    quarantine::Part,
    runtime::Event,
    stream::Limits,
};

use crate::{
    aside::{Aside, unreadable},
    failed::Failed,
    forward::is_too_large,
    ledger::Watching,
    message,
    reading::{Arrival, Reading, Readings, Why},
    sql::Sql,
};

/// The messages of an event.
#[derive(Debug)]
pub(crate) struct Intake<'a> {
    pub(crate) readings: Vec<Reading>,
    pub(crate) aside: Aside<'a>,
    /// How those ended that are none of the readings.
    pub(crate) fates: Fates,
    pub(crate) messages: u64,
}

/// By what messages are read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Terms<'a> {
    pub(crate) stream: &'a Stream,
    pub(crate) contract: &'a Contract,
    pub(crate) watching: &'a Watching,
    /// What the rule's SQL says, where that is known.
    pub(crate) sql: Option<&'a Sql>,
    /// What a request to the stream may hold, if readings go on to one.
    pub(crate) limits: Option<Limits>,
}

impl<'a> Intake<'a> {
    /// Reads the event.
    ///
    /// # Errors
    /// Poison: it is no JSON.
    pub(crate) fn read(event: &Event, now: Timestamp, terms: Terms<'a>) -> Result<Self, Error> {
        let aside = Aside::new(&terms.stream.name, &event.body, now);
        let mut intake = Self { readings: Vec::new(), aside, fates: Fates::default(), messages: 0 };
        // A device may send what an error action does, and does not get by with it.
        let gave = |sql: &Sql| sql.gave(&event.body);
        if let Some(failed) = Failed::read(&event.body).filter(|_| !terms.sql.is_some_and(gave)) {
            intake.messages = 1;
            intake.failed(failed, now, terms.sql);
            return Ok(intake);
        }
        let parts = message::read(&event.body)?;
        if parts.is_empty() {
            intake.messages = 1;
            intake.fates.add(Fate::Dropped { reason: Dropped::Empty }, 1);
        }
        let mut readings = Readings::new(terms.stream, terms.contract, terms.watching);
        for (index, part) in (0..).zip(parts) {
            intake.messages += 1;
            let arrival = Arrival { now, request: &event.request_id, index };
            match part {
                Ok(raw) => intake.message(raw, &mut readings, arrival, terms),
                Err(part) => {
                    let why = unreadable(part.refusal.reason.into_owned());
                    intake.refuse("", index, &part.raw, Part::Record, why);
                }
            }
        }
        Ok(intake)
    }

    fn failed(&mut self, failed: Failed, now: Timestamp, sql: Option<&Sql>) {
        self.aside.only_once(failed.identity());
        let message = sql.map_or_else(|| failed.message(), |sql| sql.message(&failed, now));
        let objection = sql.and_then(|sql| sql.objection(&failed)).unwrap_or_default();
        let why = Why { code: Code::ActionFailed, reason: failed.reason + &objection, path: None };
        self.refuse(failed.topic.as_deref().unwrap_or_default(), 0, &message, Part::Record, why);
    }

    fn message(&mut self, raw: Bytes, readings: &mut Readings<'_>, arrival: Arrival<'_>, terms: Terms<'_>) {
        let raw = match &terms.watching.watch.payload {
            None => raw,
            Some(field) => match message::unwrap(&raw, field) {
                Ok(unwrapped) => unwrapped.unwrap_or(raw),
                Err(refusal) => {
                    let why = Why { code: refusal.code, reason: refusal.reason.into_owned(), path: None };
                    return self.refuse("", arrival.index, &raw, Part::Document, why);
                }
            },
        };
        match readings.read(raw.clone(), arrival) {
            Ok(Ok(reading)) if terms.limits.is_some_and(|limits| is_too_large(&reading, limits)) => {
                let reason = "the message is larger than a record of the stream may be".to_owned();
                let why = Why { code: Code::TooLarge, reason, path: None };
                self.refuse(reading.topic.as_deref().unwrap_or_default(), arrival.index, &raw, Part::Document, why);
            }
            Ok(Ok(reading)) => self.readings.push(reading),
            Ok(Err(reason)) => self.fates.add(Fate::Dropped { reason }, 1),
            Err(why) => self.refuse("", arrival.index, &raw, Part::Document, why),
        }
    }

    fn refuse(&mut self, topic: &str, index: u64, raw: &[u8], part: Part, why: Why) {
        self.fates.add(Fate::Quarantined { reason: why.code }, 1);
        self.aside.put(topic, index, raw, part, why);
    }
}
