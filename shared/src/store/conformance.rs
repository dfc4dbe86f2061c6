//! Any [`Store`] → proof that it keeps the promises the merge is built on: what every adapter must pass.
//!
//! Nothing is assumed beyond the documentation of the traits. All keys are under `conformance/`, which is
//! emptied before and after.
#![expect(clippy::unwrap_used, reason = "a check: its failure is a panic that says where")]

use std::sync::Arc;

use bytes::Bytes;

use super::{Condition, ETag, ObjectMeta, Store, StoreError, Upload};

mod listing;
mod racing;
mod uploading;

const ROOT: &str = "conformance/";

/// Tries every verb and condition of `store`, one after the other and 64 at once.
///
/// # Panics
/// Where a promise is broken.
pub async fn check(store: Arc<dyn Store>) {
    empty(&*store).await;
    objects(&*store).await;
    conditions(&*store).await;
    ranges(&*store).await;
    many(&*store).await;
    listing::check(&*store).await;
    uploading::check(&*store).await;
    racing::check(&store).await;
    empty(&*store).await;
}

async fn empty(store: &dyn Store) {
    loop {
        let page = store.list(ROOT, None).await.unwrap();
        for object in &page.objects {
            store.delete(&object.key).await.unwrap();
        }
        if page.objects.is_empty() {
            return;
        }
    }
}

/// Bytes that are different at every place and for every seed.
fn bytes(length: usize, seed: u64) -> Bytes {
    let words = (0..length.div_ceil(8) as u64).map(|word| (word ^ (seed << 40)).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let mut bytes: Vec<u8> = words.flat_map(u64::to_le_bytes).collect();
    bytes.truncate(length);
    Bytes::from(bytes)
}

async fn put(store: &dyn Store, key: &str, body: &Bytes) -> ETag {
    store.put(key, body.clone(), Condition::Always).await.unwrap()
}

/// Asserts what all three ways to look at an object say.
async fn holds(store: &dyn Store, key: &str, etag: &ETag, body: &Bytes) {
    let got = store.get(key).await.unwrap();
    assert_eq!(got.as_ref().map(|(etag, _)| etag), Some(etag), "get {key}: tag");
    assert!(got.is_some_and(|(_, got)| got == body), "get {key}: content");
    let head = store.head(key).await.unwrap().unwrap();
    let ObjectMeta { key: named, size, etag: tagged, last_modified } = head;
    assert_eq!((named.as_str(), size, &tagged), (key, body.len() as u64, etag), "head {key}");
    assert!(last_modified.0 > 1_000_000_000_000, "head {key}: a time in milliseconds since 1970");
}

fn changed<T>(result: Result<T, StoreError>, what: &str) {
    match result {
        Err(StoreError::Changed { .. }) => {}
        Err(other) => assert_eq!(other.to_string(), "", "{what}: expected `changed`"),
        Ok(_) => assert_eq!(what, "", "a success, expected `changed`"),
    }
}

async fn objects(store: &dyn Store) {
    let key = "conformance/an object.bin";
    assert_eq!(store.head(key).await, Ok(None));
    assert_eq!(store.get(key).await, Ok(None));
    store.delete(key).await.unwrap();
    for (seed, length) in [(1, 0), (2, 1), (3, 70_000), (4, 12 << 20)] {
        let body = bytes(length, seed);
        let etag = put(store, key, &body).await;
        holds(store, key, &etag, &body).await;
    }
    store.delete(key).await.unwrap();
    assert_eq!(store.head(key).await, Ok(None));
    assert_eq!(store.get(key).await, Ok(None));
}

async fn conditions(store: &dyn Store) {
    let key = "conformance/conditions";
    let (one, two, three) = (bytes(10, 1), bytes(10, 2), bytes(10, 3));
    let absent = ETag("0123456789abcdef0123456789abcdef".to_owned());
    let missing = store.put(key, one.clone(), Condition::Matches(absent.clone())).await;
    assert!(matches!(missing, Err(StoreError::Changed { .. } | StoreError::NotFound { .. })), "{missing:?}");
    let first = store.put(key, one.clone(), Condition::Absent).await.unwrap();
    changed(store.put(key, two.clone(), Condition::Absent).await, "create over an object");
    changed(store.put(key, two.clone(), Condition::Matches(absent)).await, "replace with a foreign tag");
    holds(store, key, &first, &one).await;
    let second = store.put(key, two.clone(), Condition::Matches(first.clone())).await.unwrap();
    assert_ne!(first, second, "the tag changes with the content");
    changed(store.put(key, three.clone(), Condition::Matches(first)).await, "replace with a stale tag");
    holds(store, key, &second, &two).await;
    let third = put(store, key, &three).await;
    holds(store, key, &third, &three).await;
    store.delete(key).await.unwrap();
    let again = store.put(key, one.clone(), Condition::Absent).await.unwrap();
    holds(store, key, &again, &one).await;
}

/// All at once that still have their tags; what is gone already is none.
async fn many(store: &dyn Store) {
    let mut objects = Vec::new();
    for number in 0..5 {
        let key = format!("conformance/many/é & {number}");
        let etag = put(store, &key, &bytes(10, number)).await;
        objects.push((key, etag));
    }
    store.delete(&objects[1].0).await.unwrap();
    let changed = put(store, &objects[3].0, &bytes(10, 9)).await;
    assert_eq!(store.delete_all(&objects).await, Ok(vec![objects[3].0.clone()]), "the one that was changed is left");
    holds(store, &objects[3].0, &changed, &bytes(10, 9)).await;
    for at in [0, 1, 2, 4] {
        assert_eq!(store.head(&objects[at].0).await, Ok(None), "{}", objects[at].0);
    }
    assert_eq!(store.delete_all(&[(objects[3].0.clone(), changed)]).await, Ok(Vec::new()));
    assert_eq!(store.delete_all(&[]).await, Ok(Vec::new()));
}

async fn ranges(store: &dyn Store) {
    let key = "conformance/ranges";
    let body = bytes(1000, 1);
    let etag = put(store, key, &body).await;
    for range in [0..1000, 0..1, 999..1000, 10..500] {
        let (start, end) = (range.start as usize, range.end as usize);
        assert_eq!(store.get_range(key, range, &etag).await, Ok(body.slice(start..end)), "{start}..{end}");
    }
    put(store, key, &bytes(1000, 2)).await;
    changed(store.get_range(key, 0..10, &etag).await, "a range of an object that was replaced");
    let gone = store.get_range("conformance/gone", 0..10, &etag).await;
    assert!(matches!(gone, Err(StoreError::NotFound { .. } | StoreError::Changed { .. })), "{gone:?}");
}

/// An upload of these pieces.
async fn upload(store: &dyn Store, key: &str, pieces: &[Bytes]) -> Box<dyn Upload> {
    let mut upload = store.upload(key).await.unwrap();
    for piece in pieces {
        upload.append(piece.clone()).await.unwrap();
    }
    upload
}
