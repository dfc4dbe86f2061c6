//! The fields of `watch` → a [`Watch`], with every problem noted.
//!
//! Rules that span fields are in `rules`.

use std::time::Duration;

use super::{Alert, Level, Measure, Side, TopicFilter, Trend, Watch, rules};
use crate::dataset::json::{Object, Problems};

/// The longest time that may be set: a year of 366 days.
const YEAR: u64 = 366 * 86_400;
/// What is kept of a device must fit an item of its state, and be cheap to write with each message.
const MOST_KEPT: u64 = 256;

/// Reads `watch`, if it is there.
pub(in crate::dataset::stream) fn watch(root: &mut Object<'_>, problems: &mut Problems) -> Option<Watch> {
    let mut watch = root.object("watch", problems)?;
    let mut column = |name| watch.nullable(name, problems).map(str::to_owned);
    let (device, message_id) = (column("device"), column("message_id"));
    let (topic, arrival, payload) = (column("topic"), column("arrival"), column("payload"));
    let late = seconds(&mut watch, "late_seconds", problems).unwrap_or(Duration::from_mins(5));
    let future = seconds(&mut watch, "future_seconds", problems).unwrap_or(Duration::from_mins(5));
    let reorder = watch.whole("reorder", "readings", 1..=MOST_KEPT, problems).unwrap_or(16);
    watch.require("alerts", "list what to tell", problems);
    let mut alerts: Vec<Alert> = Vec::new();
    for (index, item) in watch.array("alerts", problems).unwrap_or_default().iter().enumerate() {
        let path = format!("{}[{index}]", watch.at("alerts"));
        let Some(object) = Object::new(path.clone(), item, problems) else { continue };
        let alert = alert(object, problems);
        if !alert.name.is_empty() && alerts.iter().any(|known| known.name == alert.name) {
            problems.at(format!("{path}.name"), format!("`{}` is listed twice", alert.name));
        }
        rules::alone(&path, &alert, problems);
        alerts.push(alert);
    }
    watch.finish(problems);
    let reorder = usize::try_from(reorder).unwrap_or_default();
    Some(Watch { device, message_id, topic, arrival, payload, late, future, reorder, alerts })
}

fn seconds(object: &mut Object<'_>, name: &'static str, problems: &mut Problems) -> Option<Duration> {
    object.whole(name, "seconds", 0..=YEAR, problems).map(Duration::from_secs)
}

fn alert(mut alert: Object<'_>, problems: &mut Problems) -> Alert {
    alert.require("name", "the alert's name, such as `overheated`", problems);
    alert.require("column", "the column that is watched", problems);
    alert.require("levels", "list how bad it may be, from the mildest to the worst", problems);
    let name = alert.filled("name", problems).unwrap_or_default().to_owned();
    let column = alert.filled("column", problems).unwrap_or_default().to_owned();
    let topic = alert.nullable("topic", problems).and_then(|text| {
        let filter: Result<TopicFilter, _> = text.parse();
        filter.map_err(|error| problems.at(alert.at("topic"), format!("`{text}` {error}"))).ok()
    });
    let measure = alert.object("deviation", problems).map(|trend| Measure::Deviation(self::trend(trend, problems)));
    let lasting = seconds(&mut alert, "for_seconds", problems).unwrap_or_default();
    let cooldown = seconds(&mut alert, "cooldown_seconds", problems).unwrap_or_default();
    let path = alert.at("levels");
    let (mut side, mut levels) = (None, Vec::new());
    for (index, item) in alert.array("levels", problems).unwrap_or_default().iter().enumerate() {
        let path = format!("{path}[{index}]");
        if let Some(found) = Object::new(path.clone(), item, problems).and_then(|object| level(object, problems)) {
            if side.is_some_and(|side| side != found.0) {
                problems.at(&path, "is on the other side than the level before: make it another alert");
            }
            side.get_or_insert(found.0);
            levels.push(found.1);
        }
    }
    alert.finish(problems);
    let (measure, side) = (measure.unwrap_or(Measure::Value), side.unwrap_or(Side::Above));
    Alert { name, column, topic, measure, side, levels, lasting, cooldown }
}

fn trend(mut trend: Object<'_>, problems: &mut Problems) -> Trend {
    let alpha = trend.number("alpha", problems).unwrap_or(0.1);
    if !(alpha > 0.0 && alpha <= 1.0) {
        problems.at(trend.at("alpha"), format!("{alpha} must be above 0 and at most 1"));
    }
    let warm_up = trend.whole("warm_up", "readings", 2..=1_000_000, problems).unwrap_or(30);
    let noise = trend.number("noise", problems).unwrap_or(0.0);
    if noise < 0.0 {
        problems.at(trend.at("noise"), format!("{noise} must not be negative"));
    }
    trend.finish(problems);
    Trend { alpha, warm_up: u32::try_from(warm_up).unwrap_or(u32::MAX), noise }
}

fn level(mut level: Object<'_>, problems: &mut Problems) -> Option<(Side, Level)> {
    level.require("severity", "how bad it is, such as `warning`", problems);
    let severity = level.filled("severity", problems).map(str::to_owned);
    let (above, below) = (level.number("above", problems), level.number("below", problems));
    let clear = level.number("clear", problems);
    let path = level.path.clone();
    let both = [level.field("above"), level.field("below")].map(|field| field.is_some());
    level.finish(problems);
    let (side, bound) = match (both, above, below) {
        ([true, false], bound, _) => (Side::Above, bound?),
        ([false, true], _, bound) => (Side::Below, bound?),
        _ => {
            problems.at(path, "must have either `above` or `below`");
            return None;
        }
    };
    Some((side, Level { severity: severity?, bound, clear: clear.unwrap_or(bound) }))
}
