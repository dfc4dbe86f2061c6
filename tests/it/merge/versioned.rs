//! Versions: a reader keeps what it began with, and old versions go when nobody can be reading them.

use std::time::Duration;

use headgate::{clock::Clock, store::Store};

use super::{
    file::File,
    lake::{Lake, MANIFEST, Setup, table},
};

fn change(minute: u8, line: &str) -> File {
    File::of(&format!("20240115-10{minute:02}00000"), "id note", &[line])
}

fn lake() -> Lake {
    Lake::new(Setup { versioned: true, ..Setup::default() })
}

async fn versions(lake: &Lake) -> Vec<String> {
    let page = lake.store.list("curated/orders/snapshot-", None).await.expect("an answer");
    page.objects.into_iter().map(|object| object.key["curated/orders/".len()..].to_owned()).collect()
}

#[tokio::test]
async fn a_reader_ends_with_the_version_it_began_with() {
    let lake = lake();
    let mut files = vec![File::of("LOAD00000001", "id note", &["I 1 a", "I 2 a"])];
    lake.put_all(&files);
    lake.converges(&files).await;
    let key = lake.visible_key().await.expect("a version");
    let (etag, opened) = lake.store.get(&key).await.expect("an answer").expect("a version");
    for minute in 1..=4 {
        files.push(change(minute, &format!("U 1 b{minute}")));
        lake.put_all(&files);
        lake.converges(&files).await;
        lake.clock.advance(Duration::from_mins(29));
        let rest = lake.store.get_range(&key, 0..opened.len() as u64, &etag).await;
        assert_eq!(rest, Ok(opened.clone()), "still there after {minute} merges");
    }
    assert_eq!(table(opened, &lake.setup.keys), lake.replay(&files[..1]));
}

#[tokio::test]
async fn the_manifest_is_one_line_with_the_versions_address() {
    let lake = lake();
    for minute in 1..=3 {
        lake.put(&change(minute, "U 1 x"));
        lake.merge().await;
        let (_, line) = lake.store.get(MANIFEST).await.expect("an answer").expect("a manifest");
        assert_eq!(line, format!("memory:///curated/orders/snapshot-{minute}.parquet\n"));
    }
}

#[tokio::test]
async fn versions_go_once_they_were_superseded_for_long_enough() {
    let lake = lake();
    let after = async |minute: u8, wait: u64| {
        lake.clock.advance(Duration::from_mins(wait));
        lake.put(&change(minute, "U 1 x"));
        lake.merge().await;
        versions(&lake).await
    };
    // Kept for two hours after the next one came.
    assert_eq!(after(1, 0).await, ["snapshot-1.parquet"]);
    assert_eq!(after(2, 600).await, ["snapshot-1.parquet", "snapshot-2.parquet"]);
    assert_eq!(after(3, 120).await, ["snapshot-1.parquet", "snapshot-2.parquet", "snapshot-3.parquet"]);
    assert_eq!(after(4, 1).await, ["snapshot-2.parquet", "snapshot-3.parquet", "snapshot-4.parquet"]);
    assert_eq!(after(5, 600).await, ["snapshot-4.parquet", "snapshot-5.parquet"]);
}

#[tokio::test]
async fn a_version_that_a_crash_left_behind_shortens_no_readers_time() {
    let lake = lake();
    lake.put(&change(1, "U 1 x"));
    lake.merge().await;
    // A merge wrote the next version and ended before the manifest.
    let (_, bytes) = lake.visible().await.expect("a version");
    lake.store.put_at("curated/orders/snapshot-2.parquet", bytes, lake.clock.now());
    lake.clock.advance(Duration::from_hours(10));
    lake.put(&change(2, "U 1 y"));
    lake.merge().await;
    // The one that was current a moment ago stays; the one that never was goes.
    assert_eq!(versions(&lake).await, ["snapshot-1.parquet", "snapshot-3.parquet"]);
}
