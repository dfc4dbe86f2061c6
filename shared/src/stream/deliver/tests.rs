//! Deliveries to a stream that refuses, falls silent and comes back; the time is paused.

use std::collections::BTreeMap;

use bytes::Bytes;
use proptest::prelude::*;

use super::*;
use crate::{
    faults::Unavailable,
    stream::{
        Limits,
        memory::{MemoryStream, Verb},
    },
};

const MINUTE: Duration = Duration::from_mins(1);

fn record(key: &str, bytes: usize) -> Outgoing {
    Outgoing { partition_key: key.to_owned(), explicit_hash_key: None, data: Bytes::from(vec![b'x'; bytes]) }
}

fn numbered(records: usize) -> Vec<Outgoing> {
    (0..records).map(|number| record(&number.to_string(), 1)).collect()
}

/// Delivers, and tells what became of the records as runs of a fate; what is accepted must be there.
async fn fates(stream: &MemoryStream, records: &[Outgoing], time: Duration) -> (String, Delivery) {
    let delivery = deliver(stream, records, &Patience::within(time)).await;
    let there = stream.records();
    assert!(delivery.accepted().all(|at| there.contains(&records[at])), "accepted, yet not there");
    let mut told: Vec<(String, usize)> = Vec::new();
    for fared in &delivery.fared {
        let fate = match fared {
            Fared::Accepted(_) => "Accepted".to_owned(),
            Fared::Failed(failed) => format!("{failed:?}"),
        };
        match told.last_mut() {
            Some((last, times)) if *last == fate => *times += 1,
            _ => told.push((fate, 1)),
        }
    }
    let told: Vec<_> = told.iter().map(|(fate, times)| format!("{times} {fate}")).collect();
    (told.join(", "), delivery)
}

async fn check(stream: &MemoryStream, records: &[Outgoing], expected: &str, requests: u64) -> Delivery {
    let (told, delivery) = fates(stream, records, MINUTE).await;
    assert_eq!((told.as_str(), delivery.requests), (expected, requests));
    delivery
}

fn stream() -> MemoryStream {
    MemoryStream::new(Limits::KINESIS)
}

#[tokio::test(start_paused = true)]
async fn requests_are_as_few_as_the_limits_allow() {
    check(&stream(), &[], "", 0).await;
    check(&stream(), &numbered(1001), "1001 Accepted", 3).await;
    let large: Vec<_> = (0..6).map(|_| record("k", (1 << 20) - 1)).collect();
    check(&stream(), &large, "6 Accepted", 2).await;
    let firehose = MemoryStream::new(Limits::FIREHOSE);
    let large: Vec<_> = (0..5).map(|_| record("", 1000 << 10)).collect();
    check(&firehose, &large, "5 Accepted", 2).await;
}

#[tokio::test(start_paused = true)]
async fn what_fits_no_request_holds_nothing_up() {
    let records = [record("k", 1 << 20), record("", 1), record(&"é".repeat(256), 1), record(&"k".repeat(257), 1)];
    check(&stream(), &records, "1 TooLarge, 1 InvalidKey, 1 Accepted, 1 InvalidKey", 1).await;
}

