//! Numbers: as they are written, or at once as what they say.

use super::{Lexer, Result};

impl<'a> Lexer<'a> {
    #[inline]
    fn digits(&mut self) -> Result<()> {
        let rest = &self.bytes()[self.at..];
        let digits = rest.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(rest.len());
        if digits == 0 {
            return Err(self.broken("a digit is missing"));
        }
        self.at += digits;
        Ok(())
    }

    #[inline]
    fn next_is(&self, signs: &[u8]) -> bool {
        self.bytes().get(self.at).is_some_and(|byte| signs.contains(byte))
    }

    #[inline]
    pub(super) fn number(&mut self) -> Result<&'a str> {
        let start = self.at;
        self.at += usize::from(self.next_is(b"-"));
        if self.next_is(b"0") {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.next_is(b".") {
            self.at += 1;
            self.digits()?;
        }
        if self.next_is(b"eE") {
            self.at += 1;
            self.at += usize::from(self.next_is(b"+-"));
            self.digits()?;
        }
        Ok(&self.text[start..self.at])
    }

    /// Goes past a whole number of at most 18 digits where one comes, and nowhere otherwise; `-0` is left to others.
    #[inline]
    pub(crate) fn integer(&mut self) -> Option<i64> {
        let (negative, digits) = self.short_number();
        let (value, end) = digits?;
        if negative && value == 0 || self.bytes().get(end).is_some_and(|byte| matches!(byte, b'.' | b'e' | b'E')) {
            return None;
        }
        self.at = end;
        Some(if negative { -value } else { value })
    }

    /// Goes past a number with a point, no exponent and at most 15 digits where one comes, and nowhere otherwise.
    #[inline]
    pub(crate) fn float(&mut self) -> Option<f64> {
        const POWERS: [f64; 16] =
            [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];
        let start = self.at;
        let (negative, whole) = self.short_number();
        let (whole, point) = whole?;
        let bytes = self.bytes();
        if bytes.get(point) != Some(&b'.') {
            return None;
        }
        let (value, end) = digits(bytes, point + 1, whole);
        let after = end - point - 1;
        let long = end - start - 1 - usize::from(negative) > 15;
        if after == 0 || long || bytes.get(end).is_some_and(|byte| matches!(byte, b'e' | b'E')) {
            return None;
        }
        self.at = end;
        // Both are exact as floats, so that the quotient is the nearest one (Clinger, "How to Read Floating Point Numbers
        // Accurately", 1990).
        let value = value as f64 / POWERS[after];
        Some(if negative { -value } else { value })
    }

    /// Whether there is a `-`; the digits after it, and where they end, where they are a number of at most 18.
    #[inline]
    fn short_number(&self) -> (bool, Option<(i64, usize)>) {
        let bytes = self.bytes();
        let negative = bytes.get(self.at) == Some(&b'-');
        let start = self.at + usize::from(negative);
        let (value, end) = digits(bytes, start, 0);
        let sound = match end - start {
            1 => true,
            2..=18 => bytes[start] != b'0',
            _ => false,
        };
        (negative, sound.then_some((value, end)))
    }
}

/// The number that goes on with the digits from `at` on, and where they end. With more than 18 of them it is anything.
#[inline]
fn digits(bytes: &[u8], mut at: usize, mut value: i64) -> (i64, usize) {
    while let Some(digit) = bytes.get(at).map(|byte| byte.wrapping_sub(b'0')).filter(|digit| *digit < 10) {
        value = value.wrapping_mul(10).wrapping_add(i64::from(digit));
        at += 1;
    }
    (value, at)
}
