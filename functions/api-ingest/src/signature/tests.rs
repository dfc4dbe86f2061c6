//! Requests signed well, badly, long ago and with an old key.

use serde_json::json;

use super::*;

const OLD: &str = "an old secret of the sender";
const NEW: &str = "a new secret of the sender";
const ORDERS: &str = "a secret for orders alone";
const BODY: &str = r#"{"id":1}"#;
const NOW: i64 = 1_795_348_800;

fn terms() -> Terms {
    Terms {
        signature_header: "x-headgate-signature".to_owned(),
        timestamp_header: "x-headgate-timestamp".to_owned(),
        window: Duration::from_mins(5),
    }
}

fn keys(written: &str) -> Result<Keys, String> {
    Keys::parse(written, ["orders", "returns"].into_iter())
}

/// What becomes of a request with these headers to `dataset`: the refusal's reason, or `ok`.
#[track_caller]
fn check(dataset: &str, headers: &[(&str, String)], expected: &str) {
    let headers: serde_json::Map<_, _> =
        headers.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
    let event =
        json!({"rawPath": "/", "headers": headers, "body": BODY, "requestContext": {"http": {"method": "POST"}}});
    let event = event.to_string();
    let request = headgate::event::http::read(event.as_bytes()).unwrap();
    let keys = keys(&format!("{OLD}, {NEW},orders:{ORDERS}")).unwrap();
    let verified = keys.verify(&request, dataset, &terms(), Timestamp(NOW * 1000));
    assert_eq!(verified.map_or_else(|refusal| refusal.reason(), |()| "ok"), expected, "{headers:?}");
}

fn headers(seconds: i64, signature: String) -> [(&'static str, String); 2] {
    [("X-Headgate-Timestamp", seconds.to_string()), ("X-Headgate-Signature", signature)]
}

fn signed(secret: &str, seconds: i64) -> [(&'static str, String); 2] {
    headers(seconds, sign(secret, seconds, BODY.as_bytes()))
}

#[test]
fn the_signature_is_what_openssl_makes() {
    // printf '1700000000.{"id":1}' | openssl dgst -sha256 -hmac 'an old secret of the sender'
    let expected = "v1=b8923b88b222dfa0c7e6f9bf11f73c4136c026209e52d1b21fdbf6b93d3052e3";
    assert_eq!(sign(OLD, 1_700_000_000, BODY.as_bytes()), expected);
}

#[test]
fn either_key_signs_while_they_are_rotated() {
    check("returns", &signed(OLD, NOW), "ok");
    check("returns", &signed(NEW, NOW), "ok");
    let both = format!("v0=abc, {},{}", sign("another secret of somebody", NOW, b""), sign(NEW, NOW, BODY.as_bytes()));
    check("returns", &headers(NOW, both), "ok");
    check("returns", &headers(NOW, sign(OLD, NOW, BODY.as_bytes()).to_uppercase().replacen("V1", "v1", 1)), "ok");
}

#[test]
fn a_key_may_be_for_one_dataset() {
    check("orders", &signed(ORDERS, NOW), "ok");
    check("returns", &signed(ORDERS, NOW), "wrong_signature");
}

#[test]
fn what_nobody_signed_is_refused() {
    check("orders", &signed("another secret of somebody", NOW), "wrong_signature");
    check("orders", &headers(NOW, sign(OLD, NOW, br#"{"id":2}"#)), "wrong_signature");
    check("orders", &headers(NOW, sign(OLD, NOW - 1, BODY.as_bytes())), "wrong_signature");
    let cut = sign(OLD, NOW, BODY.as_bytes());
    for signature in [&cut[..cut.len() - 2], &cut[3..], "v1=", "v1=zz", "", "v1"] {
        check("orders", &headers(NOW, signature.to_owned()), "wrong_signature");
    }
}

#[test]
fn a_signature_holds_for_a_while() {
    for (seconds, expected) in [(300, "ok"), (-300, "ok"), (301, "out_of_time"), (-301, "out_of_time")] {
        check("orders", &signed(OLD, NOW + seconds), expected);
    }
    check("orders", &headers(i64::MAX, String::new()), "out_of_time");
    check("orders", &headers(i64::MIN, String::new()), "out_of_time");
}

#[test]
fn both_headers_are_needed() {
    let [timestamp, signature] = signed(OLD, NOW);
    check("orders", &[timestamp], "unsigned");
    check("orders", std::slice::from_ref(&signature), "unsigned");
    check("orders", &[("x-headgate-timestamp", "2026-11-22T12:00:00Z".to_owned()), signature], "unsigned");
}

#[test]
fn secrets_are_long_and_never_shown() {
    assert_eq!(keys("an old secret of the sender,short").unwrap_err(), "key 2 is shorter than 16 bytes");
    assert_eq!(keys("").unwrap_err(), "key 1 is shorter than 16 bytes");
    assert_eq!(keys(&format!("orders:{ORDERS}")).unwrap_err(), "no key for the dataset returns");
    let shown = format!("{:?}", keys(&format!("{OLD},orders:{ORDERS}")).unwrap());
    assert_eq!(shown, "Keys([a key of all datasets, a key of orders])");
}
