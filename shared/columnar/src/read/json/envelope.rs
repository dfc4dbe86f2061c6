//! A line → an operation on a row, or nothing.
//!
//! Both shapes are one: the bare envelope, and Kafka Connect's `{"schema": …, "payload": …}` around it.

use headgate::Code;

use super::object;
use crate::{
    changes::{FileKind, Op, Refusal},
    read::{Place, op_of},
};

/// A change: texts of JSON values, none of them `null`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Envelope<'a> {
    pub(super) op: Op,
    pub(super) before: Option<&'a str>,
    pub(super) after: Option<&'a str>,
    /// The embedded schema.
    pub(super) schema: Option<&'a str>,
    /// When the connector handled the change, in milliseconds since 1970.
    pub(super) millis: Option<i64>,
}

impl<'a> Envelope<'a> {
    /// The change a line tells; `None` for a tombstone, an empty line or a message.
    pub(super) fn of(line: &'a str, place: Place, kind: FileKind, op_column: &str) -> Result<Option<Self>, Refusal> {
        let line = line.trim_ascii();
        if line.is_empty() || line == "null" {
            return Ok(None);
        }
        let mut parts = Parts::of(line, place, op_column)?;
        if parts.op().is_none() {
            match parts.payload {
                Some("null") => return Ok(None),
                Some(payload) => parts = Parts { schema: parts.schema, ..Parts::of(payload, place, op_column)? },
                None => {}
            }
        }
        let Some(op) = operation(parts.op(), place, kind)? else { return Ok(None) };
        let told = |value: Option<&'a str>| value.filter(|text| *text != "null");
        Ok(Some(Self {
            op,
            before: told(parts.before),
            after: told(parts.after),
            schema: told(parts.schema),
            millis: parts.millis.and_then(|text| text.parse().ok()),
        }))
    }

    /// The row's values: after the change, or before a delete.
    pub(super) fn image(&self) -> Option<&'a str> {
        if self.op == Op::Delete { self.before } else { self.after }
    }
}

#[derive(Default)]
struct Parts<'a> {
    /// Under the dataset's name, `Op` and `op`: the first there is counts.
    ops: [Option<&'a str>; 3],
    before: Option<&'a str>,
    after: Option<&'a str>,
    schema: Option<&'a str>,
    payload: Option<&'a str>,
    millis: Option<&'a str>,
}

impl<'a> Parts<'a> {
    fn of(object: &'a str, place: Place, op_column: &str) -> Result<Self, Refusal> {
        let mut parts = Self::default();
        let each = |name: &str, value| match name {
            "before" => parts.before = Some(value),
            "after" => parts.after = Some(value),
            "schema" => parts.schema = Some(value),
            "payload" => parts.payload = Some(value),
            "ts_ms" => parts.millis = Some(value),
            _ if name == op_column => parts.ops[0] = Some(value),
            "Op" => parts.ops[1] = Some(value),
            "op" => parts.ops[2] = Some(value),
            _ => {}
        };
        object::fields(object, each).map_err(|error| no_object(place, &error))?;
        Ok(parts)
    }

    fn op(&self) -> Option<&'a str> {
        self.ops.into_iter().flatten().next()
    }
}

/// The refusal of text that is no JSON object; the parser's own words may quote the text.
pub(super) fn no_object(place: Place, error: &serde_json::Error) -> Refusal {
    place.refuse(Code::UnreadableFile, &format!("not a JSON object (byte {})", error.column()))
}

/// The operation; `None` for a message, which is no row. A full load only inserts, and may leave it out.
fn operation(op: Option<&str>, place: Place, kind: FileKind) -> Result<Option<Op>, Refusal> {
    let Some(op) = op else {
        let missing = || place.refuse(Code::UnknownOp, "there is no operation");
        return if kind == FileKind::Load { Ok(Some(Op::Insert)) } else { Err(missing()) };
    };
    let text = object::text(op).unwrap_or(op.into());
    let known = match text.as_bytes() {
        [b'm' | b'M'] => return Ok(None),
        [b'c' | b'C' | b'r' | b'R'] => Some(Op::Insert),
        [b't' | b'T'] if kind == FileKind::Cdc => Some(Op::Truncate),
        other => op_of(other, kind),
    };
    known.map(Some).ok_or_else(|| place.unknown_op(&text))
}
