//! A moment as AWS writes it → [`Timestamp`].
//!
//! Exact: decimal text is never made a float, which has no exact 1545084650.05 to round from.

use std::iter;

use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use crate::clock::Timestamp;

/// POSIX seconds with a fraction, as in `1545084650.05`, or RFC 3339.
pub(super) fn seconds(text: &str) -> Option<Timestamp> {
    decimal(text, 3).map(Timestamp).or_else(|| rfc3339(text))
}

/// Milliseconds since 1970, as in `1664028820148`, or RFC 3339.
pub(super) fn millis(text: &str) -> Option<Timestamp> {
    decimal(text, 0).map(Timestamp).or_else(|| rfc3339(text))
}

fn rfc3339(text: &str) -> Option<Timestamp> {
    let nanos = OffsetDateTime::parse(text, &Rfc3339).ok()?.unix_timestamp_nanos();
    i64::try_from(nanos.div_euclid(1_000_000)).ok().map(Timestamp)
}

/// The JSON number `text` times `10^scale`, rounded half away from zero: a float printed with too many digits, as in
/// `1545084650.0499999`, means the millisecond it is nearest to.
fn decimal(text: &str, scale: i32) -> Option<i64> {
    plain(text.as_bytes(), scale).or_else(|| any_decimal(text, scale))
}

/// Digits that are few, and behind the point no more than count: nearly every moment.
fn plain(text: &[u8], scale: i32) -> Option<i64> {
    let digits = |digits: &[u8], value: i64| {
        digits
            .iter()
            .try_fold(value, |value, digit| digit.is_ascii_digit().then(|| value * 10 + i64::from(digit - b'0')))
    };
    let point = text.iter().position(|byte| *byte == b'.').unwrap_or(text.len());
    let (whole, fraction) = (&text[..point], text.get(point + 1..));
    let left = u32::try_from(scale).ok()?.checked_sub(u32::try_from(fraction.map_or(0, <[u8]>::len)).ok()?)?;
    if !(1..=14).contains(&whole.len()) || fraction.is_some_and(<[u8]>::is_empty) || left > 3 {
        return None;
    }
    Some(digits(fraction.unwrap_or_default(), digits(whole, 0)?)? * 10_i64.pow(left))
}

fn any_decimal(text: &str, scale: i32) -> Option<i64> {
    let (negative, text) = text.strip_prefix('-').map_or((false, text), |text| (true, text));
    // Java prints a double of this size as 1.54508465005E9.
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').map_or((mantissa, None), |(whole, after)| (whole, Some(after)));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || fraction.is_some_and(|fraction| !digits(fraction)) {
        return None;
    }
    let magnitude = shifted(whole, fraction.unwrap_or_default(), exponent.checked_add(scale)?)?;
    Some(if negative { -magnitude } else { magnitude })
}

/// The digits `whole.fraction` with the point moved `shift` places to the right.
fn shifted(whole: &str, fraction: &str, shift: i32) -> Option<i64> {
    let significant = whole.trim_start_matches('0');
    let mut digits = significant.bytes().chain(fraction.bytes()).map(|byte| i64::from(byte - b'0'));
    let places = i64::try_from(significant.len()).ok()? + i64::from(shift);
    if digits.clone().all(|digit| digit == 0) || places < 0 {
        return Some(0);
    }
    // Zeros behind the point may lead: 64 places hold all that fits, and end the loop.
    if places > 64 {
        return None;
    }
    let mut digits = digits.by_ref().chain(iter::repeat(0));
    let kept = (0..places).try_fold(0_i64, |kept, _| kept.checked_mul(10)?.checked_add(digits.next()?))?;
    kept.checked_add(i64::from(digits.next()? >= 5))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(read: fn(&str) -> Option<Timestamp>, text: &str, expected: Option<i64>) {
        assert_eq!(read(text), expected.map(Timestamp), "{text}");
    }

    #[test]
    fn seconds_have_a_short_fraction() {
        check(seconds, "1545084650.987", Some(1_545_084_650_987));
        check(seconds, "1545084650.05", Some(1_545_084_650_050));
        check(seconds, "1545084650.9", Some(1_545_084_650_900));
        check(seconds, "1545084650.009", Some(1_545_084_650_009));
        check(seconds, "1545084650.0", Some(1_545_084_650_000));
        check(seconds, "1545084650", Some(1_545_084_650_000));
        check(seconds, "0", Some(0));
        check(seconds, "0.001", Some(1));
        check(seconds, "-1.5", Some(-1500));
    }

    #[test]
    fn floats_mean_the_nearest_millisecond() {
        check(seconds, "1545084650.0499999", Some(1_545_084_650_050));
        check(seconds, "1545084650.0500001", Some(1_545_084_650_050));
        check(seconds, "1545084650.9999999", Some(1_545_084_651_000));
        check(seconds, "0.0004", Some(0));
        check(seconds, "0.0005", Some(1));
        check(seconds, "1.54508465005E9", Some(1_545_084_650_050));
        check(seconds, "154508465005e-2", Some(1_545_084_650_050));
        check(seconds, "1e-9", Some(0));
        check(seconds, "0e999999999", Some(0));
        check(seconds, "0.00000000001e11", Some(1000));
    }

    #[test]
    fn milliseconds_are_whole() {
        check(millis, "1664028820148", Some(1_664_028_820_148));
        check(millis, "1664028820148.0", Some(1_664_028_820_148));
        check(millis, "1.664028820148E12", Some(1_664_028_820_148));
        check(millis, "-1", Some(-1));
        check(millis, "9223372036854775807", Some(i64::MAX));
    }

    #[test]
    fn dates_are_moments_too() {
        check(millis, "2026-04-23T18:25:43.511Z", Some(1_776_968_743_511));
        check(seconds, "2026-04-23T20:25:43.5119+02:00", Some(1_776_968_743_511));
        check(seconds, "2026-04-23T18:25:43Z", Some(1_776_968_743_000));
        check(millis, "1969-12-31T23:59:59.9999Z", Some(-1));
    }

    #[test]
    fn anything_else_is_no_moment() {
        let bad = ["", "-", ".5", "5.", "1.5.5", "1e", "e5", "+1", "0x10", "1 ", "NaN", "soon", "2026-04-23", "１"];
        for text in bad {
            check(seconds, text, None);
            check(millis, text, None);
        }
        check(millis, "9223372036854775808", None);
        check(seconds, "9223372036854775807", None);
        check(millis, "1e64", None);
        check(millis, "1e2147483647", None);
        check(seconds, "1e2147483647", None);
        check(millis, "1e9999999999", None);
    }

    proptest! {
        #[test]
        fn every_millisecond_survives_its_stripped_zeros(ms in 0..10_000_000_000_000_i64) {
            let written = format!("{}.{:03}", ms / 1000, ms % 1000);
            let stripped = written.trim_end_matches('0').trim_end_matches('.');
            prop_assert_eq!(seconds(stripped), Some(Timestamp(ms)));
            prop_assert_eq!(seconds(&written), Some(Timestamp(ms)));
            prop_assert_eq!(millis(&ms.to_string()), Some(Timestamp(ms)));
        }

        #[test]
        fn no_text_is_too_odd(text in "[-+0-9.eETZ:]{0,40}|.*") {
            let _ = (seconds(&text), millis(&text));
        }
    }
}
