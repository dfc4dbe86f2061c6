//! Change files in the bucket → its notifications, the queue, and the table's snapshot.

use headgate::{
    clock::{Clock, SystemClock},
    store::{Condition, Store},
};
use headgate_aws::S3Store;
use time::{OffsetDateTime, macros::format_description};

use super::{Applied, Forgotten, OF_ALARMS, OF_INVOCATIONS, comes_to_be};
use crate::merge::{
    file::{File, Format},
    lake::table,
};

const PREFIX: &str = "cdc/production/orders/";
const SNAPSHOT: &str = "curated/production/orders/snapshot.parquet";

/// What the emulator does not keep.
const OF_CRAWLERS: Forgotten = ("aws_glue_crawler", &["lineage_configuration", "recrawl_policy", "tags_all"]);

/// Not destroyed at the end, for it takes a minute; that all goes, the test of the stream tells.
#[tokio::test(flavor = "multi_thread")]
async fn a_table_follows_its_database() {
    let Some(applied) = Applied::new("cdc", "orders", "dms-merge").await else { return };
    let store = &applied.lake.store;
    put(store, &File::of("LOAD00000001", "id note", &["I 1 a", "I 2 b", "I 3 c"])).await;
    comes_to_be(async || rows(store).await, ["1 a", "2 b", "3 c"].map(str::to_owned).into()).await;
    put(store, &File::of(&name_of_now(), "id note", &["U 1 d", "D 2 -", "I 4 e"])).await;
    comes_to_be(async || rows(store).await, ["1 d", "3 c", "4 e"].map(str::to_owned).into()).await;
    applied.rests(&[OF_ALARMS, OF_CRAWLERS, OF_INVOCATIONS]);
}

async fn put(store: &S3Store, file: &File) {
    let body = file.bytes(Format::Parquet, &[], false);
    store.put(&format!("{PREFIX}{}.parquet", file.name), body, Condition::Always).await.unwrap();
}

/// The table's rows in the order of their key.
async fn rows(store: &S3Store) -> Vec<String> {
    let Some((_, snapshot)) = store.get(SNAPSHOT).await.unwrap() else { return Vec::new() };
    let rows = table(snapshot, &["id".to_owned()]).rows.into_values();
    rows.map(|row| row.into_iter().map(Option::unwrap_or_default).collect::<Vec<_>>().join(" ")).collect()
}

/// The name that DMS gives a file of changes.
fn name_of_now() -> String {
    let now = OffsetDateTime::from_unix_timestamp_nanos(i128::from(SystemClock.now().0) * 1_000_000).unwrap();
    now.format(format_description!("[year][month][day]-[hour][minute][second][subsecond digits:3]")).unwrap()
}
