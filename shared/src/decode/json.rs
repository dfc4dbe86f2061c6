//! A record's body → the JSON objects in it.
//!
//! Three shapes, told by the first byte: an array of objects; else objects one after the other, with or without line
//! breaks between (NDJSON, concatenated JSON), one alone included. An object may span lines.
//!
//! A document is a slice of the body, not yet read: its grammar, its UTF-8 and its depth are checked. A key that occurs
//! twice stays twice, and what reads the document decides (`serde_json::Value` takes the last one, a derived struct
//! refuses); so it is with numbers beyond 64 bits and with escapes that are half a surrogate pair, which are JSON too.

use std::ops::Range;

use bytes::Bytes;
use memchr::{memchr, memchr_iter};
use serde_json::value::RawValue;

use super::{RefusedPart, refuse};
use crate::error::Code;

mod depth;
#[cfg(test)]
mod tests;

const BYTE_ORDER_MARK: [u8; 3] = [0xef, 0xbb, 0xbf];
/// Objects that are cut off may run on over a body this often, all told: without a bound the work is quadratic.
const MOST_REREADS: usize = 16;

/// A JSON object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// Its place in the body, the first being 0; refused parts count.
    pub index: u64,
    /// Its text: a slice of the body, which lives as long as this does.
    pub raw: Bytes,
}

/// The documents of a body, in order.
#[derive(Debug, Clone)]
pub struct Documents {
    body: Bytes,
    at: usize,
    /// Where the last part begins.
    last: usize,
    index: u64,
    expect: Expect,
    /// Bytes of later lines that broken objects ran on into.
    reread: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expect {
    /// Objects one after the other.
    Object,
    /// Within an array that has no element yet.
    FirstElement,
    /// Within an array, after an element.
    Separator,
    /// After an array.
    End,
    Nothing,
}

/// Finds the documents of `body`, each when it is asked for.
///
/// # Errors
/// Each refused part is [`Code::InvalidJson`], and what follows it goes on where it can be told apart:
/// - Among objects, what is no object costs the rest of its line. Where it ran on into the lines after it before it
///   broke off, and the next one does not begin with an object of its own, a line is no unit, and it costs all that
///   follows; so it does once such objects have run on over 16 times the body.
/// - In an array, an element that is JSON but no object costs itself; anything else costs all that follows. An array
///   that is cut off after an element is a refused part without bytes.
/// - An object that nests deeper than `serde_json` reads (127 levels) counts as none.
/// - A body without anything but white space is one refused part. Only the empty array has no parts at all.
#[must_use]
pub fn documents(body: &Bytes) -> Documents {
    let start = if body.starts_with(&BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 };
    let (expect, index) = (Expect::Object, 0);
    let mut documents = Documents { body: body.clone(), at: start, last: 0, index, expect, reread: 0 };
    documents.skip_space();
    if documents.peek() == Some(b'[') {
        documents.at += 1;
        documents.expect = Expect::FirstElement;
    }
    documents
}

impl Iterator for Documents {
    type Item = Result<Document, RefusedPart>;

    fn next(&mut self) -> Option<Self::Item> {
        self.skip_space();
        match (self.expect, self.peek()) {
            (Expect::Nothing, _) | (Expect::End, None) => None,
            (Expect::Object, None) if self.index > 0 => None,
            (Expect::Object, None) => Some(self.refuse_rest("empty")),
            (Expect::Object, Some(_)) => Some(self.object()),
            (Expect::FirstElement | Expect::Separator, Some(b']')) => {
                self.at += 1;
                self.expect = Expect::End;
                self.next()
            }
            (Expect::FirstElement, Some(_)) => Some(self.element()),
            (Expect::Separator, Some(b',')) => {
                self.at += 1;
                self.skip_space();
                Some(self.element())
            }
            (Expect::Separator, Some(_)) => Some(self.refuse_rest("neither comma nor end after an element")),
            (Expect::FirstElement | Expect::Separator, None) => Some(self.refuse_rest("the array is cut off")),
            (Expect::End, Some(_)) => Some(self.refuse_rest("something follows the array")),
        }
    }
}

/// A value that is no value.
struct Broken {
    /// The first byte that does not belong, or the body's end.
    at: usize,
}

impl Documents {
    /// The last part and all that follows it, as a body by itself: of an array, an array.
    #[must_use]
    pub fn rest(&self) -> Bytes {
        let rest = self.body.slice(self.last..);
        match self.expect {
            Expect::Separator => [b"[", &rest[..]].concat().into(),
            _ => rest,
        }
    }

