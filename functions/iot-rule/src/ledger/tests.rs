//! Readings in any order: what is told is what is true of them in theirs.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use headgate::dataset::Stream;
use proptest::{collection::vec, prelude::*, sample::subsequence};
use serde_json::json;

use super::*;
use crate::transition::Event;

pub(crate) fn watching(reorder: usize, alerts: &Value) -> Watching {
    let dataset = json!({
        "name": "x", "kind": "stream", "source": {"type": "kinesis"}, "target": {"prefix": "x/"},
        "columns": [{"name": "v", "type": "float64"}],
        "watch": {"reorder": reorder, "late_seconds": 100_000, "alerts": alerts},
    });
    let stream = Stream::parse("x.json", &dataset.to_string()).unwrap();
    Watching::new("x", stream.watch.unwrap())
}

pub(crate) fn hot(more: &Value) -> Value {
    let levels =
        json!([{"severity": "warning", "above": 80, "clear": 75}, {"severity": "critical", "above": 95, "clear": 90}]);
    let mut written = json!({"name": "hot", "column": "v", "levels": levels});
    written.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    written
}

/// The reading of this second.
pub(crate) fn reading(second: i64, value: f64) -> Reading {
    Reading {
        device: "oven".to_owned(),
        place: Place(second * 1000, second.unsigned_abs() + 7),
        values: vec![Some(value)],
        topic: None,
        future: false,
        raw: Bytes::new(),
    }
}

/// The item after these readings were put in, written and read as between two invocations; what was told goes to `out`.
fn put(item: &mut Value, readings: &[Reading], watching: &Watching, out: &mut Vec<Transition>) -> Vec<Taken> {
    let mut ledger = if item.is_null() { Ledger::default() } else { Ledger::read("k", item.take(), watching).unwrap() };
    let readings: Vec<_> = readings.iter().collect();
    let (taken, _) = ledger.take(&readings, &vec![true; readings.len()], watching);
    let told = std::mem::take(&mut ledger.outbox);
    out.extend(told);
    *item = ledger.write(watching).unwrap();
    taken
}

/// An incident as it was told: when it began and ended last, and whether the steps make sense.
pub(crate) fn incidents(told: &[Transition]) -> BTreeMap<String, Vec<Event>> {
    let mut incidents: BTreeMap<String, Vec<Event>> = BTreeMap::new();
    for transition in told {
        let events = incidents.entry(transition.incident.clone()).or_default();
        assert_eq!(events.len(), transition.step as usize, "{told:#?}");
        events.push(transition.event);
    }
    for events in incidents.values() {
        assert_eq!(events.iter().filter(|event| **event == Event::Opened).count(), 1, "{told:#?}");
        assert_eq!(events[0], Event::Opened, "{told:#?}");
        let resolved = events.iter().position(|event| *event == Event::Resolved);
        assert!(resolved.is_none_or(|at| at + 1 == events.len()), "{told:#?}");
    }
    incidents
}

fn open(told: &[Transition]) -> usize {
    incidents(told).values().filter(|events| events.last() != Some(&Event::Resolved)).count()
}

/// What is true: the spans of the readings in their order.
fn truth(readings: &[Reading], alert: &Alert) -> Vec<Span> {
    let mut ordered: Vec<_> = readings.iter().map(|reading| (reading.place, reading.values[0].unwrap())).collect();
    ordered.sort_by_key(|(place, _)| *place);
    let mut machine = Machine::default();
    let mut spans: Vec<_> = ordered.iter().filter_map(|(place, value)| machine.step(alert, *place, *value)).collect();
    spans.extend(machine.open());
    spans
}

#[test]
fn an_incident_is_told_once_and_its_levels_as_they_change() {
    let (watching, mut item, mut told) = (watching(4, &json!([hot(&json!({}))])), Value::Null, Vec::new());
    for (second, value) in (0..).zip([70.0, 81.0, 85.0, 96.0, 91.0, 88.0, 74.0, 70.0, 82.0]) {
        put(&mut item, &[reading(second, value)], &watching, &mut told);
    }
    let seen: Vec<_> = told.iter().map(|it| format!("{:?} {} {:?}", it.event, it.severity, it.value)).collect();
    let expected = [
        "Opened warning Some(81.0)",
        "Updated critical Some(96.0)",
        "Updated warning Some(88.0)",
        "Resolved warning Some(74.0)",
        "Opened warning Some(82.0)",
    ];
    assert_eq!(seen, expected);
    assert_eq!((incidents(&told).len(), open(&told)), (2, 1));
}

