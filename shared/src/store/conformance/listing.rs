//! Listings: order, prefix, start and pages.

use bytes::Bytes;

use super::{ROOT, put};
use crate::store::{PAGE, Page, Store};

/// In the order of their bytes, which is not the order of their folders.
const AWKWARD: [&str; 14] = [
    "%41",
    "+",
    "2024/LOAD",
    "=",
    "LOAD",
    "a b",
    "a!/c",
    "a-b",
    "a/b",
    "a/b-/c",
    "a/b0",
    "a0",
    "tilde~",
    "\u{fc}/\u{20ac}",
];

pub(super) async fn check(store: &dyn Store) {
    order(store).await;
    pages(store).await;
}

async fn keys(store: &dyn Store, prefix: &str, after: Option<&str>) -> Vec<String> {
    let folder = format!("{ROOT}order/");
    let after = after.map(|after| format!("{folder}{after}"));
    let page = page(store, &format!("{folder}{prefix}"), after.as_deref()).await;
    assert!(!page.more, "a short listing is one page");
    page.objects.iter().map(|object| object.key[folder.len()..].to_owned()).collect()
}

/// A page, which the listing of the keys alone must agree with.
async fn page(store: &dyn Store, prefix: &str, after: Option<&str>) -> Page {
    let page = store.list(prefix, after).await.unwrap();
    let keys = store.list_keys(prefix, after).await.unwrap();
    assert!(page.objects.iter().map(|object| &object.key).eq(&keys.keys), "{prefix:?} after {after:?}");
    assert_eq!(page.more, keys.more, "{prefix:?} after {after:?}");
    page
}

async fn order(store: &dyn Store) {
    for (size, key) in AWKWARD.iter().enumerate().rev() {
        put(store, &format!("{ROOT}order/{key}"), &Bytes::from(vec![b'x'; size])).await;
    }
    assert_eq!(keys(store, "", None).await, AWKWARD);
    assert_eq!(keys(store, "a", None).await, AWKWARD[5..12]);
    assert_eq!(keys(store, "a/", None).await, ["a/b", "a/b-/c", "a/b0"]);
    assert_eq!(keys(store, "a/b", Some("a/b")).await, ["a/b-/c", "a/b0"]);
    assert_eq!(keys(store, "a", Some("a/")).await, ["a/b", "a/b-/c", "a/b0", "a0"]);
    assert_eq!(keys(store, "a", Some("a/bc")).await, ["a0"]);
    assert_eq!(keys(store, "a", Some("LOAD")).await, AWKWARD[5..12]);
    assert_eq!(keys(store, "a", Some("b")).await, [""; 0]);
    assert_eq!(keys(store, "nothing", None).await, [""; 0]);
    for (index, key) in AWKWARD.iter().enumerate() {
        assert_eq!(keys(store, "", Some(key)).await, AWKWARD[index + 1..], "after {key:?}");
    }
    let folder = format!("{ROOT}order/");
    for object in page(store, &folder, None).await.objects {
        let head = store.head(&object.key).await.unwrap();
        assert_eq!(head.as_ref(), Some(&object), "a listing and a head agree");
    }
}

async fn pages(store: &dyn Store) {
    let folder = format!("{ROOT}pages/");
    let count = PAGE + 200;
    for number in 0..count {
        put(store, &format!("{folder}{:02}/{number:04}", number / 100), &Bytes::from_static(b"x")).await;
    }
    let first = page(store, &folder, None).await;
    assert_eq!((first.objects.len(), first.more), (PAGE, true), "the first page is full and not the last");
    let last = first.objects.last().map(|object| object.key.as_str());
    let second = page(store, &folder, last).await;
    assert_eq!((second.objects.len(), second.more), (200, false), "the second page is the last");
    let keys: Vec<_> = first.objects.iter().chain(&second.objects).map(|object| object.key.clone()).collect();
    let expected: Vec<_> = (0..count).map(|number| format!("{folder}{:02}/{number:04}", number / 100)).collect();
    assert_eq!(keys, expected);
    let exact = page(store, &folder, Some(&expected[199])).await;
    assert_eq!((exact.objects.len(), exact.more), (PAGE, false), "a page that is just full is the last");
}