#[tokio::test(start_paused = true)]
async fn only_what_was_refused_is_sent_again_and_in_order() {
    let stream = stream();
    let records = numbered(6);
    for (number, reason) in
        [(2, Reason::Throttled), (5, Reason::Internal), (4, Reason::Rejected), (7, Reason::Throttled)]
    {
        stream.refuse(number, reason);
    }
    let delivery = check(&stream, &records, "3 Accepted, 1 Rejected, 2 Accepted", 3).await;
    let keys: Vec<_> = stream.records().iter().map(|record| record.partition_key.clone()).collect();
    assert_eq!(keys, ["0", "2", "5", "4", "1"]);
    assert_eq!(delivery.throttles.keys(), &BTreeMap::from([("1".to_owned(), 2)]));
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_is_asked_for_again_and_a_refusal_is_not() {
    let stream = stream();
    stream.faults().fail_after(1);
    let delivery = check(&stream, &numbered(2), "2 Accepted", 2).await;
    assert_eq!(stream.records().len(), 4, "at least once");
    assert_eq!(delivery.error, Some(StreamError::unavailable("memory")));

    let refused = StreamError::Refused { stream: "s".into(), reason: "no such stream".into() };
    stream.faults().fail_before(4, refused.clone());
    let delivery = check(&stream, &numbered(1200), "500 Accepted, 500 Rejected, 200 Unsent", 2).await;
    assert_eq!(delivery.error, Some(refused));
}

#[tokio::test(start_paused = true)]
async fn silence_has_an_end() {
    let late = stream();
    late.answer_late(1, Duration::from_hours(1));
    check(&late, &numbered(1), "1 Accepted", 2).await;

    let silent = stream();
    for number in 1..9 {
        silent.answer_late(number, Duration::from_hours(1));
    }
    let begun = Instant::now();
    let (told, _) = fates(&silent, &numbered(501), Duration::from_secs(30)).await;
    assert_eq!(told, "500 Unanswered, 1 Unsent");
    assert!(begun.elapsed() <= Duration::from_secs(30), "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn what_may_be_there_is_not_called_rejected() {
    let stream = stream();
    stream.answer_late(1, Duration::from_hours(1));
    stream.refuse(2, Reason::Throttled);
    let refused = StreamError::Refused { stream: "s".into(), reason: "access denied".into() };
    stream.faults().fail_before(3, refused.clone());
    let delivery = check(&stream, &numbered(1), "1 Unanswered", 3).await;
    assert_eq!(delivery.error, Some(refused));
}

#[tokio::test(start_paused = true)]
async fn a_hot_shard_is_told_when_the_time_ends() {
    let stream = stream();
    stream.throttle("hot", u64::MAX);
    let records = [record("a", 1), record("hot", 1), record("b", 1), record("hot", 2)];
    let begun = Instant::now();
    let (told, delivery) = fates(&stream, &records, Duration::from_secs(20)).await;
    assert_eq!(told, "1 Accepted, 1 Throttled, 1 Accepted, 1 Throttled");
    assert!(begun.elapsed() <= Duration::from_secs(20), "{:?}", begun.elapsed());
    let hot = delivery.throttles.hottest().unwrap();
    assert_eq!((hot.throttles, hot.keys), (delivery.requests * 2, 1));
    assert!((10..400).contains(&delivery.requests), "pauses grow: {}", delivery.requests);
    assert_eq!(delivery.failed(), Some(Failed::Throttled));
}

#[tokio::test(start_paused = true)]
async fn without_time_nothing_is_sent() {
    let stream = stream();
    assert_eq!(fates(&stream, &numbered(2), Duration::ZERO).await.0, "2 Unsent");
    assert_eq!(stream.faults().calls(), BTreeMap::<Verb, u64>::new());
}

#[test]
fn pauses_grow_to_the_longest() {
    let patience = Patience::within(MINUTE);
    for (failures, most) in [(1, 100), (2, 200), (5, 1600), (6, 2000), (40, 2000)] {
        let longest = (0..500).map(|_| patience.pause(failures)).max().unwrap();
        let most = Duration::from_millis(most);
        assert!(longest <= most && longest > most / 2, "{failures}: {longest:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Whatever fails: what is called accepted is there, and what is there was sent; without a rejection and with time
    /// enough, all is accepted.
    #[test]
    fn nothing_is_lost(
        sizes in prop::collection::vec(1_usize..200_000, 1..120),
        refused in prop::collection::btree_map(1_u64..200, prop::bool::ANY, 0..60),
        silent in prop::collection::btree_set(1_u64..8, 0..4),
        lost in prop::collection::btree_set(1_u64..8, 0..4),
    ) {
        let stream = stream();
        for (number, throttled) in &refused {
            stream.refuse(*number, if *throttled { Reason::Throttled } else { Reason::Internal });
        }
        for number in &silent {
            stream.faults().fail_before(*number, StreamError::unavailable("memory"));
        }
        for number in &lost {
            stream.faults().fail_after(*number);
        }
        let records: Vec<_> =
            sizes.iter().enumerate().map(|(number, size)| record(&number.to_string(), *size)).collect();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        let delivery = runtime.block_on(deliver(&stream, &records, &Patience::within(MINUTE)));
        let there = stream.records();
        prop_assert!(there.iter().all(|record| records.contains(record)));
        prop_assert!(records.iter().all(|record| there.contains(record)));
        prop_assert_eq!(delivery.accepted().count(), records.len());
        prop_assert_eq!(delivery.failed(), None);
    }
}
