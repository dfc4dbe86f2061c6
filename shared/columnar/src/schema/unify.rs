//! Two types of one column → the type that holds the values of both.
//!
//! Commutative and idempotent, and associative wherever every step has an answer: a snapshot's type must not depend
//! on the order or the batches in which files were applied.

use arrow::datatypes::{DataType, TimeUnit};

use super::UTC;

/// The most digits a 128-bit decimal holds.
const DIGITS_128: i16 = 38;
/// The most digits a 256-bit decimal holds.
const DIGITS_256: i16 = 76;

/// The type a snapshot uses for a file's type; `None` for nested types and intervals.
#[must_use]
pub fn canonical(file_type: &DataType) -> Option<DataType> {
    Some(match file_type {
        DataType::Null
        | DataType::Boolean
        | DataType::Int8
        | DataType::Int16
        | DataType::Int32
        | DataType::Int64
        | DataType::UInt8
        | DataType::UInt16
        | DataType::UInt32
        | DataType::UInt64
        | DataType::Float32
        | DataType::Float64
        | DataType::Date32 => file_type.clone(),
        DataType::Float16 => DataType::Float32,
        DataType::Decimal32(p, s)
        | DataType::Decimal64(p, s)
        | DataType::Decimal128(p, s)
        | DataType::Decimal256(p, s) => decimal(i16::from(*p) - i16::from(*s), i16::from(*s).max(0))?,
        DataType::Date64 => DataType::Date32,
        DataType::Timestamp(unit, zone) => {
            DataType::Timestamp(finer(*unit, TimeUnit::Millisecond), zone.as_ref().map(|_| UTC.into()))
        }
        DataType::Time32(_) => DataType::Time64(TimeUnit::Microsecond),
        DataType::Time64(unit) => DataType::Time64(*unit),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => DataType::Utf8,
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => {
            DataType::Binary
        }
        DataType::Dictionary(_, values) => canonical(values)?,
        _ => return None,
    })
}

/// The type that holds the values of both; `None` where there is none: bytes against anything else, decimals of more
/// than 76 digits, nested types.
///
/// An exact number against a float becomes 64-bit float, as a database's own change of the column does, and so loses
/// digits beyond 2^53. Values of different kinds (a number and a date, anything and text) become text.
#[must_use]
pub fn unify(a: &DataType, b: &DataType) -> Option<DataType> {
    let (a, b) = (canonical(a)?, canonical(b)?);
    match (Kind::of(&a), Kind::of(&b)) {
        _ if a == b => Some(a),
        (Kind::Null, _) => Some(b),
        (_, Kind::Null) => Some(a),
        (Kind::Bytes, _) | (_, Kind::Bytes) => None,
        (Kind::Number, Kind::Number) => number(&a, &b),
        (Kind::Day, Kind::Day) => Some(instant(&a, &b)),
        (Kind::Clock, Kind::Clock) => Some(DataType::Time64(TimeUnit::Nanosecond)),
        _ => Some(DataType::Utf8),
    }
}

/// What a value is, whatever its width.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Null,
    Number,
    Day,
    Clock,
    Text,
    Bytes,
}

impl Kind {
    fn of(canonical: &DataType) -> Self {
        match canonical {
            DataType::Null => Self::Null,
            DataType::Binary => Self::Bytes,
            DataType::Utf8 => Self::Text,
            DataType::Date32 | DataType::Timestamp(..) => Self::Day,
            DataType::Time64(_) => Self::Clock,
            _ => Self::Number,
        }
    }
}

fn number(a: &DataType, b: &DataType) -> Option<DataType> {
    match (a, b) {
        _ if a.is_floating() || b.is_floating() => Some(DataType::Float64),
        _ if a.is_decimal() || b.is_decimal() => {
            let ((digits_a, scale_a), (digits_b, scale_b)) = (digits(a), digits(b));
            decimal(digits_a.max(digits_b), scale_a.max(scale_b))
        }
        (DataType::Boolean, other) | (other, DataType::Boolean) => Some(other.clone()),
        _ => Some(integer(width(a).max(width(b)), a, b)),
    }
}

/// The integer of `bits` for two of one sign; for different signs the next signed width that holds the unsigned one.
fn integer(bits: u8, a: &DataType, b: &DataType) -> DataType {
    let unsigned = [a, b].into_iter().filter(|t| t.is_unsigned_integer()).map(width).max();
    let mixed = a.is_unsigned_integer() != b.is_unsigned_integer();
    let bits = if mixed { bits.max(unsigned.map_or(0, |u| u.saturating_mul(2))) } else { bits };
    match (bits, unsigned.is_some() && !mixed) {
        (8, true) => DataType::UInt8,
        (16, true) => DataType::UInt16,
        (32, true) => DataType::UInt32,
        (64, true) => DataType::UInt64,
        (8, false) => DataType::Int8,
        (16, false) => DataType::Int16,
        (32, false) => DataType::Int32,
        (64, false) => DataType::Int64,
        _ => DataType::Decimal128(20, 0),
    }
}

fn width(integer: &DataType) -> u8 {
    integer.primitive_width().map_or(0, |bytes| bytes as u8 * 8)
}

