//! The values of a measure, one after the other → what is told of them.
//!
//! What two parts of the same records come to is what the whole comes to; only `last` asks which part came later.

use std::hash::{Hash, Hasher};

use base64::{Engine, prelude::BASE64_STANDARD};
use datasketches::hll::{HllSketch, HllType, HllUnion};
use headgate::{
    Code, Error,
    contract::Value,
    dataset::{ColumnType, stream::window::Function},
};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::{
    plan::Measured,
    scalar::Scalar,
    sum::{Real, Whole},
};

/// 2^12 registers: an estimate is off by 1.6 % as a rule, and a full sketch has 4 KiB.
const REGISTERS: u8 = 12;

/// What is known of a measure so far.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Tally {
    /// How many values, or records.
    #[serde(rename = "n")]
    Count(u64),
    /// Their sum; `None` before the first.
    #[serde(rename = "s")]
    Whole(Option<Whole>),
    /// The same of floats.
    #[serde(rename = "r")]
    Real(Option<Real>),
    /// The least.
    #[serde(rename = "l")]
    Min(Option<Scalar>),
    /// The greatest.
    #[serde(rename = "g")]
    Max(Option<Scalar>),
    /// The different ones.
    #[serde(rename = "d")]
    Distinct(Sketch),
    /// The last.
    #[serde(rename = "z")]
    Last(Option<Scalar>),
}

impl Tally {
    /// Of no records.
    ///
    /// # Errors
    /// Retry, [`Code::Internal`]: a sketch cannot be made.
    pub fn nothing(measure: &Measured) -> Result<Self, Error> {
        let real = matches!(measure.source(), Some(ColumnType::Float32 | ColumnType::Float64));
        Ok(match measure.function {
            Function::Count => Self::Count(0),
            Function::Sum if real => Self::Real(None),
            Function::Sum => Self::Whole(None),
            Function::Min => Self::Min(None),
            Function::Max => Self::Max(None),
            Function::Distinct => Self::Distinct(Sketch::new()?),
            Function::Last => Self::Last(None),
        })
    }

    /// Takes a value.
    pub fn take(&mut self, value: &Scalar) {
        match (self, value) {
            (Self::Count(count), _) => *count += 1,
            (Self::Real(sum), Scalar::Float(bits)) => sum.get_or_insert_default().add(f64::from_bits(*bits)),
            (Self::Whole(sum), Scalar::Integer(value)) => sum.get_or_insert_default().add(i128::from(*value)),
            (Self::Whole(sum), Scalar::Unsigned(value)) => sum.get_or_insert_default().add(i128::from(*value)),
            (Self::Whole(sum), Scalar::Decimal(value)) => sum.get_or_insert_default().add(*value),
            (Self::Min(least), value) => {
                if least.as_ref().is_none_or(|least| value < least) {
                    *least = Some(value.clone());
                }
            }
            (Self::Max(most), value) => {
                if most.as_ref().is_none_or(|most| value > most) {
                    *most = Some(value.clone());
                }
            }
            (Self::Distinct(sketch), value) => sketch.0.update(Bytes(value)),
            (Self::Last(last), value) => *last = Some(value.clone()),
            // A column's values are of its type, and a sum is of numbers.
            (Self::Real(_) | Self::Whole(_), _) => {}
        }
    }

    /// Takes a whole record.
    pub fn take_record(&mut self) {
        if let Self::Count(count) = self {
            *count += 1;
        }
    }

    /// Adds what came after.
    ///
    /// # Errors
    /// Retry, [`Code::Internal`]: two measures that are not the same.
    pub fn merge(&mut self, later: Self) -> Result<(), Error> {
        match (self, later) {
            (Self::Count(count), Self::Count(more)) => *count += more,
            (Self::Whole(sum), Self::Whole(Some(more))) => sum.get_or_insert_default().merge(more),
            (Self::Real(sum), Self::Real(Some(more))) => sum.get_or_insert_default().merge(&more),
            (tally @ Self::Min(_), Self::Min(Some(value))) | (tally @ Self::Max(_), Self::Max(Some(value))) => {
                tally.take(&value);
            }
            (Self::Last(last), Self::Last(Some(value))) => *last = Some(value),
            (Self::Distinct(sketch), Self::Distinct(more)) => *sketch = sketch.union(&more)?,
            (
                Self::Whole(_) | Self::Real(_) | Self::Min(_) | Self::Max(_) | Self::Last(_),
                Self::Whole(None) | Self::Real(None) | Self::Min(None) | Self::Max(None) | Self::Last(None),
            ) => {}
            _ => return Err(Error::retry(Code::Internal, "two parts of a window that do not fit together")),
        }
        Ok(())
    }

