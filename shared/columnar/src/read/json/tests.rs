//! What a file of JSON lines says → what is read.

use std::fmt::Write;

use proptest::prelude::*;

use super::*;
use crate::read::{
    input::tests::{dribble, gzip},
    tests::{dataset, dump},
};

fn read(dataset: &Dataset, kind: FileKind, file: &[u8], step: usize) -> Result<(Vec<String>, JsonRows), Refusal> {
    let mut rows = JsonRows::open(kind, dataset, &dribble(file, step))?;
    let lines = dump(&mut rows)?;
    Ok((lines, rows))
}

fn check(dataset: &Dataset, text: &str, want: &[&str]) -> JsonRows {
    assert_eq!(read(dataset, FileKind::Cdc, &gzip(text.as_bytes()), 1).unwrap().0, want, "packed {text}");
    let (lines, rows) = read(dataset, FileKind::Cdc, text.as_bytes(), 7).unwrap();
    assert_eq!(lines, want, "{text}");
    rows
}

fn refuse_file(dataset: &Dataset, text: &str, want: (Code, Option<&str>, &str)) {
    let refusal = read(dataset, FileKind::Cdc, text.as_bytes(), 9).unwrap_err();
    assert_eq!((refusal.code, refusal.column.as_deref(), refusal.reason.as_str()), want, "{text}");
}

fn undeclared(key: &str) -> Dataset {
    Dataset { columns: None, primary_key: vec![key.to_owned()], ..dataset("id int64") }
}

/// An insert of these fields.
fn insert(fields: &str) -> String {
    format!("{{\"Op\":\"I\",\"after\":{{{fields}}}}}\n")
}

