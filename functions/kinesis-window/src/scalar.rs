//! A value of a record → one that outlives it, can be compared and written down.

use std::cmp::Ordering;

use headgate::contract::Value;
use serde::{Deserialize, Serialize};

/// The values of a key's columns; `None` is null.
pub type Key = Vec<Option<Scalar>>;

/// A value. Those of one column are of one kind.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Scalar {
    /// `boolean`
    #[serde(rename = "b")]
    Boolean(bool),
    /// Whole numbers and times.
    #[serde(rename = "i")]
    Integer(i64),
    /// `uint64`
    #[serde(rename = "u")]
    Unsigned(u64),
    /// The bits of a finite float: its digits may lose the last one on their way.
    #[serde(rename = "f")]
    Float(u64),
    /// The value times 10^scale.
    #[serde(rename = "d")]
    Decimal(i128),
    /// `string`
    #[serde(rename = "t")]
    Text(String),
}

impl Scalar {
    /// The value, if it is of a kind that a window can tell of.
    pub fn of(value: Value<'_>) -> Option<Self> {
        Some(match value {
            Value::Boolean(value) => Self::Boolean(value),
            Value::Integer(value) => Self::Integer(value),
            Value::Unsigned(value) => Self::Unsigned(value),
            Value::Float(value) => Self::Float(value.to_bits()),
            Value::Decimal(value) => Self::Decimal(value),
            Value::Text(text) => Self::Text(text.to_owned()),
            Value::Bytes(_) => return None,
        })
    }

    /// The value again.
    pub fn value(&self) -> Value<'_> {
        match self {
            Self::Boolean(value) => Value::Boolean(*value),
            Self::Integer(value) => Value::Integer(*value),
            Self::Unsigned(value) => Value::Unsigned(*value),
            Self::Float(bits) => Value::Float(f64::from_bits(*bits)),
            Self::Decimal(value) => Value::Decimal(*value),
            Self::Text(text) => Value::Text(text),
        }
    }

    /// Bytes of its text.
    pub fn length(&self) -> usize {
        if let Self::Text(text) = self { text.len() } else { 0 }
    }

    fn rank(&self) -> u8 {
        match self {
            Self::Boolean(_) => 0,
            Self::Integer(_) => 1,
            Self::Unsigned(_) => 2,
            Self::Float(_) => 3,
            Self::Decimal(_) => 4,
            Self::Text(_) => 5,
        }
    }
}

impl Ord for Scalar {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Boolean(one), Self::Boolean(other)) => one.cmp(other),
            (Self::Integer(one), Self::Integer(other)) => one.cmp(other),
            (Self::Unsigned(one), Self::Unsigned(other)) => one.cmp(other),
            (Self::Float(one), Self::Float(other)) => f64::from_bits(*one).total_cmp(&f64::from_bits(*other)),
            (Self::Decimal(one), Self::Decimal(other)) => one.cmp(other),
            (Self::Text(one), Self::Text(other)) => one.cmp(other),
            _ => self.rank().cmp(&other.rank()),
        }
    }
}

impl PartialOrd for Scalar {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Scalar {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Scalar {}
