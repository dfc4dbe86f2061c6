//! Readers agree with a plain reading through `serde_json`.

use proptest::prelude::*;
use serde_json::{Deserializer, Map};

use super::*;

fn columns() -> Json {
    json!({"a": {"type": "int32", "required": true}, "b": "string", "c": "list<int64>", "d": {"type": "boolean", "path": "o.d"},
        "e": "json", "f": "float64", "s": "struct<x: uint64, y: list<string>>"})
}

/// The row, by taking the record's tree apart. `None`: the contract refuses it.
fn plainly(record: &Map<String, Json>) -> Option<String> {
    let get = |name| record.get(name).filter(|value| !value.is_null());
    let nullable = |value: Option<&Json>, take: &dyn Fn(&Json) -> Option<String>| match value {
        Some(value) if !value.is_null() => take(value),
        _ => Some("null".to_owned()),
    };
    let list = |value: &Json, take: &dyn Fn(&Json) -> Option<String>| {
        let items: Option<Vec<_>> = value.as_array()?.iter().map(|item| nullable(Some(item), take)).collect();
        Some(format!("[{}]", items?.join(",")))
    };
    let structure = |value: &Json| {
        let object = value.as_object()?;
        let (x, y) = (object.get("x"), object.get("y"));
        Some(format!("{{x:{},y:{}}}", nullable(x, &unsigned)?, nullable(y, &|value| list(value, &text))?))
    };
    let columns = [
        ("a", integer(get("a")?).filter(|digits| digits.parse::<i32>().is_ok())),
        ("b", nullable(get("b"), &text)),
        ("c", nullable(get("c"), &|value| list(value, &integer))),
        ("d", nullable(get("o").and_then(|inner| inner.get("d")), &boolean)),
        ("e", nullable(get("e"), &|value| Some(format!("{:?}", value.to_string())))),
        ("f", nullable(get("f"), &float)),
        ("s", nullable(get("s"), &structure)),
    ];
    let columns: Option<Vec<_>> = columns.into_iter().map(|(name, value)| Some(format!("{name}={}", value?))).collect();
    Some(columns?.join(" "))
}

