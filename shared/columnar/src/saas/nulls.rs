//! A record's JSON → the same, with null for the texts that stand for it.
//!
//! Names of fields stay, whatever they are; the text need not be JSON.

use std::borrow::Cow;

use memchr::{memchr, memchr2};

/// The texts that stand for null, as JSON has them between quotes.
#[derive(Debug, Clone)]
pub struct Nulls(Vec<String>);

impl Nulls {
    pub fn new(texts: &[String]) -> Self {
        let written = texts.iter().map(|text| serde_json::Value::from(text.as_str()).to_string());
        Self(written.map(|text| text[1..text.len() - 1].to_owned()).collect())
    }

    /// The record without them.
    pub fn out_of<'a>(&self, record: &'a str) -> Cow<'a, str> {
        let mut out = String::new();
        let (mut copied, mut at) = (0, 0);
        while let Some(start) = memchr(b'"', &record.as_bytes()[at..]).map(|found| at + found) {
            let Some(end) = string_end(record.as_bytes(), start + 1) else { break };
            let is_name = record[end + 1..].trim_start().starts_with(':');
            if !is_name && self.0.iter().any(|null| *null == record[start + 1..end]) {
                out.push_str(&record[copied..start]);
                out.push_str("null");
                copied = end + 1;
            }
            at = end + 1;
        }
        if copied == 0 {
            return record.into();
        }
        out.push_str(&record[copied..]);
        out.into()
    }
}

/// Where the quote is that ends a string.
fn string_end(text: &[u8], mut at: usize) -> Option<usize> {
    loop {
        at += memchr2(b'"', b'\\', text.get(at..)?)?;
        if text[at] == b'"' {
            return Some(at);
        }
        at += 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(record: &str, want: &str) {
        let nulls = Nulls::new(&[String::new(), "null".to_owned(), "a\"b".to_owned()]);
        assert_eq!(nulls.out_of(record), want);
    }

    #[test]
    fn values_become_null_and_names_stay() {
        check(r#"{"a":"","null" : "null","":{"b":["", "x"]}}"#, r#"{"a":null,"null" : null,"":{"b":[null, "x"]}}"#);
        check(r#"{"a":"a\"b","b":"\\","c":""}"#, r#"{"a":null,"b":"\\","c":null}"#);
        for same in [r#"{"a":1,"b":"é\" "}"#, "", "\"", r#"{"a":"#, r#"{"a":"\"#, r#""\"#] {
            check(same, same);
        }
    }
}
