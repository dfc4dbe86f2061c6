//! The JSON of a schema → its types, with names resolved.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::logical::Logical;

/// A compiled schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schema {
    types: Vec<Type>,
    pub(super) root: usize,
}

/// A type; other types are meant by their place in the schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Type {
    pub(super) shape: Shape,
    pub(super) logical: Option<Logical>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Shape {
    Null,
    Boolean,
    Int,
    Long,
    Float,
    Double,
    Bytes,
    Text,
    Fixed(usize),
    /// Symbols.
    Enum(Vec<String>),
    Array(usize),
    Map(usize),
    Union(Vec<usize>),
    /// Names and types of the fields.
    Record(Vec<(String, usize)>),
}

impl Schema {
    /// Compiles a schema; `references` are those it names, each after those that it names itself.
    ///
    /// # Errors
    /// What is wrong with it, for people.
    pub fn parse(text: &str, references: &[String]) -> Result<Self, String> {
        let mut parser = Parser::default();
        let mut root = 0;
        for text in references.iter().map(String::as_str).chain([text]) {
            let value: Value = serde_json::from_str(text).map_err(|error| format!("not JSON: {error}"))?;
            root = parser.any(&value, "")?;
        }
        Ok(Self { types: parser.types, root })
    }

    pub(super) fn at(&self, place: usize) -> &Type {
        &self.types[place]
    }
}

#[derive(Debug, Default)]
struct Parser {
    types: Vec<Type>,
    /// The places of named types by full name.
    names: HashMap<String, usize>,
}

impl Parser {
    fn any(&mut self, value: &Value, namespace: &str) -> Result<usize, String> {
        match value {
            Value::String(name) => self.named(name, namespace),
            Value::Array(branches) => {
                let branches = branches.iter().map(|branch| self.any(branch, namespace)).collect::<Result<_, _>>()?;
                Ok(self.add(Shape::Union(branches), None))
            }
            Value::Object(object) => self.object(object, namespace),
            _ => Err("a type is a name, a list or an object".to_owned()),
        }
    }

    /// A primitive type, or one that was declared before.
    fn named(&mut self, name: &str, namespace: &str) -> Result<usize, String> {
        if let Some(shape) = primitive(name) {
            return Ok(self.add(shape, None));
        }
        let full = full_name(name, namespace);
        let known = self.names.get(&full).or_else(|| self.names.get(name));
        known.copied().ok_or_else(|| format!("`{full}` is not declared"))
    }

    fn object(&mut self, object: &Map<String, Value>, namespace: &str) -> Result<usize, String> {
        let kind = object.get("type").ok_or("an object without `type`")?;
        let Value::String(kind) = kind else { return self.any(kind, namespace) };
        match kind.as_str() {
            "array" | "map" => {
                let (inner, shape): (_, fn(usize) -> Shape) =
                    if kind == "array" { ("items", Shape::Array) } else { ("values", Shape::Map) };
                let inner = object.get(inner).ok_or_else(|| format!("`{kind}` without `{inner}`"))?;
                let inner = self.any(inner, namespace)?;
                Ok(self.add(shape(inner), None))
            }
            "record" | "error" => self.record(object, namespace),
            "enum" => {
                let symbols = list(object, "symbols")?.iter().map(|symbol| symbol.as_str().map(str::to_owned));
                let symbols = symbols.collect::<Option<_>>().ok_or("a symbol is text")?;
                self.declare(object, namespace, Shape::Enum(symbols), None).map(|(place, _)| place)
            }
            "fixed" => {
                let size = object.get("size").and_then(Value::as_u64).and_then(|size| usize::try_from(size).ok());
                let shape = Shape::Fixed(size.ok_or("`fixed` without `size`")?);
                let logical = Logical::of(object, &shape);
                self.declare(object, namespace, shape, logical).map(|(place, _)| place)
            }
            name => match primitive(name) {
                Some(shape) => {
                    let logical = Logical::of(object, &shape);
                    Ok(self.add(shape, logical))
                }
                None => self.named(name, namespace),
            },
        }
    }

    /// A record is declared before its fields, which may name it.
    fn record(&mut self, object: &Map<String, Value>, namespace: &str) -> Result<usize, String> {
        let (place, own) = self.declare(object, namespace, Shape::Record(Vec::new()), None)?;
        let mut fields: Vec<(String, usize)> = Vec::new();
        for field in list(object, "fields")? {
            let name = field.get("name").and_then(Value::as_str).ok_or("a field without `name`")?;
            let r#type = field.get("type").ok_or_else(|| format!("field `{name}` without `type`"))?;
            if fields.iter().any(|(known, _)| known == name) {
                return Err(format!("field `{name}` occurs twice"));
            }
            fields.push((name.to_owned(), self.any(r#type, &own)?));
        }
        self.types[place].shape = Shape::Record(fields);
        Ok(place)
    }

    /// Adds a named type; also its namespace, which the names in it are of.
    fn declare(
        &mut self,
        object: &Map<String, Value>,
        namespace: &str,
        shape: Shape,
        logical: Option<Logical>,
    ) -> Result<(usize, String), String> {
        let name = object.get("name").and_then(Value::as_str).ok_or("a named type without `name`")?;
        let own = object.get("namespace").and_then(Value::as_str).unwrap_or(namespace);
        let full = full_name(name, own);
        let place = self.add(shape, logical);
        if self.names.insert(full.clone(), place).is_some() {
            return Err(format!("`{full}` is declared twice"));
        }
        let inner = full.rsplit_once('.').map_or("", |(namespace, _)| namespace);
        Ok((place, inner.to_owned()))
    }

    fn add(&mut self, shape: Shape, logical: Option<Logical>) -> usize {
        self.types.push(Type { shape, logical });
        self.types.len() - 1
    }
}

fn primitive(name: &str) -> Option<Shape> {
    Some(match name {
        "null" => Shape::Null,
        "boolean" => Shape::Boolean,
        "int" => Shape::Int,
        "long" => Shape::Long,
        "float" => Shape::Float,
        "double" => Shape::Double,
        "bytes" => Shape::Bytes,
        "string" => Shape::Text,
        _ => return None,
    })
}

fn full_name(name: &str, namespace: &str) -> String {
    if name.contains('.') || namespace.is_empty() { name.to_owned() } else { format!("{namespace}.{name}") }
}

fn list<'a>(object: &'a Map<String, Value>, name: &str) -> Result<&'a [Value], String> {
    object.get(name).and_then(Value::as_array).map(Vec::as_slice).ok_or_else(|| format!("`{name}` is no list"))
}
