//! The bytes of a datum → JSON text, led by the schema.
//!
//! Ends on any input: what comes out is bounded, each value writes something, and values nest no deeper than JSON may.

use base64::{Engine, prelude::BASE64_STANDARD};
use headgate::{Code, decode::Refusal};

use super::{
    logical::Logical,
    schema::{Schema, Shape, Type},
};

/// How deep values may nest: as deep as JSON that the contract reads.
const DEEPEST: usize = 127;

/// How values of logical types are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// As the contract reads them: text that says what it means.
    Contract,
    /// As Kafka Connect's JSON converter does: dates and times as their numbers, decimals as their bytes. What they mean
    /// is in the schema alone.
    Connect,
}

/// Decodes one datum, of which at most about `cap` bytes of JSON come out.
///
/// # Errors
/// [`Code::InvalidAvro`] where the bytes are no datum of the schema, or are more than one; [`Code::InvalidValue`] where
/// a value cannot be told in JSON (not a number, a date beyond the year 9999, a decimal of more than 38 digits);
/// [`Code::TooLarge`].
pub fn decode(schema: &Schema, datum: &[u8], style: Style, cap: usize) -> Result<String, Refusal> {
    let out = Vec::with_capacity(datum.len().saturating_mul(3).min(cap));
    let mut decoder = Decoder { schema, rest: datum, style, out, cap };
    decoder.value(schema.at(schema.root), 0)?;
    if !decoder.rest.is_empty() {
        return Err(broken("something follows the datum"));
    }
    String::from_utf8(decoder.out).map_err(|_| broken("text is not UTF-8"))
}

struct Decoder<'a> {
    schema: &'a Schema,
    rest: &'a [u8],
    style: Style,
    out: Vec<u8>,
    cap: usize,
}

fn broken(what: &'static str) -> Refusal {
    Refusal { code: Code::InvalidAvro, reason: format!("Avro: {what}").into() }
}

fn untold(what: &'static str) -> Refusal {
    Refusal { code: Code::InvalidValue, reason: format!("Avro: {what}").into() }
}

