//! A step of an incident ↔ the notice that tells it.
//!
//! Nothing of the dataset is needed to tell it: it may have changed since.

use headgate::{
    notify::{Notice, subject},
    quarantine::Identity,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// It began.
    Opened,
    /// It became better or worse.
    Updated,
    /// It ended.
    Resolved,
}

impl Event {
    /// As it is in messages.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Updated => "updated",
            Self::Resolved => "resolved",
        }
    }
}

/// A step of an incident that is to be told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Transition {
    pub(crate) incident: String,
    /// Its number within the incident, the first being 0.
    pub(crate) step: u32,
    pub(crate) event: Event,
    pub(crate) alert: String,
    pub(crate) severity: String,
    /// When its first reading was taken.
    pub(crate) since: i64,
    /// `None`, as in the following, where no reading brought this: the incident is one no more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) at: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) column: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) value: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) score: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) bound: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) topic: Option<String>,
}

impl Transition {
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.incident == other.incident && self.step == other.step
    }

    /// What subscribers are told.
    pub(crate) fn notice(&self, dataset: &str, device: &str) -> Notice {
        let Self { incident, step, event, alert, severity, column, value, score, bound, topic, .. } = self;
        let reading = match (column, value) {
            (Some(column), Some(value)) => format!(", {column} {value}"),
            _ => String::new(),
        };
        let score = score.filter(|score| Some(*score) != *value);
        let body = json!({
            "incident": incident, "step": step, "event": event, "dataset": dataset, "device": device, "alert": alert,
            "severity": severity, "column": column, "value": value, "deviations": score, "bound": bound,
            "since": moment(self.since), "at": self.at.map(moment), "topic": topic, "withdrawn": value.is_none(),
        });
        let event = event.as_str();
        Notice {
            subject: subject(&format!("{severity} {event}: {alert} on {device}{reading}")),
            body: body.to_string(),
            attributes: vec![
                ("dataset", dataset.to_owned()),
                ("alert", alert.clone()),
                ("severity", severity.clone()),
                ("event", event.to_owned()),
                ("incident", incident.clone()),
            ],
            group: Identity::of(&[dataset, device]).to_string(),
            deduplication: format!("{incident}-{step}"),
        }
    }
}

/// A moment for people; one that no calendar has, in milliseconds.
fn moment(at: i64) -> String {
    let moment = OffsetDateTime::from_unix_timestamp_nanos(i128::from(at) * 1_000_000).ok();
    moment.and_then(|moment| moment.format(&Rfc3339).ok()).unwrap_or_else(|| at.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn transition() -> Transition {
        Transition {
            incident: "0f".to_owned(),
            step: 0,
            event: Event::Opened,
            alert: "overheated".to_owned(),
            severity: "warning".to_owned(),
            since: 1_795_599_000_000,
            at: Some(1_795_599_060_500),
            column: Some("temperature".to_owned()),
            value: Some(81.5),
            score: Some(81.5),
            bound: Some(80.0),
            topic: Some("sensors/oven-1/temperature".to_owned()),
        }
    }

    #[test]
    fn a_notice_says_all_of_it() {
        let notice = transition().notice("temperature", "oven-1");
        assert_eq!(notice.subject, "warning opened: overheated on oven-1, temperature 81.5");
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&notice.body).unwrap(),
            json!({
                "incident": "0f", "step": 0, "event": "opened", "dataset": "temperature", "device": "oven-1",
                "alert": "overheated", "severity": "warning", "column": "temperature", "value": 81.5,
                "deviations": null, "bound": 80.0, "since": "2026-11-25T09:30:00Z", "at": "2026-11-25T09:31:00.5Z",
                "topic": "sensors/oven-1/temperature", "withdrawn": false,
            })
        );
        assert_eq!(notice.deduplication, "0f-0");
        let attributes: Vec<_> = notice.attributes.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let expected = ["dataset=temperature", "alert=overheated", "severity=warning", "event=opened", "incident=0f"];
        assert_eq!(attributes, expected);
    }

    #[test]
    fn one_that_no_reading_brought_says_so() {
        let gone =
            Transition { event: Event::Resolved, value: None, score: None, at: None, since: i64::MAX, ..transition() };
        let notice = gone.notice("temperature", "öfen");
        assert_eq!(notice.subject, "warning resolved: overheated on ?fen");
        let body: serde_json::Value = serde_json::from_str(&notice.body).unwrap();
        assert_eq!((&body["withdrawn"], &body["at"]), (&json!(true), &json!(null)));
        assert_eq!(body["since"], json!("9223372036854775807"));
    }
}
