//! Values of one level of a column, one after the other → an arrow array.
//!
//! Made to be cut back: a row that fails in its middle leaves nothing.

use std::sync::Arc;

use arrow::{
    array::{
        ArrayRef, BinaryArray, BooleanArray, BooleanBufferBuilder, ListArray, NullBufferBuilder, PrimitiveArray,
        StringArray, StructArray,
    },
    buffer::{Buffer, OffsetBuffer, ScalarBuffer},
    datatypes::{
        DataType, Date32Type, Decimal128Type, Fields, Float32Type, Float64Type, Int32Type, Int64Type,
        Time64MicrosecondType, TimeUnit, TimestampMicrosecondType, TimestampMillisecondType, UInt64Type,
    },
    error::ArrowError,
};
use headgate::contract::Value;

/// A level that grows.
#[derive(Debug)]
pub(super) struct Level {
    data_type: DataType,
    pub(super) values: Values,
    nulls: NullBufferBuilder,
}

/// The values of a level; null has a place too.
#[derive(Debug)]
pub(super) enum Values {
    /// A partition column: it is not in the file.
    Left(usize),
    Boolean(BooleanBufferBuilder),
    Int32(Vec<i32>),
    Int64(Vec<i64>),
    Unsigned(Vec<u64>),
    Float32(Vec<f32>),
    Float64(Vec<f64>),
    Decimal(Vec<i128>),
    /// Text or bytes: where each ends, and all of them.
    Bytes(Vec<i32>, Vec<u8>),
    /// Where each list ends, and the level of its items.
    List(Vec<i32>, usize),
    /// How many, and the levels of the members.
    Struct(usize, Vec<usize>),
}

impl Level {
    pub(super) fn new(data_type: DataType, values: Values) -> Self {
        Self { data_type, values, nulls: NullBufferBuilder::new(0) }
    }

    /// A level of scalars of this type.
    pub(super) fn scalar(data_type: DataType) -> Self {
        let values = match data_type {
            DataType::Boolean => Values::Boolean(BooleanBufferBuilder::new(0)),
            DataType::Int32 | DataType::Date32 => Values::Int32(Vec::new()),
            DataType::UInt64 => Values::Unsigned(Vec::new()),
            DataType::Float32 => Values::Float32(Vec::new()),
            DataType::Float64 => Values::Float64(Vec::new()),
            DataType::Decimal128(..) => Values::Decimal(Vec::new()),
            DataType::Utf8 | DataType::Binary => Values::Bytes(Vec::new(), Vec::new()),
            _ => Values::Int64(Vec::new()),
        };
        Self::new(data_type, values)
    }

    pub(super) fn len(&self) -> usize {
        match &self.values {
            Values::Left(length) | Values::Struct(length, _) => *length,
            Values::Boolean(values) => values.len(),
            Values::Int32(values) => values.len(),
            Values::Int64(values) => values.len(),
            Values::Unsigned(values) => values.len(),
            Values::Float32(values) => values.len(),
            Values::Float64(values) => values.len(),
            Values::Decimal(values) => values.len(),
            Values::Bytes(ends, _) | Values::List(ends, _) => ends.len(),
        }
    }

    /// Appends a scalar; where it is none of this level's kind, which the contract rules out, it becomes null.
    #[allow(clippy::cast_possible_truncation, reason = "the contract keeps each value within its column's type")]
    #[allow(clippy::cast_possible_wrap, reason = "a batch is far smaller than 2 GiB")]
    pub(super) fn push(&mut self, value: Value<'_>) {
        match (&mut self.values, value) {
            (Values::Left(length), _) => *length += 1,
            (Values::Boolean(values), Value::Boolean(value)) => values.append(value),
            (Values::Int32(values), Value::Integer(value)) => values.push(value as i32),
            (Values::Int64(values), Value::Integer(value)) => values.push(value),
            (Values::Unsigned(values), Value::Unsigned(value)) => values.push(value),
            (Values::Float32(values), Value::Float(value)) => values.push(value as f32),
            (Values::Float64(values), Value::Float(value)) => values.push(value),
            (Values::Decimal(values), Value::Decimal(value)) => values.push(value),
            (Values::Bytes(ends, bytes), Value::Text(text)) => {
                bytes.extend_from_slice(text.as_bytes());
                ends.push(bytes.len() as i32);
            }
            (Values::Bytes(ends, bytes), Value::Bytes(value)) => {
                bytes.extend_from_slice(value);
                ends.push(bytes.len() as i32);
            }
            _ => return self.push_null(),
        }
        self.nulls.append_non_null();
    }

