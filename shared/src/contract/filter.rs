//! A column's conditions → whether its value makes the row wanted.
//!
//! Operands are values of the column's own type, so that comparing is exact.

use regex_lite::Regex;

use super::{
    reader::plain,
    value::{Value, convert},
};
use crate::{
    dataset::{
        ColumnType,
        stream::{Bound, Condition, Field},
    },
    error::{Code, Error},
    lexer::Lexer,
};

/// All that a dataset's filter says of one column.
#[derive(Debug, Clone, Default)]
pub(super) struct Filter(Vec<Compiled>);

#[derive(Debug, Clone)]
struct Compiled {
    bounds: Vec<(Bound, Operand)>,
    one_of: Vec<Operand>,
    pattern: Option<Regex>,
    /// Whether a value is wanted where the checks above do not hold, instead.
    turned: bool,
    null: bool,
}

/// A value that is kept.
#[derive(Debug, Clone)]
enum Operand {
    Text(String),
    Bytes(Vec<u8>),
    Other(Value<'static>),
}

impl Filter {
    /// What the conditions say of this column.
    ///
    /// # Errors
    /// Misconfigured: an operand is no value of its type, or bounds leave none; `dataset` is for the message.
    pub(super) fn of(dataset: &str, conditions: &[Condition], field: &Field) -> Result<Self, Error> {
        let own = conditions.iter().enumerate().filter(|(_, condition)| condition.column == field.name);
        let compiled = own.map(|(index, condition)| {
            compile(condition, &field.r#type).map_err(|(place, what)| {
                let message = format!("{dataset}: $.filter[{index}].{place}: {what}");
                Error::misconfigured(Code::InvalidConfig, message)
            })
        });
        compiled.collect::<Result<_, _>>().map(Self)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn wants_null(&self) -> bool {
        self.0.iter().all(|condition| condition.null)
    }

    pub(super) fn wants(&self, value: Value<'_>) -> bool {
        self.0.iter().all(|condition| condition.holds(value) != condition.turned)
    }
}

fn compile(condition: &Condition, r#type: &ColumnType) -> Result<Compiled, (String, String)> {
    let operand = |place: String, value: &serde_json::Value| {
        Operand::of(r#type, value).ok_or_else(|| (place, format!("not a value of type {type}")))
    };
    let (bounds, one_of) = (condition.bounds.iter(), condition.one_of.iter().enumerate());
    let bounds = bounds.map(|(bound, value)| operand(bound.name().to_owned(), value).map(|operand| (*bound, operand)));
    let bounds = bounds.collect::<Result<Vec<_>, _>>()?;
    apart(&bounds)?;
    let one_of = one_of.map(|(index, value)| operand(format!("one_of[{index}]"), value)).collect::<Result<_, _>>()?;
    let pattern = condition.pattern.as_deref().map(Regex::new).transpose();
    let pattern = pattern.map_err(|error| ("pattern".to_owned(), error.to_string()))?;
    // Without checks, of which then all hold, it is about null alone.
    let turned = if condition.has_checks() { condition.not } else { condition.null };
    Ok(Compiled { bounds, one_of, pattern, turned, null: condition.null })
}

/// Between the bounds there must be values.
fn apart(bounds: &[(Bound, Operand)]) -> Result<(), (String, String)> {
    let of = |names: [Bound; 2]| bounds.iter().filter(move |(bound, _)| names.contains(bound));
    for (low, least) in of([Bound::Min, Bound::Above]) {
        for (high, most) in of([Bound::Max, Bound::Below]) {
            let (least, most, both) = (least.value(), most.value(), (*low, *high) == (Bound::Min, Bound::Max));
            if least > most || (least == most && !both) {
                return Err((low.name().to_owned(), format!("no value is left with `{}`", high.name())));
            }
        }
    }
    Ok(())
}

impl Compiled {
    fn holds(&self, value: Value<'_>) -> bool {
        self.bounds.iter().all(|(bound, operand)| match bound {
            Bound::Min => value >= operand.value(),
            Bound::Max => value <= operand.value(),
            Bound::Above => value > operand.value(),
            Bound::Below => value < operand.value(),
        }) && (self.one_of.is_empty() || self.one_of.iter().any(|operand| value == operand.value()))
            && self.pattern.as_ref().is_none_or(|pattern| matches!(value, Value::Text(text) if pattern.is_match(text)))
    }
}

impl Operand {
    /// What a record's value would be that is written like this.
    fn of(r#type: &ColumnType, value: &serde_json::Value) -> Option<Self> {
        let (text, mut room, mut bytes) = (value.to_string(), String::new(), Vec::new());
        let plain = plain(Lexer::new(&text, 0).token().ok()?, &mut room).ok()?;
        Some(match convert(r#type, plain, &mut bytes)? {
            Value::Text(text) => Self::Text(text.to_owned()),
            Value::Bytes(bytes) => Self::Bytes(bytes.to_owned()),
            Value::Boolean(value) => Self::Other(Value::Boolean(value)),
            Value::Integer(value) => Self::Other(Value::Integer(value)),
            Value::Unsigned(value) => Self::Other(Value::Unsigned(value)),
            Value::Float(value) => Self::Other(Value::Float(value)),
            Value::Decimal(value) => Self::Other(Value::Decimal(value)),
        })
    }

    fn value(&self) -> Value<'_> {
        match self {
            Self::Text(text) => Value::Text(text),
            Self::Bytes(bytes) => Value::Bytes(bytes),
            Self::Other(value) => *value,
        }
    }
}
