//! A refused record → a line that says all of it: its bytes, where it came from, and why.
//!
//! A line stands for itself: it can be read, counted and sent again without anything beside it.

mod kafka;

use std::{borrow::Cow, fmt};

use base64::{Engine, prelude::BASE64_STANDARD};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use sha2::{Digest, Sha256};

pub use kafka::Kafka;

use crate::{clock::Timestamp, error::Code, position::Position};

/// The folder of a dataset's refused records; it ends in `/`.
#[must_use]
pub fn prefix(dataset: &str) -> String {
    format!("quarantine/{dataset}/")
}

/// What the bytes of a line are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// The record as the event had it, in the transport's JSON: nothing of it could be read.
    Event,
    /// The body of a record, or the rest of it.
    #[default]
    Record,
    /// One document, which is a JSON object.
    Document,
}

/// Tells a line from all others, whichever object it is in and whichever attempt wrote it: 128 bits of SHA-256.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Identity(u128);

impl Identity {
    /// That of these texts, in this order.
    #[must_use]
    pub fn of(texts: &[&str]) -> Self {
        let mut hash = Sha256::new();
        for text in texts {
            hash.update((text.len() as u64).to_be_bytes());
            hash.update(text);
        }
        let half = hash.finalize().into_iter().take(16);
        Self(half.fold(0, |number, byte| (number << 8) | u128::from(byte)))
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl Serialize for Identity {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Identity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <Cow<'de, str>>::deserialize(deserializer)?;
        u128::from_str_radix(&text, 16).map(Self).map_err(D::Error::custom)
    }
}

/// Where a refused change belongs among the files of changes: after the files that landed before it, and either before
/// or after all of the file that landed with it, by their offsets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The time in the name of the file that landed with it, or would have: milliseconds since 1970.
    pub at: i64,
    /// What comes after it in that file.
    pub after: After,
}

/// What comes after a change in the file that landed with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum After {
    /// Nothing.
    Nothing,
    /// Changes of other keys.
    OtherKeys,
    /// A change of the same key.
    SameKey,
    /// Something, and one of the two has no key.
    Unknown,
}

/// A refused record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Its dataset.
    pub dataset: String,
    /// The bounded reason, as [`Code::as_str`] has it.
    pub code: String,
    /// What is wrong, for people; without content of the record.
    pub reason: String,
    /// Where in the record, as a JSON path, if that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Where it came from.
    pub position: Position,
    /// Which of the documents in that record it is, the first being 0.
    pub document: u64,
    /// When the source took it in: milliseconds since 1970-01-01T00:00:00Z.
    pub arrived: i64,
    /// Which attempt wrote this line: attempts never write the same bytes.
    pub attempt: String,
    /// What its bytes are.
    #[serde(default)]
    pub part: Part,
    /// The line that it was a document of, where that was replayed: its `document` counts within that one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<Identity>,
    /// What it has beside them, where it is of a topic and its event could be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kafka: Option<Kafka>,
    /// Where it belongs, where it is a change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// Its bytes, in base64.
    pub raw: String,
}

impl Line {
    /// A line for these bytes.
    #[must_use]
    pub fn new(dataset: &str, code: Code, reason: String, position: Position, arrived: Timestamp, raw: &[u8]) -> Self {
        Self {
            dataset: dataset.to_owned(),
            code: code.as_str().to_owned(),
            reason,
            path: None,
            position,
            document: 0,
            arrived: arrived.0,
            attempt: String::new(),
            part: Part::Record,
            within: None,
            kafka: None,
            place: None,
            raw: BASE64_STANDARD.encode(raw),
        }
    }

    /// The record's bytes, if `raw` is base64.
    #[must_use]
    pub fn bytes(&self) -> Option<Vec<u8>> {
        BASE64_STANDARD.decode(&self.raw).ok()
    }

    /// Which line it is. Neither the reason nor the attempt matters: the record is refused again, perhaps for another
    /// reason, where its batch is delivered again. Of an event only the place does: its bytes also say who delivered it.
    #[must_use]
    pub fn identity(&self) -> Identity {
        // Nothing of it can fail to be JSON.
        let position = serde_json::to_string(&self.position).unwrap_or_default();
        if self.part == Part::Event {
            return Identity::of(&[&self.dataset, &position]);
        }
        let (document, within) = (self.document.to_string(), self.within.map(|line| line.to_string()));
        let mut texts = vec![self.dataset.as_str(), &position, &document, &self.raw];
        texts.extend(within.as_deref());
        Identity::of(&texts)
    }

    /// Appends the line and its end.
    pub fn write(&self, out: &mut Vec<u8>) {
        // Nothing of it can fail to be JSON.
        let _ = serde_json::to_writer(&mut *out, self);
        out.push(b'\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(key: &str, document: u64, raw: &[u8]) -> Line {
        let position = Position::Row { key: key.to_owned(), row: None };
        let line = Line::new("clicks", Code::InvalidJson, "why".to_owned(), position, Timestamp(0), raw);
        Line { document, ..line }
    }

    #[test]
    fn a_line_survives_and_one_without_a_part_is_a_record() {
        let line = Line {
            part: Part::Document,
            within: Some(Identity(7)),
            kafka: Some(Kafka { tombstone: true, ..Kafka::default() }),
            place: Some(Place { at: 5, after: After::SameKey }),
            ..line("a", 1, b"{}")
        };
        let mut text = Vec::new();
        line.write(&mut text);
        assert_eq!(serde_json::from_slice::<Line>(&text).unwrap(), line);
        let text = String::from_utf8(text).unwrap().replace(r#""part":"document","#, "");
        assert_eq!(serde_json::from_str::<Line>(&text).unwrap(), Line { part: Part::Record, ..line });
    }

    #[test]
    fn place_document_and_bytes_tell_lines_apart() {
        let one = line("a", 0, b"{}");
        let again = Line { attempt: "2".to_owned(), code: "other".to_owned(), ..one.clone() };
        assert_eq!(one.identity(), again.identity());
        let within = |line: &Line| Line { within: Some(line.identity()), ..one.clone() };
        let others = [line("b", 0, b"{}"), line("a", 1, b"{}"), line("a", 0, b"[]"), within(&one)];
        assert!(others.iter().all(|other| other.identity() != one.identity()));
        assert_ne!(within(&one).identity(), within(&others[0]).identity());
        let events = [one.clone(), others[2].clone(), others[0].clone()].map(|line| Line { part: Part::Event, ..line });
        let [event, same, other] = events.map(|event| event.identity());
        assert!(event == same && event != other && event != one.identity(), "whoever delivered it");
        assert_ne!(Identity::of(&["ab", "c"]), Identity::of(&["a", "bc"]));
        let text = serde_json::to_string(&one.identity()).unwrap();
        assert_eq!((text.len(), serde_json::from_str::<Identity>(&text).unwrap()), (34, one.identity()));
    }
}
