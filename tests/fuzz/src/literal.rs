//! Bytes → the literals of `headgate::literal`, each compared with another way to read or write it.

use ::time::{OffsetDateTime, format_description::well_known::Rfc3339};
use headgate::literal::{
    scalar,
    time::{self, DAY, MICRO, MILLI},
};

/// The text as each kind of literal.
pub fn all(text: &[u8]) {
    integers(text);
    for scale in [0, 2, 18, 38] {
        decimals(text, scale);
    }
    moments(text);
    let _ = (scalar::float::<f32>(text), scalar::boolean(text));
    if let Some(float) = scalar::float::<f64>(text) {
        assert!(float.is_nan() || scalar::float(float.to_string().as_bytes()) == Some(float));
    }
    let mut bytes = Vec::new();
    if scalar::hexadecimal(text, &mut bytes).is_some() {
        let written: Vec<_> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        assert!(written.concat().as_bytes().eq_ignore_ascii_case(text));
    }
}

fn integers(text: &[u8]) {
    // Zeros may lead, but not without end.
    let plainly = std::str::from_utf8(text).ok().filter(|text| !text.starts_with('+') && text.len() <= 18);
    if plainly.is_none() {
        return;
    }
    assert_eq!(scalar::integer::<i64>(text), plainly.and_then(|text| text.parse().ok()));
    assert_eq!(scalar::integer::<i32>(text), plainly.and_then(|text| text.parse().ok()));
}

/// What is written with all its digits is read as the same.
fn decimals(text: &[u8], scale: u8) {
    let signed = i8::try_from(scale).unwrap();
    let Some(value) = scalar::decimal(text, 38, signed) else { return };
    assert!(value.unsigned_abs() < 10_u128.pow(38));
    let (sign, digits) = (if value < 0 { "-" } else { "" }, format!("{:039}", value.unsigned_abs()));
    let (whole, fraction) = digits.split_at(39 - usize::from(scale));
    assert_eq!(scalar::decimal(format!("{sign}{whole}.{fraction}").as_bytes(), 38, signed), Some(value));
}

fn moments(text: &[u8]) {
    for tick in [MILLI, MICRO, 1] {
        let (exact, floor) = (time::moment(text, tick), time::moment_floor(text, tick));
        assert!(exact.is_none() || exact == floor);
        if let Some(ticks) = time::clock(text, tick) {
            assert!((0..DAY / tick).contains(&ticks));
        }
    }
    if let Some(days) = time::date(text) {
        assert_eq!(time::moment(text, MILLI), time::rescale(days.into(), DAY, MILLI));
    }
    assert_eq!(time::stamp(text).map(|at| at.0), time::moment_floor(text, MILLI));
    let Ok(text) = std::str::from_utf8(text) else { return };
    if let (Ok(moment), Some(floor)) =
        (OffsetDateTime::parse(text, &Rfc3339), time::moment_floor(text.as_bytes(), MICRO))
    {
        assert_eq!(moment.unix_timestamp_nanos().div_euclid(1_000), floor.into());
    }
}

/// A text of each kind.
pub fn seeds() -> Vec<Vec<u8>> {
    let texts = [
        "-9223372036854775808",
        "12345678901234567890.123456789E-7",
        "1e39",
        "0.5",
        "TRUE",
        "00fFa1",
        "NaN",
        "1582-10-10",
        "2024-02-29T23:59:59.123456789+05:45",
        "2024-01-15 22:30:27.270123",
        "23:59:59.999999",
        "1969-12-31T23:59Z",
    ];
    texts.map(|text| text.as_bytes().to_vec()).into()
}
