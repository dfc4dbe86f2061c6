//! Texts that are JSON, and texts that are not.

use super::*;

fn refused(text: &str) -> (Code, String) {
    let contract = contract(&json!({"a": "json", "b": "float64", "c": "list<string>"}), &json!({}));
    let mut sink = Recorder::new(&contract);
    let refused = Reader::new(&contract).read(text, 0, &mut sink).expect_err(text);
    assert_eq!(sink.rows, [""; 0], "{text}");
    (refused.code, refused.to_string())
}

#[test]
fn numbers_follow_the_grammar() {
    for bad in [
        "01", "1.", ".5", "+1", "1e", "-", "-a", "1e+", "1.e1", "0x1", "--1", "1_0", "NaN", "Infinity", "1.2.3", "00",
        "-01", "１",
    ] {
        for column in ["a", "b", "unknown"] {
            assert_eq!(refused(&format!("{{\"{column}\":{bad}}}")).0, Code::InvalidJson, "{bad} in {column}");
        }
        assert_eq!(refused(&format!("{{\"c\":[{bad}]}}")).0, Code::InvalidJson, "{bad} in c");
    }
    for (good, want) in [("-0", "-0.0"), ("0.5", "0.5"), ("1E5", "100000.0"), ("1e-05", "1e-5"), ("10", "10.0")] {
        check(&json!({"b": "float64"}), &format!("{{\"b\":{good}}}"), &format!("b={want}"));
    }
}

#[test]
fn strings_follow_the_grammar() {
    let (plain, tail) = ("abcdefghijklmnopq", "xyz");
    for bad in [
        "\n",
        "\t",
        "\u{0}",
        "\u{1f}",
        r"\x",
        r"\u12",
        r"\u12g4",
        r"\",
        r"\ud83d",
        r"\ude00",
        r"\ud83d\n",
        r"\ud83dx",
        r"\ud83d\u0041",
        r"\ud83d\ud83d\ude00",
        r"\uD83D\uDE0",
    ] {
        // A reader looks at eight bytes at a time: wherever in them it stands.
        for before in 0..=plain.len() {
            let text = format!("{}{bad}{tail}", &plain[..before]);
            for record in
                [format!("{{\"a\":\"{text}\"}}"), format!("{{\"c\":[\"{text}\"]}}"), format!("{{\"{text}\":1}}")]
            {
                assert_eq!(refused(&record).0, Code::InvalidJson, "{record}");
            }
        }
    }
    for (good, want) in [
        ("\u{7f}", "\u{7f}"),
        ("é", "é"),
        ("\u{10ffff}", "\u{10ffff}"),
        (r"\ud83d\ude00", "😀"),
        (r"\uDBFF\uDFFF", "\u{10ffff}"),
        (r"\u0000", "\u{0}"),
        (r"\ud7ff\ue000", "\u{d7ff}\u{e000}"),
        (r"\\u0041", r"\u0041"),
    ] {
        for before in 0..=plain.len() {
            let record = format!("{{\"s\":\"{}{good}{tail}\"}}", &plain[..before]);
            check(&json!({"s": "string"}), &record, &format!("s={:?}", format!("{}{want}{tail}", &plain[..before])));
        }
    }
}

#[test]
fn anything_else_is_no_record() {
    for bad in [
        "",
        " ",
        "null",
        "[]",
        "[{}]",
        "1",
        "\"{}\"",
        "x",
        "}",
        "{",
        "{]",
        "{,}",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\" 1}",
        "{\"a\":1,}",
        "{\"a\":1 \"b\":2}",
        "{a:1}",
        "{'a':1}",
        "{\"a\":nul}",
        "{\"a\":nulll}",
        "{\"a\":True}",
        "{\"a\":[1,]}",
        "{\"a\":[,1]}",
        "{\"a\":[1 2]}",
        "{\"a\":{]}",
        "{\"c\":[}",
        "{\"a\":\"x}",
        "{\"a\":1}}"[..6].as_ref(),
        "{\"a\":\u{a0}1}",
        "\u{feff}{}",
        "{\"a\":1/**/}",
        "{\"a\":tru",
    ] {
        assert_eq!(refused(bad).0, Code::InvalidJson, "{bad}");
    }
    assert_eq!(refused("[]").1, "$: not an object");
    assert_eq!(refused("{\"a\":1 2}").1, "$: neither `,` nor an end at byte 7");
    assert_eq!(refused("{\"a\":[1,{\"b\":x}]}").1, "$.a: no value at byte 13");
}

#[test]
fn a_record_that_is_cut_off_is_refused_wherever() {
    let columns = json!({"a": "json", "b": {"type": "string", "path": "o.b"}, "c": {"type": "json", "path": "o"},
        "d": "list<struct<x: int32>>", "e": "timestamp(ms)"});
    let record = r#"{"a":{"k":[1,-2.5e3,"é\ud83d\ude00"]},"o":{"b":"x\n\u00e9","u":true},"d":[{"x":1},null],"e":1545084650,"u":{}}"#;
    let contract = contract(&columns, &json!({}));
    let whole = read(&contract, record);
    assert!(whole.ends_with(r#" + {"u":{}}"#), "{whole}");
    for end in (0..record.len()).filter(|end| record.is_char_boundary(*end)) {
        let read = read(&contract, &record[..end]);
        assert!(read.starts_with("invalid_json"), "{end}: {read}");
    }
}

#[test]
fn depth_is_bounded() {
    let nested = |open: &str, close: &str, levels: usize| format!("{}1{}", open.repeat(levels), close.repeat(levels));
    for column in ["a", "unknown"] {
        for (open, close) in [("[", "]"), ("{\"k\":", "}")] {
            let record = |levels| format!("{{\"{column}\":{}}}", nested(open, close, levels));
            assert!(serde_json::from_str::<Json>(&record(126)).is_ok());
            let contract = contract(&json!({"a": "json"}), &json!({}));
            assert!(read(&contract, &record(126)).starts_with("a="), "as deep as serde_json goes");
            for levels in [127, 128, 10_000] {
                let (code, message) = refused(&record(levels));
                assert!(code == Code::InvalidJson && message.contains("nested too deep"), "{message}");
            }
        }
    }
    for open in ["[", "{\"a\":[", "{\"a\":", "{\"c\":[", "{\"unknown\":"] {
        assert_eq!(
            refused(&open.repeat(10_000)).0,
            if open == "{\"c\":[" { Code::InvalidValue } else { Code::InvalidJson }
        );
    }
}

#[test]
fn a_row_ends_where_its_object_does() {
    let contract = contract(&json!({"a": "int32"}), &json!({}));
    let (mut reader, mut sink) = (Reader::new(&contract), Recorder::new(&contract));
    let text = " {\"a\":1}{\"a\":2}\n\n {\"a\":3} garbage";
    let (mut at, mut ends) = (0, Vec::new());
    while let Ok(row) = reader.read(text, at, &mut sink) {
        at = row.end;
        ends.push(at);
    }
    assert_eq!((sink.rows.join(" "), ends), ("a=1 a=2 a=3".to_owned(), vec![8, 15, 25]));
    for at in [text.len(), text.len() + 1, usize::MAX] {
        assert_eq!(reader.read(text, at, &mut sink).unwrap_err().code, Code::InvalidJson);
    }
    assert_eq!(reader.read("é{}", 1, &mut sink).unwrap_err().code, Code::InvalidJson, "within a character");
}
