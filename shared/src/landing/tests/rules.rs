//! What a caller may hand over, and what the item says.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Value, json};

use crate::{
    clock::{ManualClock, Timestamp},
    error::{Class, Code, Error},
    landing::{Coming, KEPT, Landed, Mark, Object, open},
    state::{Expected, State, memory::MemoryState},
    store::{LONGEST_KEY, Store, memory::MemoryStore},
};

const ITEM: &str = "shard/orders/clicks/shardId-000000000003";

struct Ports {
    store: MemoryStore,
    state: MemoryState,
}

impl Ports {
    fn new() -> Self {
        let clock = Arc::new(ManualClock::new(Timestamp(0)));
        Self { store: MemoryStore::new(clock.clone()), state: MemoryState::new(clock) }
    }

    async fn land(&self, objects: Vec<Object>, last: u64) -> Result<Landed, Error> {
        open(&self.state, ITEM).await?.land(&self.store, &self.state, objects, Mark::from(last)).await
    }

    async fn item(&self) -> Option<Value> {
        self.state.get(ITEM).await.unwrap().map(|item| item.value)
    }

    async fn keys(&self) -> Vec<String> {
        self.store.list_keys("", None).await.unwrap().keys
    }
}

fn object(key: &str, first: u64) -> Object {
    Object { key: key.to_owned(), first: Mark::from(first), body: Bytes::from_static(b"rows") }
}

async fn check(objects: Vec<Object>, last: u64, expected: Result<Landed, (Class, Code)>) {
    let ports = Ports::new();
    ports.land(vec![object("a", 7)], 10).await.unwrap();
    let landed = ports.land(objects, last).await;
    assert_eq!(landed.map_err(|error| (error.class, error.code)), expected);
    let checkpoint = if expected.is_ok() { last.max(10) } else { 10 };
    if !matches!(expected, Err((_, Code::AccessDenied))) {
        assert_eq!(ports.item().await, Some(json!({"checkpoint": checkpoint.to_string(), "intent": null})));
    }
}

#[tokio::test]
async fn a_key_that_does_not_fit_s3_is_told_before_anything_is_written() {
    let ports = Ports::new();
    let (fits, long) = ("x".repeat(LONGEST_KEY), "x".repeat(LONGEST_KEY + 1));
    let error = ports.land(vec![object("a", 1), object(&long, 2)], 2).await.unwrap_err();
    assert_eq!((error.class, error.code), (Class::Misconfigured, Code::InvalidConfig));
    let bytes = format!("{} bytes", long.len());
    assert!(error.message.contains(&bytes) && error.message.contains("a shorter prefix"), "{}", error.message);
    assert_eq!((ports.keys().await, ports.item().await), (Vec::new(), None));
    ports.land(vec![object("a", 1), object(&fits, 2)], 2).await.unwrap();
    assert_eq!(ports.keys().await, ["a", &fits]);
}

#[tokio::test]
async fn objects_begin_within_the_batch() {
    let wrong = Err((Class::Retry, Code::Internal));
    let landed = |placed, replaced| Landed { placed, replaced, removed: 0, bytes: 4 * (placed + replaced) };
    check(vec![object("b", 11), object("c", 12)], 12, Ok(landed(2, 0))).await;
    check(vec![object("a", 12)], 12, Ok(landed(0, 1))).await;
    check(vec![], 12, Ok(landed(0, 0))).await;
    check(vec![], 10, Ok(landed(0, 0))).await;
    check(vec![], 3, Ok(landed(0, 0))).await;
    check(vec![object("b", 10)], 12, wrong).await;
    check(vec![object("b", 13)], 12, wrong).await;
    check(vec![object("b", 11), object("b", 12)], 12, wrong).await;
    check(vec![object("/b", 11)], 12, Err((Class::Misconfigured, Code::AccessDenied))).await;
}

