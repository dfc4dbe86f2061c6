//! Names and values → a JSON object, perhaps with a flaw.

use std::{fmt::Display, io::Write};

use headgate::clock::Timestamp;
use time::{OffsetDateTime, format_description::BorrowedFormatItem, macros::format_description};

/// What is wrong with a field.
#[derive(Debug, Clone, Copy)]
pub(super) enum Flaw {
    /// It is left out.
    Missing(&'static str),
    /// It holds this JSON instead of its value.
    Instead(&'static str, &'static str),
}

/// A JSON object on its way.
#[derive(Debug)]
pub(super) struct Object {
    text: Vec<u8>,
    flaw: Option<Flaw>,
}

/// Writing to a vector cannot fail, so the results below are nobody's business.
impl Object {
    pub(super) fn new(flaw: Option<Flaw>) -> Self {
        Self { text: b"{".to_vec(), flaw }
    }

    /// A value that is JSON as it displays: a number, a Boolean, null.
    pub(super) fn plain(&mut self, name: &str, value: impl Display) {
        self.field(name, |text| drop(write!(text, "{value}")));
    }

    pub(super) fn text(&mut self, name: &str, value: &str) {
        self.field(name, |text| drop(serde_json::to_writer(text, value)));
    }

    pub(super) fn texts(&mut self, name: &str, values: &[&str]) {
        self.field(name, |text| drop(serde_json::to_writer(text, values)));
    }

    pub(super) fn object(&mut self, name: &str, value: Self) {
        self.field(name, |text| text.extend(value.end()));
    }

    pub(super) fn objects(&mut self, name: &str, values: impl IntoIterator<Item = Self>) {
        self.field(name, |text| {
            let values: Vec<_> = values.into_iter().map(Self::end).collect();
            text.push(b'[');
            text.extend(values.join(&b','));
            text.push(b']');
        });
    }

    pub(super) fn end(mut self) -> Vec<u8> {
        self.text.push(b'}');
        self.text
    }

    fn field(&mut self, name: &str, value: impl FnOnce(&mut Vec<u8>)) {
        let instead = match self.flaw {
            Some(Flaw::Missing(missing)) if missing == name => return,
            Some(Flaw::Instead(flawed, instead)) if flawed == name => Some(instead),
            _ => None,
        };
        if self.text.len() > 1 {
            self.text.push(b',');
        }
        let _ = write!(self.text, "\"{name}\":");
        match instead {
            Some(instead) => self.text.extend(instead.as_bytes()),
            None => value(&mut self.text),
        }
    }
}

/// RFC 3339 in UTC, to the millisecond.
pub(super) fn rfc3339(at: Timestamp) -> String {
    const FORMAT: &[BorrowedFormatItem<'_>] =
        format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");
    let at = OffsetDateTime::from_unix_timestamp_nanos(i128::from(at.0) * 1_000_000);
    at.ok().and_then(|at| at.format(FORMAT).ok()).unwrap_or_default()
}

/// Seconds since 1970 with a fraction without trailing zeros, as AWS writes them: `1545084650.05`.
pub(super) fn seconds(at: Timestamp) -> String {
    let text = format!("{}.{:03}", at.0.div_euclid(1_000), at.0.rem_euclid(1_000));
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
