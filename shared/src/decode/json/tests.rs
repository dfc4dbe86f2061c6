//! Bodies, whole and broken → which documents are found, and which parts are refused.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

/// Each part's text: kept or refused.
type Told<'a> = Result<&'a str, &'a str>;

fn parts(body: &[u8]) -> Vec<Result<Bytes, Bytes>> {
    let body = Bytes::copy_from_slice(body);
    let mut before = body.as_ptr();
    let told = documents(&body).zip(0..).map(|(part, at)| {
        let (index, part) = match part {
            Ok(document) => (document.index, Ok(document.raw)),
            Err(part) => {
                assert_eq!(part.refusal.code, Code::InvalidJson);
                (part.index, Err(part.raw))
            }
        };
        assert_eq!(index, at, "parts are counted in order");
        let raw = part.as_ref().unwrap_or_else(|raw| raw);
        assert!(raw.is_empty() || (before..=body.as_ptr_range().end).contains(&raw.as_ptr()), "parts overlap");
        before = if raw.is_empty() { before } else { raw.as_ptr_range().end };
        part
    });
    told.collect()
}

fn texts(body: &[u8]) -> Vec<Result<String, String>> {
    let text = |raw: &Bytes| String::from_utf8_lossy(raw).into_owned();
    parts(body).iter().map(|part| part.as_ref().map(text).map_err(text)).collect()
}

