//! A value → whether it keeps its column's checks, whether its row is wanted, and what is shown of it.
//!
//! Checks and filters see the value as it came; what goes on is masked.

use std::{fmt, str::FromStr};

use hmac::{Hmac, KeyInit, Mac};
use regex_lite::Regex;
use sha2::Sha256;

use super::{
    filter::Filter,
    refused::{Refused, Result},
    value::Value,
};
use crate::{
    dataset::{
        ColumnType,
        stream::{Checks, Field, Mask},
    },
    error::{Code, Error},
};

/// The key of hashed columns. Never shown.
#[derive(Clone)]
pub struct MaskKey(Hmac<Sha256>);

impl MaskKey {
    /// A key of at least 16 bytes: what is shorter can be guessed, and with it every masked value.
    ///
    /// # Errors
    /// Misconfigured: it is too short.
    pub fn new(key: &[u8]) -> std::result::Result<Self, Error> {
        let short = || Error::misconfigured(Code::InvalidConfig, "the mask key must have at least 16 bytes");
        if key.len() < 16 {
            return Err(short());
        }
        Hmac::new_from_slice(key).map(Self).map_err(|_| short())
    }

    fn hash(&self, text: &str, out: &mut String) {
        let mut hmac = self.0.clone();
        hmac.update(text.as_bytes());
        for byte in hmac.finalize().into_bytes() {
            for nibble in [byte >> 4, byte & 15] {
                out.push(char::from(b"0123456789abcdef"[usize::from(nibble)]));
            }
        }
    }
}

impl FromStr for MaskKey {
    type Err = Error;

    fn from_str(key: &str) -> std::result::Result<Self, Error> {
        Self::new(key.as_bytes())
    }
}

impl fmt::Debug for MaskKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MaskKey")
    }
}

/// A column's checks, what the filter says of it, and its mask.
#[derive(Debug, Clone)]
pub(super) struct Rule {
    min: Option<f64>,
    max: Option<f64>,
    pattern: Option<Regex>,
    one_of: Option<Vec<String>>,
    /// What a decimal's value is divided by.
    scale: f64,
    pub(super) filter: Filter,
    pub(super) mask: Option<Mask>,
}

impl Rule {
    /// The rule of a column that has one.
    pub(super) fn of(field: &Field, filter: Filter) -> std::result::Result<Option<Self>, Error> {
        let Checks { min, max, pattern, one_of } = field.checks.clone();
        if field.checks == Checks::default() && field.mask.is_none() && filter.is_empty() {
            return Ok(None);
        }
        let pattern = pattern.map(|pattern| Regex::new(&pattern)).transpose();
        let pattern = pattern.map_err(|error| Error::misconfigured(Code::InvalidConfig, error.to_string()))?;
        let scale = if let ColumnType::Decimal(_, scale) = field.r#type { 10_f64.powi(scale.into()) } else { 1.0 };
        Ok(Some(Self { min, max, pattern, one_of, scale, filter, mask: field.mask }))
    }

    pub(super) fn check(&self, value: Value<'_>) -> Result<()> {
        let failed = |what: String| Err(Refused::new(Code::CheckFailed, what));
        #[allow(clippy::cast_precision_loss, reason = "a bound is a float itself")]
        let number = match value {
            Value::Integer(value) => Some(value as f64),
            Value::Unsigned(value) => Some(value as f64),
            Value::Float(value) => Some(value),
            Value::Decimal(value) => Some(value as f64 / self.scale),
            _ => None,
        };
        match (number, self.min, self.max) {
            (Some(number), Some(min), _) if number < min => return failed(format!("below the least, {min}")),
            (Some(number), _, Some(max)) if number > max => return failed(format!("above the most, {max}")),
            _ => {}
        }
        if let (Some(pattern), Value::Text(text)) = (&self.pattern, value)
            && !pattern.is_match(text)
        {
            return failed(format!("does not match `{pattern}`"));
        }
        match &self.one_of {
            Some(allowed) if !allowed.iter().any(|allowed| is(value, allowed)) => failed("none of `one_of`".to_owned()),
            _ => Ok(()),
        }
    }

    /// What is shown of the text, in `out`; `None`: nothing.
    pub(super) fn masked<'a>(&self, value: Value<'a>, key: Option<&MaskKey>, out: &'a mut String) -> Option<Value<'a>> {
        out.clear();
        match (self.mask, value) {
            (None, value) => return Some(value),
            (Some(Mask::Hash), Value::Text(text)) => key?.hash(text, out),
            (Some(Mask::KeepLast(kept)), Value::Text(text)) => {
                let hidden = text.chars().count().saturating_sub(kept);
                let shown = text.char_indices().nth(hidden).map_or(text.len(), |(at, _)| at);
                out.extend(std::iter::repeat_n("*", hidden));
                out.push_str(&text[shown..]);
            }
            // Erased; the other masks are on columns of text alone.
            (Some(_), _) => return None,
        }
        Some(Value::Text(out))
    }
}

fn is(value: Value<'_>, allowed: &str) -> bool {
    match value {
        Value::Text(text) => text == allowed,
        Value::Integer(value) => allowed.parse() == Ok(value),
        Value::Unsigned(value) => allowed.parse() == Ok(value),
        _ => false,
    }
}
