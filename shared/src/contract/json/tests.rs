//! Records by contracts → the lines they become.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::{
    contract::{MaskKey, Reader},
    dataset::Stream,
};

fn contract(columns: &serde_json::Value, unknown: &str, partition: &[&str]) -> Contract {
    let mut text = json!({
        "name": "clicks", "kind": "stream", "source": {"type": "firehose"}, "columns": columns,
        "unknown_fields": unknown, "target": {"prefix": "raw/clicks/"},
    });
    if !partition.is_empty() {
        text["partition_by"] = json!({"columns": partition});
    }
    let stream = Stream::parse("clicks", &text.to_string()).unwrap();
    Contract::new(&stream, Some(MaskKey::new(b"a key of sixteen bytes").unwrap())).unwrap()
}

/// What these columns make of these records, one after the other; `None` is a refused one.
fn check(columns: &serde_json::Value, records: &[&str], expected: &[Option<&str>]) {
    let contract = contract(columns, "keep", &[]);
    let (mut reader, mut lines) = (Reader::new(&contract), Lines::new(&contract));
    let mut whole = String::new();
    for (record, expected) in records.iter().zip(expected) {
        let read = reader.read(record, 0, &mut lines);
        assert_eq!(read.is_ok(), expected.is_some(), "{record}: {read:?}");
        whole.extend(expected.iter().flat_map(|line| [*line, "\n"]));
        assert_eq!(std::str::from_utf8(lines.bytes()).unwrap(), whole, "{record}");
    }
    assert_eq!(records.len(), expected.len());
    assert!(!lines.misfit());
}

