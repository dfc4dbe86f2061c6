//! Bodies of every kind → their records, or the reason to refuse them.

use std::io::Write;

use base64::{Engine, engine::general_purpose::STANDARD};
use flate2::{Compression, write::GzEncoder};
use serde_json::json;

use super::*;

const BOUNDS: Bounds = Bounds { bytes: 1000, records: 3 };

fn request(headers: &serde_json::Value, body: &[u8]) -> String {
    let body = STANDARD.encode(body);
    json!({"rawPath": "/", "headers": headers, "body": body, "isBase64Encoded": true,
        "requestContext": {"http": {"method": "POST"}}})
    .to_string()
}

/// What a body comes to: its records, or the refusal's reason and status.
#[track_caller]
fn check(body: &[u8], expected: &str) {
    let event = request(&json!({}), body);
    let request = headgate::event::http::read(event.as_bytes()).unwrap();
    let read = unpacked(&request, BOUNDS).and_then(|body| records(&body, BOUNDS));
    let told = match read {
        Ok(records) => {
            let records: Vec<_> = records.iter().map(|record| String::from_utf8_lossy(&record.raw)).collect();
            records.join(" | ")
        }
        Err(Refusal::InvalidJson { at, unreadable }) => format!("400 at {at}: {unreadable}"),
        Err(refusal) => format!("{} {}", refusal.status(), refusal.reason()),
    };
    assert_eq!(told, expected);
}

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn records_are_read_in_three_shapes() {
    check(br#"{"id": 1}"#, r#"{"id": 1}"#);
    check(b"{\"id\":1}\n\n{\"id\":\n2}\r\n", "{\"id\":1} | {\"id\":\n2}");
    check(br#" [{"id":1}, {"id":2}] "#, r#"{"id":1} | {"id":2}"#);
    check(&gzip(br#"[{"id":1}]"#), r#"{"id":1}"#);
}

#[test]
fn one_bad_part_refuses_all() {
    check(b"{}\n{\"a\":}\n{}", "400 at 1: not JSON at byte 8");
    check(b"[{}, 5, {}]", "400 at 1: not an object");
    check(b"[{}, {}", "400 at 2: the array is cut off");
    check(b"{} x", "400 at 1: not JSON at byte 3");
    check(b"\"text\"", "400 at 0: not an object");
}

#[test]
fn nothing_is_no_record() {
    for body in [&b""[..], b" \r\n\t", b"\xef\xbb\xbf", b"[]", b" [ ] "] {
        check(body, "400 empty");
    }
    check(&gzip(b""), "400 empty");
}

#[test]
fn sizes_are_bounded() {
    check(b"{}{}{}", "{} | {} | {}");
    check(b"{}{}{}{}", "413 too_many_records");
    check(&[b' '; 1001], "413 body_too_large");
    check(&gzip(&vec![b' '; 10 << 20]), "413 body_too_large");
    check(&gzip(b"{}")[..12], "400 invalid_compression");
}

#[test]
fn a_body_says_what_it_is() {
    let told = |headers: serde_json::Value| {
        let event = request(&headers, b"{}");
        let request = headgate::event::http::read(event.as_bytes()).unwrap();
        super::check(&request).map_or_else(|refusal| refusal.reason(), |()| "ok")
    };
    for kind in [
        "application/json",
        "Application/JSON; charset=UTF-8",
        "application/x-ndjson",
        "application/cloudevents+json; charset=\"utf-8\"",
    ] {
        assert_eq!(told(json!({"content-type": kind})), "ok", "{kind}");
    }
    for kind in ["", "text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin1", "json"] {
        assert_eq!(told(json!({"content-type": kind})), "media_type", "{kind}");
    }
    for encoding in ["gzip", "GZIP", "zstd", "identity", ""] {
        assert_eq!(told(json!({"content-encoding": encoding})), "ok", "{encoding}");
    }
    for encoding in ["br", "gzip, gzip", "deflate"] {
        assert_eq!(told(json!({"content-encoding": encoding})), "encoding", "{encoding}");
    }
    assert_eq!(told(json!({})), "ok");
}
