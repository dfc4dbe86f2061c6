//! Folders of dataset files: read whole, and no dataset in another's way.

use std::{fs, path::Path};

use super::*;

#[test]
fn a_folder_is_read_whole_or_not_at_all() {
    let published = Path::new(env!("CARGO_MANIFEST_DIR")).join("../infra/datasets");
    let datasets = Datasets::load(&published).unwrap();
    assert_eq!(datasets.table("orders"), Ok(&orders()));
    assert_eq!(datasets.table("order").unwrap_err().message, "no `cdc` dataset `order`; there are: orders");
    assert_eq!(datasets.stream("clickstream").unwrap().prefix, "raw/clickstream/");
    let message = datasets.stream("orders").unwrap_err().message;
    assert_eq!(message, "no `stream` dataset `orders`; there are: clickstream, page_views, shipments, temperature");

    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, document: Value| fs::write(folder.path().join(name), document.to_string()).unwrap();
    write("orders.json", example());
    write("notes.schema.json", json!("not a dataset"));
    assert_eq!(Datasets::load(folder.path()).unwrap().tables().collect::<Vec<_>>(), [&orders()]);
    let none = Datasets::load(folder.path()).unwrap().stream("orders").unwrap_err().message;
    assert_eq!(none, "no `stream` dataset `orders`; there are: none");
    write("other.json", example());
    write("bad.json", with(example(), "/name", json!(1)));
    let inner = with(with(example(), "/name", json!("inner")), "/source/prefix", json!("cdc/production/orders/x/"));
    write("inner.json", inner);
    let message = Datasets::load(folder.path()).unwrap_err().message;
    for expected in [
        "bad.json: 1 problem\n    $.name: expected a string",
        "other.json: $.name: is `orders`",
        "orders: its source.prefix takes in the source.prefix of `inner`",
        "inner: its folder of target.snapshot is the folder of target.snapshot of `orders`",
    ] {
        assert!(message.contains(expected), "{expected}\nnot in {message}");
    }
}

fn table(source: &str, snapshot: &str) -> Value {
    with(with(example(), "/source/prefix", json!(source)), "/target/snapshot", json!(snapshot))
}

fn stream(prefix: &str) -> Value {
    with(super::stream::least(&json!({"name": "a", "type": "string"})), "/target/prefix", json!(prefix))
}

/// What is wrong with the datasets `a` and `b` in one folder.
fn check(a: &Value, b: &Value, want: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    for (name, document) in [("a", a), ("b", b)] {
        let document = with(document.clone(), "/name", json!(name));
        fs::write(folder.path().join(format!("{name}.json")), document.to_string()).unwrap();
    }
    let message = Datasets::load(folder.path()).map_or_else(|error| error.message, |_| String::new());
    let found: Vec<&str> = message.lines().skip(1).map(str::trim).collect();
    assert_eq!(found, want, "{a:#} {b:#}");
}

#[test]
fn datasets_keep_out_of_each_others_way() {
    check(&table("cdc/a/", "cur/a/s.parquet"), &table("cdc/b/", "cur/b/s.parquet"), &[]);
    check(&table("cdc/a/", "cur/a/s.parquet"), &table("cdc/a/", "cur/b/s.parquet"), &[]);
    check(&table("cdc/a/", "cur/a/s.parquet"), &stream("raw/b/"), &[]);
    check(&stream("raw/b/"), &stream("raw/bc/"), &[]);
    check(&table("cdc/a/", "a.parquet"), &table("cdc/b/", "b.parquet"), &[]);
    check(&table("cdc/a/", "a.parquet"), &stream("raw/"), &[]);
    let snapshot = "folder of target.snapshot";
    for (a, b, want) in [
        (
            table("cdc/", "cur/a/s.parquet"),
            table("cdc/b/", "cur/b/s.parquet"),
            "a: its source.prefix takes in the source.prefix of `b`".to_owned(),
        ),
        (
            table("cdc/a/b/", "cur/a/s.parquet"),
            table("cdc/a/", "cur/b/s.parquet"),
            "b: its source.prefix takes in the source.prefix of `a`".to_owned(),
        ),
        (
            table("x/", "cur/a/s.parquet"),
            table("cdc/b/", "x/b/s.parquet"),
            format!("a: its source.prefix takes in the {snapshot} of `b`"),
        ),
        (
            table("x/", "cur/a/s.parquet"),
            table("cdc/b/", "x/s.parquet"),
            format!("a: its source.prefix is the {snapshot} of `b`"),
        ),
        (
            table("cdc/a/", "x/s.parquet"),
            table("x/b/", "cur/b/s.parquet"),
            format!("a: its {snapshot} takes in the source.prefix of `b`"),
        ),
        (
            table("cdc/a/", "x/s.parquet"),
            table("cdc/b/", "x/t.parquet"),
            format!("a: its {snapshot} is the {snapshot} of `b`"),
        ),
        (
            table("cdc/a/", "x/y/s.parquet"),
            table("cdc/b/", "x/t.parquet"),
            format!("b: its {snapshot} takes in the {snapshot} of `a`"),
        ),
        (
            table("cdc/a/", "s.parquet"),
            table("cdc/b/", "s.parquet"),
            format!("a: its {snapshot} is the {snapshot} of `b`"),
        ),
        (stream("raw/"), stream("raw/b/"), "a: its target.prefix takes in the target.prefix of `b`".to_owned()),
        (stream("raw/b/"), stream("raw/b/"), "a: its target.prefix is the target.prefix of `b`".to_owned()),
        (
            stream("x/"),
            table("x/b/", "cur/b/s.parquet"),
            "a: its target.prefix takes in the source.prefix of `b`".to_owned(),
        ),
        (
            stream("x/y/"),
            table("x/", "cur/b/s.parquet"),
            "b: its source.prefix takes in the target.prefix of `a`".to_owned(),
        ),
        (stream("x/"), table("x/", "cur/b/s.parquet"), "a: its target.prefix is the source.prefix of `b`".to_owned()),
        (
            stream("x/"),
            table("cdc/b/", "x/b/s.parquet"),
            format!("a: its target.prefix takes in the {snapshot} of `b`"),
        ),
        (
            stream("x/y/"),
            table("cdc/b/", "x/s.parquet"),
            format!("b: its {snapshot} takes in the target.prefix of `a`"),
        ),
    ] {
        check(&a, &b, &[&want]);
    }
}
