//! What a directory adds to the promises of a store: names, kills, leftovers.

use std::{fs, sync::Arc, time::Duration};

use bytes::Bytes;
use tempfile::TempDir;

use super::{DirectoryStore, paths::CONTROL};
use crate::{
    clock::{Clock, SystemClock, Timestamp},
    store::{Condition, ETag, Store, StoreError, conformance},
};

mod kill;

fn lake() -> (TempDir, DirectoryStore) {
    let folder = tempfile::tempdir().unwrap();
    let store = DirectoryStore::new(folder.path().join("lake"));
    (folder, store)
}

async fn put(store: &DirectoryStore, key: &str, condition: Condition) -> Result<ETag, StoreError> {
    store.put(key, Bytes::from_static(b"body"), condition).await
}

fn is_refused<T: std::fmt::Debug>(result: &Result<T, StoreError>) {
    assert!(matches!(result, Err(StoreError::Refused { .. })), "{result:?}");
}

/// The sizes are alike, so that only times and inodes tell the files apart.
fn write(folder: &TempDir, number: usize, body: &str) {
    fs::write(folder.path().join("lake").join(format!("{number:03}")), body).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_process_hashed_the_next_one_knows() {
    let (folder, store) = lake();
    put(&store, "other", Condition::Always).await.unwrap();
    for number in 0..300 {
        write(&folder, number, &format!("body {number:03}"));
    }
    let path = folder.path().join("lake/299");
    let settled = || {
        let identity = super::Identity::of(&fs::metadata(&path).unwrap());
        identity.settled(SystemClock.now())
    };
    while !settled() {
        std::thread::yield_now();
    }
    let first = store.list("", None).await.unwrap();
    assert_eq!(store.0.digests.hashed(), 300);
    drop(store);

    let next = DirectoryStore::new(folder.path().join("lake"));
    assert_eq!(next.list("", None).await.unwrap(), first);
    assert_eq!(next.0.digests.hashed(), 0);

    // In place, with the same size and the same time: only the change of the inode tells.
    let modified = fs::metadata(&path).unwrap().modified().unwrap();
    write(&folder, 299, "body xxx");
    fs::File::options().write(true).open(&path).unwrap().set_modified(modified).unwrap();
    let last = next.list("", None).await.unwrap();
    assert_eq!(last.objects[..299], first.objects[..299]);
    assert_ne!(last.objects[299].etag, first.objects[299].etag);
    assert_eq!(last.objects[300], first.objects[300]);
}

#[tokio::test(flavor = "multi_thread")]
async fn it_keeps_the_promises_of_a_store() {
    let (folder, store) = lake();
    conformance::check(Arc::new(store)).await;
    let left: Vec<_> =
        fs::read_dir(folder.path().join("lake")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, [CONTROL], "folders go with their last object");
    assert_eq!(fs::read_dir(folder.path().join("lake/.headgate/tmp")).unwrap().count(), 0, "no draft is left");
}

#[tokio::test]
async fn a_directory_that_is_not_there_is_empty_and_stays_so() {
    let (folder, store) = lake();
    assert_eq!(store.list("", None).await.unwrap().objects, []);
    assert_eq!(store.head("a").await, Ok(None));
    assert!(!folder.path().join("lake").exists(), "reading creates nothing");
}

#[tokio::test]
async fn a_tag_follows_the_content_and_a_time_the_file() {
    let (folder, store) = lake();
    let etag = put(&store, "a", Condition::Always).await.unwrap();
    let path = folder.path().join("lake/a");
    let then = std::time::SystemTime::UNIX_EPOCH + Duration::from_millis(1_700_000_000_123);
    fs::write(&path, "other").unwrap();
    fs::File::options().write(true).open(&path).unwrap().set_modified(then).unwrap();
    let head = store.head("a").await.unwrap().unwrap();
    assert_ne!(head.etag, etag);
    assert_eq!(head.last_modified, Timestamp(1_700_000_000_123));
    fs::write(&path, "body").unwrap();
    assert_eq!(store.head("a").await.unwrap().unwrap().etag, etag, "the old content has its old tag again");
    let elsewhere = DirectoryStore::new(folder.path().join("lake"));
    assert_eq!(elsewhere.head("a").await.unwrap().unwrap().etag, etag, "another process computes the same");
}

#[tokio::test]
async fn what_a_directory_cannot_hold_is_refused() {
    let (folder, store) = lake();
    put(&store, "a/b", Condition::Absent).await.unwrap();
    for condition in [Condition::Absent, Condition::Always] {
        is_refused(&put(&store, "a", condition.clone()).await);
        is_refused(&put(&store, "a/b/c", condition.clone()).await);
        is_refused(&put(&store, "../outside", condition).await);
    }
    is_refused(&store.upload(".headgate/tmp/x").await.map(|_| ()));
    is_refused(&store.delete("a/../a/b").await);
    is_refused(&store.list("../", None).await);
    let etag = store.head("a/b").await.unwrap().unwrap().etag;
    is_refused(&store.get_range("a/b", 0..5, &etag).await);
    assert_eq!(store.head("a").await, Ok(None), "a folder is no object");
    assert_eq!(store.head("a/b/c").await, Ok(None));
    assert_eq!(store.get("a").await, Ok(None));
    store.delete("a").await.unwrap();
    assert!(folder.path().join("lake/a/b").exists(), "deleting a key leaves the keys below it");
}

#[tokio::test]
async fn an_empty_folder_is_in_nobodys_way() {
    let (folder, store) = lake();
    for key in ["a", "b"] {
        fs::create_dir_all(folder.path().join("lake").join(key)).unwrap();
    }
    put(&store, "a", Condition::Absent).await.unwrap();
    put(&store, "b", Condition::Always).await.unwrap();
    assert_eq!(store.list("", None).await.unwrap().objects.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn creating_and_removing_in_one_folder_do_not_collide() {
    let (_folder, store) = lake();
    let tasks: Vec<_> = (0..8)
        .map(|number| {
            let store = store.clone();
            tokio::spawn(async move {
                for round in 0..150 {
                    let key = format!("deep/er/{number}");
                    let condition = if round % 2 == 0 { Condition::Absent } else { Condition::Always };
                    put(&store, &key, condition).await.unwrap();
                    store.delete(&key).await.unwrap();
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(store.list("", None).await.unwrap().objects, []);
}

#[tokio::test]
async fn abandoned_drafts_are_swept_and_others_are_not() {
    let (folder, store) = lake();
    let drafts = folder.path().join("lake/.headgate/tmp");
    let upload = store.upload("a").await.unwrap();
    let draft = fs::read_dir(&drafts).unwrap().next().unwrap().unwrap().path();
    fs::copy(&draft, drafts.join("1-0-0.draft")).unwrap();
    fs::copy(&draft, drafts.join("not ours")).unwrap();
    let old =
        std::time::SystemTime::UNIX_EPOCH + Duration::from_millis(SystemClock.now().0.unsigned_abs() - 90_000_000);
    for name in ["1-0-0.draft", "not ours"] {
        fs::File::options().write(true).open(drafts.join(name)).unwrap().set_modified(old).unwrap();
    }
    let store = DirectoryStore::new(folder.path().join("lake"));
    assert!(draft.exists() && drafts.join("not ours").exists() && !drafts.join("1-0-0.draft").exists());
    upload.complete(Condition::Absent).await.unwrap();
    assert_eq!(store.uri("a"), format!("file://{}", folder.path().join("lake/a").display()));
}

#[tokio::test]
async fn an_upload_nobody_finishes_leaves_nothing() {
    let (folder, store) = lake();
    let mut upload = store.upload("a").await.unwrap();
    upload.append(Bytes::from_static(b"x")).await.unwrap();
    drop(upload);
    assert_eq!(fs::read_dir(folder.path().join("lake/.headgate/tmp")).unwrap().count(), 0);
    let mut upload = store.upload("a").await.unwrap();
    upload.copy("gone", 0..1, &ETag("x".to_owned())).await.unwrap_err();
    let failed = upload.complete(Condition::Always).await;
    assert!(
        matches!(failed, Err(StoreError::Unavailable { .. })),
        "an upload that lost a piece cannot end: {failed:?}"
    );
    assert_eq!(store.head("a").await, Ok(None));
}