    /// Appends null to this level; the members of a struct have levels of their own.
    pub(super) fn push_null(&mut self) {
        match &mut self.values {
            Values::Left(length) | Values::Struct(length, _) => *length += 1,
            Values::Boolean(values) => values.append(false),
            Values::Int32(values) => values.push(0),
            Values::Int64(values) => values.push(0),
            Values::Unsigned(values) => values.push(0),
            Values::Float32(values) => values.push(0.0),
            Values::Float64(values) => values.push(0.0),
            Values::Decimal(values) => values.push(0),
            Values::Bytes(ends, _) | Values::List(ends, _) => ends.push(ends.last().copied().unwrap_or(0)),
        }
        self.nulls.append_null();
    }

    /// Ends a list, whose items end at `end`, or a struct.
    pub(super) fn close(&mut self, end: i32) {
        match &mut self.values {
            Values::List(ends, _) => ends.push(end),
            Values::Struct(length, _) => *length += 1,
            _ => return,
        }
        self.nulls.append_non_null();
    }

    /// Cuts back to the first values. For a list: how many of its items remain.
    pub(super) fn truncate(&mut self, length: usize) -> usize {
        self.nulls.truncate(length);
        let last = |ends: &Vec<i32>| ends.last().map_or(0, |end| usize::try_from(*end).unwrap_or(0));
        match &mut self.values {
            Values::Left(left) | Values::Struct(left, _) => *left = length,
            Values::Boolean(values) => values.truncate(length),
            Values::Int32(values) => values.truncate(length),
            Values::Int64(values) => values.truncate(length),
            Values::Unsigned(values) => values.truncate(length),
            Values::Float32(values) => values.truncate(length),
            Values::Float64(values) => values.truncate(length),
            Values::Decimal(values) => values.truncate(length),
            Values::Bytes(ends, bytes) => {
                ends.truncate(length);
                bytes.truncate(last(ends));
            }
            Values::List(ends, _) => {
                ends.truncate(length);
                return last(ends);
            }
        }
        length
    }

    /// The array; `inner` are those of the items or members.
    pub(super) fn finish(self, mut inner: Vec<ArrayRef>) -> Result<ArrayRef, ArrowError> {
        let Self { data_type, values, mut nulls } = self;
        let nulls = nulls.finish();
        let offsets = |ends: Vec<i32>| OffsetBuffer::new(std::iter::once(0).chain(ends).collect::<Vec<i32>>().into());
        macro_rules! primitive {
            ($type:ty, $values:expr) => {
                Arc::new(
                    PrimitiveArray::<$type>::try_new(ScalarBuffer::from($values), nulls)?.with_data_type(data_type),
                )
            };
        }
        Ok(match (values, &data_type) {
            (Values::Left(_), _) => return Err(ArrowError::InvalidArgumentError("a partition column".to_owned())),
            (Values::Boolean(mut values), _) => Arc::new(BooleanArray::new(values.finish(), nulls)),
            (Values::Int32(values), DataType::Date32) => primitive!(Date32Type, values),
            (Values::Int32(values), _) => primitive!(Int32Type, values),
            (Values::Int64(values), DataType::Timestamp(TimeUnit::Millisecond, _)) => {
                primitive!(TimestampMillisecondType, values)
            }
            (Values::Int64(values), DataType::Timestamp(..)) => primitive!(TimestampMicrosecondType, values),
            (Values::Int64(values), DataType::Time64(_)) => primitive!(Time64MicrosecondType, values),
            (Values::Int64(values), _) => primitive!(Int64Type, values),
            (Values::Unsigned(values), _) => primitive!(UInt64Type, values),
            (Values::Float32(values), _) => primitive!(Float32Type, values),
            (Values::Float64(values), _) => primitive!(Float64Type, values),
            (Values::Decimal(values), _) => primitive!(Decimal128Type, values),
            (Values::Bytes(ends, bytes), DataType::Utf8) => {
                Arc::new(StringArray::try_new(offsets(ends), Buffer::from_vec(bytes), nulls)?)
            }
            (Values::Bytes(ends, bytes), _) => {
                Arc::new(BinaryArray::try_new(offsets(ends), Buffer::from_vec(bytes), nulls)?)
            }
            (Values::List(ends, _), DataType::List(item)) => {
                Arc::new(ListArray::try_new(Arc::clone(item), offsets(ends), inner.remove(0), nulls)?)
            }
            (Values::Struct(length, _), DataType::Struct(fields)) => {
                Arc::new(structure(fields.clone(), length, inner, nulls)?)
            }
            (_, other) => return Err(ArrowError::InvalidArgumentError(format!("no level of type {other}"))),
        })
    }
}

fn structure(
    fields: Fields,
    length: usize,
    members: Vec<ArrayRef>,
    nulls: Option<arrow::buffer::NullBuffer>,
) -> Result<StructArray, ArrowError> {
    StructArray::try_new_with_length(fields, members, nulls, length)
}