    fn object(&mut self) -> Result<Document, RefusedPart> {
        let start = self.at;
        match self.value() {
            Ok(end) => match self.fault(start..end) {
                None => Ok(self.keep(start..end)),
                Some(reason) => self.refuse(start..self.line_end(end), reason),
            },
            Err(broken) => {
                let line_end = self.line_end(start);
                self.at = line_end;
                self.skip_space();
                let in_list = self.body[start..line_end].trim_ascii_end().ends_with(b"[");
                let starts_anew = !in_list && self.peek() == Some(b'{') && self.body[self.at - 1] == b'\n';
                self.reread += broken.at.saturating_sub(self.at);
                let is_unit = starts_anew && self.reread <= MOST_REREADS * self.body.len();
                let end = if broken.at > self.at && !is_unit { self.body.len() } else { line_end };
                self.refuse(start..end, format!("not JSON at byte {}", broken.at))
            }
        }
    }

    fn element(&mut self) -> Result<Document, RefusedPart> {
        let start = self.at;
        self.expect = Expect::Separator;
        match self.value() {
            Ok(end) => match self.fault(start..end) {
                None => Ok(self.keep(start..end)),
                Some(reason) => self.refuse(start..end, reason),
            },
            Err(broken) => self.refuse_rest(format!("not JSON at byte {}", broken.at)),
        }
    }

    /// Where the value ends that begins here.
    fn value(&self) -> Result<usize, Broken> {
        let text = &self.body[self.at..];
        let mut values = serde_json::Deserializer::from_slice(text).into_iter::<&RawValue>();
        match values.next() {
            Some(Ok(_)) => Ok(self.at + values.byte_offset()),
            Some(Err(error)) if !error.is_eof() => Err(Broken { at: self.at + place(text, &error) }),
            Some(Err(_)) | None => Err(Broken { at: self.body.len() }),
        }
    }

    /// What keeps the value at `range` from being a document.
    fn fault(&self, range: Range<usize>) -> Option<&'static str> {
        let value = &self.body[range];
        if value.first() != Some(&b'{') {
            return Some("not an object");
        }
        depth::is_too_deep(value).then_some("nested deeper than 127 levels")
    }

    fn keep(&mut self, range: Range<usize>) -> Document {
        (self.last, self.at) = (range.start, range.end);
        Document { index: self.count(), raw: self.body.slice(range) }
    }

    fn refuse(&mut self, range: Range<usize>, reason: impl Into<Reason>) -> Result<Document, RefusedPart> {
        (self.last, self.at) = (range.start, range.end);
        let refusal = refuse(Code::InvalidJson, reason);
        Err(RefusedPart { index: self.count(), raw: self.body.slice(range), refusal })
    }

    fn refuse_rest(&mut self, reason: impl Into<Reason>) -> Result<Document, RefusedPart> {
        self.expect = Expect::Nothing;
        self.refuse(self.at..self.body.len(), reason)
    }

    fn count(&mut self) -> u64 {
        let index = self.index;
        self.index += 1;
        index
    }

    fn peek(&self) -> Option<u8> {
        self.body.get(self.at).copied()
    }

    fn skip_space(&mut self) {
        let space = self.body[self.at..].iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r'));
        self.at += space.count();
    }

    /// Where the line ends that the byte at `at` is in; its line break is outside.
    fn line_end(&self, at: usize) -> usize {
        memchr(b'\n', &self.body[at..]).map_or(self.body.len(), |break_at| at + break_at)
    }
}

type Reason = std::borrow::Cow<'static, str>;

/// Where in `text` an error is: `serde_json` counts lines and, within a line, bytes, both from 1.
fn place(text: &[u8], error: &serde_json::Error) -> usize {
    let lines_before = error.line().saturating_sub(1);
    let line_start =
        lines_before.checked_sub(1).and_then(|nth| memchr_iter(b'\n', text).nth(nth)).map_or(0, |at| at + 1);
    (line_start + error.column()).saturating_sub(1)
}
