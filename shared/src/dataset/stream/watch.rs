//! The `watch` of a `stream` dataset: what its readings are watched for.
//!
//! Everything here is resolved and checked; how a reading is judged by it is the watching function's business.

use std::time::Duration;

mod parse;
mod rules;
mod topic;

pub(super) use parse::watch;
pub(super) use rules::together;
pub use topic::TopicFilter;

/// What the readings of devices are watched for.
#[derive(Debug, Clone, PartialEq)]
pub struct Watch {
    /// The column that names the device; without one, all readings are of one.
    pub device: Option<String>,
    /// The column that tells a message from all others; without one, its bytes do.
    pub message_id: Option<String>,
    /// The column of the topic that a message came by.
    pub topic: Option<String>,
    /// The column that says when a message arrived.
    pub arrival: Option<String>,
    /// The field of a message that holds, in Base64, what the device sent.
    pub payload: Option<String>,
    /// A reading that is older than its device's newest by more than this comes too late to be judged.
    pub late: Duration,
    /// A reading from further ahead than this is of a clock that is wrong, and is not judged.
    pub future: Duration,
    /// How many readings of a device are kept, to put late ones in their place among them.
    pub reorder: usize,
    /// What to tell.
    pub alerts: Vec<Alert>,
}

/// A condition of a device that people are told of, when it begins and when it ends.
#[derive(Debug, Clone, PartialEq)]
pub struct Alert {
    /// Its name, which no other alert of the dataset has.
    pub name: String,
    /// The column that is watched.
    pub column: String,
    /// The topics that it is about; all where there is none.
    pub topic: Option<TopicFilter>,
    /// What of the column is compared with the levels.
    pub measure: Measure,
    /// Which side of a level is bad.
    pub side: Side,
    /// From the mildest to the worst; at least one.
    pub levels: Vec<Level>,
    /// How long it must hold before it is told.
    pub lasting: Duration,
    /// How long nothing is told anew after it ended.
    pub cooldown: Duration,
}

/// What is compared with a level.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Measure {
    /// The value itself.
    Value,
    /// How many standard deviations the value is off its device's moving average.
    Deviation(Trend),
}

/// How a moving average is kept.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Trend {
    /// The weight of the newest value, above 0 and up to 1.
    pub alpha: f64,
    /// How many values are only learned from.
    pub warm_up: u32,
    /// The least standard deviation that is reckoned with.
    pub noise: f64,
}

/// Which side of a level is bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// More than the bound.
    Above,
    /// Less than the bound.
    Below,
}

/// How bad it is, and from where on.
#[derive(Debug, Clone, PartialEq)]
pub struct Level {
    /// Its name.
    pub severity: String,
    /// It begins beyond this.
    pub bound: f64,
    /// It ends here: on the good side of the bound, or the bound itself.
    pub clear: f64,
}