impl<'a> Decoder<'a> {
    fn value(&mut self, r#type: &'a Type, depth: usize) -> Result<(), Refusal> {
        if depth > DEEPEST {
            return Err(broken("values nest deeper than 127 levels"));
        }
        if self.out.len() > self.cap {
            let reason = format!("Avro: more than {} bytes of JSON", self.cap);
            return Err(Refusal { code: Code::TooLarge, reason: reason.into() });
        }
        match &r#type.shape {
            Shape::Null => self.write("null"),
            Shape::Boolean => match self.take(1)? {
                [0] => self.write("false"),
                [1] => self.write("true"),
                _ => return Err(broken("a boolean is neither 0 nor 1")),
            },
            Shape::Int => {
                let value = i32::try_from(self.long()?).map_err(|_| broken("an int is beyond 32 bits"))?;
                self.number(r#type, value.into())?;
            }
            Shape::Long => {
                let value = self.long()?;
                self.number(r#type, value)?;
            }
            Shape::Float => {
                let value = f32::from_le_bytes(self.array()?);
                self.float(value.is_finite(), &format!("{value:?}"))?;
            }
            Shape::Double => {
                let value = f64::from_le_bytes(self.array()?);
                self.float(value.is_finite(), &format!("{value:?}"))?;
            }
            Shape::Bytes => {
                let bytes = self.bytes()?;
                self.binary(r#type, bytes)?;
            }
            Shape::Fixed(size) => {
                let bytes = self.take(*size)?;
                self.binary(r#type, bytes)?;
            }
            Shape::Text => self.text()?,
            Shape::Enum(symbols) => {
                let symbol = usize::try_from(self.long()?).ok().and_then(|at| symbols.get(at));
                self.string(symbol.ok_or_else(|| broken("an enum has no such symbol"))?);
            }
            Shape::Array(item) => self.blocks(*item, depth, false)?,
            Shape::Map(value) => self.blocks(*value, depth, true)?,
            Shape::Union(branches) => {
                let branch = usize::try_from(self.long()?).ok().and_then(|at| branches.get(at));
                let branch = *branch.ok_or_else(|| broken("a union has no such branch"))?;
                self.value(self.schema.at(branch), depth + 1)?;
            }
            Shape::Record(fields) => {
                for (at, (name, field)) in fields.iter().enumerate() {
                    self.write(if at == 0 { "{" } else { "," });
                    self.string(name);
                    self.write(":");
                    self.value(self.schema.at(*field), depth + 1)?;
                }
                self.write(if fields.is_empty() { "{}" } else { "}" });
            }
        }
        Ok(())
    }

    /// Items come in blocks, each behind its count, up to one of none. A count below zero has the block's bytes behind
    /// it, for readers that skip.
    fn blocks(&mut self, inner: usize, depth: usize, named: bool) -> Result<(), Refusal> {
        let (open, close) = if named { ("{", "}") } else { ("[", "]") };
        self.write(open);
        let (mut first, inner) = (true, self.schema.at(inner));
        loop {
            let count = self.long()?;
            if count == 0 {
                break;
            }
            if count < 0 {
                self.long()?;
            }
            for _ in 0..count.unsigned_abs() {
                if !std::mem::take(&mut first) {
                    self.write(",");
                }
                if named {
                    self.text()?;
                    self.write(":");
                }
                self.value(inner, depth + 1)?;
            }
        }
        self.write(close);
        Ok(())
    }

    fn number(&mut self, r#type: &Type, value: i64) -> Result<(), Refusal> {
        match r#type.logical.filter(|_| self.style == Style::Contract) {
            None => self.write(&value.to_string()),
            Some(logical) => {
                let text = logical.number(value).ok_or_else(|| untold("a date or time is out of range"))?;
                self.string(&text);
            }
        }
        Ok(())
    }

    fn float(&mut self, finite: bool, text: &str) -> Result<(), Refusal> {
        if !finite {
            return Err(untold("a number is infinite, or not a number"));
        }
        self.write(text);
        Ok(())
    }

    fn binary(&mut self, r#type: &Type, bytes: &[u8]) -> Result<(), Refusal> {
        let is_plain = |logical: &Logical| self.style == Style::Connect && matches!(logical, Logical::Decimal { .. });
        match r#type.logical.filter(|logical| !is_plain(logical)) {
            None => {
                let text = BASE64_STANDARD.encode(bytes);
                self.string(&text);
            }
            Some(logical) => {
                let text = logical.bytes(bytes).ok_or_else(|| untold("a decimal has more than 38 digits"))?;
                self.write(&text);
            }
        }
        Ok(())
    }

    fn text(&mut self) -> Result<(), Refusal> {
        let text = std::str::from_utf8(self.bytes()?).map_err(|_| broken("text is not UTF-8"))?;
        self.string(text);
        Ok(())
    }

    fn string(&mut self, text: &str) {
        // Writing text to a vector cannot fail.
        let _ = serde_json::to_writer(&mut self.out, text);
    }

    fn write(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
    }

    /// A zig-zag varint of up to 64 bits.
    fn long(&mut self) -> Result<i64, Refusal> {
        let mut value = 0_u64;
        for shift in (0..70).step_by(7) {
            let [byte] = self.array()?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                break;
            }
            value |= bits << shift;
            if byte < 0x80 {
                return Ok((value >> 1).cast_signed() ^ -(value & 1).cast_signed());
            }
        }
        Err(broken("a number is beyond 64 bits"))
    }

    fn bytes(&mut self) -> Result<&'a [u8], Refusal> {
        let length = usize::try_from(self.long()?).map_err(|_| broken("a length is below zero"))?;
        self.take(length)
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], Refusal> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or_else(|| broken("the datum is cut off"))?;
        self.rest = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Refusal> {
        let (taken, rest) = self.rest.split_first_chunk().ok_or_else(|| broken("the datum is cut off"))?;
        self.rest = rest;
        Ok(*taken)
    }
}