#[test]
fn an_incident_that_is_found_out_later_is_told() {
    let (watching, mut item, mut told) = (watching(8, &json!([hot(&json!({}))])), Value::Null, Vec::new());
    for (second, value) in [(1, 70.0), (5, 70.0), (3, 96.0), (4, 81.0), (2, 82.0)] {
        put(&mut item, &[reading(second, value)], &watching, &mut told);
    }
    let seen: Vec<_> = told.iter().map(|it| (it.event, it.severity.as_str(), it.at)).collect();
    assert_eq!(seen, [(Event::Opened, "critical", Some(3000)), (Event::Resolved, "critical", Some(5000))]);
}

#[test]
fn one_incident_that_turns_out_to_be_two_is_told_as_two() {
    let (watching, mut item, mut told) = (watching(8, &json!([hot(&json!({}))])), Value::Null, Vec::new());
    for (second, value) in [(3, 81.0), (5, 82.0), (4, 70.0)] {
        put(&mut item, &[reading(second, value)], &watching, &mut told);
    }
    let seen: Vec<_> = told.iter().map(|it| (it.event, it.at)).collect();
    let expected = [(Event::Opened, Some(3000)), (Event::Resolved, Some(4000)), (Event::Opened, Some(5000))];
    assert_eq!(seen, expected);
    assert_eq!(incidents(&told).len(), 2);
}

#[test]
fn one_that_was_none_is_withdrawn() {
    let lasting = hot(&json!({"for_seconds": 3}));
    let (watching, mut item, mut told) = (watching(8, &json!([lasting])), Value::Null, Vec::new());
    for (second, value) in [(1, 81.0), (4, 82.0), (3, 70.0)] {
        put(&mut item, &[reading(second, value)], &watching, &mut told);
    }
    let seen: Vec<_> = told.iter().map(|it| (it.event, it.value)).collect();
    assert_eq!(seen, [(Event::Opened, Some(82.0)), (Event::Resolved, None)]);
}

#[test]
fn an_alert_that_nobody_asks_for_any_more_ends() {
    let (before, mut item, mut told) = (watching(8, &json!([hot(&json!({}))])), Value::Null, Vec::new());
    put(&mut item, &[reading(1, 81.0)], &before, &mut told);
    let after = watching(8, &json!([hot(&json!({"name": "other"}))]));
    put(&mut item, &[reading(2, 82.0)], &after, &mut told);
    let seen: Vec<_> = told.iter().map(|it| (it.alert.as_str(), it.event)).collect();
    assert_eq!(seen, [("hot", Event::Opened), ("other", Event::Opened), ("hot", Event::Resolved)]);
}

#[test]
fn what_is_too_late_changes_nothing() {
    let (watching, mut item, mut told) = (watching(2, &json!([hot(&json!({}))])), Value::Null, Vec::new());
    for second in 1..=4 {
        put(&mut item, &[reading(second, 70.0)], &watching, &mut told);
    }
    let before = item.clone();
    let taken = put(&mut item, &[reading(2, 99.0), reading(0, 99.0), reading(3, 99.0)], &watching, &mut told);
    assert_eq!(taken, [Taken::Late, Taken::Late, Taken::Repeated]);
    assert_eq!((item, told.len()), (before, 0));
}

#[test]
fn what_the_stream_has_is_remembered() {
    let watching = watching(4, &json!([hot(&json!({}))]));
    let (one, two) = (reading(1, 70.0), reading(2, 70.0));
    let mut ledger = Ledger::default();
    assert_eq!(ledger.take(&[&one, &two], &[true, false], &watching), (vec![Taken::Judged; 2], true));
    let mut ledger = Ledger::read("k", ledger.write(&watching).unwrap(), &watching).unwrap();
    assert_eq!((ledger.has_sent(&one), ledger.has_sent(&two)), (true, false));
    assert_eq!(ledger.take(&[&one, &two], &[true, true], &watching), (vec![Taken::Repeated; 2], true));
    assert_eq!(ledger.take(&[&one, &two], &[true, true], &watching), (vec![Taken::Repeated; 2], false));
    assert!(ledger.has_sent(&two));
}

#[test]
fn an_item_of_somebody_else_is_refused() {
    let watching = watching(4, &json!([hot(&json!({}))]));
    for item in [json!(null), json!({}), json!({"columns": [], "window": "x", "tracks": {}})] {
        assert_eq!(Ledger::read("k", item, &watching).unwrap_err().code, Code::InvalidConfig);
    }
}

fn values() -> impl Strategy<Value = Vec<f64>> {
    vec(prop_oneof![Just(70.0), Just(77.0), Just(81.0), Just(92.0), Just(96.0), -10.0..150.0_f64], 1..14)
}

