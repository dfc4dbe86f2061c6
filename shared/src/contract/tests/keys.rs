//! What decides on a row's file: its moment and its partition. And records of DMS.

use super::*;

/// The row's moment and partition values.
fn check_key(columns: &Json, more: &Json, text: &str, time: Option<i64>, partition: &[Option<&str>]) {
    let contract = contract(columns, more);
    let (mut reader, mut sink) = (Reader::new(&contract), Recorder::new(&contract));
    reader.read(text, 0, &mut sink).unwrap();
    let found: Vec<_> = reader.partition().iter().map(Option::as_deref).collect();
    assert_eq!((reader.event_time(), &found[..]), (time, partition), "{text}");
    reader.read("{", 0, &mut sink).unwrap_err();
    assert_eq!(reader.event_time(), None, "of no row");
    assert!(reader.partition().iter().all(Option::is_none), "of no row");
}

#[test]
fn a_row_has_its_moment() {
    for (r#type, value, want) in [
        ("timestamp(ms)", "1545084650987", 1_545_084_650_987),
        ("timestamp(us)", "1545084650987654", 1_545_084_650_987),
        ("timestamp(us)", r#""1969-12-31T23:59:59.9999Z""#, -1),
        ("date", r#""1970-01-02""#, 86_400_000),
        ("date", "-1", -86_400_000),
    ] {
        let columns = json!({"t": {"type": r#type, "required": true}});
        check_key(&columns, &json!({"event_time": "t"}), &format!("{{\"t\":{value}}}"), Some(want), &[]);
        check_key(&columns, &json!({}), &format!("{{\"t\":{value}}}"), None, &[]);
        let default = json!({"t": {"type": r#type, "default": value.parse::<Json>().unwrap()}});
        check_key(&default, &json!({"event_time": "t"}), "{}", Some(want), &[]);
    }
}

#[test]
fn a_row_has_its_partition() {
    let columns = json!({"b": "boolean", "d": "date", "e": {"type": "string", "mask": "keep_last(1)"}, "i": "int32", "s": "string",
        "u": {"type": "uint64", "default": 9}, "x": "int32"});
    let more = json!({"partition_by": {"columns": ["s", "u", "i", "d", "b", "e"]}});
    check_key(
        &columns,
        &more,
        r#"{"b":"y","d":"2024-02-29","e":"abc","i":-7,"s":"a/b\u003d","u":8}"#,
        None,
        &[Some("a/b="), Some("8"), Some("-7"), Some("2024-02-29"), Some("true"), Some("**c")],
    );
    check_key(&columns, &more, "{\"s\":\"\"}", None, &[Some(""), Some("9"), None, None, None, None]);
    let contract = contract(&columns, &more);
    for days in ["2932897", "2147483647", "-719163"] {
        let refused = Reader::new(&contract).read(&format!("{{\"d\":{days}}}"), 0, &mut Recorder::new(&contract));
        let (code, path) = refused.map_err(|refused| (refused.code, refused.path().to_owned())).unwrap_err();
        assert_eq!((code, path.as_str()), (Code::InvalidValue, "$.d"), "no catalog has the day {days}");
    }
    check_key(&columns, &more, "{\"d\":2932896}", None, &[None, Some("9"), None, Some("9999-12-31"), None, None]);
    let partition: Vec<bool> = (0..7).map(|column| contract.is_partition(column)).collect();
    assert_eq!(partition, [true, true, true, true, true, true, false]);
    assert!(contract.keeps_extra() && contract.nodes() == 7);
}

fn dms(unknown: &str) -> Json {
    json!({"source": {"type": "kinesis", "format": "dms_json"}, "unknown_fields": unknown})
}

#[test]
fn a_record_of_dms_has_data_and_metadata() {
    let columns = json!({"id": {"type": "int32", "required": true}, "metadata": "string", "op": {"type": "string", "path": "metadata.operation"},
        "x": {"type": "int32", "path": "doc.x"}});
    let record = r#"{"data":{"id":1,"doc":{"x":2},"metadata":"m","new":3},"metadata":{"operation":"insert","record-type":"data","timestamp":"t"}}"#;
    let row = r#"id=1 metadata="m" op="insert" x=2"#;
    check_more(
        &columns,
        &dms("keep"),
        record,
        &format!(r#"{row} + {{"data":{{"new":3}},"metadata":{{"timestamp":"t"}}}}"#),
    );
    check_more(&columns, &dms("drop"), record, row);
    check_more(&columns, &dms("reject"), record, "unknown_field $.data.new: no column takes this field");
    check_more(&columns, &dms("reject"), &record.replace(",\"new\":3", ""), row);
    check_more(
        &columns,
        &dms("keep"),
        r#"{"data":{"id":"x"},"metadata":{}}"#,
        "invalid_value $.data.id: not a value of type int32",
    );
    check_more(
        &columns,
        &dms("keep"),
        r#"{"metadata":{"operation":"delete"}}"#,
        "missing_field $.data.id: the column is required",
    );
    let contract = contract(&columns, &dms("keep"));
    let (mut reader, mut sink) = (Reader::new(&contract), Recorder::new(&contract));
    reader.read(record, 0, &mut sink).unwrap();
    assert_eq!(reader.unknown_fields(), 1, "what describes the record is not unknown");
}

#[test]
fn a_control_record_needs_no_contract() {
    let columns =
        json!({"id": {"type": "int32", "required": true}, "type": {"type": "string", "path": "metadata.record-type"}});
    for unknown in ["keep", "drop", "reject"] {
        for text in [
            r#"{"metadata":{"timestamp":"t","record-type":"control","operation":"create-table"}}"#,
            r#"{"control":{"table-def":{}},"metadata":{"record-type":"control"}}"#,
            r#"{"data":{"id":"x"},"metadata":{"record-type":"control"},"y":1} "#,
        ] {
            check_more(&columns, &dms(unknown), text, "control");
            let contract = contract(&columns, &dms(unknown));
            let end = Reader::new(&contract).read(text, 0, &mut Recorder::new(&contract)).unwrap().end;
            assert_eq!(end, text.trim_end().len());
        }
    }
    for text in [r#"{"metadata":{"record-type":"control""#, r#"{"metadata":{"record-type":"control"},}"#] {
        assert!(read(&contract(&columns, &dms("keep")), text).starts_with("invalid_json"), "{text}");
    }
    let data = r#"{"data":{"id":1},"metadata":{"record-type":"data"}}"#;
    check_more(&columns, &dms("keep"), data, r#"id=1 type="data""#);
    let want = "missing_field $.id: the column is required";
    check(&columns, r#"{"metadata":{"record-type":"control"}}"#, want);
}
