//! Keys of all kinds → the tables they ask for, and those that ask for nothing.

use headgate::dataset::{Compression, Dataset, Format, OnTruncate, Publish, Source, Target};

use super::{Address, route};
use crate::trigger::Poke;

fn dataset(name: &str, prefix: &str) -> Dataset {
    Dataset {
        name: name.to_owned(),
        source: Source {
            format: Format::Parquet,
            prefix: prefix.to_owned(),
            op_column: "Op".to_owned(),
            timestamp_column: None,
            order_column: None,
            before_image_prefix: None,
            reload_cutoff: None,
            lateness_hours: 72,
            on_truncate: OnTruncate::Keep,
        },
        primary_key: vec!["id".to_owned()],
        order_by: None,
        columns: None,
        compression: Compression::Zstd(1),
        target: Target {
            snapshot: format!("curated/{name}/snapshot.parquet"),
            publish: Publish::Replace,
            keep_hours: 24,
        },
    }
}

fn object(bucket: &str, key: &str) -> Poke {
    Poke::Object { bucket: bucket.to_owned(), key: key.to_owned() }
}

/// What pokes of a lake come to: `tables | ignored`, or the failure.
fn check(lake: &str, pokes: &[Poke], expected: &str) {
    let datasets = [dataset("orders", "cdc/orders/"), dataset("items", "cdc/orders_items/")];
    let told = match route(pokes, &Address::of(&lake.parse().unwrap()), &datasets) {
        Ok(work) => format!("{:?} | {:?}", work.tables, work.ignored),
        Err(error) => format!("{}: {}", error.code, error.message),
    };
    assert!(told.starts_with(expected), "\n told: {told}\nasked: {expected}");
}

#[test]
fn a_key_goes_to_the_tables_whose_prefix_it_has() {
    check(
        "s3://lake",
        &[object("lake", "cdc/orders/2"), object("lake", "cdc/orders/1"), object("lake", "cdc/orders/2")],
        r#"{"orders": {"cdc/orders/1", "cdc/orders/2"}} | {}"#,
    );
    check("s3://lake", &[object("lake", "cdc/orders_items/1")], r#"{"items": {"cdc/orders_items/1"}} | {}"#);
    check("s3://lake/raw/", &[object("lake", "raw/cdc/orders/1")], r#"{"orders": {"cdc/orders/1"}} | {}"#);
    check("target/lake", &[object("any", "cdc/orders/1")], r#"{"orders": {"cdc/orders/1"}} | {}"#);
}

#[test]
fn what_is_not_ours_is_counted_by_reason() {
    check("s3://lake", &[object("other", "cdc/orders/1")], "{} | {OtherBucket: 1}");
    check("s3://lake/raw", &[object("lake", "cdc/orders/1")], "{} | {OutsideDatasets: 1}");
    check(
        "s3://lake",
        &[object("lake", "cdc/x"), object("lake", "y"), Poke::Test],
        "{} | {TestEvent: 1, OutsideDatasets: 2}",
    );
    check("s3://lake", &[Poke::Other], "{} | {OtherEvent: 1}");
}

#[test]
fn our_own_writes_start_nothing() {
    for key in [
        "curated/orders/snapshot.parquet",
        "curated/orders/snapshot-7.parquet",
        "curated/orders/_snapshot.report.json",
        "curated/orders/_current/manifest",
        "quarantine/orders/a",
        "_headgate/x",
    ] {
        check("s3://lake", &[object("lake", key)], "{} | {OwnOutput: 1}");
    }
    check("s3://lake", &[object("lake", "curated/orders/other.parquet")], "{} | {OutsideDatasets: 1}");
}

#[test]
fn a_schedule_asks_for_served_tables() {
    check("d", &[Poke::Table("orders".to_owned())], r#"{"orders": {}} | {}"#);
    check("d", &[Poke::AllTables], r#"{"items": {}, "orders": {}} | {}"#);
    check(
        "d",
        &[Poke::Table("nope".to_owned())],
        r#"invalid_event: no dataset "nope" is served here, only [orders, items]"#,
    );
}
