//! Values of every type, alone and in lists and structs.

use super::*;

#[test]
fn every_type_alone() {
    for (r#type, value, want) in [
        ("string", r#""é\u00e9\n\ud83d\ude00\/\"\\\b\f\r\t""#, r#""éé\n😀/\"\\\u{8}\u{c}\r\t""#),
        ("string", "1.50", r#""1.50""#),
        ("string", "true", r#""true""#),
        ("int32", "-2147483648", "-2147483648"),
        ("int32", r#""7""#, "7"),
        ("int64", "1e3", "1000"),
        ("int64", "-0", "0"),
        ("uint64", "18446744073709551615", "18446744073709551615u"),
        ("float32", "0.1", "0.10000000149011612"),
        ("float64", "-1.5E-3", "-0.0015"),
        ("float64", r#""\u0031""#, "1.0"),
        ("decimal(5,2)", "1.5", "150d"),
        ("boolean", "false", "false"),
        ("boolean", r#""Y""#, "true"),
        ("date", r#""1970-01-03""#, "2"),
        ("timestamp(ms)", r#""1970-01-01T00:00:00.0019Z""#, "1"),
        ("timestamp(us)", "1.5", "1500000"),
        ("time", r#""00:00:01""#, "1000000"),
        ("binary", r#""AAE=""#, "0x0001"),
        ("json", r#" { "b" : [1.0, "\u0041"] } "#, r#""{ \"b\" : [1.0, \"\\u0041\"] }""#),
        ("json", "1e400", r#""1e400""#),
        ("list<int32>", " [ 1 , null,\t\"3\" ] ", "[1,null,3]"),
        ("list<int32>", "[]", "[]"),
        ("list<json>", r#"[{"a":1},null,2]"#, r#"["{\"a\":1}",null,"2"]"#),
        ("list<list<boolean>>", "[[true],[],null,[null]]", "[[true],[],null,[null]]"),
        ("struct<a: int32, b: string>", r#"{"b":"x","\u0061":1}"#, r#"{a:1,b:"x"}"#),
        ("struct<a: int32, b: string>", "{}", "{a:null,b:null}"),
        ("struct<a: struct<b: list<date>>>", r#"{"a":{"b":["1970-01-02",null]}}"#, "{a:{b:[1,null]}}"),
        ("struct<a: struct<b: list<date>>>", r#"{"a":null}"#, "{a:null}"),
        ("struct<a: struct<b: date>, c: binary>", r#"{"a":{}}"#, "{a:{b:null},c:null}"),
        ("list<struct<a: int32>>", r#"[{"a":1},{},null,{"a":null}]"#, "[{a:1},{a:null},null,{a:null}]"),
    ] {
        let columns = json!({"x": r#type});
        check(&columns, &format!("{{\"x\":{value}}}"), &format!("x={want}"));
        for nothing in [r#"{"x":null}"#, r#"{ "x" : null }"#, "{}", " { } "] {
            check(&columns, nothing, "x=null");
        }
    }
}

#[test]
fn what_a_type_cannot_hold_is_refused_at_its_place() {
    for (r#type, value, want) in [
        ("string", "[]", "$.x: an array is no value of this column"),
        ("string", "{}", "$.x: an object is no value of this column"),
        ("int32", "2147483648", "$.x: not a value of type int32"),
        ("int64", "true", "$.x: not a value of type int64"),
        ("uint64", "-1", "$.x: not a value of type uint64"),
        ("float64", "1e309", "$.x: not a value of type float64"),
        ("decimal(3,1)", "1.25", "$.x: not a value of type decimal(3,1)"),
        ("boolean", "2", "$.x: not a value of type boolean"),
        ("binary", r#""A""#, "$.x: not a value of type binary"),
        ("list<int32>", "{}", "$.x: not a value of type list<int32>"),
        ("list<int32>", "1", "$.x: not a value of type list<int32>"),
        ("list<int32>", "[1, [2]]", "$.x[1]: an array is no value of this column"),
        ("struct<a: int32>", "[]", "$.x: not a value of type struct<a: int32>"),
        ("struct<a: int32>", r#""{}""#, "$.x: not a value of type struct<a: int32>"),
        ("struct<a: struct<lat: int32>>", r#"{"a":{"lat":"north"}}"#, "$.x.a.lat: not a value of type int32"),
        ("list<struct<sku: int32>>", r#"[{},{},{},{"sku":"a"}]"#, "$.x[3].sku: not a value of type int32"),
        ("list<list<int32>>", "[[],[1,2,false]]", "$.x[1][2]: not a value of type int32"),
    ] {
        check(&json!({"x": r#type}), &format!("{{\"x\":{value}}}"), &format!("invalid_value {want}"));
    }
    check(&json!({"x": "list<int32>"}), r#"{"x":[1,x]}"#, "invalid_json $.x[1]: no value at byte 8");
}

#[test]
fn columns_come_in_any_order_with_anything_between() {
    let columns = json!({"a": "int32", "b": "int32", "c": "int32"});
    for text in [r#"{"a":1,"b":2,"c":3}"#, r#"{"c":3,"b":2,"a":1}"#, "\r\n{\t\"b\" :2 , \"c\": 3,\"a\"\n:1\t}"] {
        check(&columns, text, "a=1 b=2 c=3");
    }
    check(&columns, r#"{"x":0,"c":3,"y":[{"a":9}],"a":1}"#, r#"a=1 b=null c=3 + {"x":0,"y":[{"a":9}]}"#);
}
