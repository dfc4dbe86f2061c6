//! Parquet → records as JSON: numbers with all their digits, moments as ISO 8601 in UTC, structs as objects.

use arrow::{
    array::{Array, ArrayRef, AsArray, RecordBatch},
    datatypes::DataType,
};
use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder};

use super::records::{Told, give, write_name, write_text};
use crate::{
    changes::Refusal,
    object::unreadable,
    schema::{canonical, cast},
};

/// Rows that are decoded together.
const ROWS: usize = 8192;

/// Gives each record of the file to `take`.
///
/// # Errors
/// Where the file is no Parquet, is damaged, or has a column that no JSON can tell.
pub fn each(file: &Bytes, take: &mut dyn FnMut(u64, Told<'_>)) -> Result<(), Refusal> {
    let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
    let builder = ParquetRecordBatchReaderBuilder::try_new_with_options(file.clone(), options).map_err(unreadable)?;
    let reader = builder.with_batch_size(ROWS).build().map_err(unreadable)?;
    // Nothing is given of a file that breaks off: a later look at it would count its rows otherwise.
    let batches = reader.collect::<Result<Vec<_>, _>>().map_err(unreadable)?;
    let told = batches.iter().map(columns).collect::<Result<Vec<_>, _>>()?;
    let (mut row, mut record) = (0, Vec::new());
    for (batch, columns) in batches.iter().zip(told) {
        for at in 0..batch.num_rows() {
            record.clear();
            object(&columns, at, &mut record);
            give(row, &record, take);
            row += 1;
        }
    }
    Ok(())
}

/// A column that can be told.
struct Column {
    name: String,
    values: Values,
}

enum Values {
    /// Numbers and booleans: their text is JSON.
    Plain(ArrayRef),
    Text(ArrayRef),
    Bytes(ArrayRef),
    Struct(ArrayRef, Vec<Column>),
    List(ArrayRef, Box<Values>),
}

fn columns(batch: &RecordBatch) -> Result<Vec<Column>, Refusal> {
    let schema = batch.schema();
    let column = |(field, array): (&arrow::datatypes::FieldRef, &ArrayRef)| {
        let values = values(array).map_err(|refusal| Refusal { column: Some(field.name().as_str().into()), ..refusal });
        Ok(Column { name: field.name().clone(), values: values? })
    };
    schema.fields().iter().zip(batch.columns()).map(column).collect()
}

fn values(array: &ArrayRef) -> Result<Values, Refusal> {
    match array.data_type() {
        DataType::Struct(fields) => {
            let members = fields.iter().zip(array.as_struct().columns());
            let members =
                members.map(|(field, member)| Ok(Column { name: field.name().clone(), values: values(member)? }));
            Ok(Values::Struct(array.clone(), members.collect::<Result<_, Refusal>>()?))
        }
        DataType::List(_) => Ok(Values::List(array.clone(), Box::new(values(array.as_list::<i32>().values())?))),
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
