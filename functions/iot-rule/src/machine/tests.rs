//! Readings, one a second, and what becomes of an alert.

use headgate::dataset::{Stream, stream::watch::Alert};
use serde_json::{Value, json};

use super::*;

/// The alert that a dataset file would describe so.
pub(crate) fn alert(written: &Value) -> Alert {
    let dataset = json!({
        "name": "x", "kind": "stream", "source": {"type": "kinesis"}, "target": {"prefix": "x/"},
        "columns": [{"name": "v", "type": "float64"}], "watch": {"alerts": [written]},
    });
    let stream = Stream::parse("x.json", &dataset.to_string()).unwrap();
    stream.watch.unwrap().alerts.remove(0)
}

fn hot(more: &[(&str, Value)]) -> Alert {
    let levels =
        json!([{"severity": "warning", "above": 80, "clear": 75}, {"severity": "critical", "above": 95, "clear": 90}]);
    let mut written = json!({"name": "hot", "column": "v", "levels": levels});
    for (name, value) in more {
        written[name] = value.clone();
    }
    alert(&written)
}

/// What the readings come to: `.` calm or not yet told, else the level; `!` where a span ended.
fn check(alert: &Alert, readings: &[f64], want: &str) {
    let mut machine = Machine::default();
    let step = |(second, value): (i64, &f64)| {
        let ended = machine.step(alert, Place(second * 1000, 0), *value).is_some();
        match machine.open() {
            _ if ended => '!',
            None => '.',
            Some(span) => char::from_digit(span.latest.level as u32, 10).unwrap(),
        }
    };
    let seen: String = (0..).zip(readings).map(step).collect();
    assert_eq!(seen, want, "{readings:?}");
}

#[test]
fn a_level_begins_beyond_its_bound_and_ends_where_it_clears() {
    check(&hot(&[]), &[80.0, 80.1, 76.0, 75.0, 79.0, 96.0, 91.0, 90.0, 76.0, 70.0], ".00!.1100!");
    check(&hot(&[]), &[96.0, 74.0], "1!");
    let cold = alert(&json!({"name": "c", "column": "v", "levels": [
        {"severity": "low", "below": 5, "clear": 8}, {"severity": "lower", "below": 0}]}));
    check(&cold, &[5.0, 4.0, 7.0, -1.0, 0.0, 8.0], ".0010!");
}

#[test]
fn it_must_last() {
    let lasting = hot(&[("for_seconds", json!(2))]);
    check(&lasting, &[81.0, 81.0, 70.0, 81.0, 76.0, 81.0, 70.0], ".....0!");
    check(&lasting, &[81.0, 96.0, 96.0], "..1");
}

#[test]
fn nothing_begins_anew_while_it_cools_down() {
    let cooling = hot(&[("cooldown_seconds", json!(3))]);
    check(&cooling, &[81.0, 70.0, 81.0, 81.0, 81.0, 70.0], "0!..0!");
    check(&cooling, &[81.0, 70.0, 81.0, 70.0, 70.0, 81.0], "0!...0");
}

#[test]
fn a_deviation_is_told_once_enough_was_seen() {
    let written = json!({"name": "odd", "column": "v", "deviation": {"warm_up": 4, "noise": 1},
        "levels": [{"severity": "s", "above": 5, "clear": 2}]});
    let odd = alert(&written);
    check(&odd, &[20.0, 500.0, 20.0, 20.0], "....");
    check(&odd, &[20.0, 21.0, 19.0, 20.0, 25.0, 20.0], "......");
    check(&odd, &[20.0, 21.0, 19.0, 20.0, 25.5, 20.0], "....0!");
    check(&odd, &[20.0, 20.0, 20.0, 20.0, 0.0, 20.0], "....0!");
    // What stays is the rule with time.
    let mut long = vec![20.0; 10];
    long.extend([40.0; 60]);
    let mut machine = Machine::default();
    let ended: Vec<_> = (0..).zip(&long).filter_map(|(at, value)| machine.step(&odd, Place(at, 0), *value)).collect();
    assert_eq!((ended.len(), machine.open()), (1, None));
}

#[test]
fn no_value_is_too_large_to_be_kept() {
    let written =
        json!({"name": "odd", "column": "v", "deviation": {"warm_up": 2}, "levels": [{"severity": "s", "above": 5}]});
    let (odd, mut machine) = (alert(&written), Machine::default());
    for (at, value) in (0..).zip([1.0, 1.0, 1.0, f64::MAX, f64::MIN, f64::MAX, 0.0, f64::MIN, 1e-300, 5.0]) {
        machine.step(&odd, Place(at, 0), value);
        let kept = serde_json::to_value(&machine).unwrap();
        assert_eq!(serde_json::from_value::<Machine>(kept).unwrap(), machine);
    }
}
