//! Planned failures and counts; the store's promises are in `conformance`.

use super::*;
use crate::{clock::SystemClock, store::conformance};

fn store() -> MemoryStore {
    MemoryStore::new(Arc::new(SystemClock))
}

async fn put(store: &MemoryStore, key: &str) -> Result<ETag> {
    store.put(key, Bytes::from_static(b"x"), Condition::Absent).await
}

#[tokio::test(flavor = "multi_thread")]
async fn it_keeps_the_promises_of_a_store() {
    conformance::check(Arc::new(store())).await;
}

#[tokio::test]
async fn a_failure_before_has_no_effect_and_one_after_has() {
    let store = store();
    let refused = StoreError::Refused { key: "a".to_owned(), reason: "planned".to_owned() };
    store.faults().fail_before(1, refused.clone());
    store.faults().fail_after(3);
    assert_eq!(put(&store, "a").await, Err(refused));
    assert_eq!(store.head("a").await, Ok(None));
    assert_eq!(put(&store, "a").await, Err(StoreError::unavailable("a")));
    assert_eq!(
        put(&store, "a").await,
        Err(StoreError::Changed { key: "a".to_owned() }),
        "the lost answer was a success"
    );
    assert_eq!(store.faults().calls(), BTreeMap::from([(Verb::Head, 1), (Verb::Put, 3)]));
}

#[tokio::test]
async fn a_crash_lasts_until_the_revival() {
    let store = store();
    store.faults().crash_from(3);
    put(&store, "a").await.unwrap();
    let mut upload = store.upload("b").await.unwrap();
    assert_eq!(upload.append(Bytes::from_static(b"x")).await, Err(StoreError::unavailable("b")));
    assert_eq!(upload.complete(Condition::Always).await, Err(StoreError::unavailable("b")));
    store.faults().revive();
    let keys: Vec<_> = store.list("", None).await.unwrap().objects.into_iter().map(|object| object.key).collect();
    assert_eq!(keys, ["a"]);
    assert_eq!(store.faults().total(), 5);
}

#[tokio::test]
async fn a_hook_can_get_in_between() {
    let store = store();
    let rival = store.clone();
    store.faults().hook(Box::new(move |call| {
        if call.verb == Verb::Complete {
            rival.put_at(&call.key, "rival", Timestamp(7));
        }
    }));
    let upload = store.upload("a").await.unwrap();
    assert_eq!(upload.complete(Condition::Absent).await, Err(StoreError::Changed { key: "a".to_owned() }));
    assert_eq!(store.head("a").await.unwrap().map(|object| object.last_modified), Some(Timestamp(7)));
}
