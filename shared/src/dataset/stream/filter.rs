//! The `filter` of a `stream` dataset file → its conditions, with every problem noted.
//!
//! Whether an operand is a value of its column's type is for `contract` to say, as with a default.

use serde_json::Value;

use super::{Field, parse::UNTOLD};
use crate::dataset::{
    ColumnType,
    json::{Object, Problems, expected},
};

/// What a column's value must be for its row to be wanted. Seen before it is masked.
///
/// All that it says must hold. A null is wanted by `null` alone, whatever else is said.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Condition {
    /// The column.
    pub column: String,
    /// What the value may not be beyond.
    pub bounds: Vec<(Bound, Value)>,
    /// The values it may be; any where there are none.
    pub one_of: Vec<Value>,
    /// A regular expression that must match somewhere in its text.
    pub pattern: Option<String>,
    /// Whether `bounds`, `one_of` and `pattern` together must not hold instead.
    pub not: bool,
    /// Whether null is wanted; of a condition that says nothing more, whether only null is.
    pub null: bool,
}

impl Condition {
    /// Whether it says anything of values that are not null.
    #[must_use]
    pub fn has_checks(&self) -> bool {
        !self.bounds.is_empty() || !self.one_of.is_empty() || self.pattern.is_some()
    }
}

/// How a value stands to an operand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// It is the operand or more.
    Min,
    /// It is the operand or less.
    Max,
    /// It is more.
    Above,
    /// It is less.
    Below,
}

impl Bound {
    const ALL: [Self; 4] = [Self::Min, Self::Max, Self::Above, Self::Below];

    /// Its name in the file.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Min => "min",
            Self::Max => "max",
            Self::Above => "above",
            Self::Below => "below",
        }
    }
}

/// The conditions, each at its place in the file; of one that cannot be told there is nothing more to say.
pub(in crate::dataset) fn conditions(
    root: &mut Object<'_>,
    columns: &[Field],
    problems: &mut Problems,
) -> Vec<Condition> {
    let mut conditions = Vec::new();
    for (index, item) in root.list("filter", problems).unwrap_or_default().iter().enumerate() {
        let path = format!("{}[{index}]", root.at("filter"));
        let Some(object) = Object::new(path.clone(), item, problems) else { continue };
        let condition = condition(object, problems);
        let field = columns.iter().find(|field| field.name == condition.column);
        match field {
            Some(field) if field.r#type != UNTOLD => suits(&path, &condition, &field.r#type, problems),
            // That it is missing, or that its type is wrong, is told already.
            _ if field.is_some() || condition.column.is_empty() => {}
            _ => problems.at(format!("{path}.column"), format!("`{}` is not among the columns", condition.column)),
        }
        conditions.push(condition);
    }
    conditions
}

fn condition(mut object: Object<'_>, problems: &mut Problems) -> Condition {
    object.require("column", "the column that it is about", problems);
    let column = object.filled("column", problems).unwrap_or_default().to_owned();
    let mut bounds = Vec::new();
    for bound in Bound::ALL {
        let operand = object.field(bound.name()).and_then(|value| scalar(&object.at(bound.name()), value, problems));
        bounds.extend(operand.map(|operand| (bound, operand)));
    }
    let items = object.array("one_of", problems).unwrap_or_default().iter().enumerate();
    let path = object.at("one_of");
    let one_of = items.filter_map(|(index, item)| scalar(&format!("{path}[{index}]"), item, problems)).collect();
    let pattern = object.filled("pattern", problems).map(str::to_owned);
    if let Some(Err(error)) = pattern.as_deref().map(regex_lite::Regex::new) {
        problems.at(object.at("pattern"), error);
    }
    let (not, null) = (object.boolean("not", problems), object.boolean("null", problems));
    let names = Bound::ALL.map(Bound::name).into_iter().chain(["one_of", "pattern"]);
    if !names.into_iter().any(|name| object.field(name).is_some()) {
        if object.field("not").is_some() {
            problems.at(object.at("not"), "needs something to turn around: `min`, `one_of`, `pattern` or the like");
        } else if object.field("null").is_none() {
            let what = "says nothing: give `min`, `max`, `above`, `below`, `one_of`, `pattern` or `null`";
            problems.at(&object.path, what);
        }
    }
    object.finish(problems);
    Condition { column, bounds, one_of, pattern, not: not.unwrap_or(false), null: null.unwrap_or(false) }
}

fn scalar(path: &str, value: &Value, problems: &mut Problems) -> Option<Value> {
    if value.is_string() || value.is_number() || value.is_boolean() {
        return Some(value.clone());
    }
    problems.at(path, expected("a string, a number, true or false", value));
    None
}

fn suits(path: &str, condition: &Condition, r#type: &ColumnType, problems: &mut Problems) {
    if matches!(r#type, ColumnType::List(_) | ColumnType::Struct(_) | ColumnType::Json) {
        let what =
            format!("`{}` is `{type}`: a filter sees scalars, so make a column of what it is about", condition.column);
        return problems.at(format!("{path}.column"), what);
    }
    let unordered = matches!(r#type, ColumnType::String | ColumnType::Boolean | ColumnType::Binary);
    for (bound, _) in condition.bounds.iter().filter(|_| unordered) {
        problems.at(format!("{path}.{}", bound.name()), format!("needs a column of numbers or times, not `{type}`"));
    }
    if condition.pattern.is_some() && *r#type != ColumnType::String {
        problems.at(format!("{path}.pattern"), format!("needs a `string` column, not `{type}`"));
    }
}
