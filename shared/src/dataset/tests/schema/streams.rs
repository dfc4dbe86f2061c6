//! Stream documents, good and bad, for both the schema and the parser.

use super::{
    super::{stream::clickstream, watch::temperature},
    *,
};

fn variants(cases: &[(&str, Value)]) -> Vec<Value> {
    let of = |(pointer, values): &(&str, Value)| {
        let values = values.as_array().unwrap();
        values.iter().map(|value| with(clickstream(), pointer, value.clone())).collect::<Vec<_>>()
    };
    cases.iter().flat_map(of).collect()
}

/// The example with this as its first column, `name` and `type` aside.
fn columns(more: &[Value]) -> Vec<Value> {
    let with_more = |more: &Value| {
        let mut document = clickstream();
        document["columns"][0].as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        document
    };
    more.iter().map(with_more).collect()
}

/// The example as a table of windows, with this `window`.
fn windows(more: &[Value]) -> Vec<Value> {
    let dropping = || with(clickstream(), "/unknown_fields", json!("drop"));
    more.iter().map(|window| with(dropping(), "/window", window.clone())).collect()
}

pub(super) fn good() -> Vec<Value> {
    let mut good = vec![clickstream()];
    let count = json!({"name": "n", "function": "count"});
    good.extend(windows(&[
        json!({"key": [], "measures": [count]}),
        json!({"key": ["page", "user_id", "is_bot", "ts"], "latest": false, "measures": [
            {"name": "n", "function": "count", "column": "tags"}, {"name": "s", "function": "sum", "column": "value"},
            {"name": "l", "function": "min", "column": "ts"}, {"name": "g", "function": "max", "column": "user_id"},
            {"name": "d", "function": "distinct", "column": "value"}, {"name": "z", "function": "last", "column": "page"}]}),
    ]));
    good.extend(variants(&[
        ("/name", json!(["a.b", "Ü"])),
        ("/source/type", json!(["kinesis", "firehose", "kafka"])),
        ("/source/format", json!(["json", "dms_json", "cloudwatch_logs"])),
        ("/source", json!([{"type": "kafka", "format": "avro"}, {"type": "kafka", "format": "debezium_json"},
            {"type": "kafka", "format": "debezium_avro"}, {"type": "kafka"}])),
        ("/compact", json!([{}, {"target_mb": 1, "after_hours": 876_600, "order_by": [], "min_files": 2},
            {"target_mb": 1024, "order_by": ["user_id", "ts"]}])),
        ("/unknown_fields", json!(["keep", "drop", "reject"])),
        ("/filter", json!([[], [{"column": "value", "min": 1, "max": "2", "above": 0.5, "below": 1e3}],
            [{"column": "page", "one_of": ["a", 1, true], "pattern": "x", "not": true, "null": true}],
            [{"column": "ts", "null": false}, {"column": "ts", "min": "2026-01-01"}, {"column": "is_bot", "one_of": [false], "not": false}]])),
        ("/event_time", json!([null, "ts"])),
        ("/partition_by", json!([{}, {"time": "none"}, {"time": "year"}, {"time": "month", "columns": []}, {"columns": ["currency", "is_bot"]}])),
        ("/compression", json!(["none", "snappy", "zstd", "zstd(22)"])),
        ("/target/prefix", json!(["x/", "a/b.c/d/", "x".repeat(127) + "/"])),
        ("/columns/0/type", json!(["binary", "list<string>", "list< list<date> >", "struct<a:int32,b: struct<c: decimal(5, 2)>>",
            "struct<a:\n  int32>", "timestamp(us)", "json"])),
        ("/columns/0/name", json!(["event id", "a.b", "é"])),
    ]));
    for name in
        ["$schema", "description", "unknown_fields", "event_time", "partition_by", "compression", "source/format"]
    {
        good.push(without(clickstream(), &format!("/{name}")));
    }
    good.extend(columns(&[
        json!({"path": "a"}),
        json!({"path": "a.b c.é"}),
        json!({"required": false}),
        json!({"default": null}),
        json!({"default": "x"}),
        json!({"default": [1, {}]}),
        json!({"mask": "erase"}),
        json!({"mask": "hash"}),
        json!({"mask": "keep_last(0)"}),
        json!({"mask": "keep_last(999)"}),
        json!({"mask": "keep_last(1019)"}),
        json!({"mask": "keep_last(1024)"}),
        json!({"pattern": "^x+$"}),
        json!({"one_of": ["a", 1, 2.5]}),
        json!({"type": "int32", "min": -1.5, "max": 3}),
        json!({"type": "uint64", "one_of": [1, 1, "2"]}),
    ]));
    good
}

