//! The change files → when they arrive, and the events that tell of them: late, twice, and in any order.

use std::ops::Range;

use headgate_columnar::sample::Random;
use serde_json::{Value, json};

use super::{
    notices::{batch, notification, object_created, through_sns},
    orders::File,
};

/// Files that arrive together, and the events that follow.
#[derive(Debug)]
pub struct Round {
    /// What is special about it.
    pub what: &'static str,
    /// Which of the files arrive in it.
    pub arrive: Range<usize>,
    /// The events, one invocation each.
    pub events: Vec<Value>,
}

/// Every file arrives in exactly one round, in the order in which DMS writes them.
pub fn of(files: &[File]) -> Vec<Round> {
    let key = |at: usize| files.get(at).map(|file| file.key.as_str()).unwrap_or_default();
    let direct = |at: usize| notification(key(at));
    let bridged = |at: usize| object_created(key(at));
    let mut random = Random::new(7);
    let mut shuffled = |range: Range<usize>| {
        let mut all: Vec<_> = range.clone().chain(range.step_by(3)).collect();
        random.shuffle(&mut all);
        all
    };
    vec![
        Round {
            what: "S3 -> SQS, the full load's events after those of the first changes",
            arrive: 0..6,
            events: vec![batch(&[4, 2, 5, 3, 1, 0].map(direct))],
        },
        Round { what: "S3 directly, one event twice", arrive: 6..9, events: [8, 6, 6, 7].map(direct).to_vec() },
        Round {
            what: "S3 -> SNS -> SQS, in any order, some twice",
            arrive: 9..20,
            events: vec![batch(&shuffled(9..20).into_iter().map(|at| through_sns(&direct(at))).collect::<Vec<_>>())],
        },
        Round { what: "EventBridge directly", arrive: 20..22, events: [21, 20].map(bridged).to_vec() },
        Round {
            what: "EventBridge -> SQS, in two batches, in any order, some twice",
            arrive: 22..31,
            events: shuffled(22..31)
                .chunks(7)
                .map(|some| batch(&some.iter().copied().map(bridged).collect::<Vec<_>>()))
                .collect(),
        },
        Round {
            what: "No event at all: the schedule finds it",
            arrive: 31..files.len(),
            events: vec![json!({"tables": ["orders"]})],
        },
        Round {
            what: "Every event once more, shuffled",
            arrive: files.len()..files.len(),
            events: vec![batch(&shuffled(0..files.len()).into_iter().map(direct).collect::<Vec<_>>())],
        },
    ]
}
