//! An event as AWS writes it → its parts, in one pass over the text.
//!
//! `None` wherever anything is odd: whoever reads an event so reads it again with care, and tells what it is.

use std::ops::Range;

use crate::lexer::{Lexer, Token, inner};

/// Gives each member of the object to `member`, which reads its value. It may well be the next one of `fields`, whose
/// names are as [`crate::lexer::written`] has them; where it is none of them, it is the default.
pub(super) fn members<'a, F: Copy + Default>(
    lexer: &mut Lexer<'a>,
    fields: &[(&str, F)],
    mut member: impl FnMut(&mut Lexer<'a>, F) -> Option<()>,
) -> Option<()> {
    let Token::Object = lexer.token().ok()? else { return None };
    let (mut hint, mut first) = (0, true);
    while lexer.more(first, b'}').ok()? {
        first = false;
        let near = fields.get(hint).is_some_and(|(written, _)| lexer.passes(written));
        let at = if near { hint } else { find(lexer, fields)? };
        hint = at + 1;
        member(lexer, fields.get(at).map_or_else(F::default, |(_, field)| *field))?;
    }
    Some(())
}

/// The objects of an array; `member` reads the value of each of their members into the object's parts, of which `whole`
/// makes the object.
pub(super) fn objects<'a, F: Copy + Default, P: Default, O>(
    lexer: &mut Lexer<'a>,
    fields: &[(&str, F)],
    mut member: impl FnMut(&mut Lexer<'a>, F, &mut P) -> Option<()>,
    mut whole: impl FnMut(P) -> Option<O>,
) -> Option<Vec<O>> {
    let Token::Array = lexer.token().ok()? else { return None };
    let mut objects = Vec::new();
    while lexer.more(objects.is_empty(), b']').ok()? {
        let mut parts = P::default();
        members(lexer, fields, |lexer, field| member(lexer, field, &mut parts))?;
        objects.push(whole(parts)?);
    }
    Some(objects)
}

/// Which of the fields comes; beyond the last one, if none of them.
fn find<F>(lexer: &mut Lexer<'_>, fields: &[(&str, F)]) -> Option<usize> {
    let name = lexer.name().ok().filter(|name| !name.escaped)?;
    Some(fields.iter().position(|(written, _)| inner(written) == name.text).unwrap_or(fields.len()))
}

/// A member that comes twice is odd.
pub(super) fn once<T>(place: &mut Option<T>, value: T) -> Option<()> {
    place.replace(value).is_none().then_some(())
}

pub(super) fn skip(lexer: &mut Lexer<'_>) -> Option<()> {
    lexer.skip().ok().map(|_| ())
}

pub(super) fn text<'a>(lexer: &mut Lexer<'a>) -> Option<&'a str> {
    match lexer.token() {
        Ok(Token::Text(raw)) if !raw.escaped => Some(raw.text),
        _ => None,
    }
}

pub(super) fn number<'a>(lexer: &mut Lexer<'a>) -> Option<&'a str> {
    match lexer.token() {
        Ok(Token::Number(digits)) => Some(digits),
        _ => None,
    }
}

/// Where in `bodies` the bytes are now that a text has as base64, whose alphabet has no sign that JSON escapes.
pub(super) fn body(lexer: &mut Lexer<'_>, bodies: &mut Vec<u8>) -> Option<Range<usize>> {
    let start = bodies.len();
    base64_simd::STANDARD.decode_append(lexer.unescaped().ok()?, bodies).ok()?;
    Some(start..bodies.len())
}
