//! Datums as the specification writes them, and made up ones → JSON.

use headgate::Code;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

const CAP: usize = 1 << 16;

fn decoded(schema: &Value, datum: &[u8]) -> Result<Value, Code> {
    let schema = Schema::parse(&schema.to_string(), &[]).unwrap();
    decode(&schema, datum, Style::Contract, CAP)
        .map(|text| serde_json::from_str(&text).unwrap())
        .map_err(|refusal| refusal.code)
}

#[allow(clippy::needless_pass_by_value, reason = "a table's cells are made where they stand")]
fn check(schema: Value, datum: &[u8], want: Value) {
    assert_eq!(decoded(&schema, datum), Ok(want), "{schema}");
    // Whatever is missing at its end, or follows it, is told.
    for end in 0..datum.len() {
        assert!(decoded(&schema, &datum[..end]).is_err(), "{schema}: {end} bytes");
    }
    assert_eq!(decoded(&schema, &[datum, &[0]].concat()), Err(Code::InvalidAvro), "{schema}");
}

#[test]
fn the_specifications_examples() {
    check(json!("string"), b"\x06foo", json!("foo"));
    for (bytes, value) in [
        (&[0][..], 0),
        (&[1], -1),
        (&[2], 1),
        (&[3], -2),
        (&[4], 2),
        (&[0x7f], -64),
        (&[0x80, 1], 64),
        (&[254, 255, 255, 255, 255, 255, 255, 255, 255, 1], i64::MAX),
        (&[255, 255, 255, 255, 255, 255, 255, 255, 255, 1], i64::MIN),
    ] {
        check(json!("long"), bytes, json!(value));
    }
    let fields = json!([{"name": "a", "type": "long"}, {"name": "b", "type": "string"}]);
    check(json!({"type": "record", "name": "test", "fields": fields}), b"\x36\x06foo", json!({"a": 27, "b": "foo"}));
    check(json!({"type": "array", "items": "long"}), &[4, 6, 54, 0], json!([3, 27]));
    check(json!({"type": "array", "items": "long"}), &[3, 4, 6, 54, 2, 2, 0], json!([3, 27, 1]));
    check(json!({"type": "map", "values": "boolean"}), &[2, 2, b'k', 1, 0], json!({"k": true}));
    check(json!(["null", "string"]), &[2, 2, 0x61], json!("a"));
    check(json!(["null", "string"]), &[0], json!(null));
    check(json!({"type": "enum", "name": "Foo", "symbols": ["A", "B"]}), &[2], json!("B"));
    check(json!("bytes"), &[4, 0, 255], json!("AP8="));
    check(json!({"type": "fixed", "name": "f", "size": 2}), &[0, 255], json!("AP8="));
    check(json!("float"), &1.1_f32.to_le_bytes(), json!(1.1));
    check(json!("double"), &1e300_f64.to_le_bytes(), json!(1e300));
    check(json!("boolean"), &[0], json!(false));
}