pub(super) fn bad() -> Vec<Value> {
    let mut bad = variants(&[
        ("/name", json!(["", "a/b", ".a", 1, null])),
        ("/kind", json!(["cdc", "Stream", null])),
        ("/description", json!([1, null])),
        (
            "/source",
            json!([null, {}, "kinesis", {"format": "avro"}, {"type": "firehose", "format": "avro"},
            {"type": "kinesis", "format": "debezium_json"}, {"type": "kinesis", "format": "debezium_avro"}]),
        ),
        ("/source/type", json!(["sqs", "", null])),
        ("/source/format", json!(["xml", null])),
        ("/source/prefix", json!(["x/"])),
        ("/columns", json!([null, [], {}, [1], [{"name": "ts"}], [{"type": "date"}]])),
        ("/columns/0/name", json!(["", 1, null])),
        (
            "/columns/0/type",
            json!(["", "text", "list", "list<>", "list<string", "struct<>", "struct <a: date>", "decimal(39,0)", null]),
        ),
        (
            "/compact",
            json!([null, [], {"target_mb": 0}, {"target_mb": 1025}, {"after_hours": 0}, {"order_by": [1]},
            {"order_by": ["ts", "ts"]}, {"order_by": "ts"}, {"min_files": 1}, {"min_files": 1001}, {"min": 1}]),
        ),
        ("/unknown_fields", json!(["", "ignore", null])),
        (
            "/filter",
            json!([null, {}, "page", [1], [{}], [{"column": "page"}], [{"null": true}], [{"column": "", "null": true}],
            [{"column": 1, "null": true}], [{"column": "page", "not": true}], [{"column": "page", "not": true, "null": true}],
            [{"column": "page", "null": 1}], [{"column": "page", "one_of": ["x"], "not": null}], [{"column": "value", "min": null}],
            [{"column": "value", "below": [1]}], [{"column": "page", "one_of": []}], [{"column": "page", "one_of": "x"}],
            [{"column": "page", "one_of": [null]}], [{"column": "page", "pattern": ""}], [{"column": "page", "equals": "x"}]]),
        ),
        ("/event_time", json!(["", 1])),
        (
            "/partition_by",
            json!([null, [], {"time": null}, {"time": "week"}, {"columns": null}, {"columns": "page"}, {"columns": ["a=b"]},
            {"columns": ["a/b"]}, {"columns": [""]}, {"columns": ["page", "page"]}, {"columns": [1]}, {"by": "hour"}]),
        ),
        ("/compression", json!(["gzip", "zstd(0)", null])),
        ("/primary_key", json!([["event_id"]])),
        ("/target", json!([null, {}, "x/"])),
        (
            "/target/prefix",
            json!(["", "x".repeat(128) + "/", "x", "/x/", "x//", "../", "errors/x/", "_headgate/", null]),
        ),
        ("/target/snapshot", json!(["x.parquet"])),
    ]);
    let count = json!({"name": "n", "function": "count"});
    let keys = ["a", "b", "c", "d", "e", "f", "g", "h", "i"];
    bad.extend(windows(&[
        json!(null),
        json!({}),
        json!({"key": ["page"]}),
        json!({"measures": [count]}),
        json!({"key": "page", "measures": [count]}),
        json!({"key": [1], "measures": [count]}),
        json!({"key": ["page", "page"], "measures": [count]}),
        json!({"key": keys, "measures": [count]}),
        json!({"key": [], "measures": []}),
        json!({"key": [], "measures": [{"name": "s", "function": "sum"}]}),
        json!({"key": [], "measures": [{"name": "s", "function": "mean", "column": "value"}]}),
        json!({"key": [], "measures": [{"function": "count"}]}),
        json!({"key": [], "measures": [{"name": "", "function": "count"}]}),
        json!({"key": [], "measures": [count], "latest": null}),
        json!({"key": [], "measures": [count], "seconds": 60}),
    ]));
    for name in ["name", "kind", "source", "columns", "target", "source/type", "target/prefix"] {
        bad.push(without(clickstream(), &format!("/{name}")));
    }
    bad.extend(columns(&[
        json!({"path": ""}),
        json!({"path": "."}),
        json!({"path": "a..b"}),
        json!({"path": ".a"}),
        json!({"path": null}),
        json!({"required": null}),
        json!({"mask": ""}),
        json!({"mask": "keep_last"}),
        json!({"mask": "keep_last(01)"}),
        json!({"mask": "keep_last(1025)"}),
        json!({"mask": "keep_last(9999)"}),
        json!({"mask": null}),
        json!({"min": "0"}),
        json!({"max": null}),
        json!({"pattern": ""}),
        json!({"pattern": 1}),
        json!({"one_of": []}),
        json!({"one_of": [null]}),
        json!({"one_of": "a"}),
        json!({"nullable": true}),
    ]));
    bad
}