/// What a number or text holds, as text.
fn scalar(value: &Json) -> Option<String> {
    match value {
        Json::String(text) => Some(text.clone()),
        Json::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn whole(value: &Json) -> Option<i128> {
    let text = scalar(value)?;
    let exact = text.strip_suffix(".0").unwrap_or(&text);
    exact
        .parse()
        .ok()
        .or_else(|| text.parse::<f64>().ok().filter(|v| v.fract() == 0.0 && v.abs() < 1e18).map(|v| v as i128))
}

fn integer(value: &Json) -> Option<String> {
    i64::try_from(whole(value)?).ok().map(|value| value.to_string())
}

fn unsigned(value: &Json) -> Option<String> {
    u64::try_from(whole(value)?).ok().map(|value| format!("{value}u"))
}

fn float(value: &Json) -> Option<String> {
    scalar(value)?.parse().ok().filter(|value: &f64| value.is_finite()).map(|value| format!("{value:?}"))
}

fn text(value: &Json) -> Option<String> {
    scalar(value).or_else(|| value.as_bool().map(|value| value.to_string())).map(|text| format!("{text:?}"))
}

fn boolean(value: &Json) -> Option<String> {
    let word = scalar(value).or_else(|| value.as_bool().map(|value| value.to_string()))?.to_ascii_lowercase();
    match word.as_str() {
        "1" | "t" | "true" | "y" => Some("true".to_owned()),
        "0" | "f" | "false" | "n" => Some("false".to_owned()),
        _ => None,
    }
}

/// Fields that no column takes.
fn left_over(record: &Map<String, Json>) -> Map<String, Json> {
    let mut rest = Map::new();
    for (name, value) in record {
        let inner = |known: &[&str]| {
            let fields = value.as_object().into_iter().flatten().filter(|(name, _)| !known.contains(&name.as_str()));
            fields.map(|(name, value)| (name.clone(), value.clone())).collect::<Map<_, _>>()
        };
        match (name.as_str(), value) {
            ("a" | "b" | "c" | "e" | "f", _) | ("o", Json::Null) => {}
            ("o", Json::Object(_)) | ("s", _) => {
                let inner = inner(if name == "o" { &["d"] } else { &["x", "y"] });
                if !inner.is_empty() {
                    rest.insert(name.clone(), Json::Object(inner));
                }
            }
            _ => {
                rest.insert(name.clone(), value.clone());
            }
        }
    }
    rest
}

fn scalars() -> impl Strategy<Value = Json> {
    let number = prop_oneof![
        any::<i32>().prop_map(|value| json!(value)),
        any::<i64>().prop_map(|value| json!(value)),
        any::<u64>().prop_map(|value| json!(value)),
        (-1_000..1_000_i32).prop_map(|value| json!(f64::from(value) / 4.0)),
        any::<f64>().prop_map(|value| json!(value)),
    ];
    let word = prop_oneof!["[ -~é😀\\n\"\\\\]{0,12}", "-?[0-9]{1,10}", Just("true".to_owned()), Just("N".to_owned())];
    prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(|value| json!(value)),
        number,
        word.prop_map(|word| json!(word))
    ]
}

fn values() -> impl Strategy<Value = Json> {
    scalars().prop_recursive(3, 12, 4, |inner| {
        let name = prop_oneof!["[a-fosxy]", "[a-z\"\\\\é]{0,3}"];
        let object = prop::collection::vec((name, inner.clone()), 0..4);
        prop_oneof![
            prop::collection::vec(inner, 0..4).prop_map(Json::Array),
            object.prop_map(|fields| Json::Object(fields.into_iter().collect())),
        ]
    })
}

/// Records of which most columns get what they can take, and some anything.
fn records() -> impl Strategy<Value = Map<String, Json>> {
    let integers = prop::collection::vec(prop_oneof![any::<i64>().prop_map(|v| json!(v)), Just(Json::Null)], 0..3);
    let fits = (any::<i32>(), "[ -~é]{0,9}", integers, any::<bool>(), values(), any::<f64>(), any::<u64>(), values());
    let fits = fits.prop_map(|(a, b, c, d, e, f, x, y)| {
        json!({"a": a, "b": b, "c": c, "o": {"d": d, "z": 1}, "e": e, "f": f, "s": {"x": x, "y": [b], "w": y}})
    });
    let other = prop::collection::vec(("[a-fosz]", values()), 0..3);
    (fits, other, prop::collection::vec("[b-fos]", 0..3)).prop_map(|(mut record, other, without)| {
        let fields = record.as_object_mut().unwrap();
        fields.extend(other);
        fields.retain(|name, _| !without.contains(name));
        std::mem::take(fields)
    })
}

/// The same value in other words: spaces, and every character of its texts as an escape.
fn escaped(value: &Json, out: &mut String) {
    let quoted = |text: &str, out: &mut String| {
        let units = text.encode_utf16().map(|unit| format!("\\u{unit:04x}"));
        *out += " \"";
        out.extend(units);
        *out += "\"\n";
    };
    match value {
        Json::String(text) => quoted(text, out),
        Json::Array(items) => {
            out.push_str("\t[ ");
            for (index, item) in items.iter().enumerate() {
                out.push_str(if index == 0 { "" } else { " ," });
                escaped(item, out);
            }
            out.push_str(" ]\r");
        }
        Json::Object(fields) => {
            out.push_str(" {\n");
            for (index, (name, value)) in fields.iter().rev().enumerate() {
                out.push_str(if index == 0 { "" } else { ", " });
                quoted(name, out);
                out.push(':');
                escaped(value, out);
            }
            out.push('}');
        }
        other => out.extend([" ", &other.to_string(), " "]),
    }
}

fn agrees(contract: &Contract, record: &Map<String, Json>, text: &str, verbatim: bool) -> Result<(), TestCaseError> {
    let (mut reader, mut sink) = (Reader::new(contract), Recorder::new(contract));
    let read = reader.read(text, 0, &mut sink);
    let Some(row) = plainly(record) else {
        prop_assert!(read.is_err() && sink.rows.is_empty(), "{:?} of {}", sink.rows, text);
        return Ok(());
    };
    prop_assert_eq!(
        read.map(|row| row.end).map_err(|refused| refused.to_string()),
        Ok(text.trim_end().len()),
        "{}",
        text
    );
    let (found, extra) = match sink.rows[0].rsplit_once(" + {") {
        Some((found, extra)) => (found.to_owned(), serde_json::from_str(&format!("{{{extra}")).unwrap()),
        None => (sink.rows[0].clone(), Map::new()),
    };
    prop_assert_eq!(&extra, &left_over(record), "{}", text);
    if verbatim {
        prop_assert_eq!(found, row, "{}", text);
    }
    Ok(())
}

proptest! {
    #[test]
    fn a_record_is_read_as_serde_reads_it(record in records()) {
        let contract = contract(&columns(), &json!({}));
        let value = Json::Object(record.clone());
        agrees(&contract, &record, &value.to_string(), true)?;
        // A `json` column is as it was written, which then differs.
        let verbatim = record.get("e").is_none_or(Json::is_null);
        agrees(&contract, &record, &serde_json::to_string_pretty(&value).unwrap(), verbatim)?;
        let mut text = String::new();
        escaped(&value, &mut text);
        agrees(&contract, &record, &text, verbatim)?;
    }

    #[test]
    fn what_is_no_json_for_serde_is_none_for_us(
        record in records(), at in any::<prop::sample::Index>(), noise in "[\\[\\]{}:,\"\\\\eu0d8-]{0,3}", cut in 0..4_usize,
    ) {
        let text = Json::Object(record).to_string();
        let chars: Vec<char> = text.chars().collect();
        let at = at.index(chars.len());
        let text: String = chars[..at].iter().copied().chain(noise.chars()).chain(chars.iter().skip(at + cut).copied()).collect();
        same_grammar(&text)?;
    }

    #[test]
    fn any_text_is_read_or_refused(text in prop_oneof![".{0,40}", "\\{(\"[abe]\":[\\[\\]{}:,\"\\\\u0123deE+. nul-]{0,12},?){0,3}\\}?"]) {
        same_grammar(&text)?;
    }

    #[test]
    fn a_row_ends_where_serde_says(records in prop::collection::vec(records(), 1..4), space in "[ \\n\\t\\r]{0,3}") {
        let contract = contract(&json!({"z": "json"}), &json!({}));
        let text: String = records.into_iter().flat_map(|record| [space.clone(), Json::Object(record).to_string()]).collect();
        let mut values = Deserializer::from_str(&text).into_iter::<Json>();
        let (mut reader, mut sink, mut at) = (Reader::new(&contract), Recorder::new(&contract), 0);
        while let Some(value) = values.next() {
            prop_assert!(value.is_ok());
            at = reader.read(&text, at, &mut sink).unwrap().end;
            prop_assert_eq!(at, values.byte_offset());
        }
        prop_assert!(reader.read(&text, at, &mut sink).is_err());
    }
}

/// A contract that takes anything reads what `serde_json` reads, but for fields that occur twice.
fn same_grammar(text: &str) -> Result<(), TestCaseError> {
    let contract = contract(&json!({"a": "json"}), &json!({}));
    let (mut reader, mut sink) = (Reader::new(&contract), Recorder::new(&contract));
    let read = reader.read(text, 0, &mut sink);
    let first = Deserializer::from_str(text).into_iter::<Map<String, Json>>().next();
    // Numbers beyond its floats are JSON, though serde_json has no place for them.
    let fine = match &first {
        Some(Ok(_)) => true,
        Some(Err(error)) => error.to_string().starts_with("number out of range"),
        None => false,
    };
    match read {
        Ok(_) => prop_assert!(fine, "{text:?} is read, but {first:?}"),
        Err(refused) if refused.code == Code::DuplicateField => {}
        Err(refused) => prop_assert!(!matches!(first, Some(Ok(_))), "{text:?}: {refused}"),
    }
    Ok(())
}
