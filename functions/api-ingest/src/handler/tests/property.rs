//! Any body over any failures, repeated until it is accepted.

use std::collections::{BTreeMap, BTreeSet};

use headgate::{faults::Unavailable, stream::Reason, stream::StreamError};
use proptest::prelude::*;
use serde::Deserialize;

use super::*;
use crate::positions::Positions;

/// Bodies have fewer records than this.
const MOST: usize = 12;

/// What goes wrong during one attempt.
#[derive(Debug, Clone)]
struct Weather {
    refused: BTreeMap<u64, Reason>,
    hot: BTreeSet<usize>,
    silent: BTreeSet<u64>,
    lost: BTreeSet<u64>,
    state_fails: Option<u64>,
}

/// Mostly fair, so that several attempts in a row bring a part each.
fn weather() -> impl Strategy<Value = Weather> {
    let reason = prop::sample::select(vec![Reason::Throttled, Reason::Internal, Reason::Rejected]);
    let refused = prop::collection::btree_map(1_u64..30, reason, 0..10);
    let requests = || prop::option::weighted(0.3, prop::collection::btree_set(1_u64..5, 1..3));
    let (hot, state_fails) = (prop::collection::btree_set(0..MOST, 0..6), prop::option::weighted(0.2, 1_u64..4));
    (refused, hot, requests(), requests(), state_fails).prop_map(|(refused, hot, silent, lost, state_fails)| Weather {
        refused,
        hot,
        silent: silent.unwrap_or_default(),
        lost: lost.unwrap_or_default(),
        state_fails,
    })
}

impl Scene {
    fn fails(&self, weather: &Weather, offered: u64) {
        for (number, reason) in &weather.refused {
            self.stream.refuse(offered + number, *reason);
        }
        for hot in &weather.hot {
            self.stream.throttle(&hot.to_string(), u64::MAX);
        }
        let (puts, states) = (self.stream.faults().total(), self.state.faults().total());
        for number in &weather.silent {
            self.stream.faults().fail_before(puts + number, StreamError::unavailable("memory"));
        }
        for number in &weather.lost {
            self.stream.faults().fail_after(puts + number);
        }
        if let Some(number) = weather.state_fails {
            self.state.faults().crash_from(states + number);
        }
    }

    fn there(&self) -> BTreeSet<usize> {
        self.sent().iter().map(|key| key.parse().unwrap()).collect()
    }
}

/// Asks until all is accepted; every answer has to agree with what the stream has.
async fn check(records: usize, weathers: Vec<Weather>, keyed: bool) {
    let scene = scene();
    let all: BTreeSet<_> = (0..records).collect();
    let headers = if keyed { json!({"idempotency-key": "k"}) } else { json!({}) };
    let exact = weathers.iter().all(|weather| weather.lost.is_empty() && weather.state_fails.is_none()) && keyed;
    for weather in weathers.into_iter().map(Some).chain([None]) {
        scene.stream.recover();
        scene.state.faults().revive();
        if let Some(weather) = &weather {
            scene.fails(weather, scene.stream.offered());
        }
        // A key that was not let go is free again.
        scene.clock.advance(TIMEOUT);
        let response = scene.ask(&scene.request(&headers, &body(records))).await;
        let (status, told, _) = told(&response);
        let accepted: Positions = match status {
            202 => Positions::of(0..records),
            503 => told.get("accepted").map(Positions::deserialize).transpose().unwrap().unwrap_or_default(),
            _ => panic!("{status} {told:#}"),
        };
        let accepted: BTreeSet<_> = accepted.iter().collect();
        assert!(accepted.is_subset(&scene.there()), "accepted, yet not there");
        assert_eq!(accepted == all, status == 202, "202 if and only if all is accepted");
        assert!(weather.is_some() || status == 202, "fair weather");
    }
    assert_eq!(scene.there(), all);
    assert!(!exact || scene.sent().len() == records, "sent twice, though nothing was lost");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn accepted_means_sent(
        records in 1..MOST,
        weathers in prop::collection::vec(weather(), 0..4),
        keyed in any::<bool>(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(check(records, weathers, keyed));
    }
}
