//! Bytes → one CSV record's fields, by RFC 4180.
//!
//! Whether a field was quoted is part of its value: NULL is written without quotes. Quotes inside an unquoted field
//! are plain characters; what follows a closing quote must be the field's or record's end.

use memchr::{memchr, memchr2};

use crate::read::MOST_COLUMNS;

const QUOTE: u8 = b'"';

/// Where a field lies in its record, without its quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Field {
    start: u32,
    end: u32,
    pub(crate) quoted: bool,
    /// Whether quotes in it are doubled.
    doubled: bool,
}

impl Field {
    /// The field's text; `room` takes it where doubled quotes must be undone.
    pub(crate) fn text<'a>(&self, record: &'a [u8], room: &'a mut Vec<u8>) -> &'a [u8] {
        let raw = &record[self.start as usize..self.end as usize];
        if !self.doubled {
            return raw;
        }
        room.clear();
        let mut rest = raw;
        while let Some(at) = memchr(QUOTE, rest) {
            room.extend_from_slice(&rest[..=at]);
            rest = &rest[(at + 2).min(rest.len())..];
        }
        room.extend_from_slice(rest);
        room
    }
}

/// What a look at the text found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    /// A record of so many bytes, its end included.
    Record(usize),
    /// The record's end is not in sight.
    Incomplete,
    /// The text is no CSV.
    Malformed(&'static str),
}

/// How a file's records look.
#[derive(Debug)]
pub(crate) struct Dialect {
    pub(crate) delimiter: u8,
    /// Whether CR LF ends a record: told by the first one. In a file of LF, a CR before it is the last field's.
    carriage_returns: Option<bool>,
}

impl Dialect {
    pub(crate) fn new(delimiter: u8) -> Self {
        Self { delimiter, carriage_returns: None }
    }

    /// Splits the record at the text's start. `ended` says that nothing follows the text.
    pub(crate) fn split(&mut self, text: &[u8], ended: bool, fields: &mut Vec<Field>) -> Found {
        fields.clear();
        let mut at = 0;
        loop {
            let quoted = text.get(at) == Some(&QUOTE);
            let field = if quoted { quoted_field(text, at + 1, ended) } else { self.plain_field(text, at, ended) };
            let (field, stop) = match field {
                Ok(field) => field,
                Err(found) => return found,
            };
            if fields.len() == MOST_COLUMNS {
                return Found::Malformed("more than 10,000 fields");
            }
            fields.push(field);
            match text.get(stop..) {
                Some([b, ..]) if *b == self.delimiter => at = stop + 1,
                None | Some([]) if ended => return Found::Record(text.len()),
                Some([b'\n', ..]) => return self.end(fields, text, stop + 1),
                Some([b'\r', b'\n', ..]) => {
                    self.carriage_returns.get_or_insert(true);
                    return Found::Record(stop + 2);
                }
                None | Some([] | [b'\r']) if !ended => return Found::Incomplete,
                _ => return Found::Malformed("text follows a closing quote"),
            }
        }
    }

    /// A field without quotes, and where it stops.
    fn plain_field(&self, text: &[u8], start: usize, ended: bool) -> Result<(Field, usize), Found> {
        let stop = match memchr2(self.delimiter, b'\n', &text[start..]) {
            Some(length) => start + length,
            None if ended => text.len(),
            None => return Err(Found::Incomplete),
        };
        Ok((field(start, stop, false, false), stop))
    }

    /// Ends a record at LF, and takes the CR before it from an unquoted last field where the file has them.
    fn end(&mut self, fields: &mut [Field], text: &[u8], length: usize) -> Found {
        if let Some(last) = fields.last_mut().filter(|last| !last.quoted) {
            let carriage_return = last.end > last.start && text[last.end as usize - 1] == b'\r';
            if carriage_return && *self.carriage_returns.get_or_insert(true) {
                last.end -= 1;
            }
        }
        self.carriage_returns.get_or_insert(false);
        Found::Record(length)
    }
}