fn check(body: &str, want: &[Told<'_>]) {
    let got = texts(body.as_bytes());
    let want: Vec<_> = want.iter().map(|part| part.map(str::to_owned).map_err(str::to_owned)).collect();
    assert_eq!(got, want, "{body}");
}

#[test]
fn finds_objects_one_after_the_other() {
    let (a, b) = (r#"{"a":1}"#, r#"{"b":[{}]}"#);
    check(a, &[Ok(a)]);
    check(&format!("\u{feff} {a}\r\n"), &[Ok(a)]);
    for between in ["", " ", "\n", "\r\n", "\n\n \n"] {
        check(&format!("{a}{between}{b}"), &[Ok(a), Ok(b)]);
        check(&format!("{a}{between}{b}\n"), &[Ok(a), Ok(b)]);
    }
    let spread = "{\n \"a\":\n [\n{}\n]\n}";
    check(&format!("{spread}\n{spread}"), &[Ok(spread), Ok(spread)]);
    // JSON that not every reader takes.
    for odd in [r#"{"a":1,"a":2}"#, r#"{"a":1e999}"#, r#"{"a":"\ud800"}"#] {
        check(odd, &[Ok(odd)]);
    }
}

#[test]
fn the_rest_reads_as_it_did() {
    let (a, b, c) = (r#"{"a":1}"#, r#"{"b":[{}]}"#, r#"{"c":"[,"}"#);
    let bodies = [
        format!("{a}{b} {c}\n"),
        format!("{a},\n{b}\noops\n{c}"),
        format!("[{a},{b},{c}]"),
        format!("\u{feff}\n[\n{a}, 1,\n[], {c}]\n"),
        format!("[{a}, {b}"),
    ];
    for body in bodies {
        let (all, mut documents) = (texts(body.as_bytes()), documents(&body.clone().into()));
        for number in 0..all.len() {
            assert!(documents.next().is_some());
            assert_eq!(texts(&documents.rest()), all[number..], "{body} from part {number} on");
        }
        assert!(all.len() > 2 && documents.next().is_none());
    }
}

#[test]
fn a_bad_line_costs_that_line() {
    let (a, b) = (r#"{"a":1}"#, r#"{"b":2}"#);
    let bad = [
        "oops",
        r#"{"x":"#,
        r#"{"x":1"#,
        r#"{"x":1,"#,
        r#"{"x":"cut"#,
        r#"{"x":"\"#,
        r#"{"x":[1"#,
        r#"{"x":01}"#,
        r"{'x':1}",
        "}",
        ",",
        "1",
        "null",
        r#""text""#,
        r#"[{"x":1}]"#,
        r#""text" {"x":1}"#,
        "\u{0}",
    ];
    for bad in bad {
        // Where a value is missing, the next line is one.
        if bad != r#"{"x":"# {
            check(&format!("{a}\n{bad}\n{b}\n"), &[Ok(a), Err(bad), Ok(b)]);
            check(&format!("{a}\n{bad}\n\n{b}"), &[Ok(a), Err(bad), Ok(b)]);
        }
        if bad != r#"[{"x":1}]"# {
            check(bad, &[Err(bad)]);
        }
    }
    check(&format!("{a}oops\n{b}"), &[Ok(a), Err("oops"), Ok(b)]);
    check(&format!("{a},{b}\n{b}"), &[Ok(a), Err(",{\"b\":2}"), Ok(b)]);
    check(&format!("{a}}}\n{b}"), &[Ok(a), Err("}"), Ok(b)]);
    check(&format!("oops\r\n{b}"), &[Err("oops\r"), Ok(b)]);
}

#[test]
fn what_ran_on_into_other_lines_costs_the_rest() {
    let a = r#"{"a":1}"#;
    for bad in [
        // Objects on lines of their own that are no documents.
        "{\"x\":[\n{\"b\":2}\n{\"c\":3}\n]}",
        "{\n \"x\": [\n{\"b\":2},\n{\"c\":3}\n] oops",
        "{\n\"x\":1",
    ] {
        check(bad, &[Err(bad)]);
        check(&format!("{a}\n{bad}"), &[Ok(a), Err(bad)]);
    }
    // A line that breaks off before a value is a line of its own.
    check("{\"x\":\n{\"b\":2}\n{\"c\":3}", &[Err("{\"x\":"), Ok("{\"b\":2}"), Ok("{\"c\":3}")]);
}

#[test]
fn finds_the_elements_of_an_array() {
    let (a, b) = (r#"{"a":1}"#, r#"{"b":[{}]}"#);
    check("[]", &[]);
    check(" [ ] \n", &[]);
    check(&format!("[{a}]"), &[Ok(a)]);
    check(&format!("\u{feff}\n[\n {a} ,\n {b}\n]\n"), &[Ok(a), Ok(b)]);
    check(
        &format!("[{a},1,null,\"x,]\",[{a}],{b}]"),
        &[Ok(a), Err("1"), Err("null"), Err("\"x,]\""), Err("[{\"a\":1}]"), Ok(b)],
    );
}

#[test]
fn a_broken_array_costs_the_rest() {
    let a = r#"{"a":1}"#;
    for (tail, rest) in [
        ("", ""),
        (",", ""),
        (",]", "]"),
        (",oops,{}]", "oops,{}]"),
        (",{\"b\":", "{\"b\":"),
        (" {}]", "{}]"),
        ("}", "}"),
        ("] {}", "{}"),
        ("]\n[{}]", "[{}]"),
    ] {
        check(&format!("[{a}{tail}"), &[Ok(a), Err(rest)]);
    }
    check("[", &[Err("")]);
    check("[\noops\n{}\n]", &[Err("oops\n{}\n]")]);
}

#[test]
fn an_empty_body_is_refused() {
    for body in ["", " \r\n\t", "\u{feff}"] {
        check(body, &[Err("")]);
    }
    let empty = documents(&Bytes::new()).next().unwrap().unwrap_err();
    assert_eq!(empty.refusal.to_string(), "empty");
}

#[test]
fn a_reason_names_the_place() {
    for (body, place) in
        [("oops", 0), ("{\"a\":1}\n {\"b\":oops}", 14), ("{\n\n\"a\" 1}", 7), ("{\"a\":", 5), ("[{},\n x]", 6)]
    {
        let refused = documents(&Bytes::copy_from_slice(body.as_bytes())).find_map(Result::err).unwrap();
        assert_eq!(refused.refusal.to_string(), format!("not JSON at byte {place}"), "{body}");
    }
}

#[test]
fn bytes_that_are_no_text_are_refused() {
    let bad = Bytes::from_static(b"{\"a\":\"\xff\"}");
    assert_eq!(parts(&[&bad, b"\n{}".as_slice()].concat()), [Err(bad), Ok(Bytes::from_static(b"{}"))]);
}

#[test]
fn depth_is_no_danger() {
    let nested = |depth: usize| format!("{}0{}", r#"{"a":"#.repeat(depth), "}".repeat(depth));
    let (deepest, deeper) = (nested(127), nested(128));
    check(&format!("{deepest}\n{deeper}\n{{}}"), &[Ok(&deepest), Err(&deeper), Ok("{}")]);
    check(&format!("[{deepest},{deeper},{{}}]"), &[Ok(&deepest), Err(&deeper), Ok("{}")]);
    for bomb in ["[".repeat(1 << 20), r#"{"a":"#.repeat(1 << 20), format!("{{\"a\":{}", "[".repeat(1 << 20))] {
        assert_eq!(parts(bomb.as_bytes()).iter().filter(|part| part.is_ok()).count(), 0);
    }
}

#[test]
fn many_bad_lines_take_no_longer_than_their_number() {
    for line in ["oops\n", "{\"a\":1\n", "{\n", "1\n", "\"\n", "\u{c}\n\u{c}"] {
        let body = line.repeat(50_000);
        assert!(parts(body.as_bytes()).iter().all(Result::is_err));
    }
}

#[test]
fn objects_that_run_on_are_not_followed_time_and_again() {
    let line = "{\"a\":\n";
    let body = line.repeat(50_000);
    let told = parts(body.as_bytes());
    assert_eq!(told.len(), 17);
    assert_eq!(told.last().unwrap().as_ref().unwrap_err(), &body.as_bytes()[16 * line.len()..]);
}

fn object() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<i64>().prop_map(Value::from),
        "[a-z{}\\[\\]\"\\\\\n,]{0,6}".prop_map(Value::from)
    ];
    let value = leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map("[a-c]", inner, 0..3).prop_map(|map| json!(map)),
        ]
    });
    prop::collection::btree_map("[a-z]{1,3}", value, 0..4).prop_map(|map| json!(map))
}