#[test]
fn logical_types() {
    let logical = |r#type: &str, name: &str| json!({"type": r#type, "logicalType": name});
    check(logical("int", "date"), &[4], json!("1970-01-03"));
    check(logical("int", "date"), &[1], json!("1969-12-31"));
    check(logical("int", "time-millis"), &[0xd0, 0x0f], json!("00:00:01.000"));
    check(logical("long", "time-micros"), &[2], json!("00:00:00.000001"));
    check(logical("long", "timestamp-millis"), &[1], json!("1969-12-31T23:59:59.999Z"));
    check(logical("long", "timestamp-micros"), &[2], json!("1970-01-01T00:00:00.000001Z"));
    check(logical("long", "timestamp-nanos"), &[2], json!("1970-01-01T00:00:00.000000001Z"));
    check(logical("long", "local-timestamp-millis"), &[2], json!("1970-01-01T00:00:00.001"));
    check(logical("string", "uuid"), b"\x02a", json!("a"));
    let fixed = |size: u64, name: &str| json!({"type": "fixed", "name": "f", "size": size, "logicalType": name});
    check(fixed(16, "uuid"), &[0x12; 16], json!("12121212-1212-1212-1212-121212121212"));
    let duration = json!({"months": 1, "days": 256, "milliseconds": 0});
    check(fixed(12, "duration"), &[1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0], duration);
    // Unknown, or of another type: left out of account.
    check(logical("int", "timestamp-millis"), &[4], json!(2));
    check(logical("long", "fortnight"), &[4], json!(2));
    let connect =
        |r#type: &str, name: &str| json!({"type": r#type, "connect.name": format!("io.debezium.time.{name}")});
    check(connect("int", "Date"), &[4], json!("1970-01-03"));
    check(connect("long", "MicroTimestamp"), &[2], json!("1970-01-01T00:00:00.000001"));
    check(connect("string", "ZonedTimestamp"), b"\x02a", json!("a"));

    for (r#type, name) in [("int", "date"), ("int", "time-millis")] {
        assert_eq!(decoded(&logical(r#type, name), &[254, 255, 255, 255, 15]), Err(Code::InvalidValue));
    }
    let longest = [254, 255, 255, 255, 255, 255, 255, 255, 255, 1];
    assert_eq!(decoded(&logical("long", "timestamp-micros"), &longest), Err(Code::InvalidValue));
}

#[test]
fn a_change_event_is_told_as_kafka_connect_tells_it() {
    let debezium = |r#type: &str, name: &str| json!({"type": r#type, "connect.name": format!("io.debezium.{name}")});
    let decimal = json!({"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2});
    let uuid = json!({"type": "fixed", "name": "u", "size": 16, "logicalType": "uuid"});
    let columns = [
        ("id", json!("long"), long(7), json!(7), r#"{"type":"int64"}"#),
        (
            "amount",
            json!(["null", decimal]),
            [long(1), bytes(&[0xfb])].concat(),
            json!("+w=="),
            r#"{"type":"bytes","name":"org.apache.kafka.connect.data.Decimal","parameters":{"connect.decimal.precision":"9","scale":"2"}}"#,
        ),
        ("day", debezium("int", "time.Date"), long(2), json!(2), r#"{"type":"int32","name":"io.debezium.time.Date"}"#),
        (
            "at",
            json!({"type": "long", "logicalType": "timestamp-micros"}),
            long(2),
            json!(2),
            r#"{"type":"int64","name":"io.debezium.time.MicroTimestamp"}"#,
        ),
        (
            "t",
            json!({"type": "int", "logicalType": "time-millis"}),
            long(2),
            json!(2),
            r#"{"type":"int32","name":"io.debezium.time.Time"}"#,
        ),
        (
            "zoned",
            debezium("string", "time.ZonedTimestamp"),
            bytes(b"a"),
            json!("a"),
            r#"{"type":"string","name":"io.debezium.time.ZonedTimestamp"}"#,
        ),
        ("uuid", uuid, vec![0x12; 16], json!("12121212-1212-1212-1212-121212121212"), r#"{"type":"string"}"#),
        ("blob", json!("bytes"), bytes(&[0, 255]), json!("AP8="), r#"{"type":"bytes"}"#),
        ("many", json!({"type": "array", "items": "int"}), long(0), json!([]), r#"{"type":"array"}"#),
        ("either", json!(["null", "int", "string"]), [long(1), long(3)].concat(), json!(3), r#"{"type":"string"}"#),
    ];
    let fields: Vec<_> = columns.iter().map(|(name, r#type, ..)| json!({"name": name, "type": r#type})).collect();
    let row = json!({"type": "record", "name": "Value", "fields": fields});
    let envelope = json!({"type": "record", "name": "Envelope", "fields": [
        {"name": "before", "type": ["null", row]}, {"name": "after", "type": ["null", "Value"]}]});
    let schema = Schema::parse(&envelope.to_string(), &[]).unwrap();

    let data: Vec<u8> = columns.iter().flat_map(|(_, _, datum, ..)| datum.clone()).collect();
    let text = decode(&schema, &[long(0), long(1), data].concat(), Style::Connect, CAP).unwrap();
    let after: serde_json::Map<_, _> =
        columns.iter().map(|(name, _, _, value, _)| ((*name).to_owned(), value.clone())).collect();
    assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), json!({"before": null, "after": after}));

    let fields = columns.iter().map(|(name, .., told)| {
        let mut told: Value = serde_json::from_str(told).unwrap();
        told["field"] = (*name).into();
        told
    });
    let told: Value = serde_json::from_str(&schema.connect().unwrap()).unwrap();
    let row = json!({"field": "after", "type": "struct", "fields": fields.collect::<Vec<_>>()});
    assert_eq!(told, json!({"type": "struct", "fields": [row]}));
    assert_eq!(Schema::parse(r#"{"type": "record", "name": "r", "fields": []}"#, &[]).unwrap().connect(), None);
}

#[test]
fn decimals_are_exact() {
    let decimal = |scale: u64| json!({"type": "bytes", "logicalType": "decimal", "precision": 38, "scale": scale});
    check(decimal(2), &[4, 0x04, 0xd2], json!("12.34"));
    check(decimal(2), &[2, 0xfb], json!("-0.05"));
    check(decimal(0), &[0], json!("0"));
    check(decimal(3), &[2, 0], json!("0.000"));
    let most = 10_i128.pow(38) - 1;
    let bytes = |value: i128| [&[32], value.to_be_bytes().as_slice()].concat();
    check(decimal(0), &bytes(most), json!(most.to_string()));
    check(decimal(38), &bytes(-most), json!(format!("-0.{}", most)));
    check(decimal(0), &[&[40, 255, 255, 255, 255], &bytes(-7)[1..]].concat(), json!("-7"));
    for wide in [[1; 17], [0x7f; 17]] {
        assert_eq!(decoded(&decimal(0), &[&[34], wide.as_slice()].concat()), Err(Code::InvalidValue));
    }
    let plain = json!({"type": "bytes", "logicalType": "decimal", "precision": 2, "scale": 3});
    check(plain, &[2, 0xfb], json!("+w=="));
}

#[test]
fn names_are_resolved() {
    let point = r#"{"type": "record", "name": "Point", "namespace": "geo", "fields": [{"name": "x", "type": "int"}]}"#;
    let list = json!({"type": "record", "name": "app.Line", "fields": [
        {"name": "from", "type": "geo.Point"},
        {"name": "next", "type": ["null", "Line"]},
        {"name": "kind", "type": {"type": "enum", "name": "Kind", "symbols": ["A"]}},
        {"name": "more", "type": {"type": "app.Kind"}},
    ]});
    let schema = Schema::parse(&list.to_string(), &[point.to_owned()]).unwrap();
    let text = decode(&schema, &[2, 2, 4, 0, 0, 0, 0, 0], Style::Contract, CAP).unwrap();
    let inner = json!({"from": {"x": 2}, "next": null, "kind": "A", "more": "A"});
    let outer = json!({"from": {"x": 1}, "next": inner, "kind": "A", "more": "A"});
    assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), outer);
    for (wrong, told) in [
        ("{", "not JSON"),
        ("1", "a type is"),
        (r#""Point""#, "`Point` is not declared"),
        (r#"{"type": "fixed", "name": "f"}"#, "`fixed` without `size`"),
        (r#"{"type": "array"}"#, "`array` without `items`"),
        (
            r#"{"type": "record", "name": "r", "fields": [{"name": "a", "type": "int"}, {"name": "a", "type": "int"}]}"#,
            "field `a` occurs twice",
        ),
    ] {
        let error = Schema::parse(wrong, &[]).unwrap_err();
        assert!(error.starts_with(told), "{wrong}: {error}");
    }
}

#[test]
fn it_ends_on_bombs() {
    // 2^62 nulls; a record that only holds itself.
    let many = [254, 255, 255, 255, 255, 255, 255, 255, 255, 0];
    assert_eq!(decoded(&json!({"type": "array", "items": "null"}), &many), Err(Code::TooLarge));
    let looped =
        json!({"type": "record", "name": "r", "fields": [{"name": "a", "type": "r"}, {"name": "b", "type": "r"}]});
    assert_eq!(decoded(&looped, &[]), Err(Code::InvalidAvro));
    assert_eq!(decoded(&json!("bytes"), &many), Err(Code::InvalidAvro));
    for number in [f64::NAN, f64::INFINITY] {
        assert_eq!(decoded(&json!("double"), &number.to_le_bytes()), Err(Code::InvalidValue));
    }
}

/// A schema, a datum of it, and the JSON it means; names are unique by `seed`.
fn datum() -> impl Strategy<Value = (Value, Vec<u8>, Value)> {
    let leaf = prop_oneof![
        Just((json!("null"), vec![], json!(null))),
        any::<bool>().prop_map(|value| (json!("boolean"), vec![u8::from(value)], json!(value))),
        any::<i32>().prop_map(|value| (json!("int"), long(value.into()), json!(value))),
        any::<i64>().prop_map(|value| (json!("long"), long(value), json!(value))),
        any::<f64>()
            .prop_filter("finite", |value| value.is_finite())
            // Read as the other side is: `serde_json` is not exact in the last digit.
            .prop_map(|value| (json!("double"), value.to_le_bytes().to_vec(), format!("{value:?}").parse().unwrap())),
        any::<String>().prop_map(|value| (json!("string"), bytes(value.as_bytes()), json!(value))),
    ];
    leaf.prop_recursive(4, 32, 4, |inner| {
        prop_oneof![
            (inner.clone(), any::<bool>()).prop_map(|((schema, datum, value), first)| {
                let other = json!({"type": "array", "items": "bytes"});
                if schema.is_array() {
                    return (schema, datum, value);
                }
                let branches = if first { json!([schema, other]) } else { json!([other, schema]) };
                (branches, [long(i64::from(!first)), datum].concat(), value)
            }),
            (inner.clone(), 0..4_usize, any::<bool>()).prop_map(|((schema, datum, value), count, sized)| {
                let items = datum.repeat(count);
                let length = i64::try_from(items.len()).unwrap();
                let signed = i64::try_from(count).unwrap();
                let head = if sized { [long(-signed), long(length)].concat() } else { long(signed) };
                let blocks = if count == 0 { vec![0] } else { [head, items, vec![0]].concat() };
                (json!({"type": "array", "items": schema}), blocks, json!(vec![value; count]))
            }),
            (inner.clone(), any::<String>()).prop_map(|((schema, datum, value), key)| {
                let blocks = [long(1), bytes(key.as_bytes()), datum, vec![0]].concat();
                (json!({"type": "map", "values": schema}), blocks, json!({key: value}))
            }),
            (proptest::collection::vec(inner, 0..4), any::<u64>()).prop_map(|(fields, seed)| {
                let name = |at: usize| format!("f{at}");
                let types =
                    fields.iter().enumerate().map(|(at, (schema, ..))| json!({"name": name(at), "type": schema}));
                let schema = json!({"type": "record", "name": format!("r{seed}"), "fields": types.collect::<Vec<_>>()});
                let data = fields.iter().flat_map(|(_, datum, _)| datum.clone()).collect();
                let values = fields.iter().enumerate().map(|(at, (.., value))| (name(at), value.clone()));
                (schema, data, Value::Object(values.collect()))
            }),
        ]
    })
}

fn long(value: i64) -> Vec<u8> {
    let mut rest = ((value << 1) ^ (value >> 63)).cast_unsigned();
    let mut out = Vec::new();
    while rest >= 0x80 {
        out.push((rest & 0x7f) as u8 | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
    out
}

fn bytes(value: &[u8]) -> Vec<u8> {
    [long(i64::try_from(value.len()).unwrap()), value.to_vec()].concat()
}

proptest! {
    #[test]
    fn what_is_encoded_is_decoded((schema, datum, value) in datum()) {
        prop_assert_eq!(decoded(&schema, &datum), Ok(value));
    }

    #[test]
    fn any_bytes_end((schema, ..) in datum(), datum: Vec<u8>) {
        let _ = decoded(&schema, &datum);
    }
}
