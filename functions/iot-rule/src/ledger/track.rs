//! What was told of an alert, and what is true of it → what is to be told.

use headgate::{dataset::stream::watch::Alert, quarantine::Identity};
use serde::{Deserialize, Serialize};

use super::window::Entry;
use crate::{
    machine::{Machine, Place, Point, Span},
    transition::{Event, Transition},
};

/// An alert of a device.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct Track {
    /// What was known of it before the kept readings.
    pub(crate) machine: Machine,
    /// What was told of it that is not yet beyond change, in the order it began.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    told: Vec<Told>,
    /// How many incidents it had.
    #[serde(default, skip_serializing_if = "is_none")]
    count: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_none(count: &u64) -> bool {
    *count == 0
}

/// An incident as it was told, or is about to be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Told {
    incident: String,
    since: Place,
    /// Its end, once that is told.
    until: Option<Place>,
    severity: String,
    /// The number of the next thing to tell of it.
    step: u32,
}

impl Told {
    fn overlaps(&self, span: &Span) -> bool {
        let ends_after = |end: Option<Place>, start: Place| end.is_none_or(|end| end > start);
        ends_after(self.until, span.since) && ends_after(span.resolved.map(|point| point.place), self.since)
    }

    fn next(&mut self) -> u32 {
        self.step += 1;
        self.step - 1
    }
}

/// Whose alert it is, and the readings.
pub(super) struct Scene<'a> {
    pub(super) dataset: &'a str,
    pub(super) device: &'a str,
    pub(super) alert: &'a Alert,
    pub(super) window: &'a [Entry],
}

impl Scene<'_> {
    fn transition(&self, told: &mut Told, event: Event, point: Option<&Point>, since: Place) -> Transition {
        let reading = point.and_then(|point| self.window.iter().find(|entry| entry.place == point.place));
        let level = self.alert.levels.iter().find(|level| level.severity == told.severity);
        Transition {
            incident: told.incident.clone(),
            step: told.next(),
            event,
            alert: self.alert.name.clone(),
            column: Some(self.alert.column.clone()),
            severity: told.severity.clone(),
            value: point.map(|point| point.value),
            score: point.map(|point| point.score),
            bound: level.map(|level| if event == Event::Resolved { level.clear } else { level.bound }),
            at: point.map(|point| point.place.0),
            since: since.0,
            topic: reading.and_then(|entry| entry.topic.as_deref().map(str::to_owned)),
        }
    }

    /// Tells what is new of an incident.
    fn go_on(&self, mut told: Told, span: &Span, out: &mut Vec<Transition>) -> Told {
        told.since = span.since;
        if let Some(point) = span.resolved {
            if told.until.is_none() {
                out.push(self.transition(&mut told, Event::Resolved, Some(&point), span.since));
            }
            told.until = Some(point.place);
            return told;
        }
        let severity = self.severity(span.latest.level);
        if severity != told.severity {
            told.severity = severity;
            out.push(self.transition(&mut told, Event::Updated, Some(&span.latest), span.since));
        }
        told
    }

    fn severity(&self, level: usize) -> String {
        self.alert
            .levels
            .get(level)
            .or(self.alert.levels.last())
            .map(|level| level.severity.clone())
            .unwrap_or_default()
    }
}

impl Track {
    /// Makes what is told what is true, and gives the difference.
    ///
    /// Each span is one incident's, the one that it overlaps in time. One that is open needs an incident that is not yet
    /// told as ended. What no span is left for was none, as later readings show: it ends.
    pub(super) fn reconcile(&mut self, spans: &[Span], scene: &Scene<'_>) -> Vec<Transition> {
        let mut out = Vec::new();
        let mut old = std::mem::take(&mut self.told);
        for span in spans {
            let fits = |told: &&Told| told.overlaps(span) && (told.until.is_none() || span.resolved.is_some());
            let found = old.iter().filter(fits).min_by_key(|told| (told.until.is_some(), told.since));
            let found = found.map(|told| told.incident.clone());
            let found = found.and_then(|incident| old.iter().position(|told| told.incident == incident));
            let told = match found {
                Some(index) => scene.go_on(old.remove(index), span, &mut out),
                None => self.begin(span, scene, &mut out),
            };
            self.told.push(told);
        }
        for mut told in old {
            if told.until.is_none() {
                let since = told.since;
                out.push(scene.transition(&mut told, Event::Resolved, None, since));
                told.until = Some(since);
            }
            self.told.push(told);
        }
        out
    }

    fn begin(&mut self, span: &Span, scene: &Scene<'_>, out: &mut Vec<Transition>) -> Told {
        let (number, since) = (self.count.to_string(), span.since.0.to_string());
        self.count += 1;
        let incident = Identity::of(&[scene.dataset, scene.device, &scene.alert.name, &number, &since]);
        // Of one that is over already, the worst is what matters.
        let point = if span.resolved.is_some() { span.worst } else { span.latest };
        let severity = scene.severity(point.level);
        let mut told = Told { incident: incident.to_string(), since: span.since, until: None, severity, step: 0 };
        out.push(scene.transition(&mut told, Event::Opened, Some(&point), span.since));
        scene.go_on(told, span, out)
    }

    /// Ends all that is not yet told as ended, of an alert that nobody asks for any more.
    pub(super) fn withdraw_all(self, alert: &str) -> impl Iterator<Item = Transition> {
        let open = self.told.into_iter().filter(|told| told.until.is_none());
        open.map(|mut told| Transition {
            step: told.next(),
            incident: told.incident,
            event: Event::Resolved,
            alert: alert.to_owned(),
            column: None,
            severity: told.severity,
            value: None,
            score: None,
            bound: None,
            at: None,
            since: told.since.0,
            topic: None,
        })
    }

    /// Forgets what is beyond change: incidents that were over before the kept readings.
    pub(super) fn forget(&mut self, base: Place) {
        self.told.retain(|told| told.until.is_none_or(|until| until > base));
    }
}
