//! A JSON document → its fields, with every problem noted under its JSON path.
//!
//! Reading never stops at a problem. A field that nobody asked for is unknown.

use std::{fmt::Display, ops::RangeInclusive};

use serde_json::{Map, Value};

/// What is wrong, each line beginning with where.
#[derive(Debug, Default)]
pub(super) struct Problems(pub(super) Vec<String>);

impl Problems {
    pub(super) fn at(&mut self, path: impl Display, what: impl Display) {
        self.0.push(format!("{path}: {what}"));
    }
}

/// A JSON object being read.
pub(super) struct Object<'a> {
    pub(super) path: String,
    fields: &'a Map<String, Value>,
    asked: Vec<&'static str>,
}

impl<'a> Object<'a> {
    /// The object at `path`.
    pub(super) fn new(path: String, value: &'a Value, problems: &mut Problems) -> Option<Self> {
        if let Value::Object(fields) = value {
            return Some(Self { path, fields, asked: Vec::new() });
        }
        problems.at(path, expected("an object", value));
        None
    }

    /// The field's path.
    pub(super) fn at(&self, name: &str) -> String {
        format!("{}.{name}", self.path)
    }

    /// The field, if it is there.
    pub(super) fn field(&mut self, name: &'static str) -> Option<&'a Value> {
        self.asked.push(name);
        self.fields.get(name)
    }

    /// Notes that `name` is missing, unless it is there (and perhaps wrong).
    pub(super) fn require(&self, name: &str, hint: &str, problems: &mut Problems) {
        if !self.fields.contains_key(name) {
            problems.at(self.at(name), format!("missing: {hint}"));
        }
    }

    pub(super) fn object(&mut self, name: &'static str, problems: &mut Problems) -> Option<Object<'a>> {
        let value = self.field(name)?;
        Object::new(self.at(name), value, problems)
    }

    /// An array, which may not be empty.
    pub(super) fn array(&mut self, name: &'static str, problems: &mut Problems) -> Option<&'a [Value]> {
        let items = self.list(name, problems)?;
        if items.is_empty() {
            problems.at(self.at(name), "may not be empty");
            return None;
        }
        Some(items)
    }

    /// An array, which may be empty.
    pub(super) fn list(&mut self, name: &'static str, problems: &mut Problems) -> Option<&'a [Value]> {
        let value = self.field(name)?;
        if !value.is_array() {
            problems.at(self.at(name), expected("an array", value));
        }
        value.as_array().map(Vec::as_slice)
    }

    /// A text, which may be empty.
    pub(super) fn text(&mut self, name: &'static str, problems: &mut Problems) -> Option<&'a str> {
        let value = self.field(name)?;
        if value.as_str().is_none() {
            problems.at(self.at(name), expected("a string", value));
        }
        value.as_str()
    }

    /// A text, which may not be empty.
    pub(super) fn filled(&mut self, name: &'static str, problems: &mut Problems) -> Option<&'a str> {
        let text = self.text(name, problems)?;
        if text.is_empty() {
            problems.at(self.at(name), "may not be empty");
            return None;
        }
        Some(text)
    }

    /// A text that may be `null`, which is the same as leaving it out.
    pub(super) fn nullable(&mut self, name: &'static str, problems: &mut Problems) -> Option<&'a str> {
        match self.field(name)? {
            Value::Null => None,
            _ => self.filled(name, problems),
        }
    }

    /// One of a few words.
    pub(super) fn one_of<T: Copy>(
        &mut self,
        name: &'static str,
        words: &[(&str, T)],
        problems: &mut Problems,
    ) -> Option<T> {
        let text = self.text(name, problems)?;
        let found = words.iter().find(|(word, _)| *word == text).map(|(_, meaning)| *meaning);
        if found.is_none() {
            let words: Vec<_> = words.iter().map(|(word, _)| format!("`{word}`")).collect();
            problems.at(self.at(name), format!("`{text}` is none of {}", words.join(", ")));
        }
        found
    }

    pub(super) fn boolean(&mut self, name: &'static str, problems: &mut Problems) -> Option<bool> {
        let value = self.field(name)?;
        if value.as_bool().is_none() {
            problems.at(self.at(name), expected("true or false", value));
        }
        value.as_bool()
    }

    pub(super) fn number(&mut self, name: &'static str, problems: &mut Problems) -> Option<f64> {
        let value = self.field(name)?;
        if value.as_f64().is_none() {
            problems.at(self.at(name), expected("a number", value));
        }
        value.as_f64()
    }

    /// A whole number of hours, from `least` to a hundred years.
    pub(super) fn hours(&mut self, name: &'static str, least: u32, problems: &mut Problems) -> Option<u32> {
        const MOST: u64 = 876_600;
        let hours = self.whole(name, "hours", u64::from(least)..=MOST, problems)?;
        u32::try_from(hours).ok()
    }

    /// A whole number of `things` in a range.
    pub(super) fn whole(
        &mut self,
        name: &'static str,
        things: &str,
        range: RangeInclusive<u64>,
        problems: &mut Problems,
    ) -> Option<u64> {
        let value = self.field(name)?;
        let number = value.as_u64().filter(|number| range.contains(number));
        if number.is_none() {
            let (least, most) = range.into_inner();
            problems.at(self.at(name), expected(&format!("a whole number of {things} from {least} to {most}"), value));
        }
        number
    }

    /// Notes the fields that nobody asked for.
    pub(super) fn finish(self, problems: &mut Problems) {
        for name in self.fields.keys().filter(|name| !self.asked.contains(&name.as_str())) {
            let near = self.asked.iter().map(|known| (distance(name, known), known)).min();
            match near {
                Some((distance, known)) if distance <= 1 + known.len() / 4 => {
                    problems.at(self.at(name), format!("unknown field; did you mean `{known}`?"));
                }
                _ => problems.at(self.at(name), "unknown field"),
            }
        }
    }
}

/// "Expected this, found that", without the found value's content.
pub(super) fn expected(what: &str, found: &Value) -> String {
    let found = match found {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Number(value) => value.to_string(),
        Value::String(_) => "a string".to_owned(),
        Value::Array(_) => "an array".to_owned(),
        Value::Object(_) => "an object".to_owned(),
    };
    format!("expected {what}, found {found}")
}

/// How many letters must be added, removed or changed to get from one word to the other.
fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (index, letter) in from.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], index + 1);
        for (column, other) in to.iter().enumerate() {
            let changed = diagonal + usize::from(letter != *other);
            diagonal = row[column + 1];
            row[column + 1] = changed.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_differ_by_letters() {
        for (from, to, expected) in [
            ("", "", 0),
            ("abc", "abc", 0),
            ("sorce", "source", 1),
            ("prefxi", "prefix", 2),
            ("", "ab", 2),
            ("kitten", "sitting", 3),
        ] {
            assert_eq!(distance(from, to), expected, "{from} {to}");
            assert_eq!(distance(to, from), expected, "{to} {from}");
        }
    }
}
