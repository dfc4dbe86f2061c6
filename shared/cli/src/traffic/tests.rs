//! What traffic promises: the same bytes again, the shares, and records that are what they are said to be.

use std::collections::BTreeMap;

use headgate::decode::json::documents;
use serde_json::Value;

use super::*;

const KINDS: [Kind; 3] = [Kind::Clickstream, Kind::Orders, Kind::Sensors];

fn some(kind: Kind, count: usize, options: Options) -> Vec<Generated> {
    Traffic::new(kind, 7, options).take(count).collect()
}

fn parsed(record: &Generated) -> Value {
    serde_json::from_slice(&record.body).unwrap()
}

#[test]
fn a_seed_is_a_promise() {
    for kind in KINDS {
        let options = Options { bad: 0.1, duplicate: 0.1, late: 0.1, tombstones: 0.1, ..Options::default() };
        let records = some(kind, 500, options);
        assert_eq!(some(kind, 500, options), records);
        assert_ne!(Traffic::new(kind, 8, options).take(500).collect::<Vec<_>>(), records);
    }
}

#[test]
fn shares_are_about_what_was_asked_for() {
    let options = Options { bad: 0.12, duplicate: 0.1, late: 0.05, tombstones: 0.02, ..Options::default() };
    for kind in KINDS {
        let mut seen = BTreeMap::<String, f64>::new();
        for record in some(kind, 20_000, options) {
            *seen.entry(format!("{:?}", record.case)).or_default() += 1.0 / 20_000.0;
        }
        let bad = BadKind::ALL.map(|bad| (format!("Bad({bad:?})"), 0.02));
        let others = [("Duplicate", 0.1), ("Late", 0.05), ("Tombstone", 0.02), ("Good", 0.71)];
        let expected = bad.into_iter().chain(others.map(|(name, share)| (name.to_owned(), share)));
        let expected: BTreeMap<_, _> = expected.collect();
        assert!(expected.keys().eq(seen.keys()), "{seen:?}");
        assert!(expected.iter().all(|(case, share)| (seen[case] / share - 1.0).abs() < 0.2), "{kind:?} {seen:?}");
    }
}

#[test]
fn good_records_have_their_columns() {
    let check = |kind, columns: &[&str], optional: &[&str]| {
        let records = some(kind, 2_000, Options::default());
        for record in records.iter().map(parsed) {
            let missing = columns.iter().find(|column| record.get(**column).is_none_or(Value::is_null));
            let known = |name: &String| columns.contains(&&**name) || optional.contains(&&**name);
            assert!(missing.is_none() && record.as_object().unwrap().keys().all(known), "{missing:?} {record}");
        }
        records.iter().map(|record| record.body.len()).sum::<usize>() / records.len()
    };
    let bytes = check(
        Kind::Clickstream,
        &["event_id", "user_id", "event_type", "page", "ts", "session", "geo", "tags", "ua", "duration_ms", "is_bot"],
        &["email", "value", "currency", "referrer"],
    );
    assert!((650..900).contains(&bytes), "{bytes}");
    check(
        Kind::Orders,
        &["order_id", "customer_id", "status", "amount", "currency", "items", "placed_at", "updated_at"],
        &[],
    );
    check(Kind::Sensors, &["device_id", "metric", "value", "unit", "at", "seq"], &[]);
}

#[test]
fn the_bytes_are_the_same_on_every_machine() {
    let first = some(Kind::Sensors, 1, Options { skew: 0.0, ..Options::default() }).remove(0);
    let expected =
        r#"{"device_id":"device-02619","metric":"battery","value":3.602,"unit":"V","at":1767225599.196,"seq":0}"#;
    assert_eq!(String::from_utf8(first.body).unwrap(), expected);
}

#[test]
fn an_order_keeps_what_does_not_change() {
    let mut orders = BTreeMap::<String, Value>::new();
    let mut again = 0;
    for record in some(Kind::Orders, 2_000, Options { late: 0.5, ..Options::default() }) {
        let mut order = parsed(&record);
        assert!(order["placed_at"].as_i64().unwrap() < record.event_time.0);
        for changing in ["status", "updated_at"] {
            order[changing].take();
        }
        if let Some(before) = orders.insert(record.key, order.clone()) {
            assert_eq!(before, order);
            again += 1;
        }
    }
    assert!(again > 500, "{again}");
}

