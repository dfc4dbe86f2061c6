//! Logical types → how their values are written.

use serde_json::{Map, Value};
use time::{Date, OffsetDateTime};

use super::schema::Shape;

/// The most digits of a decimal: those of a column.
const DIGITS: u64 = 38;

/// What a value means beyond its encoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Logical {
    Decimal {
        precision: u64,
        scale: u32,
    },
    Uuid,
    Date,
    /// Nanoseconds a unit.
    Time(i64),
    Timestamp {
        unit: i64,
        local: bool,
    },
    Duration,
    /// Text, with its zone.
    Zoned,
    /// Text of a date.
    IsoDate,
}

const MILLI: i64 = 1_000_000;
const MICRO: i64 = 1_000;
const NANO: i64 = 1;

impl Logical {
    pub(super) fn of(object: &Map<String, Value>, shape: &Shape) -> Option<Self> {
        let text = |name| object.get(name).and_then(Value::as_str);
        let stamp = |unit, local| Some(Self::Timestamp { unit, local });
        match (text("logicalType"), shape) {
            (Some("decimal"), Shape::Bytes | Shape::Fixed(_)) => {
                let scale = object.get("scale").map_or(Some(0), Value::as_u64)?;
                let precision = object.get("precision")?.as_u64()?;
                let scale = u32::try_from(scale).ok().filter(|_| scale <= precision && scale <= DIGITS)?;
                Some(Self::Decimal { precision, scale })
            }
            (Some("uuid"), Shape::Fixed(16)) => Some(Self::Uuid),
            (Some("duration"), Shape::Fixed(12)) => Some(Self::Duration),
            (Some("date"), Shape::Int) => Some(Self::Date),
            (Some("time-millis"), Shape::Int) => Some(Self::Time(MILLI)),
            (Some("time-micros"), Shape::Long) => Some(Self::Time(MICRO)),
            (Some("timestamp-millis"), Shape::Long) => stamp(MILLI, false),
            (Some("timestamp-micros"), Shape::Long) => stamp(MICRO, false),
            (Some("timestamp-nanos"), Shape::Long) => stamp(NANO, false),
            (Some("local-timestamp-millis"), Shape::Long) => stamp(MILLI, true),
            (Some("local-timestamp-micros"), Shape::Long) => stamp(MICRO, true),
            (Some("local-timestamp-nanos"), Shape::Long) => stamp(NANO, true),
            (Some(_), _) => None,
            (None, shape) => Self::connect(text("connect.name")?, shape),
        }
    }

    /// Debezium's own names (debezium-connector-common, `io.debezium.time`).
    fn connect(name: &str, shape: &Shape) -> Option<Self> {
        let stamp = |unit| Some(Self::Timestamp { unit, local: true });
        match (name.strip_prefix("io.debezium.time.")?, shape) {
            ("Date", Shape::Int) => Some(Self::Date),
            ("Time", Shape::Int) => Some(Self::Time(MILLI)),
            ("MicroTime", Shape::Long) => Some(Self::Time(MICRO)),
            ("NanoTime", Shape::Long) => Some(Self::Time(NANO)),
            ("Timestamp", Shape::Long) => stamp(MILLI),
            ("MicroTimestamp", Shape::Long) => stamp(MICRO),
            ("NanoTimestamp", Shape::Long) => stamp(NANO),
            ("ZonedTimestamp", Shape::Text) => Some(Self::Zoned),
            ("IsoDate", Shape::Text) => Some(Self::IsoDate),
            _ => None,
        }
    }

