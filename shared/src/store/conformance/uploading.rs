//! Uploads: pieces, copies, conditions and giving up.

use bytes::Bytes;

use super::{bytes, changed, holds, put, upload};
use crate::store::{Condition, Store, StoreError};

/// S3 copies ranges only of objects larger than 5 MiB.
const SOURCE: usize = 6 << 20;

const KEY: &str = "conformance/uploaded";

pub(super) async fn check(store: &dyn Store) {
    appended(store).await;
    copied(store).await;
    conditional(store).await;
    given_up(store).await;
}

async fn appended(store: &dyn Store) {
    for (seed, lengths) in [vec![], vec![0], vec![7, 0, 9], vec![SOURCE, 3, SOURCE, 100_000]].into_iter().enumerate() {
        let pieces: Vec<Bytes> = lengths.iter().map(|&length| bytes(length, seed as u64)).collect();
        let whole = Bytes::from(pieces.concat());
        let before = store.head(KEY).await.unwrap();
        let upload = upload(store, KEY, &pieces).await;
        assert_eq!(store.head(KEY).await.unwrap(), before, "nothing is visible before the end");
        let etag = upload.complete(Condition::Always).await.unwrap();
        holds(store, KEY, &etag, &whole).await;
    }
    store.delete(KEY).await.unwrap();
}

async fn copied(store: &dyn Store) {
    let source = "conformance/a source";
    let body = bytes(SOURCE, 1);
    let etag = put(store, source, &body).await;
    let mut upload = upload(store, KEY, &[bytes(11, 2)]).await;
    let size = SOURCE as u64;
    for range in [0..size, 5..size, 100..200] {
        upload.copy(source, range, &etag).await.unwrap();
    }
    upload.append(bytes(13, 3)).await.unwrap();
    let made = upload.complete(Condition::Absent).await.unwrap();
    let expected = [&bytes(11, 2)[..], &body[..], &body[5..], &body[100..200], &bytes(13, 3)[..]].concat();
    holds(store, KEY, &made, &Bytes::from(expected)).await;

    // An object may be rebuilt from its own old content.
    let old = store.head(KEY).await.unwrap().unwrap();
    let mut rebuilt = store.upload(KEY).await.unwrap();
    rebuilt.copy(KEY, 11..size + 11, &old.etag).await.unwrap();
    let made = rebuilt.complete(Condition::Matches(old.etag)).await.unwrap();
    holds(store, KEY, &made, &body).await;
    store.delete(KEY).await.unwrap();

    put(store, source, &bytes(SOURCE, 4)).await;
    let mut stale = store.upload(KEY).await.unwrap();
    changed(stale.copy(source, 0..size, &etag).await, "a copy of an object that was replaced");
    stale.abort().await.unwrap();
    assert_eq!(store.head(KEY).await, Ok(None));
    store.delete(source).await.unwrap();
}

async fn conditional(store: &dyn Store) {
    let (one, two) = (bytes(10, 1), bytes(10, 2));
    let first = upload(store, KEY, std::slice::from_ref(&one)).await.complete(Condition::Absent).await.unwrap();
    let create = upload(store, KEY, std::slice::from_ref(&two)).await;
    changed(create.complete(Condition::Absent).await, "an upload that creates over an object");
    holds(store, KEY, &first, &one).await;

    // The condition is judged at the end, not at the beginning.
    let late = upload(store, KEY, std::slice::from_ref(&two)).await;
    let second = put(store, KEY, &bytes(10, 3)).await;
    changed(late.complete(Condition::Matches(first)).await, "an upload over an object that was replaced meanwhile");
    holds(store, KEY, &second, &bytes(10, 3)).await;

    let replace = upload(store, KEY, std::slice::from_ref(&two)).await;
    let third = replace.complete(Condition::Matches(second.clone())).await.unwrap();
    holds(store, KEY, &third, &two).await;
    store.delete(KEY).await.unwrap();
    let gone = upload(store, KEY, &[two]).await.complete(Condition::Matches(second)).await;
    assert!(matches!(gone, Err(StoreError::Changed { .. } | StoreError::NotFound { .. })), "{gone:?}");
    assert_eq!(store.head(KEY).await, Ok(None));
}

async fn given_up(store: &dyn Store) {
    let given_up = upload(store, KEY, &[bytes(SOURCE, 1), bytes(5, 1)]).await;
    given_up.abort().await.unwrap();
    store.upload(KEY).await.unwrap().abort().await.unwrap();
    assert_eq!(store.head(KEY).await, Ok(None));
    assert_eq!(store.list(KEY, None).await.unwrap().objects, []);
}
