//! Dataset files, good and bad: what they mean, and that every problem is told.

use serde_json::{Value, json};

use super::*;
use crate::{Class, Code};

mod compact;
mod folder;
mod saas;
mod schema;
mod stream;
mod watch;
mod window;

const EXAMPLE: &str = include_str!("../../../infra/datasets/orders.json");

fn example() -> Value {
    serde_json::from_str(EXAMPLE).unwrap()
}

/// The example with `value` at `pointer`, such as `/source/format`; `null` does not remove, [`without`] does.
fn with(mut document: Value, pointer: &str, value: Value) -> Value {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    document.pointer_mut(parent).unwrap()[name] = value;
    document
}

fn without(mut document: Value, pointer: &str) -> Value {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    document.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(name).unwrap();
    document
}

fn problems(document: &Value) -> Vec<String> {
    match Described::parse("x.json", &document.to_string()) {
        Ok(_) => Vec::new(),
        Err(error) => {
            assert_eq!((error.class, error.code), (Class::Misconfigured, Code::InvalidConfig));
            error.message.lines().skip(1).map(|line| line.trim().to_owned()).collect()
        }
    }
}

fn orders() -> Dataset {
    Dataset {
        order_by: None,
        name: "orders".to_owned(),
        source: Source {
            format: Format::Parquet,
            prefix: "cdc/production/orders/".to_owned(),
            op_column: "Op".to_owned(),
            timestamp_column: Some("dms_ts".to_owned()),
            order_column: None,
            before_image_prefix: None,
            reload_cutoff: None,
            lateness_hours: 72,
            on_truncate: OnTruncate::Keep,
        },
        primary_key: vec!["id".to_owned()],
        columns: None,
        compression: Compression::Zstd(1),
        target: Target {
            snapshot: "curated/production/orders/snapshot.parquet".to_owned(),
            publish: Publish::Replace,
            keep_hours: 24,
        },
    }
}

#[test]
fn the_example_reads_and_defaults_fill_in() {
    assert_eq!(Dataset::parse("orders.json", EXAMPLE), Ok(orders()));
    let least = json!({
        "name": "orders", "kind": "cdc", "source": {"format": "parquet", "prefix": "cdc/production/orders/"},
        "primary_key": ["id"], "target": {"snapshot": "curated/production/orders/snapshot.parquet"},
    });
    let source = Source { timestamp_column: None, ..orders().source };
    assert_eq!(Dataset::parse("orders.json", &least.to_string()), Ok(Dataset { source, ..orders() }));
}

