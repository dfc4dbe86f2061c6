//! Text of numbers, booleans and bytes → values.
//!
//! Exact: what a type cannot hold is no value, but a float is the nearest.

/// `-` and digits; no `+`, no spaces.
#[must_use]
pub fn integer<T: TryFrom<i128>>(text: &[u8]) -> Option<T> {
    let (negative, digits) = signed(text);
    let value = match digits.len() {
        1..=18 => i128::from(short(digits)?),
        19..=38 => append(0, digits)?,
        _ => return None,
    };
    T::try_from(if negative { -value } else { value }).ok()
}

/// A number → the integer `number × 10^scale`, where that comes out even and has at most `precision` digits. An
/// exponent is allowed, as in JSON.
#[must_use]
pub fn decimal(text: &[u8], precision: u8, scale: i8) -> Option<i128> {
    let (mantissa, exponent) = split_exponent(text)?;
    let (negative, mantissa) = signed(mantissa);
    let point = mantissa.iter().position(|b| *b == b'.');
    let (whole, fraction) = point.map_or((mantissa, &[][..]), |at| (&mantissa[..at], &mantissa[at + 1..]));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    // Zeros at the end carry no value, so that more digits than the scale are no loss.
    let kept = fraction.iter().rposition(|b| *b != b'0').map_or(&fraction[..0], |last| &fraction[..=last]);
    let digits = append(append(0, whole)?, kept)?;
    let shift = i64::from(scale) + exponent - i64::try_from(kept.len()).ok()?;
    let value = shifted(digits, shift)?;
    let limit = 10_i128.checked_pow(precision.into()).unwrap_or(i128::MAX);
    (value < limit).then_some(if negative { -value } else { value })
}

/// The nearest float; `inf` and `nan` in any spelling Rust knows. A finite number too large is none.
#[must_use]
pub fn float<T: std::str::FromStr + Into<f64> + Copy>(text: &[u8]) -> Option<T> {
    let text = std::str::from_utf8(text).ok()?;
    let value: T = text.parse().ok()?;
    let overflowed = value.into().is_infinite() && text.bytes().any(|b| b.is_ascii_digit());
    (!overflowed).then_some(value)
}

/// `1/0`, `t/f`, `true/false`, `y/n`, in any case.
#[must_use]
pub fn boolean(text: &[u8]) -> Option<bool> {
    let is = |word: &str| text.eq_ignore_ascii_case(word.as_bytes());
    if ["1", "t", "true", "y"].into_iter().any(is) {
        return Some(true);
    }
    ["0", "f", "false", "n"].into_iter().any(is).then_some(false)
}

/// Hexadecimal digits → bytes, into `out`.
#[must_use]
pub fn hexadecimal(text: &[u8], out: &mut Vec<u8>) -> Option<()> {
    out.clear();
    let (pairs, rest) = text.as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    for [high, low] in pairs {
        out.push(nibble(*high)? << 4 | nibble(*low)?);
    }
    Some(())
}

fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

fn signed(text: &[u8]) -> (bool, &[u8]) {
    text.strip_prefix(b"-").map_or((false, text), |digits| (true, digits))
}

/// The number and the power of ten after its `e`.
fn split_exponent(text: &[u8]) -> Option<(&[u8], i64)> {
    let Some(at) = text.iter().position(|b| matches!(b, b'e' | b'E')) else { return Some((text, 0)) };
    let exponent = &text[at + 1..];
    let (negative, digits) = signed(exponent.strip_prefix(b"+").unwrap_or(exponent));
    if digits.is_empty() || digits.len() > 9 {
        return None;
    }
    let value = short(digits)?;
    Some((&text[..at], if negative { -value } else { value }))
}

fn shifted(digits: i128, shift: i64) -> Option<i128> {
    if digits == 0 {
        return Some(0);
    }
    let power = 10_i128.checked_pow(u32::try_from(shift.unsigned_abs()).ok()?);
    match power {
        Some(power) if shift >= 0 => digits.checked_mul(power),
        Some(power) => (digits % power == 0).then_some(digits / power),
        None => None,
    }
}

