//! A schedule's event → what it asks for.
//!
//! `EventBridge` Scheduler sends whatever its target's input says, and an event of its own where there is none. What a
//! schedule may add is ignored; an event of something else is none.

use headgate::{Code, Error};
use serde::Deserialize;

/// What is to be compacted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The datasets by name; all that say `compact`, where there are `None`.
    pub datasets: Option<Vec<String>>,
    /// Whether only to look.
    pub dry_run: bool,
}

#[derive(Deserialize)]
struct Wire {
    datasets: Option<Datasets>,
    dry_run: Option<bool>,
    #[serde(rename = "detail-type")]
    detail_type: Option<String>,
    #[serde(rename = "Records")]
    records: Option<serde_json::Value>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Datasets {
    Named(Vec<String>),
    Word(String),
}

impl Asked {
    /// Reads an event.
    ///
    /// # Errors
    /// Poison, [`Code::InvalidEvent`]: it is none of a schedule.
    pub fn read(event: &[u8]) -> Result<Self, Error> {
        let invalid = |told: &str| Error::poison(Code::InvalidEvent, told.to_owned());
        let form = "the event is none of a schedule: send {\"datasets\": [\"name\"]}, {\"datasets\": \"all\"} or {}, \
                    with \"dry_run\": true to look only";
        let wire: Wire = serde_json::from_slice(event).map_err(|_| invalid(form))?;
        if wire.records.is_some() || wire.detail_type.is_some_and(|kind| kind != "Scheduled Event") {
            return Err(invalid(form));
        }
        let datasets = match wire.datasets {
            None => None,
            Some(Datasets::Named(names)) => Some(names),
            Some(Datasets::Word(word)) if word == "all" => None,
            Some(Datasets::Word(_)) => return Err(invalid("\"datasets\" is neither a list of names nor \"all\"")),
        };
        Ok(Self { datasets, dry_run: wire.dry_run.unwrap_or(false) })
    }
}