    /// The text of an `int` or `long` that means this; `None` where it means none.
    pub(super) fn number(self, value: i64) -> Option<String> {
        match self {
            Self::Date => {
                // Days from the epoch of Julian days to 1970.
                let date = Date::from_julian_day(i32::try_from(value.checked_add(2_440_588)?).ok()?).ok()?;
                (0..=9999)
                    .contains(&date.year())
                    .then(|| format!("{:04}-{:02}-{:02}", date.year(), u8::from(date.month()), date.day()))
            }
            Self::Time(unit) => {
                let nanos = value.checked_mul(unit).filter(|nanos| (0..86_400_000_000_000).contains(nanos))?;
                Some(clock(nanos, unit))
            }
            Self::Timestamp { unit, local } => {
                let nanos = i128::from(value) * i128::from(unit);
                let at = OffsetDateTime::from_unix_timestamp_nanos(nanos).ok()?;
                let of_day = i64::try_from(nanos.rem_euclid(86_400_000_000_000)).ok()?;
                let zone = if local { "" } else { "Z" };
                (0..=9999).contains(&at.year()).then(|| {
                    let (year, month, day) = (at.year(), u8::from(at.month()), at.day());
                    format!("{year:04}-{month:02}-{day:02}T{}{zone}", clock(of_day, unit))
                })
            }
            Self::Decimal { .. } | Self::Uuid | Self::Duration | Self::Zoned | Self::IsoDate => None,
        }
    }

    /// The name that Kafka Connect's schemas have for a number or a text that means this; empty where there is none.
    pub(super) fn debezium(self) -> &'static str {
        match self {
            Self::Date => "io.debezium.time.Date",
            Self::Time(MILLI) => "io.debezium.time.Time",
            Self::Time(MICRO) => "io.debezium.time.MicroTime",
            Self::Time(_) => "io.debezium.time.NanoTime",
            Self::Timestamp { unit: MILLI, .. } => "io.debezium.time.Timestamp",
            Self::Timestamp { unit: MICRO, .. } => "io.debezium.time.MicroTimestamp",
            Self::Timestamp { .. } => "io.debezium.time.NanoTimestamp",
            Self::Zoned => "io.debezium.time.ZonedTimestamp",
            Self::IsoDate => "io.debezium.time.IsoDate",
            Self::Decimal { .. } | Self::Uuid | Self::Duration => "",
        }
    }

    /// The JSON of `bytes` or a `fixed` that means this; `None` where it means none.
    pub(super) fn bytes(self, bytes: &[u8]) -> Option<String> {
        match self {
            Self::Decimal { scale, .. } => decimal(bytes, scale).map(|digits| format!("\"{digits}\"")),
            Self::Uuid => {
                let number = u128::from_be_bytes(bytes.try_into().ok()?);
                let digits = format!("{number:032x}");
                let groups = [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]];
                Some(format!("\"{}\"", groups.join("-")))
            }
            Self::Duration => {
                let part = |at: usize| Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
                let (months, days, milliseconds) = (part(0)?, part(4)?, part(8)?);
                Some(format!(r#"{{"months":{months},"days":{days},"milliseconds":{milliseconds}}}"#))
            }
            _ => None,
        }
    }
}

/// The time of day, with the digits of its unit.
fn clock(nanos: i64, unit: i64) -> String {
    let (seconds, rest) = (nanos / 1_000_000_000, nanos % 1_000_000_000);
    let digits = match unit {
        MILLI => 3,
        MICRO => 6,
        _ => 9,
    };
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    format!("{hour:02}:{minute:02}:{second:02}.{:0digits$}", rest / unit)
}

/// The digits of a two's-complement number, big-endian, divided by 10^scale.
fn decimal(bytes: &[u8], scale: u32) -> Option<String> {
    let negative = bytes.first().is_some_and(|byte| *byte >= 0x80);
    let fill = if negative { 0xff } else { 0 };
    let mut wide = [fill; 16];
    let spare = bytes.len().saturating_sub(wide.len());
    let (head, tail) = bytes.split_at(spare);
    if head.iter().any(|byte| *byte != fill) {
        return None;
    }
    let from = wide.len() - tail.len();
    wide[from..].copy_from_slice(tail);
    let number = i128::from_be_bytes(wide);
    if (number < 0) != negative {
        return None;
    }
    let scale = scale as usize;
    let digits = format!("{:0>width$}", number.unsigned_abs(), width = scale + 1);
    let (whole, part) = digits.split_at(digits.len() - scale);
    let (sign, point) = (if negative { "-" } else { "" }, if scale > 0 { "." } else { "" });
    Some(format!("{sign}{whole}{point}{part}"))
}
