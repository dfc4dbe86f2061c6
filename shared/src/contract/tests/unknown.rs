//! Fields that no column takes: kept, dropped, refused.

use super::*;

const RECORD: &str = r#"{"q\u0031" : [1, 2] ,"o":{"p":{"in":1,"x":{"y":0}},"r":"s"},"t":{"in":2,"u":null},"l":[{"in":3},{"v":4},[]],"m":5}"#;

fn columns() -> Json {
    json!({"a": {"type": "int32", "path": "o.p.in"}, "l": "list<json>", "t": "struct<in: int32>"})
}

#[test]
fn they_are_kept_where_they_were() {
    let list = r#"l=["{\"in\":3}","{\"v\":4}","[]"]"#;
    let extra = r#"{"q\u0031":[1, 2],"o":{"p":{"x":{"y":0}},"r":"s"},"t":{"u":null},"m":5}"#;
    check(&columns(), RECORD, &format!("a=1 {list} t={{in:2}} + {extra}"));
    let lists = json!({"l": "list<list<struct<in: int32>>>", "m": "list<struct<s: struct<in: int32>>>"});
    let record = r#"{"l":[[],[{"in":1},{"in":2,"x":3}],null],"m":[{"s":{"in":1},"y":4},{"s":{"z":5}}]}"#;
    let extra = r#"{"l":{"1":{"1":{"x":3}}},"m":{"0":{"y":4},"1":{"s":{"z":5}}}}"#;
    check(&lists, record, &format!("l=[[],[{{in:1}},{{in:2}}],null] m=[{{s:{{in:1}}}},{{s:{{in:null}}}}] + {extra}"));
    check(&columns(), r#"{"o":{"p":{}},"l":[],"t":{}}"#, "a=null l=[] t={in:null}");
    check(&columns(), r#"{"":1,"_extra":{}}"#, r#"a=null l=null t=null + {"":1,"_extra":{}}"#);
}

#[test]
fn they_are_counted() {
    for (unknown, text, want) in [
        ("keep", RECORD, 5),
        ("drop", RECORD, 5),
        ("keep", r#"{"o":5}"#, 1),
        ("drop", r#"{"o":null}"#, 0),
        ("drop", "{}", 0),
    ] {
        let contract = contract(&columns(), &json!({"unknown_fields": unknown}));
        let (mut reader, mut sink) = (Reader::new(&contract), Recorder::new(&contract));
        reader.read(text, 0, &mut sink).unwrap();
        assert_eq!(reader.unknown_fields(), want, "{text}");
        assert_eq!(sink.rows.remove(0).contains(" + "), unknown == "keep" && want > 0);
        reader.read("{\"x\":1,", 0, &mut sink).unwrap_err();
        assert_eq!(reader.unknown_fields(), 0, "of no row");
    }
}

#[test]
fn they_are_refused_at_their_place() {
    for (text, at) in [
        (r#"{"o":{"p":{"in":1}},"q":[1]}"#, "$.q"),
        (r#"{"o":{"p":{"in":1,"x":2}}}"#, "$.o.p.x"),
        (r#"{"o":5}"#, "$.o"),
        (r#"{"t":{"in":1,"u":2}}"#, "$.t.u"),
    ] {
        check_more(
            &columns(),
            &json!({"unknown_fields": "reject"}),
            text,
            &format!("unknown_field {at}: no column takes this field"),
        );
    }
    let list = json!({"l": "list<struct<in: int32>>"});
    let want = "unknown_field $.l[1].v: no column takes this field";
    check_more(&list, &json!({"unknown_fields": "reject"}), r#"{"l":[{"in":3},{"v":4}]}"#, want);
    let long = format!("{{\"{}\":1}}", "é".repeat(1_000));
    let want = format!("unknown_field $.{}: no column takes this field", "é".repeat(64));
    check_more(&list, &json!({"unknown_fields": "reject"}), &long, &want);
    check_more(
        &columns(),
        &json!({"unknown_fields": "reject"}),
        r#"{"o":{"p":null},"l":[{"any":1}]}"#,
        r#"a=null l=["{\"any\":1}"] t=null"#,
    );
}

#[test]
fn a_default_leaves_nothing_over() {
    let columns = json!({"s": {"type": "struct<in: json>", "default": {"in": {"x": 1}}}});
    for text in ["{}", r#"{"s":null}"#] {
        check(&columns, text, r#"s={in:"{\"x\":1}"}"#);
    }
    check(&columns, r#"{"s":null,"y":{}}"#, r#"s={in:"{\"x\":1}"} + {"y":{}}"#);
}