#[test]
fn every_field_is_read() {
    let document = json!({
        "$schema": "x", "description": "y", "name": "shop.orders", "kind": "cdc",
        "source": {
            "format": "csv", "prefix": "shop/orders/", "op_column": "o", "timestamp_column": "t", "order_column": "s",
            "before_image_prefix": "BI_", "reload_cutoff": "19700101-000001000", "lateness_hours": 5,
            "on_truncate": "follow", "csv": {"header": true, "null": "", "delimiter": "\t"},
        },
        "primary_key": ["b", "a"], "columns": [{"name": "a", "type": "decimal(18,4)"}, {"name": "b", "type": "uint64"}],
        "compression": "snappy", "target": {"snapshot": "c/s.parquet", "publish": "versioned", "keep_hours": 0},
    });
    let expected = Dataset {
        order_by: None,
        name: "shop.orders".to_owned(),
        source: Source {
            format: Format::Csv(Csv { header: true, null: String::new(), delimiter: b'\t' }),
            prefix: "shop/orders/".to_owned(),
            op_column: "o".to_owned(),
            timestamp_column: Some("t".to_owned()),
            order_column: Some("s".to_owned()),
            before_image_prefix: Some("BI_".to_owned()),
            reload_cutoff: Some(Timestamp(1000)),
            lateness_hours: 5,
            on_truncate: OnTruncate::Follow,
        },
        primary_key: vec!["b".to_owned(), "a".to_owned()],
        columns: Some(vec![
            Column { name: "a".to_owned(), r#type: ColumnType::Decimal(18, 4) },
            Column { name: "b".to_owned(), r#type: ColumnType::Uint64 },
        ]),
        compression: Compression::Snappy,
        target: Target { snapshot: "c/s.parquet".to_owned(), publish: Publish::Versioned, keep_hours: 0 },
    };
    assert_eq!(Dataset::parse("x.json", &document.to_string()), Ok(expected));
}

#[test]
fn a_file_with_many_problems_tells_them_all() {
    let document = json!({
        "name": "a/b", "kind": "cdc", "primry_key": ["id"],
        "source": {
            "format": "parquet", "prefix": "/cdc/orders", "op_column": 7, "reload_cutoff": "yesterday",
            "on_truncate": "drop", "lateness_hours": 1.5, "csv": {"headers": true},
        },
        "columns": [{"name": "id", "type": "bigint"}, {"name": "id", "type": "decimal(5,6)"}, {"type": "int64"}, 3],
        "compression": "zstd(23)",
        "target": {"snapshot": "curated/orders.csv", "keep_hours": -1, "colour": "red"},
    });
    let expected = [
        "$.primary_key: missing: list the key columns, such as [\"id\"]",
        "$.source.op_column: expected a string, found 7",
        "$.source.reload_cutoff: must be an RFC 3339 time",
        "$.source.lateness_hours: expected a whole number of hours from 1 to 876600, found 1.5",
        "$.source.on_truncate: `drop` is none of `keep`, `follow`",
        "$.source.csv.headers: unknown field; did you mean `header`?",
        "$.source.csv: is only for the format `csv`",
        "$.columns[0].type: `bigint` must be one of string",
        "$.columns[1].type: `decimal(5,6)` must be decimal(P,S)",
        "$.columns[1].name: `id` is listed twice",
        "$.columns[2].name: missing",
        "$.columns[3]: expected an object, found 3",
        "$.compression: `zstd(23)` must be `none`",
        "$.target.keep_hours: expected a whole number",
        "$.target.colour: unknown field",
        "$.primry_key: unknown field; did you mean `primary_key`?",
        "$.name: may not contain `/`",
        "$.source.prefix: may not begin with `/`",
        "$.source.prefix: must end in `/`",
        "$.target.snapshot: must be a key that ends in a name with `.parquet`",
    ];
    let found = problems(&document);
    for expected in expected {
        assert!(found.iter().any(|found| found.starts_with(expected)), "{expected}\nnot in {found:#?}");
    }
    assert_eq!(found.len(), expected.len(), "{found:#?}");
}

#[test]
fn what_does_not_fit_together_is_told() {
    let columns = json!([{"name": "id", "type": "int64"}, {"name": "Op", "type": "string"}]);
    let cases = [
        (with(example(), "/target/snapshot", json!("cdc/production/orders/s.parquet")), "$.target.snapshot: is under"),
        (
            with(example(), "/target/snapshot", json!("cdc/s.parquet")),
            "$.target.snapshot: `source.prefix` is under its",
        ),
        (with(example(), "/source/format", json!("csv")), "$.columns: missing"),
        (with(example(), "/primary_key", json!(["id", "id"])), "$.primary_key[1]: `id` is listed twice"),
        (with(example(), "/columns", json!([{"name": "x", "type": "int64"}])), "$.primary_key[0]: `id` is not among"),
        (with(example(), "/columns", columns), "$.columns[1].name: `Op` is the operation"),
        (with(example(), "/primary_key", json!(["Op"])), "$.primary_key[0]: `Op` is the operation"),
        (with(example(), "/source/order_column", json!("dms_ts")), "$.source.order_column: names the same column"),
        (with(example(), "/source/prefix", json!("quarantine/orders/")), "$.source.prefix: `quarantine/` is kept"),
        (with(example(), "/kind", json!("table")), "$.kind: must be `cdc`, `stream` or `saas`"),
    ];
    for (document, expected) in cases {
        let found = problems(&document);
        assert!(found.len() == 1 && found[0].starts_with(expected), "{expected}: {found:#?}");
    }
}

#[test]
fn a_syntax_error_says_where() {
    let error = Dataset::parse("x.json", "{\"name\": \"orders\",\n  oops}").unwrap_err();
    assert_eq!(error.message, "x.json: 1 problem\n  $: key must be a string at line 2 column 3");
}
