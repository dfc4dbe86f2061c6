//! The S3 adapter over the wire.
//!
//! ministack honours every condition the adapter sends (put, completion, ranged read, copied part). What it lets
//! pass and S3 does not: a part below 5 MiB that is not the last, and a range copied from a source of 5 MiB or
//! less. The property tests beside the part planner hold those two. It never loses an answer; the proxy does.

use std::sync::Arc;

use bytes::Bytes;
use headgate::store::{Condition, ETag, Store, StoreError, conformance};
use headgate_aws::{Aws, Endpoint, S3Store};
use headgate_tests::ministack::{Fault, Ministack, Proxy};

const MIB: usize = 1 << 20;

const NO_SUCH_UPLOAD: &str = "<Error><Code>NoSuchUpload</Code></Error>";
const PRECONDITION: &str = "<Error><Code>PreconditionFailed</Code></Error>";
const SLOW_DOWN: &str = "<Error><Code>SlowDown</Code></Error>";

/// A store in a bucket of its own.
async fn store(bucket: &str) -> Option<S3Store> {
    let server = Ministack::shared()?;
    server.create_bucket(bucket);
    Some(S3Store::new(&Aws::connect(Endpoint::Emulator(server.url())).await, bucket, "lake"))
}

/// The same behind a proxy.
async fn behind_proxy(bucket: &str) -> Option<(S3Store, Proxy)> {
    let server = Ministack::shared()?;
    server.create_bucket(bucket);
    let proxy = Proxy::before(server);
    Some((S3Store::new(&Aws::connect(Endpoint::Emulator(proxy.url())).await, bucket, "lake"), proxy))
}

