//! Text of days and moments → ticks.
//!
//! Exact: digits that the tick cannot hold must be zeros, and a day must exist in the calendar.

use crate::clock::Timestamp;

const SECONDS_PER_DAY: i64 = 86_400;
const NANOS_PER_SECOND: i64 = 1_000_000_000;
/// A day, as the size of a tick.
pub const DAY: i64 = SECONDS_PER_DAY * NANOS_PER_SECOND;

/// A millisecond, as the size of a tick.
pub const MILLI: i64 = 1_000_000;
/// A microsecond, as the size of a tick.
pub const MICRO: i64 = 1_000;

/// Ticks of one size → ticks of another, where it comes out even. Sizes are in nanoseconds.
#[must_use]
pub fn rescale(value: i64, from: i64, to: i64) -> Option<i64> {
    let nanos = i128::from(value) * i128::from(from);
    (nanos % i128::from(to) == 0).then(|| i64::try_from(nanos / i128::from(to)).ok())?
}

/// `YYYY-MM-DD` → days since 1970-01-01; a moment is a day where it is midnight.
#[must_use]
pub fn date(text: &[u8]) -> Option<i32> {
    if text.len() == 10 {
        return day(text);
    }
    let (seconds, nanos) = instant(text)?;
    let days = (seconds % SECONDS_PER_DAY == 0 && nanos == 0).then_some(seconds / SECONDS_PER_DAY)?;
    i32::try_from(days).ok()
}

/// `YYYY-MM-DD`, then optionally a space or `T`, `HH:MM[:SS[.f…]]` (1 to 9 digits) and `Z` or an offset such as
/// `+09:00` → ticks since 1970-01-01T00:00:00Z. Without an offset it is UTC.
#[must_use]
pub fn moment(text: &[u8], tick: i64) -> Option<i64> {
    let (seconds, nanos) = instant(text)?;
    ticks(seconds, nanos, tick)
}

/// As [`moment`], but what is finer than the tick is cut off downwards.
#[must_use]
pub fn moment_floor(text: &[u8], tick: i64) -> Option<i64> {
    let (seconds, nanos) = instant(text)?;
    seconds.checked_mul(NANOS_PER_SECOND / tick)?.checked_add(nanos / tick)
}

/// `HH:MM[:SS[.f…]]` → ticks since midnight.
#[must_use]
pub fn clock(text: &[u8], tick: i64) -> Option<i64> {
    let (seconds, nanos) = time_of_day(text)?;
    ticks(seconds, nanos, tick)
}

/// The timestamp column's `yyyy-MM-dd HH:mm:ss.SSSSSS` → a moment, in whole milliseconds.
#[must_use]
pub fn stamp(text: &[u8]) -> Option<Timestamp> {
    let (seconds, nanos) = instant(text)?;
    Some(Timestamp(seconds * 1_000 + nanos / 1_000_000))
}

/// Seconds since 1970-01-01T00:00:00Z and nanoseconds of the second.
fn instant(text: &[u8]) -> Option<(i64, i64)> {
    let (date, rest) = text.split_at_checked(10)?;
    let midnight = i64::from(day(date)?) * SECONDS_PER_DAY;
    let Some((separator, rest)) = rest.split_first() else { return Some((midnight, 0)) };
    if !matches!(separator, b' ' | b'T' | b't') {
        return None;
    }
    let (time, zone) = rest.split_at(rest.iter().position(|b| b"Zz+-".contains(b)).unwrap_or(rest.len()));
    let (seconds, nanos) = time_of_day(time)?;
    Some((midnight + seconds - offset(zone)?, nanos))
}

fn ticks(seconds: i64, nanos: i64, tick: i64) -> Option<i64> {
    let whole = seconds.checked_mul(NANOS_PER_SECOND / tick)?;
    (nanos % tick == 0).then(|| whole.checked_add(nanos / tick))?
}

/// `Z`, nothing, `+HH`, `+HHMM` or `+HH:MM` → seconds east of UTC.
fn offset(zone: &[u8]) -> Option<i64> {
    let (sign, hours, minutes) = match zone {
        [] | [b'Z' | b'z'] => return Some(0),
        [sign, h1, h2] => (sign, [*h1, *h2], [b'0'; 2]),
        [sign, h1, h2, m1, m2] | [sign, h1, h2, b':', m1, m2] => (sign, [*h1, *h2], [*m1, *m2]),
        _ => return None,
    };
    let seconds = bounded(&hours, 18)? * 3_600 + bounded(&minutes, 59)? * 60;
    match sign {
        b'+' => Some(seconds),
        b'-' => Some(-seconds),
        _ => None,
    }
}

