//! What one invocation did → one line of the log, and the answer.

use headgate::fate::Fates;
use serde::Serialize;

/// What became of an event.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Report {
    /// The dataset.
    pub dataset: String,
    /// Messages of the event.
    pub messages: u64,
    /// How many ended how.
    #[serde(skip)]
    pub fates: Fates,
    /// Messages that were put in their place among their device's.
    pub judged: u64,
    /// Messages that were there before.
    pub repeated: u64,
    /// Messages that came too late to be judged.
    pub late: u64,
    /// Messages from too far ahead to be judged.
    pub future: u64,
    /// Messages that the dataset's filter does not want.
    pub filtered: u64,
    /// Messages in quarantine.
    pub quarantined: u64,
    /// Messages that the stream took.
    pub forwarded: u64,
    /// Devices.
    pub devices: u64,
    /// Incidents told as begun.
    pub opened: u64,
    /// Incidents told as better or worse.
    pub updated: u64,
    /// Incidents told as ended.
    pub resolved: u64,
    /// Milliseconds from the oldest message to its end here, by the devices' own clocks.
    pub lag_milliseconds: Option<i64>,
}
