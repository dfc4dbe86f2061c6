//! Objects of `SaaS` products: the presets, what else may be said, and what is refused.

use std::{fs, path::Path};

use super::{
    super::{saas::Deleted, stream::Transport},
    schema::accepts,
    *,
};

fn deals() -> Value {
    json!({"name": "deals", "kind": "saas", "source": {"flow": "deals", "format": "json"}, "primary_key": ["id"],
        "order_by": "at", "deleted": {"column": "gone"},
        "columns": [{"name": "id", "type": "string", "required": true}, {"name": "at", "type": "timestamp(ms)"},
            {"name": "gone", "type": "boolean"}, {"name": "city", "type": "string", "path": "a.City", "fallback": "City"}],
        "target": {"snapshot": "curated/saas/deals/snapshot.parquet"}})
}

#[test]
fn what_is_left_out_has_a_default() {
    let saas = Saas::parse("deals.json", &deals().to_string()).unwrap();
    assert_eq!((saas.prefix.as_str(), saas.table.source.prefix.as_str()), ("raw/saas/deals/", "cdc/saas/deals/"));
    assert_eq!((saas.nulls, saas.table.order_by.as_deref()), (vec![String::new()], Some("at")));
    assert_eq!(saas.deleted, Some(Deleted { column: "gone".to_owned(), one_of: Vec::new() }));
    assert_eq!((saas.rows.transport, saas.table.source.lateness_hours), (Transport::AppFlow, 72));
    let names: Vec<_> = saas.table.columns.iter().flatten().map(|column| column.name.as_str()).collect();
    assert_eq!(names, ["id", "at", "gone", "city", "_extra"]);
    assert_eq!(saas.rows.columns[3].fallback, Some(vec!["City".to_owned()]));
}

#[test]
fn presets_are_sound() {
    let presets = Path::new(env!("CARGO_MANIFEST_DIR")).join("../infra/datasets/presets");
    let (accepts, datasets) = (accepts(), Datasets::load(&presets).unwrap());
    assert_eq!(datasets.saas().count(), fs::read_dir(&presets).unwrap().count());
    assert!(datasets.saas().count() >= 7 && datasets.tables().next().is_none());
    for file in fs::read_dir(&presets).unwrap() {
        let path = file.unwrap().path();
        assert!(accepts(&serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap()), "{}", path.display());
    }
}

#[test]
fn the_schema_and_the_parser_agree_on_objects() {
    let accepts = accepts();
    let variants = |cases: &[(&str, Value)]| {
        let of = |(pointer, values): &(&str, Value)| {
            let values = values.as_array().unwrap().clone();
            values.into_iter().map(|value| with(deals(), pointer, value)).collect::<Vec<_>>()
        };
        cases.iter().flat_map(of).collect::<Vec<_>>()
    };
    let good = variants(&[
        ("/source/format", json!(["parquet", "csv"])),
        ("/source", json!([{"flow": "f", "format": "csv", "csv": {"delimiter": ";"}}])),
        ("/source/flow", json!(["x".repeat(200)])),
        ("/source/prefix", json!(["raw/x/"])),
        ("/source/changes", json!(["cdc/x/", "x".repeat(127) + "/"])),
        ("/source/nulls", json!([[], ["", "null", "N/A"]])),
        ("/source/lateness_hours", json!([1, 876_600])),
        ("/filter", json!([[{"column": "city", "null": false}]])),
        ("/unknown_fields", json!(["drop", "reject"])),
        ("/deleted", json!([{"column": "city", "one_of": ["x"]}])),
        ("/target/publish", json!(["versioned"])),
        ("/columns/3/fallback", json!(["a.b.c"])),
    ]);
    for document in good {
        assert_eq!(problems(&document), [""; 0], "the parser refuses {document:#}");
        assert!(accepts(&document), "the schema refuses {document:#}");
    }
    let mut bad = variants(&[
        ("/source/flow", json!(["", "x".repeat(201), 1, null])),
        ("/source/format", json!(["avro", null])),
        ("/source/prefix", json!(["raw", "/raw/", "errors/", "x".repeat(340) + "/"])),
        ("/source/changes", json!(["x".repeat(128) + "/"])),
        ("/source/nulls", json!(["", [1], null])),
        ("/source/csv", json!([{}, {"delimiter": ";"}])),
        ("/source", json!([{"flow": "f", "format": "csv", "csv": {"header": false}}])),
        ("/source/lateness_hours", json!([0])),
        ("/order_by", json!(["", null, 1])),
        ("/deleted", json!([{}, {"column": ""}, {"column": "gone", "one_of": []}, true])),
        ("/columns/3/fallback", json!(["", "a..b", 1])),
        ("/columns/3/type", json!(["list<string>", "struct<a:int32>"])),
        ("/partition_by", json!([{}])),
    ]);
    bad.extend(
        ["name", "source", "primary_key", "order_by", "columns", "target"]
            .map(|name| without(deals(), &format!("/{name}"))),
    );
    for document in bad {
        assert_ne!(problems(&document), [""; 0], "the parser accepts {document:#}");
        assert!(!accepts(&document), "the schema accepts {document:#}");
    }
}

#[test]
fn what_decides_on_a_row_must_be_there_as_it_is() {
    for (pointer, value, told) in [
        ("/order_by", json!("when"), "$.order_by: `when` is not among the columns"),
        ("/order_by", json!("city"), "$.order_by: `city` is `string`: must be a timestamp, a date, `int32` or `int64`"),
        ("/columns/1/mask", json!("erase"), "$.order_by: `at` may not be masked"),
        (
            "/columns/0/required",
            json!(false),
            "$.primary_key[0]: `id` must be `required`: a row without its key is none",
        ),
        (
            "/columns/0/mask",
            json!("keep_last(2)"),
            "$.primary_key[0]: `id` is masked beyond telling rows apart: take `hash`",
        ),
        (
            "/deleted/column",
            json!("city"),
            "$.deleted.column: `city` is `string`: must be `boolean`, or say by `one_of` which texts tell it",
        ),
        (
            "/source/changes",
            json!("raw/saas/deals/in/"),
            "$.source.changes: must be apart from `prefix`, which the flow writes to",
        ),
        ("/columns/3/fallback", json!("a.City"), "$.columns[3].fallback: is the same as `path`"),
        ("/columns/3/name", json!("Op"), "$.columns[3].name: `Op` is the operation, not a column of the table"),
    ] {
        assert_eq!(problems(&with(deals(), pointer, value)), [told], "{pointer}");
    }
    let error = Dataset::parse("deals.json", &deals().to_string()).unwrap_err();
    assert_eq!(error.message, "deals.json: 1 problem\n  $.kind: is `saas`: this takes `cdc`");
}