proptest! {
    #[test]
    fn finds_what_was_written(values in prop::collection::vec(object(), 1..6)) {
        let line: Vec<_> = values.iter().map(Value::to_string).collect();
        let pretty: Vec<_> = values.iter().map(|value| format!("{value:#}")).collect();
        let array = format!("[{}]", line.join(","));
        let pretty_array = format!("{:#}", Value::from(values.clone()));
        for body in [line.join("\n"), line.concat(), pretty.join("\n"), pretty.concat(), array, pretty_array] {
            let found = parts(body.as_bytes()).into_iter().map(|part| serde_json::from_slice(&part.unwrap()).unwrap());
            prop_assert_eq!(found.collect::<Vec<Value>>(), values.clone());
        }
    }

    #[test]
    fn makes_up_no_document(lines in prop::collection::vec((object(), prop::option::of(any::<prop::sample::Index>())), 1..6)) {
        // Some of the lines are cut short.
        let lines: Vec<_> = lines.iter().map(|(value, cut)| {
            let line = value.to_string();
            match cut {
                Some(cut) => (false, line[..cut.index(line.len())].to_owned()),
                None => (true, line),
            }
        }).collect();
        let body: String = lines.iter().flat_map(|(_, line)| [line, "\n"]).collect();
        let mut whole = lines.iter().filter(|(is_whole, _)| *is_whole).map(|(_, line)| line.as_bytes());
        for found in parts(body.as_bytes()).into_iter().flatten() {
            prop_assert!(whole.any(|line| line == found), "{found:?} of {body}");
        }
    }

    #[test]
    fn ends_on_any_bytes(bytes: Vec<u8>, text in "[\\[\\]{}\":,a1 \n\\\\]{0,40}", value in object(), cut: prop::sample::Index) {
        parts(&bytes);
        parts(text.as_bytes());
        let text = value.to_string();
        let cut = parts(&text.as_bytes()[..cut.index(text.len())]);
        prop_assert!(cut.iter().all(Result::is_err));
    }
}