/// The places of the readings in the order they come, some of them twice.
fn arrivals(count: usize) -> impl Strategy<Value = Vec<usize>> {
    let all: Vec<usize> = (0..count).collect();
    (Just(all.clone()).prop_shuffle(), subsequence(all, 0..=count))
        .prop_map(|(first, again)| [first, again].concat())
        .prop_shuffle()
}

fn readings_and_arrivals() -> impl Strategy<Value = (Vec<f64>, Vec<usize>)> {
    values().prop_flat_map(|values| (Just(values.clone()), arrivals(values.len())))
}

/// What is told of the readings that come so, in batches of these sizes.
fn tell(values: &[f64], arrivals: &[usize], sizes: &[usize], watching: &Watching) -> Vec<Transition> {
    let readings: Vec<_> = (0..).zip(values).map(|(second, value)| reading(second, *value)).collect();
    let (mut item, mut told, mut rest, mut sizes) = (Value::Null, Vec::new(), arrivals, sizes.iter().cycle());
    while !rest.is_empty() {
        let (batch, after) = rest.split_at((*sizes.next().unwrap_or(&1)).min(rest.len()));
        let batch: Vec<_> = batch.iter().map(|index| readings[*index].clone()).collect();
        put(&mut item, &batch, watching, &mut told);
        rest = after;
    }
    told
}

proptest! {
    #[test]
    fn bounds_are_told_as_they_are_whatever_the_order(
        (values, arrivals) in readings_and_arrivals(), sizes in vec(1..4_usize, 1..4)
    ) {
        let watching = watching(64, &json!([hot(&json!({}))]));
        let told = tell(&values, &arrivals, &sizes, &watching);
        let readings: Vec<_> = (0..).zip(&values).map(|(second, value)| reading(second, *value)).collect();
        let spans = truth(&readings, &watching.watch.alerts[0]);
        prop_assert_eq!(incidents(&told).len(), spans.len(), "{:#?}", told);
        prop_assert_eq!(open(&told), spans.iter().filter(|span| span.resolved.is_none()).count(), "{:#?}", told);
        prop_assert!(told.iter().all(|transition| transition.value.is_some()), "none is withdrawn: {:#?}", told);
        let ends = |event| told.iter().filter(move |it| it.event == event);
        prop_assert_eq!(ends(Event::Opened).count(), ends(Event::Resolved).count() + open(&told));
    }

    #[test]
    fn in_their_order_the_times_are_true_too(values in values(), sizes in vec(1..4_usize, 1..4), reorder in 1..6_usize) {
        let watching = watching(reorder, &json!([hot(&json!({"for_seconds": 1, "cooldown_seconds": 2}))]));
        let arrivals: Vec<_> = (0..values.len()).collect();
        let told = tell(&values, &arrivals, &sizes, &watching);
        let readings: Vec<_> = (0..).zip(&values).map(|(second, value)| reading(second, *value)).collect();
        let spans = truth(&readings, &watching.watch.alerts[0]);
        let since: Vec<_> = told.iter().filter(|it| it.event == Event::Opened).map(|it| it.since).collect();
        prop_assert_eq!(since, spans.iter().map(|span| span.since.0).collect::<Vec<_>>());
        let ends: Vec<_> = told.iter().filter(|it| it.event == Event::Resolved).map(|it| it.at.unwrap()).collect();
        prop_assert_eq!(ends, spans.iter().filter_map(|span| Some(span.resolved?.place.0)).collect::<Vec<_>>());
    }

    #[test]
    fn whatever_is_watched_no_more_than_one_is_open_and_it_is_open_in_truth(
        (values, arrivals) in readings_and_arrivals(), sizes in vec(1..4_usize, 1..4),
        lasting in 0..3_u64, cooldown in 0..4_u64, deviation in any::<bool>(),
    ) {
        let mut written = hot(&json!({"for_seconds": lasting, "cooldown_seconds": cooldown}));
        if deviation {
            written["deviation"] = json!({"warm_up": 2, "alpha": 0.5});
            written["levels"] = json!([{"severity": "s", "above": 1.5, "clear": 1}]);
        }
        let watching = watching(64, &json!([written]));
        let told = tell(&values, &arrivals, &sizes, &watching);
        let mut at_once = BTreeSet::new();
        for transition in &told {
            match transition.event {
                Event::Opened => assert!(at_once.insert(&transition.incident)),
                Event::Updated => assert!(at_once.contains(&transition.incident)),
                Event::Resolved => assert!(at_once.remove(&transition.incident)),
            }
        }
        let readings: Vec<_> = (0..).zip(&values).map(|(second, value)| reading(second, *value)).collect();
        let spans = truth(&readings, &watching.watch.alerts[0]);
        prop_assert_eq!(at_once.len(), usize::from(spans.last().is_some_and(|span| span.resolved.is_none())));
    }
}
