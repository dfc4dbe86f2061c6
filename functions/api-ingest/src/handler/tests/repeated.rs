//! Requests with an idempotency key that are repeated: after success, after a part, after a crash, at once.

use std::collections::BTreeSet;

use async_trait::async_trait;
use headgate::state::{Expected, Item, Version, memory::Verb};

use super::*;

/// A state that keeps the key and then never answers again.
#[derive(Debug)]
struct Falling(MemoryState);

#[async_trait]
impl State for Falling {
    async fn get(&self, key: &str) -> headgate::state::Result<Option<Item>> {
        self.0.get(key).await
    }

    async fn put_if(
        &self,
        key: &str,
        value: Value,
        expected: Expected,
        ttl: Option<Duration>,
    ) -> headgate::state::Result<Version> {
        if self.0.faults().total() > 1 {
            std::future::pending::<()>().await;
        }
        self.0.put_if(key, value, expected, ttl).await
    }

    async fn delete_if(&self, key: &str, expected: Expected) -> headgate::state::Result<()> {
        self.0.delete_if(key, expected).await
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_accepted_is_answered_though_the_state_falls_silent() {
    let mut scene = scene();
    scene.ports.state = Arc::new(Falling(scene.state.clone()));
    let begun = tokio::time::Instant::now();
    assert_eq!(scene.keyed("k-1", &body(3)).await.status_code, 202);
    assert!(begun.elapsed() < TIMEOUT, "the answer is in time");
}

#[tokio::test(start_paused = true)]
async fn what_is_not_noted_is_not_promised() {
    let scene = scene();
    scene.stream.throttle("1", u64::MAX);
    scene.state.faults().fail_before(3, headgate::faults::Unavailable::unavailable("k-1"));
    let (status, body, _) = told(&scene.keyed("k-1", &body(3)).await);
    assert_eq!((status, &body["reason"]), (503, &json!("not_all_accepted")));
    let detail = body["detail"].as_str().unwrap();
    assert!(!detail.contains("with the same key"), "{detail}");
}

#[tokio::test(start_paused = true)]
async fn a_repetition_of_success_sends_nothing() {
    let scene = scene();
    let first = scene.keyed("k", &body(3)).await;
    assert_eq!(told(&first).0, 202);
    assert_eq!(scene.keyed("k", &body(3)).await, first);
    assert_eq!(scene.sent().len(), 3);
    assert_eq!(scene.figures()["Repeated"], json!(1));
    let reused = scene.keyed("k", &body(2)).await;
    assert_eq!((told(&reused).0, &told(&reused).1["reason"]), (409, &json!("idempotency_key_reused")));
    assert_eq!(told(&scene.keyed("l", &body(2)).await).0, 202);
    assert_eq!(scene.sent().len(), 5);
}

#[tokio::test(start_paused = true)]
async fn a_key_is_forgotten_after_a_day() {
    let scene = scene();
    scene.keyed("k", &body(1)).await;
    scene.clock.advance(idempotency::TTL);
    assert_eq!(told(&scene.keyed("k", &body(2)).await).0, 202);
    assert_eq!(scene.sent(), ["0", "0", "1"]);
}

#[tokio::test(start_paused = true)]
async fn a_repetition_after_a_part_sends_exactly_the_rest() {
    let scene = scene();
    for key in ["1", "2", "5"] {
        scene.stream.throttle(key, u64::MAX);
    }
    let part = scene.keyed("k", &body(7)).await;
    let (status, told_body, retry_after) = told(&part);
    assert_eq!((status, retry_after), (503, Some("1")));
    let expected = json!({
        "type": "about:blank", "title": "Service Unavailable", "status": 503, "reason": "not_all_accepted",
        "failed": "throttled", "accepted": [[0, 0], [3, 4], [6, 6]], "accepted_count": 4, "records": 7,
        "detail": "4 of 7 records are accepted; `accepted` has the first and last position of each run of them. Repeat \
                   the request with the same idempotency-key: only the others are sent then.",
    });
    assert_eq!(told_body, expected);
    assert_eq!(scene.sent(), ["0", "3", "4", "6"]);
    let figures = scene.figures();
    assert_eq!((&figures["RecordsAccepted"], &figures["RecordsNotAccepted"]), (&json!(4), &json!(3)));

    scene.stream.recover();
    scene.stream.throttle("5", u64::MAX);
    assert_eq!(told(&scene.keyed("k", &body(7)).await).1["accepted"], json!([[0, 4], [6, 6]]));
    scene.stream.recover();
    let done = scene.keyed("k", &body(7)).await;
    assert_eq!(told(&done).1, json!({"dataset": "orders", "accepted": 7, "bytes": 63}));
    assert_eq!(scene.sent(), ["0", "3", "4", "6", "1", "2", "5"]);
}

#[tokio::test(start_paused = true)]
async fn a_crash_before_the_state_is_written_sends_twice_and_loses_nothing() {
    let scene = scene();
    // The key is read (1) and taken (2); what is accepted (3) is never written.
    scene.state.faults().crash_from(3);
    assert_eq!(told(&scene.keyed("k", &body(2)).await).0, 202, "the stream has it all the same");
    scene.state.faults().revive();
    let (status, told_body, retry_after) = {
        let response = scene.keyed("k", &body(2)).await;
        let (status, body, retry_after) = told(&response);
        (status, body, retry_after.map(str::to_owned))
    };
    assert_eq!((status, &told_body["reason"], retry_after.as_deref()), (409, &json!("under_way"), Some("5")));
    scene.clock.advance(TIMEOUT);
    assert_eq!(told(&scene.keyed("k", &body(2)).await).0, 202);
    assert_eq!(scene.sent(), ["0", "1", "0", "1"]);
}

#[tokio::test(start_paused = true)]
async fn a_function_that_is_killed_while_it_sends_loses_nothing() {
    let scene = scene();
    scene.stream.answer_late(1, Duration::from_hours(1));
    let killed = tokio::time::timeout(Duration::from_secs(1), scene.keyed("k", &body(2))).await;
    assert!(killed.is_err());
    assert_eq!(scene.sent(), ["0", "1"], "the put took effect");
    scene.clock.advance(TIMEOUT);
    assert_eq!(told(&scene.keyed("k", &body(2)).await).0, 202);
    assert_eq!(scene.sent(), ["0", "1", "0", "1"], "at least once");
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_of_the_state_sends_nothing_twice() {
    let scene = scene();
    scene.state.faults().fail_after(3);
    assert_eq!(told(&scene.keyed("k", &body(2)).await).0, 202);
    assert_eq!(told(&scene.keyed("k", &body(2)).await).0, 202);
    assert_eq!(scene.sent(), ["0", "1"]);
}

#[tokio::test(start_paused = true)]
async fn of_two_at_once_one_waits() {
    let scene = scene();
    scene.stream.answer_late(1, Duration::from_secs(2));
    let (body, other) = (body(2), async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        scene.keyed("k", &body(2)).await
    });
    let (first, second) = tokio::join!(scene.keyed("k", &body), other);
    assert_eq!((told(&first).0, told(&second).0), (202, 409));
    assert_eq!(told(&second).2, Some("5"));
    assert_eq!(told(&scene.keyed("k", &body).await).0, 202);
    assert_eq!(scene.sent(), ["0", "1"]);
}

#[tokio::test(start_paused = true)]
async fn a_lost_race_for_the_key_waits() {
    let scene = scene();
    let rival = scene.state.clone();
    // Between the read of the key and its taking, another one takes it.
    let raced = Mutex::new(false);
    scene.state.faults().hook(Box::new(move |call| {
        if call.verb == Verb::PutIf && !std::mem::replace(&mut raced.lock().unwrap(), true) {
            let (rival, key) = (rival.clone(), call.key.clone());
            let take = async move { rival.put_if(&key, json!({}), headgate::state::Expected::Any, None).await };
            let thread =
                std::thread::spawn(|| tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(take));
            thread.join().unwrap().unwrap();
        }
    }));
    let lost = scene.keyed("k", &body(1)).await;
    assert_eq!((told(&lost).0, told(&lost).2), (409, Some("1")));
    assert_eq!(scene.sent().into_iter().collect::<BTreeSet<_>>(), BTreeSet::new());
}
