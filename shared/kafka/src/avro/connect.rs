//! The Avro schema of a change event → its row's columns as Kafka Connect's JSON converter writes them.
//!
//! Beside a datum in [`Style::Connect`](super::Style) it says what the numbers and bytes in there mean.

use serde_json::{Value, json};

use super::{
    logical::Logical,
    schema::{Schema, Shape, Type},
};

impl Schema {
    /// `{"type": "struct", "fields": [{"field": "after", …}]}` with the columns of the row alone; `None` where the
    /// schema is none of a change event.
    #[must_use]
    pub fn connect(&self) -> Option<String> {
        let (name, row) = ["after", "before"].iter().find_map(|name| Some((name, self.field(self.root, name)?)))?;
        let Shape::Record(columns) = &self.there(row).shape else { return None };
        let columns: Vec<_> = columns.iter().map(|(name, place)| self.column(name, *place)).collect();
        let row = json!({"field": name, "type": "struct", "fields": columns});
        Some(json!({"type": "struct", "fields": [row]}).to_string())
    }

    fn field(&self, record: usize, name: &str) -> Option<usize> {
        let Shape::Record(fields) = &self.there(record).shape else { return None };
        fields.iter().find(|(known, _)| known == name).map(|(_, place)| *place)
    }

    /// The type of a value that is there: the other one of a union with null.
    fn there(&self, place: usize) -> &Type {
        let Shape::Union(branches) = &self.at(place).shape else { return self.at(place) };
        let mut branches = branches.iter().map(|branch| self.at(*branch)).filter(|t| t.shape != Shape::Null);
        match (branches.next(), branches.next()) {
            (Some(only), None) => only,
            _ => self.at(place),
        }
    }

    fn column(&self, name: &str, place: usize) -> Value {
        let Type { shape, logical } = self.there(place);
        let mut column = json!({"field": name, "type": plain(shape)});
        match logical {
            Some(Logical::Decimal { precision, scale }) => {
                column["name"] = "org.apache.kafka.connect.data.Decimal".into();
                column["parameters"] =
                    json!({"scale": scale.to_string(), "connect.decimal.precision": precision.to_string()});
            }
            // These stay text, or an object.
            Some(Logical::Uuid | Logical::Duration) => column["type"] = "string".into(),
            Some(logical) => column["name"] = logical.debezium().into(),
            None => {}
        }
        column
    }
}

fn plain(shape: &Shape) -> &'static str {
    match shape {
        Shape::Boolean => "boolean",
        Shape::Int => "int32",
        Shape::Long => "int64",
        Shape::Float => "float",
        Shape::Double => "double",
        Shape::Bytes | Shape::Fixed(_) => "bytes",
        Shape::Record(_) => "struct",
        Shape::Array(_) => "array",
        Shape::Map(_) => "map",
        // What is of several types is text.
        Shape::Null | Shape::Text | Shape::Enum(_) | Shape::Union(_) => "string",
    }
}
