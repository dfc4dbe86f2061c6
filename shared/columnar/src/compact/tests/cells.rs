//! A value of a column → what it is, whatever type its file gives it.

use std::collections::BTreeMap;

use arrow::{
    array::{Array, AsArray},
    datatypes::{
        DataType, Date32Type, Decimal128Type, Float32Type, Float64Type, Int32Type, Int64Type, Time64MicrosecondType,
        TimeUnit, TimestampMicrosecondType, TimestampMillisecondType, UInt32Type, UInt64Type,
    },
};

/// The digits after the point that every exact number is told with: as many as the decimals here have at most.
const SCALE: u32 = 4;
/// Below this every whole number is a float.
const WHOLE: f64 = 9_007_199_254_740_992.0;

/// A value; they sort as files are sorted, with null first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Cell {
    Null,
    Truth(bool),
    /// The float, by its bits in the order of floats, and the number itself where it is exact. So -0.0 is not 0.
    Number(i64, Option<i128>),
    /// Microseconds.
    Moment(i64),
    Bytes(Vec<u8>),
    List(Vec<Self>),
    Struct(BTreeMap<String, Self>),
}

/// One row of an array.
pub(super) fn cell(array: &dyn Array, row: usize) -> Cell {
    if array.is_null(row) {
        return Cell::Null;
    }
    match array.data_type() {
        DataType::Boolean => Cell::Truth(array.as_boolean().value(row)),
        DataType::Int32 => exact(array.as_primitive::<Int32Type>().value(row).into(), 0),
        DataType::Int64 => exact(array.as_primitive::<Int64Type>().value(row).into(), 0),
        DataType::UInt32 => exact(array.as_primitive::<UInt32Type>().value(row).into(), 0),
        DataType::UInt64 => exact(array.as_primitive::<UInt64Type>().value(row).into(), 0),
        DataType::Decimal128(_, scale) => {
            exact(array.as_primitive::<Decimal128Type>().value(row), u32::try_from(*scale).unwrap())
        }
        DataType::Float32 => float(array.as_primitive::<Float32Type>().value(row).into()),
        DataType::Float64 => float(array.as_primitive::<Float64Type>().value(row)),
        DataType::Date32 => Cell::Moment(i64::from(array.as_primitive::<Date32Type>().value(row)) * 86_400_000_000),
        DataType::Time64(TimeUnit::Microsecond) => {
            Cell::Moment(array.as_primitive::<Time64MicrosecondType>().value(row))
        }
        DataType::Timestamp(TimeUnit::Millisecond, _) => {
            Cell::Moment(array.as_primitive::<TimestampMillisecondType>().value(row) * 1_000)
        }
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            Cell::Moment(array.as_primitive::<TimestampMicrosecondType>().value(row))
        }
        DataType::Utf8 => Cell::Bytes(array.as_string::<i32>().value(row).into()),
        DataType::Binary => Cell::Bytes(array.as_binary::<i32>().value(row).into()),
        DataType::List(_) => {
            let items = array.as_list::<i32>().value(row);
            Cell::List((0..items.len()).map(|item| cell(&items, item)).collect())
        }
        DataType::Struct(fields) => {
            let members = fields.iter().zip(array.as_struct().columns());
            Cell::Struct(present(members.map(|(field, member)| (field.name().clone(), cell(member, row)))))
        }
        other => panic!("no file here has {other}"),
    }
}

/// What is not there is null, and the other way around.
pub(super) fn present(cells: impl Iterator<Item = (String, Cell)>) -> BTreeMap<String, Cell> {
    cells.filter(|(_, cell)| *cell != Cell::Null).collect()
}

fn exact(number: i128, scale: u32) -> Cell {
    let number = number * 10_i128.pow(SCALE - scale);
    Cell::Number(ordered(number as f64 / 1e4), Some(number))
}

fn float(number: f64) -> Cell {
    let is_whole = number.fract() == 0.0 && number.abs() < WHOLE && number.to_bits() != (-0.0_f64).to_bits();
    // All that is no number is the same.
    let number = if number.is_nan() { f64::NAN } else { number };
    if is_whole { exact(number as i128, 0) } else { Cell::Number(ordered(number), None) }
}

/// As `total_cmp` has it.
fn ordered(number: f64) -> i64 {
    let bits = number.to_bits().cast_signed();
    bits ^ ((bits >> 63).cast_unsigned() >> 1).cast_signed()
}
