//! Filters: which rows are wanted, and which operands are values.

use super::*;
use crate::fate::Dropped;

/// Of these values of a column `x`, the filter wants the ones and not the others.
fn check_filter(column: &Json, conditions: &[Json], wanted: &[&str], unwanted: &[&str]) {
    let conditions: Vec<Json> = conditions.iter().map(|condition| about("x", condition)).collect();
    let contract = contract(&json!({"x": column}), &json!({"filter": conditions}));
    let dropped = |value: &&&str| {
        let told = read(&contract, &format!("{{\"x\":{value}}}"));
        assert!(told == "filtered" || told.starts_with("x="), "{told}");
        told == "filtered"
    };
    let both: Vec<_> = wanted.iter().chain(unwanted).filter(dropped).collect();
    assert_eq!(both, unwanted.iter().collect::<Vec<_>>(), "{conditions:?} of {column}");
}

fn about(column: &str, condition: &Json) -> Json {
    let mut condition = condition.clone();
    condition["column"] = json!(column);
    condition
}

/// The contract cannot be made; what follows `$.filter[1].`.
fn check_operand(r#type: &str, condition: &Json, want: &str) {
    let conditions = [json!({"column": "x", "null": false}), about("x", condition)];
    let error = Contract::new(&stream(&json!({"x": r#type}), &json!({"filter": conditions})), None).unwrap_err();
    assert_eq!(error.message, format!("events: $.filter[1].{want}"));
}

#[test]
fn bounds_hold_in_every_type_with_an_order() {
    for (r#type, operand, less, equal, more) in [
        ("int32", json!(10_000), "9999", "\"10000\"", "10001"),
        ("int64", json!(i64::MAX - 1), "9223372036854775805", "9223372036854775806", "9223372036854775807"),
        (
            "uint64",
            json!("18446744073709551614"),
            "18446744073709551613",
            "18446744073709551614",
            "18446744073709551615",
        ),
        ("float32", json!(0.1), "0.09", "0.1", "0.11"),
        ("float64", json!(-1e3), "-1000.5", "-1000", "0"),
        (
            "decimal(20,2)",
            json!("100000000000000000.01"),
            "1e17",
            "\"100000000000000000.010\"",
            "100000000000000000.02",
        ),
        ("date", json!("2026-01-02"), "\"2026-01-01T23:59:59Z\"", "\"2026-01-02\"", "20456"),
        ("timestamp(ms)", json!("2026-01-02T00:00:00Z"), "1767311999.999", "1767312000", "\"2026-01-02 00:00:00.001\""),
        ("timestamp(us)", json!(1_767_312_000), "\"2026-01-01T23:59:59.999999Z\"", "1767312000", "1767312000000001"),
        ("time", json!("12:00:00"), "\"11:59:59\"", "\"12:00:00\"", "\"12:00:00.000001\""),
    ] {
        let column = json!(r#type);
        for (name, wanted, unwanted) in [
            ("min", vec![equal, more], vec![less]),
            ("max", vec![less, equal], vec![more]),
            ("above", vec![more], vec![less, equal]),
            ("below", vec![less], vec![equal, more]),
        ] {
            check_filter(&column, &[json!({name: operand})], &wanted, &[&unwanted[..], &["null"]].concat());
            let turned = json!({name: operand, "not": true});
            check_filter(&column, &[turned], &unwanted, &[&wanted[..], &["null"]].concat());
        }
        check_filter(&column, &[json!({"min": operand, "max": operand})], &[equal], &[less, more, "null"]);
        check_filter(&column, &[json!({"min": operand, "max": operand, "not": true})], &[less, more], &[equal, "null"]);
        check_filter(&column, &[json!({"one_of": [operand]})], &[equal], &[less, more, "null"]);
        check_filter(&column, &[json!({"one_of": [operand], "not": true})], &[less, more], &[equal, "null"]);
    }
}

#[test]
fn texts_booleans_and_bytes_are_one_of_some() {
    for (r#type, some, wanted, unwanted) in [
        (
            "string",
            json!(["DE", "", 1, true]),
            ["\"D\\u0045\"", "\"\"", "1", "true"],
            ["\"de\"", "\"FR\"", "1.0", "\"DEU\""],
        ),
        ("boolean", json!([false]), ["false", "0", "\"N\"", "\"f\""], ["true", "1", "\"Y\"", "\"t\""]),
        (
            "binary",
            json!(["AAE=", ""]),
            ["\"AAE=\"", "\"\"", "\"\"", "\"\""],
            ["\"AA==\"", "\"AAEA\"", "\"AQA=\"", "\"AQ==\""],
        ),
        ("int32", json!([1, "2", 1e2, 1.0]), ["1", "2.0", "100", "\"1\""], ["0", "3", "10", "-1"]),
    ] {
        check_filter(&json!(r#type), &[json!({"one_of": some})], &wanted, &[&unwanted[..], &["null"]].concat());
        let turned = json!({"one_of": some, "not": true});
        check_filter(&json!(r#type), &[turned], &unwanted, &[&wanted[..], &["null"]].concat());
    }
    let pattern = json!({"pattern": "^/p/[0-9]+$"});
    check_filter(&json!("string"), &[pattern], &["\"/p/1\""], &["\"/p/\"", "\"x/p/1\"", "7", "null"]);
    let turned = json!({"pattern": "bot", "not": true});
    check_filter(&json!("string"), &[turned], &["\"Mozilla\"", "\"\""], &["\"a bot\"", "null"]);
}

#[test]
fn all_that_is_said_must_hold() {
    let both = json!({"min": 1, "below": 5});
    check_filter(&json!("int32"), std::slice::from_ref(&both), &["1", "4"], &["0", "5", "null"]);
    check_filter(&json!("int32"), &[both, json!({"one_of": [3], "not": true})], &["1", "4"], &["0", "3", "5"]);
    check_filter(&json!("string"), &[json!({"one_of": ["ab", "b"], "pattern": "a"})], &["\"ab\""], &["\"a\"", "\"b\""]);
    let columns = json!({"a": "int32", "b": {"type": "string", "path": "o.b"}, "c": "int32"});
    let more = json!({"filter": [{"column": "b", "one_of": ["x"]}, {"column": "a", "min": 1}]});
    check_more(&columns, &more, r#"{"a":1,"c":9,"o":{"b":"x"}}"#, r#"a=1 b="x" c=9"#);
    for other in [r#"{"a":1,"o":{"b":"y"}}"#, r#"{"a":0,"o":{"b":"x"}}"#, r#"{"a":1}"#, r#"{"o":{"b":"x"}}"#, "{}"] {
        check_more(&columns, &more, other, "filtered");
    }
    check_more(&columns, &json!({"filter": []}), "{}", "a=null b=null c=null");
}

#[test]
fn null_is_wanted_where_it_is_said() {
    for r#type in ["int32", "string", "boolean", "timestamp(ms)", "binary", "decimal(5,2)"] {
        let values: &[&str] = if r#type == "binary" { &["\"\""] } else { &["0"] };
        let values = if r#type == "boolean" { &["false"] } else { values };
        check_filter(&json!(r#type), &[json!({"null": true})], &["null"], values);
        check_filter(&json!(r#type), &[json!({"null": false})], values, &["null"]);
    }
    check_filter(&json!("int32"), &[json!({"min": 5, "null": true})], &["5", "null"], &["4"]);
    check_filter(&json!("int32"), &[json!({"min": 5, "not": true, "null": true})], &["4", "null"], &["5"]);
    check_filter(&json!("int32"), &[json!({"min": 5, "null": true}), json!({"null": false})], &["5"], &["4", "null"]);
    check_filter(&json!("int32"), &[json!({"min": 5, "null": true}), json!({"null": true})], &["null"], &["4", "5"]);
    // What stands for null is no null.
    check_filter(&json!({"type": "int32", "default": 5}), &[json!({"min": 5})], &["5", "null"], &["4"]);
    check_filter(&json!({"type": "int32", "default": 4}), &[json!({"min": 5, "null": true})], &["5"], &["4", "null"]);
}

#[test]
fn a_value_is_seen_before_its_mask() {
    for mask in ["erase", "hash", "keep_last(1)"] {
        let column = json!({"type": "string", "mask": mask});
        check_filter(&column, &[json!({"one_of": ["abc"]})], &["\"abc\""], &["\"xbc\"", "\"**c\"", "null"]);
        check_filter(&column, &[json!({"null": true})], &["null"], &["\"abc\""]);
        check_filter(&column, &[json!({"null": false})], &["\"abc\""], &["null"]);
    }
    check_filter(&json!({"type": "int32", "mask": "erase"}), &[json!({"min": 5})], &["5"], &["4", "null"]);
}

#[test]
fn what_breaks_the_contract_is_refused_wanted_or_not() {
    let columns = json!({"a": {"type": "int32", "max": 9}, "b": {"type": "int32", "required": true}});
    let more = json!({"filter": [{"column": "a", "min": 5}], "unknown_fields": "reject"});
    check_more(&columns, &more, r#"{"a":5,"b":0}"#, "a=5 b=0");
    check_more(&columns, &more, r#"{"a":4,"b":0}"#, "filtered");
    check_more(&columns, &more, r#"{"a":10,"b":0}"#, "check_failed $.a: above the most, 9");
    check_more(&columns, &more, r#"{"a":4}"#, "missing_field $.b: the column is required");
    check_more(&columns, &more, r#"{"a":4,"b":"x"}"#, "invalid_value $.b: not a value of type int32");
    check_more(&columns, &more, r#"{"a":4,"b":0,"c":1}"#, "unknown_field $.c: no column takes this field");
    check_more(&columns, &more, r#"{"a":4,"b":0"#, "invalid_json $: neither `,` nor an end at byte 12");
    let dms = json!({"filter": [{"column": "a", "min": 5}], "source": {"type": "kinesis", "format": "dms_json"}});
    check_more(&columns, &dms, r#"{"data":{"a":4,"b":0},"metadata":{"record-type":"data"}}"#, "filtered");
    check_more(&columns, &dms, r#"{"data":{"a":4,"b":0},"metadata":{"record-type":"control"}}"#, "control");
}

#[test]
fn an_unwanted_row_leaves_nothing_behind() {
    let columns = json!({"a": "int32", "d": {"type": "date", "required": true}, "p": "string"});
    let more = json!({"filter": [{"column": "a", "min": 5}], "event_time": "d", "partition_by": {"columns": ["p"]}});
    let contract = contract(&columns, &more);
    let (mut reader, mut sink) = (Reader::new(&contract), Recorder::new(&contract));
    let text = r#"{"a":5,"d":1,"p":"x"} {"d":2,"p":"y","z":1} {"a":6,"d":3}"#;
    let mut next = |at| {
        let row = reader.read(text, at, &mut sink).unwrap();
        let told = (row.dropped, reader.event_time(), reader.partition()[0].clone(), reader.unknown_fields());
        (told, row.end, sink.rows.pop())
    };
    let (first, end, row) = next(0);
    assert_eq!(
        (first, row.unwrap()),
        ((None, Some(86_400_000), Some("x".to_owned()), 0), r#"a=5 d=1 p="x""#.to_owned())
    );
    let (second, end, row) = next(end);
    assert_eq!((second, row), ((Some(Dropped::Filtered), None, None, 0), None));
    let (third, _, row) = next(end);
    assert_eq!((third, row.unwrap()), ((None, Some(259_200_000), None, 0), "a=6 d=3 p=null".to_owned()));
}

#[test]
fn an_operand_must_be_a_value_of_its_column() {
    for (r#type, condition, place) in [
        ("int32", json!({"min": 0.5}), "min"),
        ("int32", json!({"min": 1, "max": "x"}), "max"),
        ("int64", json!({"above": true}), "above"),
        ("uint64", json!({"below": -1}), "below"),
        ("float64", json!({"min": "1e999"}), "min"),
        ("decimal(5,2)", json!({"min": 0.001}), "min"),
        ("date", json!({"max": "2026-02-30"}), "max"),
        ("timestamp(ms)", json!({"min": "yesterday"}), "min"),
        ("time", json!({"min": 12}), "min"),
        ("boolean", json!({"one_of": [true, "maybe"]}), "one_of[1]"),
        ("binary", json!({"one_of": ["%"]}), "one_of[0]"),
    ] {
        check_operand(r#type, &condition, &format!("{place}: not a value of type {type}"));
    }
}

#[test]
fn bounds_leave_values_between_them() {
    check_operand("int32", &json!({"min": 3, "max": 2}), "min: no value is left with `max`");
    check_operand("int32", &json!({"min": 2, "below": 2}), "min: no value is left with `below`");
    check_operand("date", &json!({"above": "2026-01-02", "max": "2026-01-02"}), "above: no value is left with `max`");
    check_operand(
        "float64",
        &json!({"above": 0.5, "below": 0.25, "not": true}),
        "above: no value is left with `below`",
    );
}