/// Digits before and after the point.
///
/// Integers count in three steps, not by their exact digits, so that the digits of two integers' common type are the
/// greater of theirs: without that `(uint32, int32), decimal` and `uint32, (int32, decimal)` would differ.
fn digits(exact: &DataType) -> (i16, i16) {
    match exact {
        DataType::Decimal128(p, s) | DataType::Decimal256(p, s) => (i16::from(*p) - i16::from(*s), i16::from(*s)),
        DataType::UInt32 | DataType::Int64 => (19, 0),
        DataType::UInt64 => (20, 0),
        _ => (10, 0),
    }
}

/// The decimal with so many digits before and after the point, in the smaller form that holds them.
fn decimal(integer: i16, scale: i16) -> Option<DataType> {
    let precision = (integer.max(0) + scale).max(1);
    let (p, s) = (u8::try_from(precision).ok()?, i8::try_from(scale).ok()?);
    if precision <= DIGITS_128 {
        Some(DataType::Decimal128(p, s))
    } else {
        (precision <= DIGITS_256).then_some(DataType::Decimal256(p, s))
    }
}

/// A date among timestamps is its midnight; one zone among none is kept, since every file writes UTC.
fn instant(a: &DataType, b: &DataType) -> DataType {
    match (a, b) {
        (DataType::Timestamp(unit_a, zone_a), DataType::Timestamp(unit_b, zone_b)) => {
            DataType::Timestamp(finer(*unit_a, *unit_b), zone_a.clone().or_else(|| zone_b.clone()))
        }
        (DataType::Date32, other) | (other, _) => other.clone(),
    }
}

fn finer(a: TimeUnit, b: TimeUnit) -> TimeUnit {
    a.max(b)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::schema::unify::TimeUnit::{Microsecond as Us, Millisecond as Ms, Nanosecond as Ns, Second as S};
    use DataType::*;

    fn check(a: &DataType, b: &DataType, want: impl Into<Option<DataType>>) {
        let want = want.into();
        assert_eq!(unify(a, b), want, "{a} with {b}");
        assert_eq!(unify(b, a), want, "{b} with {a}");
    }

    #[test]
    fn numbers_widen() {
        check(&Int32, &Int64, Int64);
        check(&UInt16, &UInt32, UInt32);
        check(&UInt32, &Int64, Int64);
        check(&UInt16, &Int8, Int32);
        check(&UInt32, &Int32, Int64);
        check(&UInt64, &Int8, Decimal128(20, 0));
        check(&Float32, &Float64, Float64);
        check(&Int16, &Float32, Float64);
        check(&Decimal128(10, 2), &Decimal128(8, 4), Decimal128(12, 4));
        check(&Decimal128(38, 10), &Decimal128(30, 20), Decimal256(48, 20));
        check(&Decimal256(76, 0), &Decimal256(76, 76), None);
        check(&Int32, &Decimal128(10, 2), Decimal128(12, 2));
        check(&UInt64, &Decimal128(10, 2), Decimal128(22, 2));
        check(&Boolean, &Int8, Int8);
        check(&Decimal128(10, 2), &Float32, Float64);
    }

    #[test]
    fn times_take_the_finer_unit() {
        check(&Timestamp(Ms, None), &Timestamp(Us, None), Timestamp(Us, None));
        check(&Timestamp(Ms, Some("+00:00".into())), &Timestamp(Us, None), Timestamp(Us, Some(UTC.into())));
        check(&Timestamp(S, None), &Timestamp(S, None), Timestamp(Ms, None));
        check(&Date32, &Timestamp(Ms, None), Timestamp(Ms, None));
        check(&Time32(Ms), &Time64(Ns), Time64(Ns));
    }

    #[test]
    fn kinds_meet_in_text_but_bytes_do_not() {
        check(&Int32, &Utf8, Utf8);
        check(&Date32, &LargeUtf8, Utf8);
        check(&Int32, &Date32, Utf8);
        check(&Binary, &FixedSizeBinary(3), Binary);
        check(&Binary, &Utf8, None);
        check(&Binary, &Null, Binary);
        check(&Dictionary(Box::new(Int32), Box::new(Utf8View)), &Utf8, Utf8);
        check(&Interval(arrow::datatypes::IntervalUnit::DayTime), &Utf8, None);
    }

    fn any_type() -> impl Strategy<Value = DataType> {
        let decimals =
            (1i8..=38).prop_flat_map(|p| (Just(p), 0..=p)).prop_map(|(p, s)| Decimal128(p.unsigned_abs(), s));
        prop_oneof![
            decimals,
            prop::sample::select(vec![
                Null,
                Boolean,
                Int8,
                Int16,
                Int32,
                Int64,
                UInt8,
                UInt16,
                UInt32,
                UInt64,
                Float32,
                Float64,
                Date32,
                Utf8,
                Binary,
                Time32(Ms),
                Time64(Us),
                Time64(Ns),
                Timestamp(Ms, None),
                Timestamp(Us, None),
                Timestamp(Ns, Some("+00:00".into())),
                Timestamp(Us, Some(UTC.into())),
                LargeUtf8,
                Date64,
            ]),
        ]
    }

    proptest! {
        #[test]
        fn is_a_join(a in any_type(), b in any_type(), c in any_type()) {
            prop_assert_eq!(unify(&a, &a), canonical(&a));
            prop_assert_eq!(unify(&a, &b), unify(&b, &a));
            let left = unify(&a, &b).and_then(|ab| unify(&ab, &c));
            let right = unify(&b, &c).and_then(|bc| unify(&a, &bc));
            if let (Some(left), Some(right)) = (left, right) {
                prop_assert_eq!(left, right);
            }
        }
    }
}
