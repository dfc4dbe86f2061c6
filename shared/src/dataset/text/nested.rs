//! `list<…>` and `struct<…>` → column types; and back.
//!
//! A name within is anything but the signs that the text is made of.

use std::fmt;

use super::TextError;
use crate::dataset::{Column, ColumnType};

/// How deep types may nest: a reader goes down once a level.
const DEEPEST: usize = 8;

/// The type, if the text is one of lists or structs at all.
pub(super) fn parse(text: &str) -> Option<Result<ColumnType, TextError>> {
    let list = inner(text, "list");
    let inner = list.or_else(|| inner(text, "struct"))?;
    let parsed = if depth(text) > DEEPEST {
        None
    } else if list.is_some() {
        return Some(inner.parse().map(|item| ColumnType::List(Box::new(item))));
    } else {
        members(inner)
    };
    Some(parsed.map(ColumnType::Struct).ok_or(TextError::ColumnType))
}

fn inner<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    Some(text.strip_prefix(name)?.strip_prefix('<')?.strip_suffix('>')?.trim())
}

fn depth(text: &str) -> usize {
    text.bytes().filter(|byte| *byte == b'<').count()
}

fn members(text: &str) -> Option<Vec<Column>> {
    let mut members: Vec<Column> = Vec::new();
    for part in split(text) {
        let (name, r#type) = part.split_once(':')?;
        let (name, r#type) = (name.trim(), r#type.trim().parse().ok()?);
        if name.is_empty() || members.iter().any(|known| known.name == name) {
            return None;
        }
        members.push(Column { name: name.to_owned(), r#type });
    }
    Some(members)
}

/// At the commas that are not within brackets.
fn split(text: &str) -> impl Iterator<Item = &str> {
    let mut open = 0_i32;
    text.split(move |sign| {
        open += i32::from(matches!(sign, '<' | '(')) - i32::from(matches!(sign, '>' | ')'));
        sign == ',' && open == 0
    })
}

pub(super) fn write(f: &mut fmt::Formatter<'_>, members: &[Column]) -> fmt::Result {
    f.write_str("struct<")?;
    for (index, member) in members.iter().enumerate() {
        let comma = if index == 0 { "" } else { ", " };
        write!(f, "{comma}{}: {}", member.name, member.r#type)?;
    }
    f.write_str(">")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nested_types() {
        for text in [
            "list<string>",
            "list<list<decimal(5,2)>>",
            "struct<a: int64, b b: list<struct<c: timestamp(ms)>>, d: decimal(5,2)>",
        ] {
            assert_eq!(text.parse::<ColumnType>().map(|value| value.to_string()), Ok(text.to_owned()));
        }
        assert_eq!("struct<a:int64,b:date>".parse::<ColumnType>().unwrap().to_string(), "struct<a: int64, b: date>");
        let deep = |levels: usize| format!("{}int32{}", "list<".repeat(levels), ">".repeat(levels));
        assert!(deep(8).parse::<ColumnType>().is_ok());
        for bad in ["list<>", "list<text>", "struct<>", "struct<a>", "struct<a: int32, a: date>", "struct<: date>"] {
            assert_eq!(bad.parse::<ColumnType>(), Err(TextError::ColumnType), "{bad}");
        }
        assert_eq!(deep(9).parse::<ColumnType>(), Err(TextError::ColumnType));
        assert_eq!("list<decimal(0,0)>".parse::<ColumnType>(), Err(TextError::Decimal));
    }
}
