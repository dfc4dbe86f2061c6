//! The published JSON Schema and the parser accept the same documents.
//!
//! Rules that span fields are beyond the schema: such documents only the parser refuses.

use super::*;

mod streams;

pub(super) fn accepts() -> impl Fn(&Value) -> bool {
    let schema = serde_json::from_str(include_str!("../../../../infra/datasets/dataset.schema.json")).unwrap();
    assert!(jsonschema::meta::is_valid(&schema), "the schema itself");
    let validator = jsonschema::validator_for(&schema).unwrap();
    move |document| validator.is_valid(document)
}

fn good() -> Vec<Value> {
    let mut good = vec![example()];
    let columns = json!([{"name": "id", "type": "int64"}]);
    for (pointer, values) in [
        ("/name", json!(["shop.orders", "Ünïcode", "a b", "-", "x".repeat(64)])),
        ("/source/format", json!(["debezium_json"])),
        ("/source/prefix", json!(["orders/", "a/b.c/d/", "..a/", "a.headgate/", "Quarantine/", "x".repeat(339) + "/"])),
        ("/source/timestamp_column", json!([null, "t"])),
        ("/source/order_column", json!([null, "s"])),
        ("/source/before_image_prefix", json!([null, "BI_"])),
        (
            "/source/reload_cutoff",
            json!([null, "2024-01-15T22:30:00Z", "2024-01-15t22:30:00.5+09:00", "20240115-223000000"]),
        ),
        ("/source/lateness_hours", json!([1, 876_600])),
        ("/source/on_truncate", json!(["keep", "follow"])),
        ("/primary_key", json!([["id", "b"]])),
        ("/compression", json!(["none", "snappy", "zstd", "zstd(1)", "zstd(19)", "zstd(22)"])),
        ("/target/snapshot", json!(["x.parquet", "a/..b.parquet", "x".repeat(832) + ".parquet"])),
        ("/target/publish", json!(["versioned"])),
        ("/target/keep_hours", json!([0])),
    ] {
        good.extend(values.as_array().unwrap().iter().map(|value| with(example(), pointer, value.clone())));
    }
    for name in ["$schema", "description", "compression", "source/op_column", "source/lateness_hours", "target/publish"]
    {
        good.push(without(example(), &format!("/{name}")));
    }
    let types =
        ["string", "int32", "uint64", "decimal(38,38)", "decimal(10, 2)", "decimal(1,0)", "timestamp(ms)", "json"];
    for text in types {
        good.push(with(example(), "/columns", json!([{"name": "id", "type": text}])));
    }
    let csv = with(with(example(), "/source/format", json!("csv")), "/columns", columns);
    good.push(csv.clone());
    good.push(without(with(csv.clone(), "/source/csv", json!({"header": true})), "/columns"));
    for options in
        [json!({}), json!({"null": "", "delimiter": ";"}), json!({"delimiter": "\t"}), json!({"delimiter": "\u{7f}"})]
    {
        good.push(with(csv.clone(), "/source/csv", options));
    }
    good
}

