//! Readings of one device in any order, however often → what its subscribers are still to be told.
//!
//! Pure: the item of the state as a value. The last readings are kept and judged anew with each that comes, as if all
//! had come in order; what was told is compared with what is true, and the difference is to be told. So an incident is
//! told as begun once and as ended once, whatever the order.

use std::collections::BTreeMap;

use headgate::{
    Code, Error,
    clock::Timestamp,
    dataset::stream::watch::{Alert, Watch},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    machine::{Machine, Place, Span},
    reading::Reading,
    transition::Transition,
};

mod track;
mod window;

use track::{Scene, Track};
use window::Entry;

/// What is watched, as a ledger needs it.
#[derive(Debug, Clone)]
pub struct Watching {
    /// The dataset.
    pub dataset: String,
    /// Its `watch`.
    pub watch: Watch,
    /// The columns that alerts are about, each once.
    pub columns: Vec<String>,
}

impl Watching {
    /// Of this dataset.
    #[must_use]
    pub fn new(dataset: &str, watch: Watch) -> Self {
        let mut columns: Vec<String> = Vec::new();
        for alert in &watch.alerts {
            if !columns.contains(&alert.column) {
                columns.push(alert.column.clone());
            }
        }
        Self { dataset: dataset.to_owned(), watch, columns }
    }

    fn alerts(&self) -> impl Iterator<Item = (&Alert, usize)> {
        let column = |alert: &Alert| self.columns.iter().position(|column| *column == alert.column);
        self.watch.alerts.iter().filter_map(move |alert| Some((alert, column(alert)?)))
    }
}

/// What became of a reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Taken {
    /// It is among the device's.
    Judged,
    /// It was there before.
    Repeated,
    /// It comes too late to be judged, and perhaps not for the first time.
    Late,
}

/// Who tells what is to be told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Hold {
    by: String,
    /// From then on somebody else may.
    pub(crate) until: Timestamp,
}

/// What is known of a device.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Ledger {
    /// The last reading that is no longer kept: at or before it, nothing can be put in its place.
    base: Option<Place>,
    /// The kept ones, in order.
    window: Vec<Entry>,
    tracks: BTreeMap<String, Track>,
    /// What is to be told, in order.
    pub(crate) outbox: Vec<Transition>,
    pub(crate) hold: Option<Hold>,
}

/// A ledger as it is kept.
#[derive(Deserialize)]
struct Item {
    base: Option<Place>,
    /// The columns that the window has values of.
    columns: Vec<String>,
    window: String,
    tracks: BTreeMap<String, Track>,
    #[serde(default)]
    outbox: Vec<Transition>,
    hold: Option<Hold>,
}

/// An [`Item`] to be written.
#[derive(Serialize)]
struct Kept<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    base: Option<Place>,
    columns: &'a [String],
    window: String,
    tracks: &'a BTreeMap<String, Track>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    outbox: &'a [Transition],
    #[serde(skip_serializing_if = "Option::is_none")]
    hold: Option<&'a Hold>,
}

/// More than this is not left to be told: something is wrong that a person must see to.
const MOST_UNTOLD: usize = 200;

impl Ledger {
    /// Reads an item.
    ///
    /// # Errors
    /// Misconfigured: it was not written by this software.
    pub(crate) fn read(key: &str, value: Value, watching: &Watching) -> Result<Self, Error> {
        let foreign = || {
            let told = format!("{key}: was not written by this function; remove it, or give the function a table");
            Error::misconfigured(Code::InvalidConfig, told)
        };
        let item: Item = serde_json::from_value(value).map_err(|_| foreign())?;
        let window = window::read(&item.window, &item.columns, &watching.columns).ok_or_else(foreign)?;
        let Item { base, tracks, outbox, hold, .. } = item;
        Ok(Self { base, window, tracks, outbox, hold })
    }

    /// As an item.
    ///
    /// # Errors
    /// Retry: a bug, for nothing in it can fail to be JSON.
    pub(crate) fn write(&self, watching: &Watching) -> Result<Value, Error> {
        let item = Kept {
            base: self.base,
            columns: &watching.columns,
            window: window::write(&self.window),
            tracks: &self.tracks,
            outbox: &self.outbox,
            hold: self.hold.as_ref(),
        };
        serde_json::to_value(item).map_err(|error| Error::retry(Code::Internal, error.to_string()))
    }

    /// Whether the stream is known to have this reading.
    pub(crate) fn has_sent(&self, reading: &Reading) -> bool {
        self.window.iter().any(|entry| entry.place.1 == reading.place.1 && entry.sent)
    }

