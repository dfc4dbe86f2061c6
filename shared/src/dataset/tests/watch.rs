//! What a stream is watched for: every field, and every problem with its path.

use std::time::Duration;

use super::*;
use crate::dataset::stream::watch::{Alert, Level, Measure, Side, Trend, Watch};

const TEMPERATURE: &str = include_str!("../../../../infra/datasets/temperature.json");

pub(super) fn temperature() -> Value {
    serde_json::from_str(TEMPERATURE).unwrap()
}

/// The least that can be watched for.
fn least() -> Value {
    let mut document = super::stream::least(&json!({"name": "a", "type": "float64"}));
    document["watch"] = json!({"alerts": [{"name": "x", "column": "a", "levels": [{"severity": "s", "above": 1}]}]});
    document
}

fn watched(document: &Value) -> Watch {
    Stream::parse("x.json", &document.to_string()).unwrap().watch.unwrap()
}

/// What follows `$.`: the problems of the example after `change`.
fn check(change: impl FnOnce(&mut Value), want: &[&str]) {
    let mut document = temperature();
    change(&mut document);
    let want: Vec<String> = want.iter().map(|want| format!("$.{want}")).collect();
    assert_eq!(problems(&document), want, "{document:#}");
}

fn check_alert(alert: &Value, want: &[&str]) {
    let want: Vec<String> = want.iter().map(|want| format!("watch.alerts[0].{want}")).collect();
    let want: Vec<&str> = want.iter().map(String::as_str).collect();
    check(
        |document| document["watch"]["alerts"][0].as_object_mut().unwrap().extend(alert.as_object().unwrap().clone()),
        &want,
    );
}

#[test]
fn the_least_reads_and_defaults_fill_in() {
    let level = Level { severity: "s".to_owned(), bound: 1.0, clear: 1.0 };
    let alert = Alert {
        name: "x".to_owned(),
        column: "a".to_owned(),
        topic: None,
        measure: Measure::Value,
        side: Side::Above,
        levels: vec![level],
        lasting: Duration::ZERO,
        cooldown: Duration::ZERO,
    };
    let expected = Watch {
        device: None,
        message_id: None,
        topic: None,
        arrival: None,
        payload: None,
        late: Duration::from_mins(5),
        future: Duration::from_mins(5),
        reorder: 16,
        alerts: vec![alert],
    };
    assert_eq!(watched(&least()), expected);
    let mut stated = least();
    stated["watch"]["alerts"][0]["deviation"] = json!({});
    let trend = Trend { alpha: 0.1, warm_up: 30, noise: 0.0 };
    assert_eq!(watched(&stated).alerts[0].measure, Measure::Deviation(trend));
}

#[test]
fn every_field_is_read() {
    let watch = watched(&temperature());
    let columns = [&watch.device, &watch.message_id, &watch.topic, &watch.arrival].map(|name| name.as_deref().unwrap());
    assert_eq!(columns, ["device", "message_id", "topic", "arrived"]);
    assert_eq!((watch.late, watch.payload), (Duration::from_mins(15), None));
    let [hot, unusual] = &watch.alerts[..] else { panic!("{:?}", watch.alerts) };
    assert!(hot.topic.as_ref().is_some_and(|topic| topic.takes("sensors/oven-1/temperature")));
    assert_eq!((hot.side, hot.cooldown, hot.lasting), (Side::Above, Duration::from_mins(5), Duration::ZERO));
    let levels: Vec<_> = hot.levels.iter().map(|level| (level.severity.as_str(), level.bound, level.clear)).collect();
    assert_eq!(levels, [("warning", 80.0, 75.0), ("critical", 95.0, 90.0)]);
    assert_eq!(unusual.measure, Measure::Deviation(Trend { alpha: 0.05, warm_up: 60, noise: 0.5 }));
    assert_eq!(unusual.lasting, Duration::from_mins(1));
}

