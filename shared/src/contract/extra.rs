//! Fields that no column takes → one JSON object, nested as they were.
//!
//! What is written is always a whole object: an inner object that stays empty leaves no trace.

use std::fmt::Write;

use crate::dataset::stream::UnknownFields;

/// What becomes of a field that no column takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Leftover {
    /// It is kept and counted.
    Keep,
    /// It is counted.
    Drop,
    /// The record is refused.
    Reject,
    /// It describes the record: it is kept, and is not unknown.
    Note,
    /// It is not unknown, or it has been dealt with.
    #[default]
    Ignore,
}

impl Leftover {
    /// The same for fields that describe the record.
    pub(super) fn in_envelope(self) -> Self {
        if self == Self::Keep { Self::Note } else { Self::Ignore }
    }
}

impl From<UnknownFields> for Leftover {
    fn from(unknown: UnknownFields) -> Self {
        match unknown {
            UnknownFields::Keep => Self::Keep,
            UnknownFields::Drop => Self::Drop,
            UnknownFields::Reject => Self::Reject,
        }
    }
}

/// The object being written.
#[derive(Debug, Default)]
pub(super) struct Extra {
    text: String,
    /// How many fields were left over, kept or not.
    pub(super) fields: u64,
}

impl Extra {
    pub(super) fn clear(&mut self) {
        self.text.clear();
        self.text.push('{');
        self.fields = 0;
    }

    /// Adds a field; its name and value are JSON as they were written.
    pub(super) fn add(&mut self, name: &str, value: &str) {
        self.name(name);
        self.text.push_str(value);
    }

    /// Begins an inner object; to be given to [`Extra::close`].
    pub(super) fn open(&mut self, name: &str) -> (usize, usize) {
        let before = self.text.len();
        self.name(name);
        self.text.push('{');
        (before, self.text.len())
    }

    /// Begins the object of a list's item.
    pub(super) fn open_item(&mut self, index: usize) -> (usize, usize) {
        let before = self.text.len();
        self.comma();
        let _ = write!(self.text, "\"{index}\":{{");
        (before, self.text.len())
    }

    pub(super) fn close(&mut self, (before, opened): (usize, usize)) {
        if self.text.len() == opened {
            self.text.truncate(before);
        } else {
            self.text.push('}');
        }
    }

    /// The whole object, if there is anything in it.
    pub(super) fn finish(&mut self) -> Option<&str> {
        (self.text.len() > 1).then(|| {
            self.text.push('}');
            self.text.as_str()
        })
    }

    fn comma(&mut self) {
        if !self.text.ends_with('{') {
            self.text.push(',');
        }
    }

    fn name(&mut self, name: &str) {
        self.comma();
        self.text.push('"');
        self.text.push_str(name);
        self.text.push_str("\":");
    }
}