/// The watched example with each of these values at each of these places.
fn watched(cases: &[(&str, Value)]) -> Vec<Value> {
    let of = |(pointer, values): &(&str, Value)| {
        let values = values.as_array().unwrap();
        values.iter().map(|value| with(temperature(), pointer, value.clone())).collect::<Vec<_>>()
    };
    cases.iter().flat_map(of).collect()
}

pub(super) fn good_watches() -> Vec<Value> {
    let mut good = vec![temperature()];
    good.extend(watched(&[
        ("/source/type", json!(["kinesis", "firehose"])),
        ("/watch/device", json!([null, "topic"])),
        ("/watch/payload", json!([null, "data"])),
        ("/watch/late_seconds", json!([0, 31_622_400])),
        ("/watch/reorder", json!([1, 256])),
        ("/watch/alerts/0/topic", json!([null, "#", "a", "+", "/", "a/#", "+/b/+/#", "$aws/x"])),
        ("/watch/alerts/0/levels", json!([[{"severity": "a", "below": -1.5, "clear": 0}]])),
        ("/watch/alerts/1/deviation", json!([{}, {"alpha": 1, "warm_up": 2, "noise": 0}])),
    ]));
    for good in &mut good {
        good["columns"][4]["required"] = json!(true);
    }
    good.push(with(without(temperature(), "/watch"), "/source", json!({"type": "kafka", "format": "avro"})));
    good
}

pub(super) fn bad_watches() -> Vec<Value> {
    let mut bad = watched(&[
        ("/watch", json!([null, [], {}, {"alerts": []}, {"alerts": {}}, {"alerts": [1]}, {"alerts": [{}]}])),
        ("/source", json!([{"type": "kafka"}, {"type": "kinesis", "format": "dms_json"}])),
        ("/watch/device", json!(["", 1])),
        ("/watch/late_seconds", json!([-1, 1.5, "1", null, 31_622_401])),
        ("/watch/reorder", json!([0, 257, null])),
        ("/watch/alarms", json!([[]])),
        ("/watch/alerts/0/name", json!(["", "a\nb", null])),
        ("/watch/alerts/0/column", json!(["", 1])),
        ("/watch/alerts/0/topic", json!(["", "a+", "a/#/b", "#/a", "a#", "+a", 1])),
        (
            "/watch/alerts/0/levels",
            json!([null, [], [{"severity": "a"}], [{"severity": "a", "above": 1, "below": 1}],
            [{"severity": "", "above": 1}], [{"above": 1}], [{"severity": "a", "above": "1"}], [{"severity": "a", "above": null}],
            [{"severity": "a", "above": 1, "clear": null}], [{"severity": "a", "above": 1, "until": 2}]]),
        ),
        ("/watch/alerts/0/for_seconds", json!([-1, "5"])),
        (
            "/watch/alerts/1/deviation",
            json!([null, {"alpha": 0}, {"alpha": 1.5}, {"warm_up": 1}, {"noise": -1}, {"span": 1}]),
        ),
    ]);
    for name in ["alerts", "alerts/0/name", "alerts/0/column", "alerts/0/levels"] {
        bad.push(without(temperature(), &format!("/watch/{name}")));
    }
    bad
}