/// Every bad record is bad in its own way and in no other.
fn check(kind: Kind, record: &Generated) {
    let json = || serde_json::from_slice::<Value>(&record.body);
    let (required, wrong, beyond) = match kind {
        Kind::Clickstream => ("user_id", "user_id", "duration_ms"),
        Kind::Orders => ("order_id", "items", "placed_at"),
        Kind::Sensors => ("device_id", "value", "seq"),
    };
    let as_said = match record.bad() {
        None => json().is_ok_and(|json| json[required] != Value::Null),
        Some(BadKind::Empty) => record.body.is_empty(),
        Some(BadKind::Truncated) => !record.body.is_empty() && json().is_err_and(|error| error.is_eof()),
        Some(BadKind::InvalidUtf8) => {
            let text = String::from_utf8_lossy(&record.body);
            text.matches('\u{fffd}').count() == 1 && serde_json::from_str::<Value>(&text).is_ok()
        }
        Some(BadKind::MissingField) => json().is_ok_and(|json| json.get(required).is_none()),
        Some(BadKind::WrongType) => json().is_ok_and(|json| json[wrong].is_string()),
        Some(BadKind::OutOfRange) => json().is_ok_and(|json| match kind {
            Kind::Clickstream => json[beyond].as_i64().is_some_and(|number| i32::try_from(number).is_err()),
            Kind::Orders | Kind::Sensors => json[beyond].is_number() && json[beyond].as_i64().is_none(),
        }),
    };
    assert!(as_said, "{:?}: {}", record.case, String::from_utf8_lossy(&record.body));
}

#[test]
fn bad_records_are_as_they_are_said_to_be() {
    for kind in KINDS {
        let records = some(kind, 3_000, Options { bad: 0.5, ..Options::default() });
        for record in &records {
            check(kind, record);
        }
    }
}

#[test]
fn the_decoder_finds_one_document_where_there_is_one() {
    for kind in KINDS {
        for record in some(kind, 1_000, Options { bad: 0.5, late: 0.1, duplicate: 0.1, ..Options::default() }) {
            let unreadable =
                [BadKind::Truncated, BadKind::Empty, BadKind::InvalidUtf8].map(Some).contains(&record.bad());
            let found: Vec<_> = documents(&record.body.clone().into()).map(|document| document.is_err()).collect();
            assert_eq!(found, [unreadable], "{:?}", record.case);
        }
    }
}

#[test]
fn times_follow_the_rate_and_late_ones_do_not() {
    let options = Options { rate: 10.0, late: 0.3, duplicate: 0.2, ..Options::default() };
    let records = some(Kind::Clickstream, 1_000, options);
    for (number, record) in records.iter().enumerate() {
        assert_eq!(record.at, Options::START.plus(Duration::from_millis(number as u64 * 100)));
        let delay = record.at.0 - record.event_time.0;
        match record.case {
            Case::Late => assert!((3_600_000..48 * 3_600_000).contains(&delay), "{delay}"),
            Case::Duplicate => {
                let original = |other: &&Generated| other.body == record.body && other.case != Case::Duplicate;
                let before = records[..number].iter().find(original).unwrap();
                assert_eq!((&before.key, before.event_time), (&record.key, record.event_time));
            }
            _ => assert!((0..1_500).contains(&delay), "{delay}"),
        }
        assert_eq!(parsed(record)["ts"], object::rfc3339(record.event_time));
    }
    assert_eq!(object::rfc3339(Timestamp(1_767_225_600_050)), "2026-01-01T00:00:00.050Z");
    assert_eq!(object::seconds(Timestamp(1_767_225_600_050)), "1767225600.05");
    assert_eq!(object::seconds(Timestamp(1_767_225_600_000)), "1767225600");
}

#[test]
fn skew_makes_some_keys_frequent() {
    let top = |skew| {
        let mut counts = BTreeMap::<String, usize>::new();
        for record in some(Kind::Sensors, 10_000, Options { skew, ..Options::default() }) {
            *counts.entry(record.key).or_default() += 1;
        }
        counts.into_values().max().unwrap()
    };
    let tops = [0.0, 1.0, 1.5, 5.0].map(top);
    assert!(tops[0] < 12 && (900..1_300).contains(&tops[1]) && (3_600..4_500).contains(&tops[2]), "{tops:?}");
    assert!(tops[3] > 9_000, "{tops:?}");
}
