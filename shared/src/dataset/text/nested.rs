//! `list<…>` and `struct<…>` → column types; and back.
//!
//! A name within is anything but the signs that the text is made of.

use std::fmt;

use super::TextError;
use crate::dataset::{Column, ColumnType, stream::is_same};

/// How deep types may nest: a reader goes down once a level.
const DEEPEST: usize = 8;

/// What the text of a type is made of, `:` aside, at the first of which a name ends.
const SIGNS: [char; 5] = ['<', '>', '(', ')', ','];

/// The type, if the text is one of lists or structs at all.
pub(super) fn parse(text: &str) -> Option<Result<ColumnType, TextError>> {
    let list = inner(text, "list");
    let inner = list.or_else(|| inner(text, "struct"))?;
    Some(if depth(text) > DEEPEST {
        Err(TextError::ColumnType)
    } else if list.is_some() {
        inner.parse().map(|item| ColumnType::List(Box::new(item)))
    } else {
        members(inner).map(ColumnType::Struct)
    })
}

fn inner<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    Some(text.strip_prefix(name)?.strip_prefix('<')?.strip_suffix('>')?.trim())
}

fn depth(text: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    for byte in text.bytes() {
        match byte {
            b'<' => depth += 1,
            b'>' => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}

fn members(text: &str) -> Result<Vec<Column>, TextError> {
    let mut members: Vec<Column> = Vec::new();
    for part in split(text) {
        let (name, r#type) = part.split_once(':').ok_or(TextError::ColumnType)?;
        let (name, r#type) = (name.trim(), r#type.trim().parse()?);
        if name.is_empty() || name.contains(SIGNS) || members.iter().any(|known| is_same(&known.name, name)) {
            return Err(TextError::ColumnType);
        }
        members.push(Column { name: name.to_owned(), r#type });
    }
    Ok(members)
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
        let wide = (0..20).map(|at| format!("m{at}: list<int32>")).collect::<Vec<_>>().join(", ");
        assert!(format!("struct<{wide}>").parse::<ColumnType>().is_ok(), "many are not deep");
        for bad in [
            "list<>",
            "list<text>",
            "list<int32",
            "list<int32>>",
            "list <int32>",
            "list<int32>, list<int32>",
            "struct<>",
            "struct<a>",
            "struct<a: int32, a: date>",
            "struct<: date>",
            "struct<a: int32,>",
            "struct<a<: int32>",
            "struct<a(b): int32>",
            "struct<a>: int32>",
            "struct<a: int32>, b: struct<c: int32>",
            "struct<a: b: int32>",
        ] {
            assert_eq!(bad.parse::<ColumnType>(), Err(TextError::ColumnType), "{bad}");
        }
        assert_eq!(deep(9).parse::<ColumnType>(), Err(TextError::ColumnType));
        for bad in ["list<decimal(0,0)>", "struct<a: decimal(39,0)>"] {
            assert_eq!(bad.parse::<ColumnType>(), Err(TextError::Decimal), "{bad}");
        }
    }
}