#[tokio::test]
async fn an_unfinished_attempt_is_on_record() {
    let ports = Ports::new();
    ports.store.faults().crash_from(1);
    let shard = open(&ports.state, ITEM).await.unwrap();
    assert_eq!((shard.checkpoint(), shard.is_done(&Mark::from(0))), (None, false));
    let attempt = shard.attempt().to_string();
    let error = shard.land(&ports.store, &ports.state, vec![object("a", 7)], Mark::from(10)).await.unwrap_err();
    assert_eq!((error.class, error.code), (Class::Retry, Code::Unavailable));
    let expected = json!({"checkpoint": null, "intent": {"attempt": attempt, "keys": {"a": "7"}}});
    assert_eq!(ports.item().await, Some(expected));
    let item = ports.state.get(ITEM).await.unwrap().unwrap();
    assert_eq!(item.expires_at, Some(Timestamp(0).plus(KEPT)));
    let shard = open(&ports.state, ITEM).await.unwrap();
    assert_ne!(shard.attempt().as_str(), attempt);
}

#[tokio::test]
async fn a_batch_without_objects_makes_one_change() {
    let ports = Ports::new();
    ports.land(vec![], 10).await.unwrap();
    assert_eq!((ports.state.faults().total(), ports.store.faults().total()), (2, 0));
    ports.land(vec![], 10).await.unwrap();
    assert_eq!((ports.state.faults().total(), ports.store.faults().total()), (3, 0), "nothing to change");
    let shard = open(&ports.state, ITEM).await.unwrap();
    assert_eq!(shard.checkpoint(), Some(&Mark::from(10)));
    assert!(shard.is_done(&Mark::from(10)) && !shard.is_done(&Mark::from(11)));
}

#[tokio::test]
async fn an_item_that_is_none_of_ours_stays() {
    let ports = Ports::new();
    for foreign in [json!(7), json!({"checkpoint": 7}), json!({"checkpoint": "last"})] {
        ports.state.put_if(ITEM, foreign.clone(), Expected::Any, None).await.unwrap();
        let error = ports.land(vec![object("a", 7)], 10).await.unwrap_err();
        assert_eq!((error.class, error.code), (Class::Misconfigured, Code::InvalidJson));
        assert_eq!((ports.item().await, ports.keys().await), (Some(foreign), vec![]));
    }
}

#[tokio::test]
async fn an_item_does_not_outgrow_its_table() {
    let ports = Ports::new();
    let many = |folder: &str, count: u64| -> Vec<_> {
        (0..count).map(|at| object(&format!("{folder}{at:0>200}"), at + 1)).collect()
    };
    let told = |landed: Result<Landed, Error>| landed.map_err(|error| (error.class, error.code));
    assert_eq!(told(ports.land(many("a", 1500), 2000).await), Err((Class::Retry, Code::TooLarge)));
    assert_eq!((ports.item().await, ports.keys().await), (None, vec![]), "found before anything is written");
    // Attempts that end early fill it with keys that no later one has.
    ports.store.faults().crash_from(1);
    assert_eq!(told(ports.land(many("a", 1400), 2000).await), Err((Class::Retry, Code::Unavailable)));
    for at in 0..40 {
        let one = vec![object(&format!("b{at:0>200}"), 1)];
        assert_eq!(told(ports.land(one, 1).await), Err((Class::Retry, Code::Unavailable)));
    }
    assert_eq!(told(ports.land(many("c", 2), 2000).await), Err((Class::Retry, Code::TooLarge)));
    ports.store.faults().revive();
    // A batch of one object goes in nonetheless, and then there is room.
    let one = ports.land(many("c", 1), 200).await.unwrap();
    assert_eq!((one.placed, one.removed), (1, 240));
    assert_eq!(
        told(ports.land(many("c", 300).split_off(200), 2000).await.map(|_| Landed::default())),
        Ok(Landed::default())
    );
    assert_eq!(ports.keys().await.len(), 101);
}

