//! A scalar's JSON → a value of its column's type.
//!
//! Most values are plain: a text without escapes, a short number. They are read at once; all others go the long way.

use crate::{
    contract::{
        Node, Sink,
        refused::{Refused, Result},
        value::{Plain, Value, convert},
    },
    dataset::ColumnType,
    error::Code,
    lexer::{Lexer, Token, said},
};

/// The value; and its JSON, where that says the value as a line would. A text with escapes goes through `text`, what was
/// base64 through `bytes`.
#[inline]
pub(super) fn scalar<'r, 't: 'r>(
    lexer: &mut Lexer<'t>,
    node: &Node,
    text: &'r mut String,
    bytes: &'r mut Vec<u8>,
) -> Result<(Value<'r>, Option<&'t str>)> {
    lexer.peek();
    let start = lexer.at;
    let number = match node.r#type {
        ColumnType::Int64 => lexer.integer().map(Value::Integer),
        ColumnType::Int32 => lexer.integer().filter(|value| i32::try_from(*value).is_ok()).map(Value::Integer),
        ColumnType::Float64 => lexer.float().map(Value::Float),
        _ => None,
    };
    if let Some(number) = number {
        return Ok((number, Some(lexer.since(start))));
    }
    lexer.at = start;
    let token = lexer.token()?;
    if let (ColumnType::String, Token::Text(raw)) = (&node.r#type, token) {
        let json = (!raw.escaped).then(|| lexer.since(start));
        return Ok((Value::Text(said(raw, text)), json));
    }
    let value = convert(&node.r#type, plain(token, text)?, bytes).ok_or_else(|| misfit(node))?;
    Ok((value, None))
}

/// Hands a value on.
#[inline]
pub(super) fn put(node: &Node, value: Value<'_>, json: Option<&str>, sink: &mut impl Sink) {
    match json {
        Some(json) => sink.written(node.id, value, json),
        None => sink.value(node.id, value),
    }
}

/// A scalar's JSON; a text with escapes goes through `room`.
pub(in crate::contract) fn plain<'r, 't: 'r>(token: Token<'t>, room: &'r mut String) -> Result<Plain<'r>> {
    let none = |what| Err(Refused::new(Code::InvalidValue, what));
    match token {
        Token::Boolean(value) => Ok(Plain::Boolean(value)),
        Token::Number(digits) => Ok(Plain::Number(digits)),
        Token::Text(raw) => Ok(Plain::Text(said(raw, room))),
        Token::Null => none("null is no value here"),
        Token::Object => none("an object is no value of this column"),
        Token::Array => none("an array is no value of this column"),
    }
}

#[cold]
pub(super) fn misfit(node: &Node) -> Refused {
    Refused::new(Code::InvalidValue, format!("not a value of type {}", node.r#type))
}
