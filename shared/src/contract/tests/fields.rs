//! Fields: where columns find them, and what stands for those that are missing.

use super::*;

#[test]
fn a_path_leads_to_the_value() {
    let columns = json!({"lat": {"type": "float64", "path": "geo.lat"}, "name": {"type": "string", "path": "geo.place.name"},
        "id": {"type": "int32", "path": "ID"}, "x.y": "int32"});
    let record = r#"{"ID":7,"geo":{"place":{"name":"x"},"lat":1},"x.y":5}"#;
    check(&columns, record, r#"id=7 lat=1.0 name="x" x.y=5"#);
    check(&columns, r#"{"geo":null,"x":{"y":5}}"#, r#"id=null lat=null name=null x.y=null + {"x":{"y":5}}"#);
    check(&columns, r#"{"geo":{"place":null}}"#, "id=null lat=null name=null x.y=null");
    check(&columns, r#"{"geo":{"lat":"north"}}"#, "invalid_value $.geo.lat: not a value of type float64");
    for odd in ["5", "[{\"lat\":1}]", "\"geo\"", "false"] {
        let want = format!("id=null lat=null name=null x.y=null + {{\"geo\":{odd}}}");
        check(&columns, &format!("{{\"geo\":{odd}}}"), &want);
    }
}

#[test]
fn a_missing_value_is_refused_or_stood_for() {
    let columns = json!({"d": {"type": "int32", "default": 5}, "l": {"type": "list<int32>", "default": [1, null]},
        "r": {"type": "int32", "required": true, "path": "o.r"}});
    check(&columns, r#"{"o":{"r":1}}"#, "d=5 l=[1,null] r=1");
    check(&columns, r#"{"d":null,"l":null,"o":{"r":1}}"#, "d=5 l=[1,null] r=1");
    check(&columns, r#"{"d":6,"l":[],"o":{"r":1}}"#, "d=6 l=[] r=1");
    for without in ["{}", r#"{"o":null}"#, r#"{"o":{}}"#, r#"{"o":{"r":null}}"#, r#"{"o":3}"#] {
        check(&columns, without, "missing_field $.o.r: the column is required");
    }
    let both = json!({"r": {"type": "string", "required": true, "default": "x"}});
    check(&both, "{}", r#"r="x""#);
    let struct_column = json!({"s": {"type": "struct<a: int32>", "required": true}});
    check(&struct_column, r#"{"s":{}}"#, "s={a:null}");
    check(&struct_column, r#"{"s":null}"#, "missing_field $.s: the column is required");
    let erased = json!({"e": {"type": "int32", "required": true, "mask": "erase"}});
    check(&erased, r#"{"e":1}"#, "e=null");
    check(&erased, "{}", "missing_field $.e: the column is required");
}

#[test]
fn a_default_must_be_a_value_of_its_column() {
    let refuse = |column: Json, want: &str| {
        check_contract(&json!({"a": "int32", "b": column}), None, &format!("events: $.columns[1].default{want}"));
    };
    refuse(json!({"type": "int32", "default": "x"}), ": not a value of type int32");
    refuse(json!({"type": "int32", "default": -1, "min": 0}), ": below the least, 0");
    refuse(json!({"type": "list<int32>", "default": [1, "x"]}), "[1]: not a value of type int32");
    refuse(json!({"type": "struct<c: int32>", "default": {"d": 1}}), ".d: no column takes this field");
    let nothing = json!({"a": {"type": "int32", "default": null}});
    check(&nothing, "{}", "a=null");
}

#[test]
fn a_field_may_have_several_takers() {
    let twice = json!({"a": {"type": "int32", "path": "n"}, "b": {"type": "string", "path": "n"}});
    check(&twice, r#"{"n":7}"#, r#"a=7 b="7""#);
    check(&twice, r#"{"n":null}"#, "a=null b=null");
    check(&twice, r#"{"n":"x"}"#, "invalid_value $.n: not a value of type int32");
    check(&twice, r#"{"n":7,"n":8}"#, "duplicate_field $.n: the field occurs twice");

    let whole = json!({"a": {"type": "json", "path": "o"}, "b": {"type": "int32", "path": "o.b"}});
    for unknown in ["keep", "drop", "reject"] {
        let more = json!({"unknown_fields": unknown});
        check_more(&whole, &more, r#"{"o":{"b":1,"c":2}}"#, r#"a="{\"b\":1,\"c\":2}" b=1"#);
        check_more(&whole, &more, r#"{"o":[1]}"#, r#"a="[1]" b=null"#);
        check_more(&whole, &more, r#"{"o":null}"#, "a=null b=null");
    }
    check(&whole, r#"{"o":{"b":"x"}}"#, "invalid_value $.o.b: not a value of type int32");
}

#[test]
fn what_several_takers_leave_is_told_once() {
    let columns = json!({"a": {"type": "struct<x: int32>", "path": "o"}, "b": {"type": "struct<y: int32>", "path": "o"},
        "c": {"type": "int32", "path": "o.p.z"}});
    let record = r#"{"o":{"x":1,"y":2,"p":{"z":3,"q":4},"w":[5]}}"#;
    check(&columns, record, r#"a={x:1} b={y:2} c=3 + {"o":{"p":{"q":4},"w":[5]}}"#);
    check_more(
        &columns,
        &json!({"unknown_fields": "reject"}),
        record,
        "unknown_field $.o.p.q: no column takes this field",
    );
    check(&columns, r#"{"o":{"y":2}}"#, "a={x:null} b={y:2} c=null");
    let lists = json!({"a": {"type": "list<struct<x: int32>>", "path": "l"}, "b": {"type": "list<struct<y: json>>", "path": "l"}});
    check(
        &lists,
        r#"{"l":[{"x":1,"y":{"k":0}},{"z":3},null]}"#,
        r#"a=[{x:1},{x:null},null] b=[{y:"{\"k\":0}"},{y:null},null] + {"l":{"1":{"z":3}}}"#,
    );
    let erased = json!({"a": {"type": "struct<x: int32>", "path": "o", "mask": "erase"}, "b": {"type": "struct<y: int32>", "path": "o"}});
    check(&erased, r#"{"o":{"x":1,"y":2,"secret":3}}"#, "a=null b={y:2}");
}

#[test]
fn a_field_comes_once() {
    let columns = json!({"a": "int32", "b": {"type": "int32", "path": "o.b"}, "c": {"type": "int32", "path": "o.c"},
        "s": "list<struct<x: int32>>"});
    for (text, at) in [
        (r#"{"a":1,"a":1}"#, "$.a"),
        (r#"{"a":null,"\u0061":1}"#, "$.a"),
        (r#"{"o":{"b":1,"b":2}}"#, "$.o.b"),
        (r#"{"o":{"b":1},"o":{"c":2}}"#, "$.o"),
        (r#"{"o":null,"o":{"c":2}}"#, "$.o"),
        (r#"{"s":[{},{"x":1,"x":null}]}"#, "$.s[1].x"),
    ] {
        check(&columns, text, &format!("duplicate_field {at}: the field occurs twice"));
    }
}

#[test]
fn a_second_place_counts_where_nothing_is_at_the_first_whichever_comes_first() {
    let columns = json!({"at": {"type": "int32", "required": true, "path": "edited.at", "fallback": "at"},
        "who": {"type": "string", "path": "who.id", "fallback": "who"}});
    for text in [r#"{"at":1,"edited":{"at":2}}"#, r#"{"edited":{"at":2},"at":1}"#, r#"{"at":"no","edited":{"at":2}}"#] {
        check(&columns, text, "at=2 who=null");
    }
    for text in
        [r#"{"at":1}"#, r#"{"edited":null,"at":1}"#, r#"{"at":1,"edited":{"at":null}}"#, r#"{"edited":{},"at":1}"#]
    {
        check(&columns, text, "at=1 who=null");
    }
    check(&columns, r#"{"edited":{"at":null},"at":null}"#, "missing_field $.edited.at: the column is required");
    check(&columns, r#"{"at":"no"}"#, "invalid_value $.at: not a value of type int32");
    check(&columns, r#"{"at":1,"at":1}"#, "duplicate_field $.at: the field occurs twice");
    // Where a place has what the other one looks into, its fields are no value.
    check(&columns, r#"{"at":1,"who":"Ann"}"#, r#"at=1 who="Ann""#);
    check(&columns, r#"{"who":{"link":"/a","id":"Ann"},"at":1}"#, r#"at=1 who="Ann" + {"who":{"link":"/a"}}"#);
    check(&columns, r#"{"who":{"link":"/a"},"at":1}"#, r#"at=1 who=null + {"who":{"link":"/a"}}"#);
    let nested = json!({"s": {"type": "struct<a: int32>", "path": "x", "fallback": "o.s"}});
    check(&nested, r#"{"o":{"s":{"a":1,"b":2}}}"#, r#"s={a:1} + {"o":{"s":{"b":2}}}"#);
    check(&nested, r#"{"o":{"s":{"a":1}},"x":{"a":3,"c":4}}"#, r#"s={a:3} + {"x":{"c":4}}"#);
}

/// What becomes of the record where this came beside it.
fn check_beside(format: &str, columns: &Json, beside: &str, text: &str, want: &str) {
    let contract = contract(columns, &json!({"source": {"type": "kafka", "format": format}}));
    let mut reader = Reader::new(&contract);
    let mut sink = Recorder::new(&contract);
    reader.beside(beside);
    for _ in 0..2 {
        let told = match reader.read(text, 0, &mut sink) {
            Ok(_) => sink.rows.pop().unwrap(),
            Err(refused) => format!("{} {refused}", refused.code.as_str()),
        };
        assert_eq!(told, want, "{text}");
    }
}

#[test]
fn the_transport_gives_what_a_record_cannot() {
    let columns = json!({"id": "int32", "place": {"type": "int64", "path": "_kafka_offset", "required": true},
        "too": {"type": "string", "path": "_kafka_offset"}});
    let beside = r#"{"_kafka_offset":7}"#;
    check_beside("json", &columns, beside, r#"{"id":1}"#, r#"id=1 place=7 too="7""#);
    let told = r#"id=1 place=7 too="7" + {"_kafka_offset":9}"#;
    check_beside("json", &columns, beside, r#"{"_kafka_offset":9,"id":1}"#, told);
    check_beside("json", &columns, "{}", r#"{"id":1}"#, "missing_field $._kafka_offset: the column is required");
    check_beside("dms_json", &columns, beside, r#"{"data":{"id":1},"metadata":{}}"#, r#"id=1 place=7 too="7""#);
    // Where something else carries the record, it is a field like others.
    check(&json!({"_kafka_offset": "int64"}), r#"{"_kafka_offset":9}"#, "_kafka_offset=9");
}
