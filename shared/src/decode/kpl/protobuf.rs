//! A protobuf message → its fields, in the order they were written.
//!
//! As much of the wire format (protobuf.dev, "Encoding") as KPL needs: the reader skips what it does not know by its
//! wire type, and knows no schema.

use std::ops::Range;

/// Groups may nest this deep, as with protobuf's own parsers.
const DEEPEST_GROUP: u32 = 100;

/// The bytes are no protobuf message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Malformed;

/// A field's value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    /// Wire type 0.
    Varint(u64),
    /// Wire type 2: where in the outermost message it lies.
    Bytes(Range<usize>),
    /// A group or a number of fixed width, stepped over.
    Skipped,
}

/// The fields of a message: number and value each. Nothing follows a malformed one.
#[derive(Debug)]
pub(super) struct Fields<'a> {
    bytes: &'a [u8],
    at: usize,
    end: usize,
}

impl<'a> Fields<'a> {
    /// Of the message that lies at `range` of `bytes`; values are given in places of `bytes`.
    pub(super) fn of(bytes: &'a [u8], range: Range<usize>) -> Self {
        Self { bytes, at: range.start, end: range.end.min(bytes.len()) }
    }

    fn varint(&mut self) -> Result<u64, Malformed> {
        let mut value = 0;
        for shift in (0..70).step_by(7) {
            let byte = *self.bytes[..self.end].get(self.at).ok_or(Malformed)?;
            self.at += 1;
            // Of the tenth byte, one bit fits; the others are dropped, as protobuf's own parsers do.
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(Malformed)
    }

    /// A field's number and wire type.
    fn tag(&mut self) -> Result<(u32, u32), Malformed> {
        let tag = u32::try_from(self.varint()?).map_err(|_| Malformed)?;
        if tag >> 3 == 0 { Err(Malformed) } else { Ok((tag >> 3, tag & 7)) }
    }

    fn step(&mut self, bytes: u64) -> Result<Range<usize>, Malformed> {
        let bytes = usize::try_from(bytes).ok().filter(|bytes| *bytes <= self.end - self.at).ok_or(Malformed)?;
        let start = self.at;
        self.at += bytes;
        Ok(start..self.at)
    }

    fn value(&mut self, number: u32, wire_type: u32, depth: u32) -> Result<Value, Malformed> {
        match wire_type {
            0 => self.varint().map(Value::Varint),
            1 => self.step(8).map(|_| Value::Skipped),
            2 => {
                let bytes = self.varint()?;
                self.step(bytes).map(Value::Bytes)
            }
            3 if depth < DEEPEST_GROUP => self.group(number, depth + 1).map(|()| Value::Skipped),
            5 => self.step(4).map(|_| Value::Skipped),
            _ => Err(Malformed),
        }
    }

    /// Steps over a group, up to and with its end.
    fn group(&mut self, number: u32, depth: u32) -> Result<(), Malformed> {
        loop {
            match self.tag()? {
                (end, 4) => return if end == number { Ok(()) } else { Err(Malformed) },
                (inner, wire_type) => self.value(inner, wire_type, depth)?,
            };
        }
    }
}

impl Iterator for Fields<'_> {
    type Item = Result<(u32, Value), Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.at >= self.end {
            return None;
        }
        let field = self.tag().and_then(|(number, wire_type)| Ok((number, self.value(number, wire_type, 0)?)));
        if field.is_err() {
            self.at = self.end;
        }
        Some(field)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(bytes: &[u8], want: Result<&[(u32, Value)], Malformed>) {
        let fields: Result<Vec<_>, _> = Fields::of(bytes, 0..bytes.len()).collect();
        assert_eq!(fields, want.map(<[_]>::to_vec), "{bytes:x?}");
    }

    #[test]
    fn reads_each_wire_type() {
        check(&[], Ok(&[]));
        check(&[0x08, 0x96, 0x01], Ok(&[(1, Value::Varint(150))]));
        check(&[0x12, 2, b'a', b'b', 0x12, 0], Ok(&[(2, Value::Bytes(2..4)), (2, Value::Bytes(6..6))]));
        check(&[0x19, 0, 0, 0, 0, 0, 0, 0, 0, 0x25, 0, 0, 0, 0], Ok(&[(3, Value::Skipped), (4, Value::Skipped)]));
        check(&[0x2b, 0x08, 1, 0x33, 0x34, 0x2c, 0x08, 2], Ok(&[(5, Value::Skipped), (1, Value::Varint(2))]));
        let most = [0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f];
        check(&most, Ok(&[(1, Value::Varint(u64::MAX))]));
        check(&[0xf8, 0xff, 0xff, 0xff, 0x0f, 0], Ok(&[((1 << 29) - 1, Value::Varint(0))]));
    }

    #[test]
    fn refuses_what_is_none() {
        let endless = [0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
        let table: [&[u8]; 12] = [
            &[0x80],
            &[0x08],
            &endless,
            &[0x00, 0],
            &[0xf8, 0xff, 0xff, 0xff, 0x1f, 0],
            &[0x12, 2, b'a'],
            &[0x12, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
            &[0x19, 0],
            &[0x2b, 0x08, 1],
            &[0x2b, 0x34],
            &[0x0c],
            &[0x0e],
        ];
        for bytes in table {
            check(bytes, Err(Malformed));
        }
    }

    #[test]
    fn groups_nest_so_deep() {
        let nested = |depth| [[0x0b].repeat(depth), [0x0c].repeat(depth)].concat();
        check(&nested(100), Ok(&[(1, Value::Skipped)]));
        check(&nested(101), Err(Malformed));
        check(&[0x0b].repeat(1 << 20), Err(Malformed));
    }
}