fn one(r#type: &str, value: &str, expected: &str) {
    let columns = json!([{"name": "v", "type": r#type}, {"name": "other", "type": "string"}]);
    check(&columns, &[&format!("{{\"v\":{value}}}")], &[Some(&format!("{{\"v\":{expected}}}"))]);
}

#[test]
fn scalars_are_spelled_as_deserializers_read_them() {
    one("int32", "\"7\"", "7");
    one("int64", "-9223372036854775808", "-9223372036854775808");
    one("uint64", "18446744073709551615", "\"18446744073709551615\"");
    one("float32", "0.1", "0.1");
    one("float64", "\"1e300\"", "1e+300");
    one("float64", "7", "7.0");
    one("decimal(10,2)", "-0.05", "\"-0.05\"");
    one("decimal(10,2)", "12", "\"12.00\"");
    one("decimal(38,0)", "99999999999999999999999999999999999999", "\"99999999999999999999999999999999999999\"");
    one("boolean", "\"T\"", "true");
    one("date", "\"2026-11-25T23:59:59Z\"", "\"2026-11-25\"");
    one("date", "-719162", "\"0001-01-01\"");
    one("timestamp(ms)", "\"2026-11-25T09:30:47.5+09:00\"", "\"2026-11-25 00:30:47.500\"");
    one("timestamp(us)", "-0.000001", "\"1969-12-31 23:59:59.999999\"");
    one("time", "\"23:59:59.000001\"", "\"23:59:59.000001\"");
    one("json", "{ \"a\": \"b\\n\" }", r#""{ \"a\": \"b\\n\" }""#);
    one("string", r#""a\u000ab\"\\\u0001\u00fc\ud83d\ude00/""#, r#""a\nb\"\\\u0001ü😀/""#);
    one("string", "1.50", "\"1.50\"");
}

#[test]
fn a_text_of_many_lines_takes_no_time() {
    let lines = "0123456789abcdef\\n".repeat(200_000);
    let started = std::time::Instant::now();
    one("string", &format!("\"{lines}\""), &format!("\"{lines}\""));
    // Unoptimised, on a busy machine: only something quadratic takes longer.
    assert!(started.elapsed() < std::time::Duration::from_mins(1));
}

#[test]
fn nested_values_keep_their_shape() {
    let columns = json!([
        {"name": "tags", "type": "list<string>"},
        {"name": "lines", "type": "list<struct<sku:string, price:decimal(6,2), at:timestamp(ms)>>"},
        {"name": "who", "type": "struct<name:string, born:date, nicks:list<string>>"},
    ]);
    check(
        &columns,
        &[
            r#"{"tags":["a",null,"b"],"lines":[{"price":1.5,"sku":"x"},null,{}],"who":{"born":"2000-02-29"}}"#,
            r#"{"tags":[],"lines":[],"who":{}}"#,
            r#"{"tags":null,"who":{"nicks":[],"name":null}}"#,
            r#"{"tags":["a"],"who":{"born":"yesterday"}}"#,
            "{}",
        ],
        &[
            Some(r#"{"tags":["a",null,"b"],"lines":[{"price":"1.50","sku":"x"},null,{}],"who":{"born":"2000-02-29"}}"#),
            Some(r#"{"tags":[],"lines":[],"who":{}}"#),
            Some(r#"{"who":{"nicks":[]}}"#),
            None,
            Some("{}"),
        ],
    );
}

#[test]
fn names_are_the_tables_and_what_is_left_over_is_text() {
    let columns = json!([
        {"name": "customer id", "type": "int64", "path": "customer.id", "required": true},
        {"name": "page", "type": "string", "default": "/"},
        {"name": "card", "type": "string", "mask": "keep_last(2)"},
        {"name": "secret", "type": "string", "mask": "erase"},
    ]);
    check(
        &columns,
        &[
            r#"{"card":"1234","secret":"x","customer":{"id":7,"tier":"gold"},"utm":["a","b"]}"#,
            r#"{"page":"/a","customer":{"id":null}}"#,
            r#"{"page":"/b","customer":{"id":8}}"#,
            r#"{"customer":{"id":9},"page":"/c"} trailing"#,
        ],
        &[
            Some(
                r#"{"card":"**34","customer id":7,"page":"/","_extra":"{\"customer\":{\"tier\":\"gold\"},\"utm\":[\"a\",\"b\"]}"}"#,
            ),
            None,
            Some(r#"{"page":"/b","customer id":8}"#),
            Some(r#"{"customer id":9,"page":"/c"}"#),
        ],
    );
}

#[test]
fn partition_columns_are_in_the_path() {
    let columns = json!([{"name": "id", "type": "int64"}, {"name": "country", "type": "string"}]);
    let contract = contract(&columns, "drop", &["country"]);
    let (mut reader, mut lines) = (Reader::new(&contract), Lines::new(&contract));
    for record in [r#"{"country":"KR","id":1,"more":2}"#, r#"{"id":2,"country":"KR"}"#, r#"{"country":"KR"}"#] {
        reader.read(record, 0, &mut lines).unwrap();
        assert_eq!(reader.partition(), [Some("KR".to_owned())]);
    }
    assert_eq!(std::str::from_utf8(lines.bytes()).unwrap(), "{\"id\":1}\n{\"id\":2}\n{}\n");
    lines.cut(0);
    assert_eq!(lines.bytes(), b"");
}

#[test]
fn a_moment_that_no_text_can_say_is_noticed() {
    for (r#type, value) in [
        ("timestamp(ms)", "-62135596801"),
        ("timestamp(us)", "\"0000-12-31\""),
        ("date", "-719163"),
        ("date", "2932897"),
    ] {
        let contract = contract(&json!([{"name": "at", "type": r#type}]), "keep", &[]);
        let (mut reader, mut lines) = (Reader::new(&contract), Lines::new(&contract));
        reader.read(&format!("{{\"at\":{value}}}"), 0, &mut lines).unwrap();
        assert!(lines.misfit(), "{type} {value}");
        lines.cut(0);
        assert!(!lines.misfit());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_line_reads_back_as_what_was_written(
        text: String,
        integer: i64,
        float in prop::num::f64::NORMAL,
        single in prop::num::f32::NORMAL,
        items in prop::collection::vec(prop::option::of(any::<String>()), 0..4),
        micros in -62_135_596_800_000_000_i64..=253_402_300_799_999_999,
        cents in -10_i64.pow(17)..10_i64.pow(17),
    ) {
        let columns = json!([
            {"name": "text", "type": "string"}, {"name": "integer", "type": "int64"},
            {"name": "float", "type": "float64"}, {"name": "single", "type": "float32"},
            {"name": "items", "type": "list<string>"}, {"name": "at", "type": "timestamp(us)"},
            {"name": "cents", "type": "decimal(18,2)"},
        ]);
        let contract = contract(&columns, "reject", &[]);
        let (mut reader, mut lines) = (Reader::new(&contract), Lines::new(&contract));
        let (sign, cents) = (if cents < 0 { "-" } else { "" }, cents.unsigned_abs());
        let cents = format!("{sign}{}.{:02}", cents / 100, cents % 100);
        let at = time::OffsetDateTime::from_unix_timestamp_nanos(i128::from(micros) * 1_000).unwrap();
        let at = at.format(&time::format_description::well_known::Rfc3339).unwrap();
        let record = json!({"text": text, "integer": integer, "float": float, "single": single, "items": items,
            "at": at, "cents": cents});
        reader.read(&record.to_string(), 0, &mut lines).unwrap();
        let line = std::str::from_utf8(lines.bytes()).unwrap().to_owned();
        prop_assert_eq!(line.matches('\n').count(), 1);
        let read: serde_json::Value = serde_json::from_str(&line).unwrap();
        for name in ["text", "integer", "float", "items", "cents"] {
            prop_assert_eq!(&read[name], &record[name]);
        }
        prop_assert_eq!((read["single"].as_f64().unwrap() as f32).to_bits(), single.to_bits());
        // The line's own contract reads it again, to the same line.
        lines.cut(0);
        reader.read(&line, 0, &mut lines).unwrap();
        prop_assert_eq!(std::str::from_utf8(lines.bytes()).unwrap(), line);
    }
}