    /// Its columns in the table, `None` for null; and whether a sum is null because no column can hold it.
    pub fn told(&self, mut tell: impl FnMut(Option<Value<'_>>)) -> bool {
        let count = |count: u64| Value::Integer(i64::try_from(count).unwrap_or(i64::MAX));
        match self {
            Self::Count(number) => tell(Some(count(*number))),
            Self::Min(value) | Self::Max(value) | Self::Last(value) => tell(value.as_ref().map(Scalar::value)),
            Self::Distinct(sketch) => {
                tell(Some(Value::Integer(sketch.0.composite_estimate().round() as i64)));
                tell(Some(Value::Bytes(&sketch.0.serialize())));
            }
            Self::Whole(sum) => {
                let value = sum.as_ref().and_then(Whole::value);
                tell(value.map(Value::Decimal));
                return sum.is_some() && value.is_none();
            }
            Self::Real(sum) => {
                let value = sum.as_ref().and_then(Real::value);
                tell(value.map(Value::Float));
                return sum.is_some() && value.is_none();
            }
        }
        false
    }

    /// About how many bytes of memory it takes.
    pub fn bytes(&self) -> usize {
        match self {
            Self::Distinct(sketch) => sketch.0.estimated_size(),
            Self::Real(Some(_)) => 300,
            Self::Min(Some(value)) | Self::Max(Some(value)) | Self::Last(Some(value)) => 48 + value.length(),
            _ => 48,
        }
    }
}

/// A `HyperLogLog` sketch as Apache `DataSketches` has them, so that Spark and others can add it to theirs.
#[derive(Debug, Clone)]
pub struct Sketch(HllSketch);

fn internal(error: &impl ToString) -> Error {
    Error::retry(Code::Internal, error.to_string())
}

impl Sketch {
    fn new() -> Result<Self, Error> {
        HllSketch::new(REGISTERS, HllType::Hll8).map(Self).map_err(|error| internal(&error))
    }

    fn union(&self, other: &Self) -> Result<Self, Error> {
        let mut union = HllUnion::new(REGISTERS).map_err(|error| internal(&error))?;
        union.update(&self.0);
        union.update(&other.0);
        Ok(Self(union.to_sketch(HllType::Hll8)))
    }
}

/// Equal where their estimates are: that does not depend on the order in which the values came.
impl PartialEq for Sketch {
    fn eq(&self, other: &Self) -> bool {
        self.0.composite_estimate().to_bits() == other.0.composite_estimate().to_bits()
    }
}

impl Serialize for Sketch {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&BASE64_STANDARD.encode(self.0.serialize()))
    }
}

impl<'de> Deserialize<'de> for Sketch {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = BASE64_STANDARD.decode(text).map_err(D::Error::custom)?;
        HllSketch::deserialize(&bytes).map(Self).map_err(|error| D::Error::custom(error.to_string()))
    }
}

/// A value as the sketches of other languages hash it: the bytes of a text, and of a number in 64 bits.
struct Bytes<'a>(&'a Scalar);

impl Hash for Bytes<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self.0 {
            Scalar::Boolean(value) => state.write(&i64::from(*value).to_le_bytes()),
            Scalar::Integer(value) => state.write(&value.to_le_bytes()),
            Scalar::Unsigned(value) => state.write(&value.to_le_bytes()),
            // Both zeros are one number.
            Scalar::Float(bits) => state.write(&(f64::from_bits(*bits) + 0.0).to_bits().to_le_bytes()),
            Scalar::Decimal(value) => state.write(&value.to_le_bytes()),
            Scalar::Text(text) => state.write(text.as_bytes()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::ops::Range;

    use super::*;

    fn sketch(values: &Range<i64>) -> Sketch {
        let mut sketch = Sketch::new().unwrap();
        values.clone().for_each(|value| sketch.0.update(Bytes(&Scalar::Integer(value))));
        sketch
    }

    /// As if each part had waited in a state for the next.
    fn union(parts: &[Range<i64>]) -> Sketch {
        parts.iter().fold(Sketch::new().unwrap(), |all, part| {
            let carried = serde_json::from_str(&serde_json::to_string(&all).unwrap()).unwrap();
            sketch(part).union(&carried).unwrap()
        })
    }

    #[test]
    fn parts_that_overlap_count_each_value_once_in_any_order() {
        for (mut parts, whole) in [
            (vec![0..0, 0..0], 0..0),
            (vec![0..5, 3..9, 0..0], 0..9),
            (vec![0..40, 0..3_000, 7..8], 0..3_000),
            (vec![0..40_000, 20_000..60_000, 10..11], 0..60_000),
        ] {
            let (known, many) = (sketch(&whole), (whole.end - whole.start) as f64);
            assert!((known.0.composite_estimate() - many).abs() <= many * 0.05, "{known:?}");
            for _ in 0..parts.len() {
                parts.rotate_left(1);
                let (told, estimate) = (union(&parts).0.composite_estimate(), known.0.composite_estimate());
                assert!((told - estimate).abs() <= estimate * 1e-9, "{parts:?}: {told}, not {estimate}");
            }
        }
    }
}
