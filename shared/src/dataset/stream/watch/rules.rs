//! The fields of `watch` → what in them cannot work, alone or with the columns.
//!
//! No rule is about a field's JSON type.

use super::{Alert, Level, Measure, Side, Watch};
use crate::dataset::{
    ColumnType,
    json::Problems,
    stream::{Field, RecordFormat, Stream, Transport, parse::UNTOLD, rules::is_number},
};

/// What must fit together in an alert.
pub(super) fn alone(path: &str, alert: &Alert, problems: &mut Problems) {
    if alert.name.chars().any(char::is_control) {
        problems.at(format!("{path}.name"), "may not contain control characters");
    }
    for (index, level) in alert.levels.iter().enumerate() {
        let path = format!("{path}.levels[{index}]");
        let Level { severity, bound, clear } = level;
        if severity.chars().any(char::is_control) {
            problems.at(format!("{path}.severity"), "may not contain control characters");
        }
        let (wrong, sign) = match alert.side {
            Side::Above => (clear > bound, "above"),
            Side::Below => (clear < bound, "below"),
        };
        if wrong {
            let what = format!("{clear} must be {bound}, the bound, or on the good side of it");
            problems.at(format!("{path}.clear"), what);
        }
        if matches!(alert.measure, Measure::Deviation(_)) && (alert.side == Side::Below || *bound <= 0.0) {
            problems.at(format!("{path}.{sign}"), "a deviation has no sign: give `above` with a number above 0");
        }
        let Some(before) = index.checked_sub(1).map(|before| &alert.levels[before]) else { continue };
        let worse = match alert.side {
            Side::Above => *bound > before.bound && *clear >= before.clear,
            Side::Below => *bound < before.bound && *clear <= before.clear,
        };
        if !worse {
            problems.at(&path, "must lie beyond the level before: they go from the mildest to the worst");
        }
        if alert.levels[..index].iter().any(|known| known.severity == *severity) {
            problems.at(format!("{path}.severity"), format!("`{severity}` is listed twice"));
        }
    }
}

/// What must fit the stream.
pub(in crate::dataset::stream) fn together(watch: &Watch, stream: &Stream, problems: &mut Problems) {
    let root = "$.watch";
    if stream.transport == Transport::Kafka || stream.format != RecordFormat::Json {
        problems.at(root, "is for messages of devices: `source` must be `kinesis` or `firehose` with `json`");
    }
    let event_time = stream.event_time.as_ref().and_then(|name| field(stream, name));
    if event_time.is_some_and(|field| field.r#type == ColumnType::Date) {
        problems.at("$.event_time", "is a date, which is too coarse for `watch`: must be a timestamp");
    }
    for (name, column, what) in [
        ("device", &watch.device, &NAME),
        ("message_id", &watch.message_id, &NAME),
        ("topic", &watch.topic, &TEXT),
        ("arrival", &watch.arrival, &MOMENT),
    ] {
        if let Some(column) = column {
            what.check(&format!("{root}.{name}"), column, stream, problems);
        }
    }
    for (index, alert) in watch.alerts.iter().enumerate() {
        let path = format!("{root}.alerts[{index}]");
        if !alert.column.is_empty() {
            NUMBER.check(&format!("{path}.column"), &alert.column, stream, problems);
        }
        if alert.topic.is_some() && watch.topic.is_none() {
            problems.at(format!("{path}.topic"), "needs `watch.topic`, the column of a message's topic");
        }
    }
}

/// What a column must be for what it is to us.
struct Suited {
    fits: fn(&ColumnType) -> bool,
    what: &'static str,
    /// Whether each reading must have it.
    required: bool,
}

const NAME: Suited = Suited {
    fits: |r#type| matches!(r#type, ColumnType::String | ColumnType::Int32 | ColumnType::Int64 | ColumnType::Uint64),
    what: "text or an integer",
    required: true,
};
const TEXT: Suited = Suited { fits: |r#type| *r#type == ColumnType::String, what: "a `string`", required: false };
const MOMENT: Suited =
    Suited { fits: |r#type| matches!(r#type, ColumnType::Timestamp(_)), what: "a timestamp", required: false };
const NUMBER: Suited = Suited { fits: is_number, what: "a number", required: false };

impl Suited {
    fn check(&self, path: &str, column: &str, stream: &Stream, problems: &mut Problems) {
        match field(stream, column) {
            None => problems.at(path, format!("`{column}` is not among the columns")),
            Some(field) if field.r#type == UNTOLD => {}
            Some(field) if !(self.fits)(&field.r#type) => {
                problems.at(path, format!("`{column}` is `{}`: must be {}", field.r#type, self.what));
            }
            Some(field) if field.mask.is_some() => problems.at(path, format!("`{column}` may not be masked")),
            Some(field) if self.required && !field.required && field.default.is_none() => {
                problems.at(path, format!("`{column}` must be `required`, or have a `default`"));
            }
            Some(_) => {}
        }
    }
}

fn field<'a>(stream: &'a Stream, name: &str) -> Option<&'a Field> {
    stream.columns.iter().find(|field| field.name == name)
}