#[test]
fn levels_go_from_the_mildest_to_the_worst() {
    let levels = |levels: Value| json!({"levels": levels});
    check_alert(&levels(json!([{"severity": "low", "below": 5, "clear": 8}, {"severity": "lower", "below": 0}])), &[]);
    let twice = json!([{"severity": "a", "above": 5}, {"severity": "a", "above": 6}]);
    check_alert(&levels(twice), &["levels[1].severity: `a` is listed twice"]);
    let beyond = "levels[1]: must lie beyond the level before: they go from the mildest to the worst";
    check_alert(&levels(json!([{"severity": "a", "above": 5}, {"severity": "b", "above": 5}])), &[beyond]);
    check_alert(
        &levels(json!([{"severity": "a", "above": 5, "clear": 4}, {"severity": "b", "above": 6, "clear": 3}])),
        &[beyond],
    );
    let sides = json!([{"severity": "a", "above": 5}, {"severity": "b", "below": 9}]);
    let other = "levels[1]: is on the other side than the level before: make it another alert";
    check_alert(&levels(sides), &[other]);
    let clear = json!([{"severity": "a", "above": 5, "clear": 6}]);
    check_alert(&levels(clear), &["levels[0].clear: 6 must be 5, the bound, or on the good side of it"]);
    for both in [json!([{"severity": "a"}]), json!([{"severity": "a", "above": 1, "below": 0}])] {
        check_alert(&levels(both), &["levels[0]: must have either `above` or `below`"]);
    }
}

#[test]
fn columns_are_there_and_suit() {
    for (pointer, value, want) in [
        ("/watch/device", "x", "watch.device: `x` is not among the columns"),
        ("/watch/device", "temperature", "watch.device: `temperature` is `float64`: must be text or an integer"),
        ("/watch/device", "topic", "watch.device: `topic` must be `required`, or have a `default`"),
        ("/watch/topic", "at", "watch.topic: `at` is `timestamp(ms)`: must be a `string`"),
        ("/watch/arrival", "topic", "watch.arrival: `topic` is `string`: must be a timestamp"),
        ("/columns/0/mask", "hash", "watch.device: `device` may not be masked"),
        (
            "/source/format",
            "dms_json",
            "watch: is for messages of devices: `source` must be `kinesis` or `firehose` with `json`",
        ),
        ("/columns/1/type", "date", "event_time: is a date, which is too coarse for `watch`: must be a timestamp"),
    ] {
        check(|document| *document = with(document.clone(), pointer, json!(value)), &[want]);
    }
    check_alert(&json!({"column": "topic"}), &["column: `topic` is `string`: must be a number"]);
    let twice = |document: &mut Value| document["watch"]["alerts"][1]["name"] = json!("overheated");
    check(twice, &["watch.alerts[1].name: `overheated` is listed twice"]);
    let without = |document: &mut Value| *document = without(document.clone(), "/watch/topic");
    check(without, &["watch.alerts[0].topic: needs `watch.topic`, the column of a message's topic"]);
    let filter = "must be a topic filter such as `sensors/+/temperature`: `+` is a whole segment, `#` the last one";
    check_alert(&json!({"topic": "sensors/+x"}), &[&format!("topic: `sensors/+x` {filter}")]);
}

#[test]
fn a_deviation_has_no_sign() {
    let what = "a deviation has no sign: give `above` with a number above 0";
    let deviation = |level: Value, trend: Value| json!({"deviation": trend, "levels": [level]});
    check_alert(&deviation(json!({"severity": "a", "above": 0}), json!({})), &[&format!("levels[0].above: {what}")]);
    check_alert(&deviation(json!({"severity": "a", "below": 3}), json!({})), &[&format!("levels[0].below: {what}")]);
    let good = || json!({"severity": "a", "above": 3});
    check_alert(&deviation(good(), json!({"alpha": 0})), &["deviation.alpha: 0 must be above 0 and at most 1"]);
    check_alert(&deviation(good(), json!({"noise": -1})), &["deviation.noise: -1 must not be negative"]);
}
