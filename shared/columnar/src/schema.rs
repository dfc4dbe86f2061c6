//! The types of columns across files → one type a column.
//!
//! A value never changes silently on the way: a type that cannot hold both sides is no type, and a value that does
//! not fit is an error, never NULL.

mod cast;
mod text;
mod unify;

use arrow::datatypes::{DataType, Field, TimeUnit};
use headgate::dataset::{self, ColumnType};

pub use cast::{CastError, cast};
pub(crate) use text::{tick, write_clock, write_date, write_moment};
pub use unify::{canonical, unify};

/// The zone of every instant: files write UTC, whatever they call it.
pub(crate) const UTC: &str = "UTC";

/// The type a declared column has in a snapshot.
#[must_use]
pub fn declared(column_type: &ColumnType) -> DataType {
    match column_type {
        ColumnType::String | ColumnType::Json => DataType::Utf8,
        ColumnType::Int32 => DataType::Int32,
        ColumnType::Int64 => DataType::Int64,
        ColumnType::Uint64 => DataType::UInt64,
        ColumnType::Float32 => DataType::Float32,
        ColumnType::Float64 => DataType::Float64,
        ColumnType::Decimal(precision, scale) => DataType::Decimal128(*precision, *scale),
        ColumnType::Boolean => DataType::Boolean,
        ColumnType::Date => DataType::Date32,
        ColumnType::Timestamp(dataset::TimeUnit::Milli) => DataType::Timestamp(TimeUnit::Millisecond, None),
        ColumnType::Timestamp(dataset::TimeUnit::Micro) => DataType::Timestamp(TimeUnit::Microsecond, None),
        ColumnType::Time => DataType::Time64(TimeUnit::Microsecond),
        ColumnType::Binary => DataType::Binary,
        ColumnType::List(item) => DataType::new_list(declared(item), true),
        ColumnType::Struct(members) => DataType::Struct(
            members.iter().map(|member| Field::new(&member.name, declared(&member.r#type), true)).collect(),
        ),
    }
}