#[tokio::test]
async fn it_says_what_it_wrote() {
    let ports = Ports::new();
    ports.store.put_at("b", "old", Timestamp(0));
    let landed = ports.land(vec![object("a", 1), object("b", 2)], 2).await.unwrap();
    assert_eq!(landed, Landed { placed: 1, replaced: 1, removed: 0, bytes: 8 });
    assert_eq!(serde_json::to_value(landed).unwrap(), json!({"placed": 1, "replaced": 1, "removed": 0, "bytes": 8}));
}

#[test]
fn it_can_be_awaited_on_any_thread() {
    fn sends<T: Send>(future: T) {
        drop(future);
    }
    let ports = Ports::new();
    sends(ports.land(vec![], 1));
}

#[tokio::test]
async fn a_note_outlives_the_attempt() {
    let ports = Ports::new();
    ports.land(vec![object("a", 7)], 10).await.unwrap();
    let shard = open(&ports.state, ITEM).await.unwrap();
    assert_eq!((shard.note(), shard.is_unfinished("a")), (None, false), "an item without a note is read");
    ports.store.faults().crash_from(ports.store.faults().total() + 1);
    let landed =
        shard.noting("x".to_owned()).land(&ports.store, &ports.state, vec![object("b", 11)], Mark::from(12)).await;
    assert_eq!(landed.unwrap_err().code, Code::Unavailable);
    ports.store.faults().revive();
    let shard = open(&ports.state, ITEM).await.unwrap();
    assert_eq!((shard.note(), shard.is_unfinished("b"), shard.is_unfinished("a")), (Some("x"), true, false));
    ports.land(vec![object("b", 11)], 12).await.unwrap();
    let shard = open(&ports.state, ITEM).await.unwrap();
    assert_eq!((shard.note(), shard.is_unfinished("b")), (Some("x"), false));
}

#[tokio::test]
async fn what_no_finished_batch_brought_is_remembered() {
    let ports = Ports::new();
    let begin = async |first: u64, note: &str, crashes: bool| {
        let faults = ports.state.faults();
        if crashes {
            // It is read, claimed, and then the checkpoint moves.
            faults.crash_from(faults.total() + 3);
        }
        let shard = open(&ports.state, ITEM).await.unwrap().beginning(first).noting(note.to_owned());
        let object = object(&first.to_string(), first);
        let landed = shard.land(&ports.store, &ports.state, vec![object], Mark::from(first + 1)).await;
        faults.revive();
        assert_eq!(landed.is_err(), crashes);
    };
    begin(2, "a", false).await;
    begin(9, "b", true).await;
    begin(6, "c", false).await;
    let shard = open(&ports.state, ITEM).await.unwrap();
    let coming = |place: u64| shard.coming(&Mark::from(place));
    let skipped = |note: &str| Coming::Skipped { note: Some(note.to_owned()) };
    assert_eq!([0, 1, 2, 3].map(coming), [skipped("a"), skipped("a"), Coming::Came, Coming::Came]);
    assert_eq!([4, 5, 6, 7].map(coming), [skipped("c"), skipped("c"), Coming::Came, Coming::Came]);
    assert_eq!(coming(8), Coming::Unknown, "the checkpoint has not passed it");
}

#[tokio::test]
async fn an_item_that_never_said_so_remembers_from_now_on() {
    let ports = Ports::new();
    ports.land(vec![object("a", 7)], 10).await.unwrap();
    let shard = open(&ports.state, ITEM).await.unwrap();
    assert_eq!(shard.coming(&Mark::from(7)), Coming::Unknown);
    shard.beginning(13).land(&ports.store, &ports.state, vec![object("b", 13)], Mark::from(13)).await.unwrap();
    let shard = open(&ports.state, ITEM).await.unwrap();
    let coming = [10, 11, 13].map(|place| shard.coming(&Mark::from(place)));
    assert_eq!(coming, [Coming::Unknown, Coming::Skipped { note: None }, Coming::Came]);
}