/// Seconds since midnight and nanoseconds of the second.
fn time_of_day(text: &[u8]) -> Option<(i64, i64)> {
    let (hour_minute, rest) = text.split_at_checked(5)?;
    if hour_minute[2] != b':' {
        return None;
    }
    let minutes = bounded(&hour_minute[..2], 23)? * 60 + bounded(&hour_minute[3..], 59)?;
    let (seconds, nanos) = match rest {
        [] => (0, 0),
        [b':', a, b] => (bounded(&[*a, *b], 59)?, 0),
        [b':', a, b, b'.', fraction @ ..] => (bounded(&[*a, *b], 59)?, nanos(fraction)?),
        _ => return None,
    };
    Some((minutes * 60 + seconds, nanos))
}

/// 1 to 9 digits after the point.
fn nanos(fraction: &[u8]) -> Option<i64> {
    if fraction.is_empty() || fraction.len() > 9 {
        return None;
    }
    let missing = (fraction.len()..9).fold(1, |scale, _| scale * 10);
    Some(number(fraction)? * missing)
}

/// Days since 1970-01-01 in the proleptic Gregorian calendar, years 0000 to 9999.
///
/// Years begin in March here, so that the leap day is the last of its year; an era is 400 of them, 146,097 days.
fn day(text: &[u8]) -> Option<i32> {
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = text else { return None };
    let year = number(&[*y1, *y2, *y3, *y4])?;
    let (month, day) = (bounded(&[*m1, *m2], 12)?, bounded(&[*d1, *d2], 31)?);
    if month == 0 || day == 0 || day > days_in(month, year) {
        return None;
    }
    let (march_year, march_month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let (era, year_of_era) = (march_year.div_euclid(400), march_year.rem_euclid(400));
    let day_of_year = (153 * march_month + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    i32::try_from(era * 146_097 + day_of_era - 719_468).ok()
}

fn days_in(month: i64, year: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

fn bounded(digits: &[u8], most: i64) -> Option<i64> {
    number(digits).filter(|value| *value <= most)
}

/// Up to 18 digits.
fn number(digits: &[u8]) -> Option<i64> {
    digits.iter().try_fold(0, |value, digit| digit.is_ascii_digit().then(|| value * 10 + i64::from(digit - b'0')))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, want: Option<i64>) {
        assert_eq!(moment(text.as_bytes(), MICRO), want, "{text}");
    }

    #[test]
    fn reads_moments() {
        check("1970-01-01", Some(0));
        check("1969-12-31 23:59:59.999999", Some(-1));
        check("1970-01-01T00:00:01.5Z", Some(1_500_000));
        check("1970-01-01T09:00:00+09:00", Some(0));
        check("1970-01-01T00:00-0130", Some(5_400_000_000));
        check("1970-01-01 00:00:00.123456000", Some(123_456));
        check("0001-01-01 00:00:00", Some(-62_135_596_800_000_000));
        check("9999-12-31 23:59:59.999999", Some(253_402_300_799_999_999));
        for bad in [
            "",
            "1970",
            "1970-1-01",
            "1970-02-29",
            "1900-02-29",
            "2024-13-01",
            "0000-00-00",
            "1970-01-01 24:00:00",
            "1970-01-01 00:00:60",
            "1970-01-01 00:00:00.",
            "1970-01-01 00:00:00.1234567",
            "1970-01-01x00:00:00",
            "1970-01-01 00:00:00 ",
            "1970-01-01 00:00:00+1",
            "10000-01-01 00:00:00",
            "-838:59:59",
        ] {
            check(bad, None);
        }
    }

    #[test]
    fn reads_days_and_clocks() {
        assert_eq!(date(b"2024-02-29"), Some(19_782));
        assert_eq!(date(b"1582-10-10"), Some(-141_432));
        assert_eq!(date(b"1970-01-02 00:00:00.000000"), Some(1));
        assert_eq!(date(b"1970-01-02 00:00:01"), None);
        assert_eq!(clock(b"23:59:59.999999", MICRO), Some(86_399_999_999));
        assert_eq!(clock(b"-838:59:59", MICRO), None);
        assert_eq!(stamp(b"2024-01-15 22:30:27.270123"), Some(Timestamp(1_705_357_827_270)));
        assert_eq!(rescale(1, DAY, MILLI), Some(86_400_000));
        assert_eq!(rescale(1_001, 1, MICRO), None);
    }

    proptest! {
        #[test]
        fn reads_back_what_is_written(micros in -62_135_596_800_000_000_i64..=253_402_300_799_999_999) {
            use time::{OffsetDateTime, format_description::well_known::Rfc3339};
            let moment_of = OffsetDateTime::from_unix_timestamp_nanos(i128::from(micros) * 1_000).unwrap();
            let text = moment_of.format(&Rfc3339).unwrap();
            prop_assert_eq!(moment(text.as_bytes(), MICRO), Some(micros));
        }

        #[test]
        fn takes_any_bytes(text in prop::collection::vec(any::<u8>(), 0..40)) {
            let _ = (date(&text), clock(&text, 1), stamp(&text));
        }
    }
}