/// An insert in Kafka Connect's wrapping, with the schema of these fields.
fn wrapped(schema: &str, fields: &str) -> String {
    let schema = format!(r#"{{"type":"struct","fields":[{{"field":"after","type":"struct","fields":[{schema}]}}]}}"#);
    format!("{{\"schema\":{schema},\"payload\":{{\"op\":\"c\",\"after\":{{{fields}}}}}}}\n")
}

#[test]
fn reads_changes_by_declared_columns() {
    let orders = dataset("id uint64, name string, price decimal, at us");
    let text = r#"{"Op": "I", "before": null, "after": {"id": 18446744073709551613, "name": "", "price": "-301.1500", "at": "2024-09-19 22:27:53.370"}, "source": {"table": "orders"}, "ts_ms": 1705357827270}
{"op":"u","ts_ms":1705357827269,"before":{"id":1,"name":"x"},"after":{"name":"\ud83d\ude00\n","id":"2","price":1.50,"at":1,"more":[1]}}
null

{"op":"m","message":{}}
{"op":"U","before":{"name":"x"},"after":{"id":3}}
{"op":"d","before":{"id":2,"name":"x","price":"bad","at":null},"after":null}
{"op":"t","before":null,"after":null}"#;
    let rows = check(
        &orders,
        text,
        &[
            "Insert id=18446744073709551613 name= price=-301.1500 at=2024-09-19 22:27:53.370000 | old NULL",
            "Update id=2 name=😀\n price=1.5000 at=1970-01-01 00:00:00.000001 | old 1",
            "Update id=3 name=NULL price=NULL at=NULL | old NULL",
            "Delete id=2 name=x price=NULL at=NULL | old NULL",
            "Truncate id=NULL name=NULL price=NULL at=NULL | old NULL",
        ],
    );
    assert_eq!((rows.complete(), rows.undeclared()), (false, &["more".to_owned()][..]));
    assert_eq!(rows.earliest(), Some(Timestamp(1_705_357_827_269)));
}

#[test]
fn a_number_may_be_text_and_text_a_number() {
    let all = dataset("id string, i int32, f float64, b boolean, day date, t time, bytes binary");
    let text = insert(r#""id":7.10,"i":5.0,"f":"0.1","b":1,"day":-1,"t":1000000,"bytes":"6162""#)
        + &insert(r#""id":{"a": [1]},"i":"5","f":1e3,"b":true,"day":"1970-01-01T00:00:00Z","t":"00:00:01","bytes":"""#);
    check(
        &all,
        &text,
        &[
            "Insert id=7.10 i=5 f=0.1 b=true day=1969-12-31 t=00:00:01.000000 bytes=[61, 62]",
            "Insert id={\"a\": [1]} i=5 f=1000 b=true day=1970-01-01 t=00:00:01.000000 bytes=[]",
        ],
    );
}

#[test]
fn an_embedded_schema_tells_the_columns() {
    let schema = r#"{"field":"id","type":"int64"},
        {"field":"d","type":"bytes","name":"org.apache.kafka.connect.data.Decimal","parameters":{"scale":"2"}},
        {"field":"v","type":"struct","name":"io.debezium.data.VariableScaleDecimal"},
        {"field":"day","type":"int32","name":"io.debezium.time.Date"},
        {"field":"t","type":"int32","name":"io.debezium.time.Time"},
        {"field":"at","type":"int64","name":"io.debezium.time.Timestamp"},
        {"field":"us","type":"int64","name":"io.debezium.time.MicroTimestamp"},
        {"field":"z","type":"string","name":"io.debezium.time.ZonedTimestamp"},
        {"field":"y","type":"int32","name":"io.debezium.time.Year"},
        {"field":"b","type":"bytes"}"#
        .replace('\n', "");
    let text = wrapped(
        &schema,
        r#""id":1,"d":"AN3H","v":{"scale":1,"value":"Dw=="},"day":19782,"t":1500,"at":1,"us":-1,"z":"2024-01-15T09:00:00+09:00","y":2024,"b":"YWI=""#,
    );
    let deleted = text.replace("\"c\"", "\"d\"").replace("\"after\":{", "\"before\":{");
    let deleted = format!("{deleted}{}", r#"{"schema":null,"payload":null}"#);
    let want = "id=1 d=567.75 v=1.5 day=2024-02-29 t=00:00:01.500000 at=1970-01-01 00:00:00.001 \
                us=1969-12-31 23:59:59.999999 z=2024-01-15 00:00:00.000000 y=2024 b=[61, 62]";
    let (inserted, gone) = (format!("Insert {want}"), format!("Delete {want}"));
    let rows = check(&undeclared("id"), &(text.clone() + &deleted), &[&inserted, &gone]);
    assert!(rows.complete());
    let known = dataset("id int32, gone string, d string, us string, day ms, v decimal, b string");
    let want = "Insert id=1 d=567.75 v=1.5000 day=2024-02-29 00:00:00.000 us=1969-12-31 23:59:59.999999 b=YWI=";
    let rows = check(&known, &text, &[want]);
    assert_eq!((rows.complete(), rows.undeclared().len()), (true, 4));
}

#[test]
fn a_tick_too_far_is_no_value() {
    let spans = r#"{"field":"id","type":"int64"},{"field":"day","type":"int32","name":"io.debezium.time.Date"},
        {"field":"t","type":"int64","name":"io.debezium.time.MicroTime"}"#
        .replace('\n', "");
    let texts = dataset("id int64, day string, t string");
    let row = |day: i64, t: i64| wrapped(&spans, &format!(r#""id":1,"day":{day},"t":{t}"#));
    let widest = "Insert id=1 day=5881580-07-11 t=-838:59:59.000000";
    check(&texts, &row(i64::from(i32::MAX), -3_020_399_000_000), &[widest]);
    let misfit = "line 1: the value cannot be read as Utf8";
    refuse_file(&texts, &row(i64::MAX, 0), (Code::InvalidValue, Some("day"), misfit));
    let misfit = "line 1: the value cannot be read as Time64(µs)";
    for t in [-1, 86_400_000_000] {
        let plain = insert(&format!(r#""id":1,"t":{t}"#));
        for file in [row(0, t), plain] {
            refuse_file(&dataset("id int64, t time"), &file, (Code::InvalidValue, Some("t"), misfit));
        }
    }
}

#[test]
fn columns_have_a_limit() {
    let named = |at| if at == 0 { r#""id":1"#.to_owned() } else { format!(r#""c{at}":1"#) };
    let columns = |count| (0..count).map(named).collect::<Vec<_>>().join(",");
    let widest = read(&undeclared("id"), FileKind::Cdc, insert(&columns(10_000)).as_bytes(), 1 << 20).unwrap();
    assert_eq!(widest.1.schema().fields().len(), 10_000);
    let refused = (Code::UnreadableFile, None, "line 1: more than 10,000 columns");
    refuse_file(&undeclared("id"), &insert(&columns(10_001)), refused);
    let (_, known) = read(&dataset("id int64"), FileKind::Cdc, insert(&columns(20_001)).as_bytes(), 1 << 20).unwrap();
    assert_eq!(known.undeclared().len(), 10_000);
}

#[test]
fn values_tell_the_columns_otherwise() {
    let text = insert(r#""id":1,"big":18446744073709551615,"mix":1,"f":1,"n":null,"huge":99999999999999999999"#)
        + &insert(r#""id":2,"big":1,"mix":"a","f":0.5,"s":{"a":1},"b":true,"huge":1"#)
        + "{\"op\":\"d\",\"before\":{\"id\":2,\"only\":false}}\n";
    let rows = check(
        &undeclared("id"),
        &text,
        &[
            "Insert id=1 big=18446744073709551615 mix=1 f=1 n=NULL huge=99999999999999999999 s=NULL b=NULL only=NULL",
            "Insert id=2 big=1 mix=a f=0.5 n=NULL huge=1 s={\"a\":1} b=true only=NULL",
            "Delete id=2 big=NULL mix=NULL f=NULL n=NULL huge=NULL s=NULL b=NULL only=false",
        ],
    );
    assert!(!rows.complete());
    let types: Vec<_> = rows.schema().fields().iter().map(|field| field.data_type().to_string()).collect();
    assert_eq!(
        types,
        ["Int64", "Decimal128(20, 0)", "Utf8", "Float64", "Null", "Decimal128(38, 0)", "Utf8", "Boolean", "Boolean"]
    );
    check(&undeclared("id"), "\n", &[]);
    check(&undeclared("id"), "{\"op\":\"t\"}", &["Truncate "]);
}

#[test]
fn a_load_only_inserts() {
    let orders = dataset("id int64");
    let load = |text: &str| read(&orders, FileKind::Load, text.as_bytes(), 9).map(|(rows, _)| rows);
    let want = Ok(vec!["Insert id=1".to_owned(), "Insert id=2".to_owned()]);
    assert_eq!(load("{\"op\":\"r\",\"after\":{\"id\":1}}\n{\"after\":{\"id\":2}}"), want);
    assert_eq!(load("{\"op\":\"d\",\"before\":{\"id\":1}}").unwrap_err().code, Code::UnknownOp);
}

#[test]
fn refuses_what_is_wrong() {
    let orders = dataset("id int64, name string, b binary");
    let check = |text: &str, want| refuse_file(&orders, text, want);
    check("", (Code::UnreadableFile, None, "the file is empty (0 bytes)"));
    check("\n{\"op\":", (Code::UnreadableFile, None, "line 2: not a JSON object (byte 6)"));
    check("{} x", (Code::UnreadableFile, None, "line 1: not a JSON object (byte 4)"));
    check("[]", (Code::UnreadableFile, None, "line 1: not a JSON object (byte 0)"));
    check("{}", (Code::UnknownOp, None, "line 1: there is no operation"));
    check("{\"op\":\"X\"}", (Code::UnknownOp, None, "line 1: the operation is \"X\""));
    check("{\"op\":\"u\"}", (Code::InvalidValue, None, "line 1: the row after the change is missing"));
    check("{\"op\":\"d\"}", (Code::NullKey, Some("id"), "line 1: the key is NULL"));
    check("{\"op\":\"d\",\"before\":{}}", (Code::NullKey, Some("id"), "line 1: the key is NULL"));
    check(&insert(r#""id":null"#), (Code::NullKey, Some("id"), "line 1: the key is NULL"));
    let misfit = "line 1: the value cannot be read as Int64";
    check(&insert(r#""id":1.5"#), (Code::InvalidValue, Some("id"), misfit));
    let misfit = "line 1: the value cannot be read as Binary";
    check(&insert(r#""id":1,"b":"YWI=""#), (Code::InvalidValue, Some("b"), misfit));
    let toast = "line 1: an unavailable TOAST value: set REPLICA IDENTITY FULL";
    let unavailable = insert(r#""id":1,"name":"__debezium_unavailable_value""#);
    check(&unavailable, (Code::InvalidValue, Some("name"), toast));
    check(&insert(r#""id":1,"name":"\ud800""#), (Code::InvalidValue, Some("name"), "line 1: the text is not UTF-8"));
    let no_key = insert(r#""x":1"#);
    refuse_file(&undeclared("id"), &no_key, (Code::MissingKeyColumn, Some("id"), "the file has no such column"));
    let turned = wrapped(r#"{"field":"id","type":"bytes"}"#, "") + &wrapped(r#"{"field":"id","type":"int32"}"#, "");
    let reason = "line 2: the column turns from Binary into Int32";
    refuse_file(&undeclared("id"), &turned, (Code::IncompatibleType, Some("id"), reason));
}

proptest! {
    #[test]
    fn reads_back_what_was_written(
        rows in prop::collection::vec((any::<i64>(), prop::option::of(any::<String>()), any::<f64>()), 0..20),
        step in 1_usize..40,
    ) {
        let orders = dataset("id int64, a string, f float64");
        let (mut file, mut want) = (String::from("\n"), Vec::new());
        for (id, a, f) in rows {
            let row = serde_json::json!({"op": "c", "after": {"id": id, "f": f.is_finite().then_some(f), "a": a}});
            writeln!(file, "{row}").unwrap();
            want.push((id, a, f.is_finite().then_some(f.to_bits())));
        }
        let mut rows = JsonRows::open(FileKind::Cdc, &orders, &dribble(file.as_bytes(), step)).unwrap();
        let mut got = Vec::new();
        while let Some(changes) = rows.next_batch().unwrap() {
            use arrow::{array::AsArray, datatypes::{Float64Type, Int64Type}};
            let ids = changes.rows.column(0).as_primitive::<Int64Type>().iter().flatten();
            let texts = changes.rows.column(1).as_string::<i32>().iter().map(|text| text.map(str::to_owned));
            let floats = changes.rows.column(2).as_primitive::<Float64Type>().iter().map(|f| f.map(f64::to_bits));
            got.extend(ids.zip(texts).zip(floats).map(|((id, a), f)| (id, a, f)));
        }
        prop_assert_eq!(got, want);
    }

    #[test]
    fn takes_any_bytes(parts in prop::collection::vec(prop::sample::select(vec![
        "{\"op\":", "\"c\"", "\"d\"", ",\"after\":", ",\"before\":", "{\"id\":", "1", "}", "}}\n", "null", "\"\\ud8", "[",
        ",\"schema\":", ",\"payload\":", "\u{1f}", "\n", "{\"scale\":1,\"value\":\"\"}", "1e99", "-",
    ]), 0..20)) {
        for known in [dataset("id decimal"), undeclared("id")] {
            let _ = read(&known, FileKind::Cdc, parts.concat().as_bytes(), 5);
        }
    }
}