/// Goes on with more digits, 18 at a time: 64-bit steps are several times faster than 128-bit ones.
fn append(mut value: i128, digits: &[u8]) -> Option<i128> {
    for part in digits.chunks(18) {
        let power = 10_i128.pow(part.len() as u32);
        value = value.checked_mul(power)?.checked_add(i128::from(short(part)?))?;
    }
    Some(value)
}

/// Up to 18 digits.
fn short(digits: &[u8]) -> Option<i64> {
    digits.iter().try_fold(0, |value, digit| digit.is_ascii_digit().then(|| value * 10 + i64::from(digit - b'0')))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, precision: u8, scale: i8, want: Option<i128>) {
        assert_eq!(decimal(text.as_bytes(), precision, scale), want, "{text} as decimal({precision},{scale})");
    }

    #[test]
    fn decimals_are_exact() {
        check("-0.0000422870", 38, 10, Some(-422_870));
        check("9999999999999999999999999999.9999999999", 38, 10, Some(10_i128.pow(38) - 1));
        check("1.50", 3, 1, Some(15));
        check("1.55", 3, 1, None);
        check("100", 3, 1, None);
        check("1E+2", 5, 2, Some(10_000));
        check("15e-1", 5, 1, Some(15));
        check("15e-2", 5, 1, None);
        check("0e999999999", 5, 1, Some(0));
        check(".5", 5, 1, Some(5));
        check("5.", 5, 1, Some(50));
        check("007", 1, 0, Some(7));
        for bad in ["", "-", ".", "1.2.3", "+1", "1e", "1e1e1", "1_0", " 1", "NaN", "--1", "-e5"] {
            check(bad, 38, 10, None);
        }
        check(&"9".repeat(60), 38, 0, None);
    }

    #[test]
    fn integers_keep_their_range() {
        assert_eq!(integer::<i32>(b"-2147483648"), Some(i32::MIN));
        assert_eq!(integer::<i32>(b"2147483648"), None);
        assert_eq!(integer::<u64>(b"18446744073709551615"), Some(u64::MAX));
        assert_eq!(integer::<u64>(b"-1"), None);
        for bad in ["", "-", "+1", "1.0", " 1", "0x1", "１"] {
            assert_eq!(integer::<i64>(bad.as_bytes()), None, "{bad}");
        }
    }

    #[test]
    fn others_follow_their_spellings() {
        assert_eq!(float::<f64>(b"1.7976931348623157e308"), Some(f64::MAX));
        assert_eq!(float::<f32>(b"1e39"), None);
        assert_eq!(float::<f32>(b"-Infinity"), Some(f32::NEG_INFINITY));
        assert!(float::<f64>(b"NaN").is_some_and(f64::is_nan));
        assert_eq!(boolean(b"TRUE"), Some(true));
        assert_eq!(boolean(b"n"), Some(false));
        assert_eq!(boolean(b""), None);
        let mut out = vec![9];
        assert_eq!((hexadecimal(b"00fFA1", &mut out), out.as_slice()), (Some(()), [0, 255, 161].as_slice()));
        assert_eq!(hexadecimal(b"0", &mut out), None);
        assert_eq!(hexadecimal(b"0g", &mut out), None);
    }

    proptest! {
        #[test]
        fn reads_back_what_is_written(value in -10_i128.pow(37)..10_i128.pow(37), scale in 0_i8..=37) {
            let (digits, point) = (format!("{:039}", value.unsigned_abs()), 39 - usize::from(scale.unsigned_abs()));
            let text = format!("{}{}.{}", if value < 0 { "-" } else { "" }, &digits[..point], &digits[point..]);
            prop_assert_eq!(decimal(text.as_bytes(), 38, scale), Some(value));
        }

        #[test]
        fn takes_any_bytes(text in prop::collection::vec(any::<u8>(), 0..50), precision in 1_u8..=38, scale in 0_i8..=38) {
            let _ = (decimal(&text, precision, scale), integer::<i64>(&text), float::<f64>(&text), boolean(&text));
        }
    }
}