    /// Puts the readings in their places, each with whether the stream has it, and finds what is now to be told. Gives
    /// what became of each, and whether anything changed.
    pub(crate) fn take(&mut self, readings: &[&Reading], sent: &[bool], watching: &Watching) -> (Vec<Taken>, bool) {
        let mut order: Vec<usize> = (0..readings.len()).collect();
        order.sort_by_key(|index| readings[*index].place);
        let (mut taken, mut changed) = (vec![Taken::Late; readings.len()], false);
        let mut judged = false;
        for index in order {
            let (reading, sent) = (readings[index], sent[index]);
            if let Some(known) = self.window.iter_mut().find(|entry| entry.place.1 == reading.place.1) {
                changed |= sent && !known.sent;
                known.sent |= sent;
                taken[index] = Taken::Repeated;
            } else if !self.is_late(reading.place, watching) {
                let at = self.window.partition_point(|entry| entry.place < reading.place);
                self.window.insert(at, Entry::of(reading, sent));
                taken[index] = Taken::Judged;
                judged = true;
            }
        }
        if judged {
            self.judge(readings, watching);
            self.settle(watching);
        }
        (taken, changed || judged)
    }

    fn is_late(&self, place: Place, watching: &Watching) -> bool {
        let late = i64::try_from(watching.watch.late.as_millis()).unwrap_or(i64::MAX);
        let newest = self.window.last().map(|entry| entry.place).max(self.base);
        self.base.is_some_and(|base| place <= base)
            || newest.is_some_and(|newest| newest.0.saturating_sub(place.0) > late)
    }

    /// Compares what was told with what is true.
    fn judge(&mut self, readings: &[&Reading], watching: &Watching) {
        let device = readings.first().map_or("", |reading| reading.device.as_str());
        let Self { window, tracks, outbox, .. } = self;
        for (alert, column) in watching.alerts() {
            let track = tracks.entry(alert.name.clone()).or_default();
            let spans = spans(track.machine.clone(), alert, column, window);
            let scene = Scene { dataset: &watching.dataset, device, alert, window };
            outbox.extend(track.reconcile(&spans, &scene));
        }
        // An alert that is no longer asked for ends nonetheless.
        let is_known = |name: &String| watching.watch.alerts.iter().any(|alert| alert.name == *name);
        let gone: Vec<String> = tracks.keys().filter(|name| !is_known(name)).cloned().collect();
        for name in gone {
            if let Some(track) = tracks.remove(&name) {
                outbox.extend(track.withdraw_all(&name));
            }
        }
    }

    /// Lets go of readings that are too many or too old to be needed.
    fn settle(&mut self, watching: &Watching) {
        let late = i64::try_from(watching.watch.late.as_millis()).unwrap_or(i64::MAX);
        let newest = self.window.last().map_or(i64::MIN, |entry| entry.place.0);
        let many = self.window.len().saturating_sub(watching.watch.reorder);
        let old = self.window.iter().take_while(|entry| newest.saturating_sub(entry.place.0) > late).count();
        let settled: Vec<Entry> = self.window.drain(..many.max(old)).collect();
        for (alert, column) in watching.alerts() {
            if let Some(track) = self.tracks.get_mut(&alert.name) {
                window::judged(&settled, alert, column).for_each(|(place, value)| {
                    track.machine.step(alert, place, value);
                });
            }
        }
        self.base = settled.last().map(|entry| entry.place).or(self.base);
        if let Some(base) = self.base {
            self.tracks.values_mut().for_each(|track| track.forget(base));
        }
    }

    /// Whether so much is left to be told that no more is taken.
    pub(crate) fn is_full(&self) -> bool {
        self.outbox.len() > MOST_UNTOLD
    }

    /// Whether `who` is the one to tell.
    pub(crate) fn is_held_by(&self, who: &str) -> bool {
        self.hold.as_ref().is_some_and(|hold| hold.by == who)
    }

    /// Makes `who` the one to tell, if somebody must and nobody else is.
    pub(crate) fn claim(&mut self, who: &str, now: Timestamp, until: Timestamp) -> bool {
        let free = self.hold.as_ref().is_none_or(|hold| hold.by == who || hold.until <= now);
        let claims = free && !self.outbox.is_empty();
        if claims {
            self.hold = Some(Hold { by: who.to_owned(), until });
        }
        claims
    }

    /// Notes that these were told.
    pub(crate) fn told(&mut self, told: &[Transition]) {
        self.outbox.retain(|transition| !told.iter().any(|told| told.is_same(transition)));
    }

    /// Lets somebody else tell, if `who` was to.
    pub(crate) fn release(&mut self, who: &str) {
        if self.is_held_by(who) {
            self.hold = None;
        }
    }
}

/// The spans of an alert in these readings, in order; the last one may be open.
fn spans(mut machine: Machine, alert: &Alert, column: usize, window: &[Entry]) -> Vec<Span> {
    let readings = window::judged(window, alert, column);
    let mut spans: Vec<_> = readings.filter_map(|(place, value)| machine.step(alert, place, value)).collect();
    spans.extend(machine.open());
    spans
}

#[cfg(test)]
mod tests;
