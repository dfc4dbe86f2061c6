//! Parquet → records as JSON: numbers with all their digits, moments as ISO 8601 in UTC, structs as objects.

use arrow::{
    array::{Array, ArrayRef, AsArray, RecordBatch},
    datatypes::{DataType, FieldRef},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use headgate::{Code, Error};
use parquet::{
    arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder},
    file::metadata::ParquetMetaData,
};

use super::records::{Reading, Stop, Take, give, write_name, write_text};
use crate::{
    changes::Refusal,
    object::unreadable,
    schema::{canonical, cast},
};

/// Rows that are decoded together: few, for a value may be large and come often.
const ROWS: usize = 1024;
/// The share of the memory that a row group may take when it is unpacked, for as much of it may be needed at once.
const SHARE: u64 = 4;

/// Gives each record of the file to `take`. Where the file is damaged, what comes before that is given.
///
/// # Errors
/// Where the file is no Parquet, is damaged, or has a column that is asked for and that no JSON can tell; what `take`
/// says. Misconfigured: a row group does not fit the memory.
pub fn each(file: &Bytes, reading: Reading<'_>, take: &mut Take<'_>) -> Result<(), Stop> {
    let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
    let builder = ParquetRecordBatchReaderBuilder::try_new_with_options(file.clone(), options).map_err(unreadable)?;
    fits(builder.metadata(), reading.memory / SHARE)?;
    let reader = builder.with_batch_size(ROWS).build().map_err(unreadable)?;
    let (mut row, mut record) = (0, Vec::new());
    for batch in reader {
        let batch = batch.map_err(unreadable)?;
        let columns = columns(&batch, reading.paths)?;
        for at in 0..batch.num_rows() {
            record.clear();
            object(&columns, at, &mut record);
            give(row, &record, take)?;
            row += 1;
        }
    }
    Ok(())
}

fn fits(footer: &ParquetMetaData, most: u64) -> Result<(), Error> {
    let sizes = footer.row_groups().iter().map(|group| u64::try_from(group.total_byte_size()).unwrap_or(u64::MAX));
    match sizes.max().filter(|size| *size > most) {
        None => Ok(()),
        Some(size) => {
            let message = format!(
                "a row group has {size} bytes when it is unpacked, and {most} fit the memory; give more memory, or let \
                 the flow write smaller files (aggregationConfig.targetFileSize)"
            );
            Err(Error::misconfigured(Code::TooLarge, message))
        }
    }
}

/// A column that can be told.
struct Column {
    name: String,
    values: Values,
}

enum Values {
    /// Of a type that no JSON can tell: null, so that it is a field that no column takes.
    Untold,
    /// Numbers and booleans: their text is JSON.
    Plain(ArrayRef),
    Text(ArrayRef),
    Bytes(ArrayRef),
    Struct(ArrayRef, Vec<Column>),
    List(ArrayRef, Box<Values>),
}

fn columns(batch: &RecordBatch, paths: &[Vec<String>]) -> Result<Vec<Column>, Refusal> {
    let schema = batch.schema();
    let column = |(field, array): (&FieldRef, &ArrayRef)| {
        let values = values(array, &mut vec![field.name()], paths)
            .map_err(|refusal| Refusal { column: Some(field.name().as_str().into()), ..refusal });
        Ok(Column { name: field.name().clone(), values: values? })
    };
    schema.fields().iter().zip(batch.columns()).map(column).collect()
}

/// The values at a place in the records, which is needed where a path of `paths` leads to it, through it, or around it.
fn values<'a>(array: &'a ArrayRef, place: &mut Vec<&'a String>, paths: &[Vec<String>]) -> Result<Values, Refusal> {
    match array.data_type() {
        DataType::Struct(fields) => {
            let mut member = |(field, member): (&'a FieldRef, &'a ArrayRef)| {
                place.push(field.name());
                let values = values(member, place, paths);
                place.pop();
                Ok(Column { name: field.name().clone(), values: values? })
            };
            let members = fields.iter().zip(array.as_struct().columns()).map(&mut member);
            let members = members.collect::<Result<_, Refusal>>()?;
            Ok(Values::Struct(array.clone(), members))
        }
        DataType::List(_) => {
            Ok(Values::List(array.clone(), Box::new(values(array.as_list::<i32>().values(), place, paths)?)))
        }
        other if canonical(other).is_none() => {
            let is_near = |path: &Vec<String>| path.iter().zip(place.iter()).all(|(one, other)| one == *other);
            if paths.iter().any(is_near) {
                return Err(unreadable(format!("a column of type {other}")));
            }
            Ok(Values::Untold)
        }
        other => {
            let known = canonical(other).ok_or_else(|| unreadable(format!("a column of type {other}")))?;
            let array = cast(array, &known).map_err(unreadable)?;
            if known == DataType::Binary {
                return Ok(Values::Bytes(array));
            }
            let is_plain = known == DataType::Boolean
                || known.is_integer()
                || matches!(
                    known,
                    DataType::Float32 | DataType::Float64 | DataType::Decimal128(..) | DataType::Decimal256(..)
                );
            let text = cast(&array, &DataType::Utf8).map_err(unreadable)?;
            Ok(if is_plain { Values::Plain(text) } else { Values::Text(text) })
        }
    }
}

fn object(columns: &[Column], at: usize, out: &mut Vec<u8>) {
    for (index, column) in columns.iter().enumerate() {
        write_name(index == 0, &column.name, out);
        value(&column.values, at, out);
    }
    out.extend_from_slice(if columns.is_empty() { b"{}" } else { b"}" });
}

fn value(values: &Values, at: usize, out: &mut Vec<u8>) {
    let array = match values {
        Values::Untold => return out.extend_from_slice(b"null"),
        Values::Plain(array)
        | Values::Text(array)
        | Values::Bytes(array)
        | Values::Struct(array, _)
        | Values::List(array, _) => array,
    };
    if array.is_null(at) {
        return out.extend_from_slice(b"null");
    }
    match values {
        Values::Untold => {}
        Values::Plain(array) => match array.as_string::<i32>().value(at) {
            // No JSON has such a number: the contract refuses the text where it wants one.
            text @ ("NaN" | "inf" | "-inf") => write_text(text, out),
            text => out.extend_from_slice(text.as_bytes()),
        },
        Values::Text(array) => write_text(array.as_string::<i32>().value(at), out),
        Values::Bytes(array) => write_text(&BASE64_STANDARD.encode(array.as_binary::<i32>().value(at)), out),
        Values::Struct(_, members) => object(members, at, out),
        Values::List(array, items) => {
            let ends = array.as_list::<i32>().value_offsets();
            let (from, to) = (ends[at].unsigned_abs() as usize, ends[at + 1].unsigned_abs() as usize);
            out.push(b'[');
            for item in from..to {
                if item > from {
                    out.push(b',');
                }
                value(items, item, out);
            }
            out.push(b']');
        }
    }
}
