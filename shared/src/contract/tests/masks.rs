//! Checks of values, and what is hidden of them.

use super::*;

/// `printf %s user@example.com | openssl dgst -sha256 -hmac 'a key of 16 byte'`
const HASH: &str = "bcc39f5a618edd65ebb9cbdb4c8edc91c93a6894f052e1ad2c9368888fa4292a";

#[test]
fn checks_see_the_value_as_it_came() {
    for (column, good, bad, want) in [
        (json!({"type": "int32", "min": 0}), "0", "-1", "below the least, 0"),
        (json!({"type": "uint64", "max": 5}), "5", "6", "above the most, 5"),
        (json!({"type": "float64", "min": -0.5, "max": 0.5}), "0.5", "0.51", "above the most, 0.5"),
        (json!({"type": "decimal(5,2)", "min": 0.1}), "0.1", "0.09", "below the least, 0.1"),
        (json!({"type": "string", "pattern": "^[a-z]+$"}), "\"abc\"", "\"abc1\"", "does not match `^[a-z]+$`"),
        (json!({"type": "string", "pattern": "é"}), r#""caf\u00e9""#, "\"cafe\"", "does not match `é`"),
        (json!({"type": "string", "one_of": ["a", 1]}), "1", "\"b\"", "none of `one_of`"),
        (json!({"type": "int64", "one_of": [1, "2"]}), "2.0", "3", "none of `one_of`"),
        (json!({"type": "uint64", "one_of": [u64::MAX]}), "18446744073709551615", "1", "none of `one_of`"),
        (json!({"type": "string", "pattern": "@", "mask": "erase"}), "\"a@b\"", "\"ab\"", "does not match `@`"),
    ] {
        let columns = json!({"x": column});
        let taken = read(&contract(&columns, &json!({})), &format!("{{\"x\":{good}}}"));
        assert!(taken.starts_with("x="), "{columns}: {taken}");
        check(&columns, &format!("{{\"x\":{bad}}}"), &format!("check_failed $.x: {want}"));
        check(&columns, "{}", "x=null");
    }
}

#[test]
fn masks_hide_values() {
    let columns = json!({"e": {"type": "string", "mask": "erase"}, "h": {"type": "string", "mask": "hash"},
        "k": {"type": "string", "mask": "keep_last(4)"}, "z": {"type": "string", "mask": "keep_last(0)"}});
    let record = r#"{"e":"secret","h":"user@example.com","k":"4111-1111-1111-9é😀a","z":"é😀a"}"#;
    check(&columns, record, &format!(r#"e=null h="{HASH}" k="***************9é😀a" z="***""#));
    check(
        &columns,
        r#"{"h":"user@ex\u0061mple.com","k":"abcd","z":""}"#,
        &format!(r#"e=null h="{HASH}" k="abcd" z="""#),
    );
    check(&columns, r#"{"e":null,"h":null,"k":null,"z":null}"#, "e=null h=null k=null z=null");
    let nested = json!({"s": {"type": "struct<a: int32>", "mask": "erase"}, "t": {"type": "json", "mask": "erase"}, "u": {"type": "list<int32>", "mask": "erase"}});
    check(&nested, r#"{"s":{"a":1,"secret":2},"t":{"a":1},"u":[1]}"#, "s=null t=null u=null");
    check(&nested, r#"{"s":{"a":1"#, "invalid_json $.s: neither `,` nor an end at byte 11");
}

#[test]
fn a_hash_needs_its_key() {
    let hashed = json!({"h": {"type": "string", "mask": "hash"}});
    check_contract(&hashed, None, "events: column `h` is hashed: set MASK_KEY");
    let short = MaskKey::new(&KEY[..15]).unwrap_err();
    assert_eq!(short.message, "the mask key must have at least 16 bytes");
    assert_eq!(format!("{:?}", MaskKey::new(KEY).unwrap()), "MaskKey");
    let other =
        Contract::new(&stream(&hashed, &json!({})), Some(MaskKey::new(b"another key, as long").unwrap())).unwrap();
    assert_ne!(read(&other, r#"{"h":"user@example.com"}"#), format!("h=\"{HASH}\""));
}
