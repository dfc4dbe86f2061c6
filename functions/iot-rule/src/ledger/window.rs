//! The kept readings of a device ↔ text, a line each.
//!
//! Text, for a device's item is read and written with each of its messages, and is paid by the kilobyte.

use std::{fmt::Write, sync::Arc};

use headgate::dataset::stream::watch::Alert;

use crate::{machine::Place, reading::Reading};

/// A kept reading.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Entry {
    pub(crate) place: Place,
    /// The values of the watched columns, in their order.
    values: Vec<Option<f64>>,
    /// Shared, for readings of a device nearly always come by one topic.
    pub(crate) topic: Option<Arc<str>>,
    /// Whether the stream has it.
    pub(crate) sent: bool,
}

impl Entry {
    pub(crate) fn of(reading: &Reading, sent: bool) -> Self {
        Self {
            place: reading.place,
            values: reading.values.clone(),
            topic: reading.topic.as_deref().map(Arc::from),
            sent,
        }
    }
}

/// The values of a column that an alert is to judge, in order.
pub(super) fn judged<'a>(
    window: &'a [Entry],
    alert: &'a Alert,
    column: usize,
) -> impl Iterator<Item = (Place, f64)> + 'a {
    let mut last: Option<(&Arc<str>, bool)> = None;
    let mut is_meant = move |topic: Option<&'a Arc<str>>| match (&alert.topic, topic, last) {
        (None, _, _) => true,
        (Some(_), None, _) => false,
        (Some(_), Some(topic), Some((known, meant))) if Arc::ptr_eq(known, topic) => meant,
        (Some(filter), Some(topic), _) => {
            let meant = filter.takes(topic);
            last = Some((topic, meant));
            meant
        }
    };
    window.iter().filter(move |entry| is_meant(entry.topic.as_ref())).filter_map(move |entry| {
        let value = entry.values.get(column).copied().flatten()?;
        Some((entry.place, value))
    })
}

/// Separates the fields of a line, and may be in none of them.
const TAB: char = '\t';
/// Begins a topic; without it, it is the topic of the line before.
const NEW: char = '=';
/// Begins the line of a reading that the stream is not known to have.
const UNSENT: char = '!';

pub(super) fn write(window: &[Entry]) -> String {
    let (mut text, mut before) = (String::with_capacity(window.len() * 64), None);
    for Entry { place, values, topic, sent } in window {
        if !sent {
            text.push(UNSENT);
        }
        // Writing to a string cannot fail.
        let _ = write!(text, "{}{TAB}{:x}", place.0, place.1);
        for value in values {
            text.push(TAB);
            if let Some(value) = value {
                let _ = write!(text, "{value:?}");
            }
        }
        match topic {
            Some(topic) if before == Some(topic) => text.push(TAB),
            Some(topic) => {
                text.push(TAB);
                text.push(NEW);
                text.push_str(topic);
            }
            None => {}
        }
        before = topic.as_ref();
        text.push('\n');
    }
    text
}

/// Reads what [`write`] wrote of the columns `had`, with the values of the columns `wanted`; `None` if it is none.
pub(super) fn read(text: &str, had: &[String], wanted: &[String]) -> Option<Vec<Entry>> {
    let columns: Vec<_> = wanted.iter().map(|name| had.iter().position(|known| known == name)).collect();
    let mut values = Vec::with_capacity(had.len());
    let mut window: Vec<Entry> = Vec::new();
    for line in text.lines() {
        let before = window.last().and_then(|entry| entry.topic.as_ref());
        let entry = entry(line, had.len(), &columns, &mut values, before)?;
        window.push(entry);
    }
    Some(window)
}

fn entry(
    line: &str,
    had: usize,
    columns: &[Option<usize>],
    values: &mut Vec<Option<f64>>,
    before: Option<&Arc<str>>,
) -> Option<Entry> {
    let (line, sent) = line.strip_prefix(UNSENT).map_or((line, true), |line| (line, false));
    let mut fields = line.split(TAB);
    let place = Place(fields.next()?.parse().ok()?, u64::from_str_radix(fields.next()?, 16).ok()?);
    values.clear();
    for _ in 0..had {
        let field = fields.next()?;
        values.push(if field.is_empty() { None } else { Some(field.parse().ok()?) });
    }
    let values = columns.iter().map(|column| column.and_then(|column| values[column])).collect();
    let topic = match fields.next() {
        None => None,
        Some(topic) => Some(match topic.strip_prefix(NEW) {
            Some(topic) => Arc::from(topic),
            None => Arc::clone(before?),
        }),
    };
    Some(Entry { place, values, topic, sent })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn readings_survive_and_columns_go_by_name() {
        let entry = |at, values: &[Option<f64>], topic: Option<&str>, sent| Entry {
            place: Place(at, u64::MAX),
            values: values.to_vec(),
            topic: topic.map(Arc::from),
            sent,
        };
        let window = [
            entry(-5, &[Some(1e300), None], Some("a/b c"), true),
            entry(7, &[None, Some(-0.1)], None, false),
            entry(7, &[Some(80.0), Some(5e-324)], Some(""), true),
            entry(8, &[Some(80.0), None], Some(""), true),
            entry(9, &[Some(80.0), None], Some("a/b c"), true),
            entry(9, &[Some(80.0), None], Some("a/b c"), true),
        ];
        let had = names(&["a", "b"]);
        assert_eq!(read(&write(&window), &had, &had).unwrap(), window);
        let values: Vec<_> = read(&write(&window), &had, &names(&["c", "b"])).unwrap();
        let values: Vec<_> = values.into_iter().map(|entry| entry.values).collect();
        assert_eq!(values, [[None, None], [None, Some(-0.1)], [None, Some(5e-324)], [None; 2], [None; 2], [None; 2]]);
        for bad in ["x", "1", "1\tg", "1\t1\tx\t", "1\t1\t1.0", "1\t1\t1.0\t\t"] {
            assert_eq!(read(bad, &had, &had), None, "{bad}");
        }
    }
}
