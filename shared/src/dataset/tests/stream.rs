//! Stream datasets: every field, and every problem with its path.

use super::*;
use crate::dataset::stream::{
    Bound, Checks, Condition, Field, Granularity, Mask, PartitionBy, RecordFormat, Transport, UnknownFields,
};

const CLICKSTREAM: &str = include_str!("../../../../infra/datasets/clickstream.json");

pub(super) fn clickstream() -> Value {
    serde_json::from_str(CLICKSTREAM).unwrap()
}

/// The least of a stream dataset, with this column.
pub(super) fn least(column: &Value) -> Value {
    json!({"name": "events", "kind": "stream", "source": {"type": "kinesis"}, "columns": [column],
        "target": {"prefix": "raw/events/"}})
}

fn field(name: &str, r#type: ColumnType) -> Field {
    let (path, checks) = (vec![name.to_owned()], Checks::default());
    Field { name: name.to_owned(), r#type, path, fallback: None, required: false, default: None, mask: None, checks }
}

/// What follows `$.`: the problems of the least dataset after `change`.
fn check(change: impl FnOnce(&mut Value), want: &[&str]) {
    let mut document = least(&json!({"name": "a", "type": "string"}));
    change(&mut document);
    let want: Vec<String> = want.iter().map(|want| format!("$.{want}")).collect();
    assert_eq!(problems(&document), want, "{document:#}");
}

fn check_column(column: &Value, want: &[&str]) {
    let want: Vec<String> = want.iter().map(|want| format!("columns[1].{want}")).collect();
    let want: Vec<&str> = want.iter().map(String::as_str).collect();
    check(|document| document["columns"].as_array_mut().unwrap().push(column.clone()), &want);
}

#[test]
fn the_least_reads_and_defaults_fill_in() {
    let expected = Stream {
        name: "events".to_owned(),
        transport: Transport::Kinesis,
        format: RecordFormat::Json,
        columns: vec![field("a.b", ColumnType::String)],
        filter: Vec::new(),
        window: None,
        unknown_fields: UnknownFields::Keep,
        event_time: None,
        partition_by: PartitionBy { time: Some(Granularity::Hour), columns: Vec::new() },
        compression: Compression::Zstd(1),
        prefix: "raw/events/".to_owned(),
        compact: None,
        watch: None,
    };
    let document = least(&json!({"name": "a.b", "type": "string"}));
    assert_eq!(Stream::parse("x.json", &document.to_string()), Ok(expected.clone()));
    let mut stated = least(&json!({"name": "a.b", "type": "string", "required": false, "default": null}));
    stated["source"]["format"] = json!("json");
    stated["unknown_fields"] = json!("keep");
    stated["filter"] = json!([]);
    stated["event_time"] = json!(null);
    stated["partition_by"] = json!({"time": "hour", "columns": []});
    stated["compression"] = json!("zstd(1)");
    assert_eq!(Stream::parse("x.json", &stated.to_string()), Ok(expected));
}

#[test]
fn every_field_is_read() {
    let document = json!({
        "$schema": "x", "description": "y", "name": "app.logs", "kind": "stream",
        "source": {"type": "firehose", "format": "cloudwatch_logs"},
        "columns": [
            {"name": "t", "type": "timestamp(us)", "path": "meta.at", "required": true},
            {"name": "n", "type": "decimal(5,2)", "path": "n", "default": "1.5", "min": -1, "max": 2.5},
            {"name": "s", "type": "string", "mask": "keep_last(4)", "pattern": "^a", "one_of": ["a", 1, 2.5]},
            {"name": "e", "type": "list<struct<x: json>>", "mask": "erase"}, {"name": "h", "type": "string", "mask": "hash"},
        ],
        "filter": [{"column": "n", "min": 0, "below": "2.5", "not": true, "null": true},
            {"column": "s", "one_of": ["a", 1, true], "pattern": "a"}],
        "unknown_fields": "reject", "event_time": "t", "partition_by": {"time": "none", "columns": ["h", "s"]},
        "compression": "none", "target": {"prefix": "logs/"},
    });
    let inner = Column { name: "x".to_owned(), r#type: ColumnType::Json };
    let one_of = Some(["a", "1", "2.5"].map(str::to_owned).to_vec());
    let number = Checks { min: Some(-1.0), max: Some(2.5), ..Checks::default() };
    let text = Checks { pattern: Some("^a".to_owned()), one_of, ..Checks::default() };
    let path = vec!["meta".to_owned(), "at".to_owned()];
    let bounds = vec![(Bound::Min, json!(0)), (Bound::Below, json!("2.5"))];
    let number_wanted = Condition { column: "n".to_owned(), bounds, not: true, null: true, ..Condition::default() };
    let (one_of, pattern) = (vec![json!("a"), json!(1), json!(true)], Some("a".to_owned()));
    let text_wanted = Condition { column: "s".to_owned(), one_of, pattern, ..Condition::default() };
    let list = ColumnType::List(Box::new(ColumnType::Struct(vec![inner])));
    let expected = Stream {
        name: "app.logs".to_owned(),
        transport: Transport::Firehose,
        format: RecordFormat::CloudWatchLogs,
        columns: vec![
            Field { path, required: true, ..field("t", ColumnType::Timestamp(TimeUnit::Micro)) },
            Field { default: Some(json!("1.5")), checks: number, ..field("n", ColumnType::Decimal(5, 2)) },
            Field { mask: Some(Mask::KeepLast(4)), checks: text, ..field("s", ColumnType::String) },
            Field { mask: Some(Mask::Erase), ..field("e", list) },
            Field { mask: Some(Mask::Hash), ..field("h", ColumnType::String) },
        ],
        filter: vec![number_wanted, text_wanted],
        window: None,
        unknown_fields: UnknownFields::Reject,
        event_time: Some("t".to_owned()),
        partition_by: PartitionBy { time: None, columns: vec!["h".to_owned(), "s".to_owned()] },
        compression: Compression::None,
        prefix: "logs/".to_owned(),
        compact: None,
        watch: None,
    };
    assert_eq!(Stream::parse("x.json", &document.to_string()), Ok(expected));
}

#[test]
fn kinds_are_told_apart() {
    let (stream, table) = (clickstream().to_string(), example().to_string());
    let message = |error: crate::Error| error.message;
    let want = |why: &str| Err(format!("x.json: 1 problem\n  $.kind: {why}"));
    assert_eq!(Dataset::parse("x.json", &stream).map(drop).map_err(message), want("is `stream`: this takes `cdc`"));
    assert_eq!(Stream::parse("x.json", &table).map(drop).map_err(message), want("is `cdc`: this takes `stream`"));
    assert_eq!(Described::parse("x.json", &stream).unwrap().name(), "clickstream");
    assert_eq!(Described::parse("x.json", &table).unwrap().name(), "orders");
}

#[test]
fn a_columns_problems_are_told_at_its_place() {
    check_column(
        &json!({}),
        &["name: missing: the column's name", "type: missing: the column's type, such as `int64`"],
    );
    check_column(&json!({"name": "a", "type": "date"}), &["name: `a` is listed twice"]);
    check_column(&json!({"name": "", "type": "date"}), &["name: may not be empty"]);
    check_column(&json!({"name": "b", "type": "date", "pth": "x"}), &["pth: unknown field; did you mean `path`?"]);
    check_column(&json!({"name": "b", "type": "date", "path": ""}), &["path: may not be empty"]);
    check_column(&json!({"name": "b..c", "type": "date", "path": ""}), &["path: may not be empty"]);
    check_column(&json!({"name": "b", "type": "date", "required": 1}), &["required: expected true or false, found 1"]);
    check_column(&json!({"name": "b", "type": "date", "one_of": []}), &["one_of: may not be empty"]);
    for path in [".", "a.", ".a", "a..b"] {
        let names = "path: is names with a `.` between them, none of them empty";
        check_column(&json!({"name": "b", "type": "date", "path": path}), &[names]);
    }
    for mask in
        ["", "hide", "keep_last", "keep_last(-1)", "keep_last(+1)", "keep_last(01)", "keep_last(1025)", "keep_last()"]
    {
        let want = format!("mask: `{mask}` must be `erase`, `hash` or `keep_last(N)` with N up to 1024");
        check_column(&json!({"name": "b", "type": "string", "mask": mask}), &[&want]);
    }
    for (column, want) in [
        (json!({"type": "int64", "mask": "hash"}), "mask: needs a `string` column, not `int64`"),
        (json!({"type": "json", "mask": "keep_last(1)"}), "mask: needs a `string` column, not `json`"),
        (json!({"type": "string", "min": 1}), "min: needs a column of numbers, not `string`"),
        (json!({"type": "date", "max": 1}), "max: needs a column of numbers, not `date`"),
        (json!({"type": "int32", "min": 2, "max": 1}), "min: 2 is above `max`, 1"),
        (json!({"type": "int32", "min": "0"}), "min: expected a number, found a string"),
        (json!({"type": "int32", "pattern": "x"}), "pattern: needs a `string` column, not `int32`"),
        (json!({"type": "float64", "one_of": [1]}), "one_of: needs a `string` or integer column, not `float64`"),
        (json!({"type": "int32", "one_of": [1, "x"]}), "one_of[1]: no value of an integer column"),
        (json!({"type": "int32", "one_of": [1.5]}), "one_of[0]: no value of an integer column"),
        (json!({"type": "string", "one_of": [true]}), "one_of[0]: expected a string or a number, found true"),
        (json!({"type": "string", "pattern": ""}), "pattern: may not be empty"),
    ] {
        check_column(&with(column, "/name", json!("b")), &[want]);
    }
    let found = problems(&least(&json!({"name": "b", "type": "string", "pattern": "("})));
    assert!(found.len() == 1 && found[0].starts_with("$.columns[0].pattern: "), "{found:?}");
    let found = problems(&least(&json!({"name": "b", "type": "int46", "min": 0, "mask": "hash"})));
    assert!(
        found.len() == 1 && found[0].starts_with("$.columns[0].type: `int46` must be"),
        "no problem follows: {found:?}"
    );
}

#[test]
fn a_filters_problems_are_told_at_their_place() {
    let scalars = "a filter sees scalars, so make a column of what it is about";
    let says_nothing = "says nothing: give `min`, `max`, `above`, `below`, `one_of`, `pattern` or `null`";
    let turns_nothing = "not: needs something to turn around: `min`, `one_of`, `pattern` or the like";
    for (condition, want) in [
        (json!(3), vec!["[0]: expected an object, found 3"]),
        (json!({}), vec!["[0].column: missing: the column that it is about", &format!("[0]: {says_nothing}")]),
        (json!({"column": "", "null": true}), vec!["[0].column: may not be empty"]),
        (json!({"column": "b", "null": true}), vec!["[0].column: `b` is not among the columns"]),
        (json!({"column": "a"}), vec![&format!("[0]: {says_nothing}")]),
        (json!({"column": "a", "not": false}), vec![&format!("[0].{turns_nothing}")]),
        (json!({"column": "a", "null": false, "not": true}), vec![&format!("[0].{turns_nothing}")]),
        (json!({"column": "a", "null": null}), vec!["[0].null: expected true or false, found null"]),
        (json!({"column": "a", "one_of": []}), vec!["[0].one_of: may not be empty"]),
        (
            json!({"column": "a", "one_of": ["x", null]}),
            vec!["[0].one_of[1]: expected a string, a number, true or false, found null"],
        ),
        (
            json!({"column": "i", "min": [1]}),
            vec!["[0].min: expected a string, a number, true or false, found an array"],
        ),
        (json!({"column": "i", "mn": 1, "null": true}), vec!["[0].mn: unknown field; did you mean `min`?"]),
        (
            json!({"column": "a", "min": 1, "below": 2}),
            vec![
                "[0].min: needs a column of numbers or times, not `string`",
                "[0].below: needs a column of numbers or times, not `string`",
            ],
        ),
        (json!({"column": "i", "pattern": "x"}), vec!["[0].pattern: needs a `string` column, not `int32`"]),
        (json!({"column": "a", "pattern": ""}), vec!["[0].pattern: may not be empty"]),
        (json!({"column": "l", "null": true}), vec![&format!("[0].column: `l` is `list<int32>`: {scalars}")]),
        (json!({"column": "s", "null": true}), vec![&format!("[0].column: `s` is `struct<x: int32>`: {scalars}")]),
        (json!({"column": "j", "one_of": [1]}), vec![&format!("[0].column: `j` is `json`: {scalars}")]),
    ] {
        let want: Vec<String> = want.iter().map(|want| format!("filter{want}")).collect();
        let want: Vec<&str> = want.iter().map(String::as_str).collect();
        let columns = [("i", "int32"), ("l", "list<int32>"), ("s", "struct<x: int32>"), ("j", "json")];
        let change = |document: &mut Value| {
            let columns = columns.iter().map(|(name, r#type)| json!({"name": name, "type": r#type}));
            document["columns"].as_array_mut().unwrap().extend(columns);
            document["filter"] = json!([condition]);
        };
        check(change, &want);
    }
    check(|document| document["filter"] = json!({"column": "a"}), &["filter: expected an array, found an object"]);
    let broken =
        with(least(&json!({"name": "a", "type": "string"})), "/filter", json!([{"column": "a", "pattern": "("}]));
    let found = problems(&broken);
    assert!(found.len() == 1 && found[0].starts_with("$.filter[0].pattern: "), "{found:?}");
    let untold = with(least(&json!({"name": "a", "type": "int46"})), "/filter", json!([{"column": "a", "min": 1}]));
    assert_eq!(problems(&untold).len(), 1, "no problem follows");
}

#[test]
fn what_does_not_fit_together_is_told() {
    let set = |pointer: &'static str, value: Value| {
        move |document: &mut Value| *document = with(document.take(), pointer, value)
    };
    let columns = |more: Value| json!([{"name": "t", "type": "timestamp(ms)", "required": true}, {"name": "s", "type": "string"}, more]);
    let column = |more: Value, pointer: &'static str, value: Value| {
        move |document: &mut Value| *document = with(with(document.take(), "/columns", columns(more)), pointer, value)
    };
    let plain = || json!({"name": "x", "type": "float64"});
    check(set("/event_time", json!("b")), &["event_time: `b` is not among the columns"]);
    check(set("/event_time", json!("a")), &["event_time: `a` is `string`: must be a timestamp or a date"]);
    check(set("/event_time", json!("")), &["event_time: may not be empty"]);
    let needs = "event_time: `d` must be `required`, or have a `default`: each record needs a time";
    for default in [json!({"name": "d", "type": "date"}), json!({"name": "d", "type": "date", "default": null})] {
        check(column(default, "/event_time", json!("d")), &[needs]);
    }
    let masked = json!({"name": "d", "type": "date", "required": true, "mask": "erase"});
    check(column(masked.clone(), "/event_time", json!("d")), &["event_time: `d` may not be masked"]);
    check(column(masked, "/partition_by", json!({"columns": ["d"]})), &["partition_by.columns[0]: `d` is erased"]);
    let by = |names: Value| json!({"time": "day", "columns": names});
    check(
        column(plain(), "/partition_by", by(json!(["s", "b", 1, "s"]))),
        &[
            "partition_by.columns[2]: expected a column's name, found 1",
            "partition_by.columns[3]: `s` is listed twice",
            "partition_by.columns[1]: `b` is not among the columns",
        ],
    );
    check(
        column(plain(), "/partition_by", by(json!(["x", "t"]))),
        &[
            "partition_by.columns[0]: `x` is `float64`: must be text, an integer, a boolean or a date",
            "partition_by.columns[1]: `t` is `timestamp(ms)`: must be text, an integer, a boolean or a date",
        ],
    );
    let odd = json!({"name": "x=y", "type": "string"});
    let becomes = "partition_by.columns[0]: becomes a part of keys: may not contain `/`, `=` or control characters";
    check(column(odd, "/partition_by", by(json!(["x=y"]))), &[becomes]);
    check(
        set("/partition_by", by(json!(["a"]))),
        &["partition_by.columns: takes all columns: none is left for the files"],
    );
    check(
        set("/partition_by", json!({"time": "week"})),
        &["partition_by.time: `week` is none of `none`, `year`, `month`, `day`, `hour`"],
    );
    let hour = || json!({"name": "hour", "type": "int32"});
    check(column(hour(), "/partition_by", by(json!([]))), &[]);
    check(
        column(hour(), "/partition_by", json!({"time": "hour"})),
        &["columns[2].name: `hour` is a part of the time partition"],
    );
    let extra = || json!({"name": "_extra", "type": "json"});
    let taken =
        "columns[2].name: `_extra` is the column of unknown fields; choose another name, or another `unknown_fields`";
    check(column(extra(), "/unknown_fields", json!("keep")), &[taken]);
    check(column(extra(), "/unknown_fields", json!("drop")), &[]);
    let binary = json!({"name": "x", "type": "list<struct<b: binary>>"});
    let json_only = "columns[2].type: `binary` cannot pass through Firehose, whose records are JSON";
    check(column(binary, "/source/type", json!("firehose")), &[json_only]);
    check(set("/source/type", json!("sqs")), &["source.type: `sqs` is none of `kinesis`, `firehose`, `kafka`"]);
    let of_kafka = "source.format: Avro and Debezium come through `kafka` alone, not `kinesis`";
    check(set("/source/format", json!("avro")), &[of_kafka]);
    let long = "é".repeat(64) + "/";
    let too_long = "target.prefix: has 129 bytes: at most 128, for S3's keys end at 1,024; choose a shorter one";
    check(set("/target/prefix", json!(long)), &[too_long]);
    check(set("/target/prefix", json!("errors/x/")), &["target.prefix: `errors/` is kept for the lake's own objects"]);
}

#[test]
fn a_file_with_many_problems_tells_them_all() {
    let document = json!({
        "name": "a/b", "kind": "stream", "primary_key": ["id"],
        "source": {"format": "xml"},
        "columns": [3, {"name": "id", "type": "bigint", "min": 0}, {"type": "int64"}, {"name": "id", "type": "string", "max": 0},
            {"name": "hour", "type": "string", "path": "a..b", "mask": "hide"}],
        "unknown_fields": "ignore", "event_time": "id", "partition_by": {"columns": ["at"]}, "compression": "gzip",
        "target": {"prefix": "/raw", "snapshot": "x.parquet"},
    });
    let expected = [
        "$.name: may not contain `/`",
        "$.source.type: missing: must be `kinesis`, `firehose` or `kafka`",
        "$.source.format: `xml` is none of `json`, `dms_json`, `cloudwatch_logs`",
        "$.columns[0]: expected an object, found 3",
        "$.columns[1].type: `bigint` must be one of string",
        "$.columns[2].name: missing: the column's name",
        "$.columns[3].max: needs a column of numbers, not `string`",
        "$.columns[3].name: `id` is listed twice",
        "$.columns[4].mask: `hide` must be",
        "$.columns[4].path: is names",
        "$.unknown_fields: `ignore` is none of `keep`, `drop`, `reject`",
        "$.compression: `gzip` must be",
        "$.target.prefix: may not begin with `/`",
        "$.target.prefix: must end in `/`",
        "$.target.snapshot: unknown field",
        "$.primary_key: unknown field",
        "$.columns[4].name: `hour` is a part of the time partition",
        "$.partition_by.columns[0]: `at` is not among the columns",
    ];
    let found = problems(&document);
    for (found, expected) in found.iter().zip(expected) {
        assert!(found.starts_with(expected), "{expected}\nis not {found}");
    }
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    let nothing = problems(&json!({"kind": "stream"}));
    let missing: Vec<&str> = nothing.iter().map(|line| line.split(": missing").next().unwrap()).collect();
    assert_eq!(missing, ["$.name", "$.source", "$.columns", "$.target"]);
}