/// Bytes of which no two stretches are alike.
fn content(len: usize) -> Bytes {
    (0..len as u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect()
}

async fn whole(store: &S3Store, key: &str) -> Bytes {
    store.get(key).await.unwrap().unwrap().1
}

/// How many requests the proxy saw of each kind, in the order of first sight.
fn kinds(proxy: &Proxy) -> Vec<(String, usize)> {
    let mut kinds: Vec<(String, usize)> = Vec::new();
    for line in proxy.seen() {
        let (method, rest) = line.split_once(' ').unwrap();
        let query = rest.split_once('?').map_or("", |(_, query)| query);
        let names: Vec<_> =
            query.split('&').filter_map(|pair| pair.split('=').next()).filter(|name| *name != "x-id").collect();
        let kind = format!("{method} {}", names.join(" ")).trim_end().to_owned();
        match kinds.iter_mut().find(|(known, _)| *known == kind) {
            Some((_, count)) => *count += 1,
            None => kinds.push((kind, 1)),
        }
    }
    kinds
}

#[tokio::test(flavor = "multi_thread")]
async fn it_keeps_a_stores_promises() {
    let Some(store) = store("conformance").await else { return };
    conformance::check(Arc::new(store)).await;
}

#[tokio::test]
async fn a_small_upload_is_one_put() {
    let Some((store, proxy)) = behind_proxy("small-upload").await else { return };
    let mut upload = store.upload("a b/ü.bin").await.unwrap();
    upload.append(content(MIB)).await.unwrap();
    upload.append(content(10)).await.unwrap();
    let etag = upload.complete(Condition::Absent).await.unwrap();
    assert_eq!(kinds(&proxy), [("PUT".to_owned(), 1)]);
    let meta = store.head("a b/ü.bin").await.unwrap().unwrap();
    assert_eq!((meta.size, meta.etag), (MIB as u64 + 10, etag));
}

#[tokio::test]
async fn a_large_upload_mixes_bodies_and_copied_ranges() {
    let Some((store, proxy)) = behind_proxy("large-upload").await else { return };
    let base = content(40 * MIB);
    let etag = store.put("base =1.bin", base.clone(), Condition::Absent).await.unwrap();

    let mut upload = store.upload("next.bin").await.unwrap();
    upload.append(Bytes::from_static(b"PAR1")).await.unwrap();
    upload.copy("base =1.bin", 4..20 * MIB as u64, &etag).await.unwrap();
    upload.append(content(9 * MIB)).await.unwrap();
    upload.copy("base =1.bin", 0..100, &etag).await.unwrap();
    upload.copy("base =1.bin", 30 * MIB as u64..40 * MIB as u64, &etag).await.unwrap();
    upload.append(Bytes::from_static(b"PAR1")).await.unwrap();
    upload.complete(Condition::Absent).await.unwrap();

    let mib = |count: usize| count * MIB;
    let expected =
        [b"PAR1", &base[4..mib(20)], &content(mib(9)), &base[..100], &base[mib(30)..], b"PAR1".as_slice()].concat();
    assert!(whole(&store, "next.bin").await == expected);
    let seen: Vec<_> = kinds(&proxy).into_iter().map(|(kind, count)| format!("{count} {kind}")).collect();
    assert_eq!(
        seen,
        ["1 PUT", "4 GET", "1 POST uploads", "1 HEAD", "6 PUT partNumber uploadId", "1 POST uploadId"],
        "three gaps and the whole are read, two ranges are copied: {:#?}",
        proxy.seen()
    );
}

#[tokio::test]
async fn a_range_that_was_replaced_while_it_was_copied_fails_the_upload() {
    let Some((store, proxy)) = behind_proxy("stale-copy").await else { return };
    let etag = store.put("base.bin", content(6 * MIB), Condition::Absent).await.unwrap();
    proxy.fail("PUT", "UploadPartCopy", Fault::Answer("412 Precondition Failed", PRECONDITION));
    let mut upload = store.upload("next.bin").await.unwrap();
    upload.copy("base.bin", 0..6 * MIB as u64, &etag).await.unwrap();
    let done = upload.complete(Condition::Absent).await;
    assert_eq!(done, Err(StoreError::Changed { key: "base.bin".into() }));
    assert_eq!(store.head("next.bin").await, Ok(None));
    assert_eq!(proxy.seen().iter().filter(|line| line.starts_with("DELETE")).count(), 1, "the upload is removed");
}

#[tokio::test]
async fn a_lost_answer_is_not_a_lost_race() {
    let Some((store, proxy)) = behind_proxy("lost-answer").await else { return };
    proxy.fail("PUT", "one.bin", Fault::LoseAnswer);
    let first = store.put("one.bin", content(10), Condition::Absent).await.unwrap();
    proxy.fail("PUT", "one.bin", Fault::LoseAnswer);
    let second = store.put("one.bin", content(20), Condition::Matches(first.clone())).await.unwrap();
    assert_eq!(store.head("one.bin").await.unwrap().map(|meta| meta.etag), Some(second));

    // The same answer, but now another writer was first.
    proxy.fail("PUT", "one.bin", Fault::Answer("503 Slow Down", SLOW_DOWN));
    let stale = store.put("one.bin", content(30), Condition::Matches(first)).await;
    assert_eq!(stale, Err(StoreError::Changed { key: "one.bin".into() }));
    assert_eq!(whole(&store, "one.bin").await, content(20));
}

#[tokio::test]
async fn a_completion_whose_answer_was_lost_is_done() {
    let Some((store, proxy)) = behind_proxy("lost-completion").await else { return };
    for answer in [NO_SUCH_UPLOAD, PRECONDITION] {
        let mut upload = store.upload("big.bin").await.unwrap();
        upload.append(content(9 * MIB)).await.unwrap();
        // ministack repeats the first answer to a repeated completion; S3 may not.
        proxy.fail("POST", "uploadId", Fault::LoseAnswer);
        proxy.fail("POST", "uploadId", Fault::Answer("404 Not Found", answer));
        upload.complete(Condition::Absent).await.unwrap();
        assert!(whole(&store, "big.bin").await == content(9 * MIB));
        store.delete("big.bin").await.unwrap();
    }
}

#[tokio::test]
async fn a_completion_that_lost_leaves_no_trace() {
    let Some((store, proxy)) = behind_proxy("lost-race").await else { return };
    for (status, answer) in [
        ("409 Conflict", "<Error><Code>ConditionalRequestConflict</Code></Error>"),
        ("200 OK", "<Error><Code>PreconditionFailed</Code></Error>"),
    ] {
        let mut upload = store.upload("big.bin").await.unwrap();
        upload.append(content(9 * MIB)).await.unwrap();
        proxy.fail("POST", "uploadId", Fault::Answer(status, answer));
        let done = upload.complete(Condition::Absent).await;
        assert_eq!(done, Err(StoreError::Changed { key: "big.bin".into() }));
        assert_eq!(store.head("big.bin").await, Ok(None));
    }
    assert_eq!(proxy.seen().iter().filter(|line| line.starts_with("DELETE")).count(), 2, "both uploads are removed");
}

#[tokio::test]
async fn a_body_that_breaks_off_is_asked_for_again() {
    let Some((store, proxy)) = behind_proxy("broken-body").await else { return };
    let etag = store.put("one.bin", content(MIB), Condition::Absent).await.unwrap();
    proxy.fail("GET", "one.bin", Fault::CutAnswer);
    assert!(whole(&store, "one.bin").await == content(MIB));
    proxy.fail("GET", "one.bin", Fault::CutAnswer);
    assert!(store.get_range("one.bin", 5..MIB as u64, &etag).await.unwrap() == content(MIB).slice(5..));
}

#[tokio::test]
async fn a_part_that_cannot_be_sent_gives_the_upload_up() {
    let Some((store, proxy)) = behind_proxy("bad-part").await else { return };
    proxy.fail("PUT", "partNumber=1", Fault::Answer("400 Bad Request", "<Error><Code>InvalidPart</Code></Error>"));
    let mut upload = store.upload("big.bin").await.unwrap();
    upload.append(content(9 * MIB)).await.unwrap();
    let reason = "bucket bad-part: 400 InvalidPart".to_owned();
    let done = upload.complete(Condition::Always).await;
    assert_eq!(done, Err(StoreError::Refused { key: "big.bin".into(), reason }));
    assert_eq!(proxy.seen().iter().filter(|line| line.starts_with("DELETE")).count(), 1, "the upload is removed");
}

#[tokio::test]
async fn an_upload_that_is_dropped_is_removed() {
    let Some((store, proxy)) = behind_proxy("dropped").await else { return };
    let mut upload = store.upload("big.bin").await.unwrap();
    upload.append(content(9 * MIB)).await.unwrap();
    drop(upload);
    let removed = || proxy.seen().iter().any(|line| line.starts_with("DELETE"));
    while !removed() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn refusals_say_what_to_change() {
    let Some((store, proxy)) = behind_proxy("refusals").await else { return };
    let nowhere = S3Store::new(&Aws::connect(Endpoint::Emulator(proxy.url())).await, "no-such-bucket", "");
    let reason = "bucket no-such-bucket: 404 NoSuchBucket: The specified bucket does not exist; \
                  create the bucket, or correct its name";
    let refused = |key: &str, reason: &str| StoreError::Refused { key: key.into(), reason: reason.into() };
    assert_eq!(nowhere.list("a/", None).await, Err(refused("a/", reason)));
    assert_eq!(nowhere.get("a").await, Err(refused("a", reason)));
    assert_eq!(nowhere.put("a", Bytes::new(), Condition::Absent).await, Err(refused("a", reason)));

    proxy.fail("GET", "secret", Fault::Answer("403 Forbidden", "<Error><Code>AccessDenied</Code></Error>"));
    let denied = store.get("secret").await;
    assert!(
        matches!(&denied, Err(StoreError::Refused { reason, .. }) if reason.contains("s3:ListBucket")),
        "{denied:?}"
    );

    let etag = store.put("one.bin", content(10), Condition::Absent).await.unwrap();
    let beyond = store.get_range("one.bin", 5..20, &etag).await;
    assert!(matches!(beyond, Err(StoreError::Refused { .. })), "{beyond:?}");
    assert_eq!(store.get_range("one.bin", 3..3, &etag).await, Ok(Bytes::new()));
    let wrong = store.get_range("one.bin", 0..5, &ETag("0".repeat(32))).await;
    assert_eq!(wrong, Err(StoreError::Changed { key: "one.bin".into() }));
}

#[tokio::test(start_paused = true)]
async fn a_store_that_does_not_answer_is_unavailable() {
    // Nothing listens on the discard port.
    let aws = Aws::connect(Endpoint::Emulator("http://127.0.0.1:9".into())).await;
    let silent = S3Store::new(&aws, "lake", "").get("a").await;
    assert!(matches!(silent, Err(StoreError::Unavailable { .. })), "{silent:?}");
}