fn bad() -> Vec<Value> {
    let mut bad = vec![json!([]), json!(null), json!({}), json!("orders")];
    for (pointer, values) in [
        ("/name", json!(["", "a/b", ".a", "a\n", "x".repeat(65), 1, null])),
        ("/kind", json!(["stream", "table", null, 1])),
        ("/description", json!([1, null])),
        ("/source", json!([null, [], "x", {}])),
        ("/source/format", json!(["orc", null, 1, "CSV", "csv"])),
        (
            "/source/prefix",
            json!([
                "",
                "x".repeat(340) + "/",
                "/",
                "/a/",
                "a",
                "a//",
                "a//b/",
                "../",
                "a/../b/",
                "./",
                "a/./",
                "quarantine/x/",
                ".headgate/",
                "errors/",
                "a\u{0}/",
                null
            ]),
        ),
        ("/source/op_column", json!(["", null, 1])),
        ("/source/timestamp_column", json!(["", 1, []])),
        ("/source/reload_cutoff", json!(["", "now", "2024-01-15", "20240115", "20241915-000000000", 5])),
        ("/source/lateness_hours", json!([0, -1, 1.5, 876_601, "72", null])),
        ("/source/on_truncate", json!(["", "drop", null])),
        ("/source/csv", json!([{"header": true}, null])),
        ("/source/sorce", json!([1, null])),
        ("/primary_key", json!([[], "id", [1], [""], ["id", "id"], null])),
        (
            "/columns",
            json!([[], {}, null, [1], [{"name": "id"}], [{"type": "int64"}], [{"name": "", "type": "int64"}],
            [{"name": "id", "type": "bigint"}], [{"name": "id", "type": "decimal(39,0)"}], [{"name": "id", "type": "decimal(05,0)"}],
            [{"name": "id", "type": "int64", "x": 1}], [{"name": "id", "type": null}], [{"name": "id", "type": "timestamp"}]]),
        ),
        ("/compression", json!(["", "gzip", "zstd(0)", "zstd(23)", "zstd()", 3, null])),
        ("/target", json!([null, {}, "x", {"snapshot": "x.parquet", "publish": "versioned"}])),
        (
            "/target/snapshot",
            json!([
                "",
                "x",
                "x.csv",
                "/x.parquet",
                ".parquet",
                "a/.parquet",
                "a//x.parquet",
                "a/../x.parquet",
                "errors/x.parquet",
                null
            ]),
        ),
        ("/target/publish", json!(["", "append", null])),
        ("/target/keep_hours", json!([-1, 0.5, "24", null])),
        ("/extra", json!([1])),
    ] {
        bad.extend(values.as_array().unwrap().iter().map(|value| with(example(), pointer, value.clone())));
    }
    for name in ["name", "kind", "source", "primary_key", "target", "source/format", "source/prefix", "target/snapshot"]
    {
        bad.push(without(example(), &format!("/{name}")));
    }
    let csv =
        with(with(example(), "/source/format", json!("csv")), "/columns", json!([{"name": "id", "type": "int64"}]));
    for options in [
        json!(null),
        json!({"header": 1}),
        json!({"null": null}),
        json!({"delimiter": ""}),
        json!({"delimiter": ";;"}),
        json!({"delimiter": "\n"}),
        json!({"delimiter": "\""}),
        json!({"delimiter": "é"}),
        json!({"heading": true}),
    ] {
        bad.push(with(csv.clone(), "/source/csv", options));
    }
    bad.push(without(with(csv, "/source/csv", json!({"header": false})), "/columns"));
    bad
}

#[test]
fn the_schema_and_the_parser_agree() {
    let accepts = accepts();
    for document in good().into_iter().chain(streams::good()).chain(streams::good_watches()) {
        assert_eq!(problems(&document), [""; 0], "the parser refuses {document:#}");
        assert!(accepts(&document), "the schema refuses {document:#}");
    }
    for document in bad().into_iter().chain(streams::bad()).chain(streams::bad_watches()) {
        assert_ne!(problems(&document), [""; 0], "the parser accepts {document:#}");
        assert!(!accepts(&document), "the schema accepts {document:#}");
    }
}

#[test]
fn the_defaults_the_schema_states_are_the_parsers() {
    let schema: Value = serde_json::from_str(include_str!("../../../../infra/datasets/dataset.schema.json")).unwrap();
    let default = |pointer: &str| schema.pointer(pointer).unwrap()["default"].clone();
    let mut stated = with(example(), "/compression", default("/$defs/compression"));
    for name in ["op_column", "order_column", "before_image_prefix", "reload_cutoff", "lateness_hours", "on_truncate"] {
        stated = with(stated, &format!("/source/{name}"), default(&format!("/$defs/source/properties/{name}")));
    }
    for name in ["publish", "keep_hours"] {
        stated = with(stated, &format!("/target/{name}"), default(&format!("/$defs/target/properties/{name}")));
    }
    assert_eq!(Dataset::parse("x.json", &stated.to_string()), Ok(orders()));

    let least = super::stream::least(&json!({"name": "a", "type": "string"}));
    let stream = |document: &Value| Stream::parse("x.json", &document.to_string()).unwrap();
    let (mut stated, of) = (least.clone(), |name: &str| default(&format!("/$defs/stream/properties/{name}")));
    stated["source"]["format"] = of("source/properties/format");
    for name in ["time", "columns"] {
        stated["partition_by"][name] = of(&format!("partition_by/properties/{name}"));
    }
    for name in ["filter", "unknown_fields", "event_time"] {
        stated[name] = of(name);
    }
    stated["compression"] = default("/$defs/compression");
    for name in ["required", "default"] {
        stated["columns"][0][name] = default(&format!("/$defs/field/properties/{name}"));
    }
    assert_eq!(stream(&stated), stream(&least));
}