/// A field after its opening quote, and where it stops behind its closing one.
fn quoted_field(text: &[u8], start: usize, ended: bool) -> Result<(Field, usize), Found> {
    let (mut at, mut doubled) = (start, false);
    loop {
        let Some(quote) = memchr(QUOTE, &text[at..]).map(|length| at + length) else {
            return Err(if ended { Found::Malformed("a quoted field does not end") } else { Found::Incomplete });
        };
        match text.get(quote + 1) {
            Some(&QUOTE) => (at, doubled) = (quote + 2, true),
            None if !ended => return Err(Found::Incomplete),
            _ => return Ok((field(start, quote, true, doubled), quote + 1)),
        }
    }
}

/// Positions fit: the window over the text has a limit far below 4 GiB.
fn field(start: usize, end: usize, quoted: bool, doubled: bool) -> Field {
    Field { start: start as u32, end: end as u32, quoted, doubled }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Fields<'a> = Vec<(&'a str, bool)>;

    fn read(text: &str) -> Result<Vec<Vec<(String, bool)>>, Found> {
        let (mut dialect, mut fields, mut room, mut at) = (Dialect::new(b','), Vec::new(), Vec::new(), 0);
        let (bytes, mut records) = (text.as_bytes(), Vec::new());
        while at < bytes.len() {
            match dialect.split(&bytes[at..], true, &mut fields) {
                Found::Record(length) => {
                    let text =
                        |f: &Field, room: &mut _| String::from_utf8(f.text(&bytes[at..], room).to_vec()).unwrap();
                    records.push(fields.iter().map(|f| (text(f, &mut room), f.quoted)).collect());
                    at += length;
                }
                other => return Err(other),
            }
        }
        Ok(records)
    }

    fn check(text: &str, want: &[Fields<'_>]) {
        let want: Vec<Vec<_>> =
            want.iter().map(|r| r.iter().map(|(text, quoted)| ((*text).to_owned(), *quoted)).collect()).collect();
        assert_eq!(read(text), Ok(want), "{text:?}");
    }

    #[test]
    fn splits_records() {
        check("a,b\nc,d\n", &[vec![("a", false), ("b", false)], vec![("c", false), ("d", false)]]);
        check("a,", &[vec![("a", false), ("", false)]]);
        check("\n", &[vec![("", false)]]);
        check("\"a,\r\n\"\"b\"\"\",\"\"\n", &[vec![("a,\r\n\"b\"", true), ("", true)]]);
        check("\"\"\"\"", &[vec![("\"", true)]]);
        check("a\"b\"\n", &[vec![("a\"b\"", false)]]);
        check("a\0b,\0\n", &[vec![("a\0b", false), ("\0", false)]]);
    }

    #[test]
    fn tells_a_carriage_return_from_an_end() {
        check("a\r\nb\r\n\"c\"\r\n", &[vec![("a", false)], vec![("b", false)], vec![("c", true)]]);
        check("\"a\"\r\nb\r\n", &[vec![("a", true)], vec![("b", false)]]);
        check("a\nb\r\n", &[vec![("a", false)], vec![("b\r", false)]]);
        check("a\rb\n", &[vec![("a\rb", false)]]);
    }

    #[test]
    fn refuses_what_is_no_csv() {
        assert_eq!(read("\"a"), Err(Found::Malformed("a quoted field does not end")));
        assert_eq!(read("\"a\"b\n"), Err(Found::Malformed("text follows a closing quote")));
        assert_eq!(read("\"a\"\rb\n"), Err(Found::Malformed("text follows a closing quote")));
        assert_eq!(read(&",".repeat(9_999)).unwrap()[0].len(), 10_000);
        assert_eq!(read(&",".repeat(10_000)), Err(Found::Malformed("more than 10,000 fields")));
    }

    #[test]
    fn waits_for_the_end() {
        for text in ["", "a", "a,", "\"a", "\"a\"", "\"a\"\r", "\"a\"\""] {
            let found = Dialect::new(b',').split(text.as_bytes(), false, &mut Vec::new());
            assert_eq!(found, Found::Incomplete, "{text:?}");
        }
    }
}
