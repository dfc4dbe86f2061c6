//! What is known of a window that ends → its object in the lake, and its keys in the state.
//!
//! The object's key and bytes follow from the records that are in it, so a repeat overwrites it with itself.

use bytes::Bytes;
use headgate::{
    Code, Error,
    clock::Timestamp,
    contract::{Contract, Sink, Value, json::Lines},
    dataset::Stream,
    event::kinesis::Window,
    landing::{Mark, object_name},
    partition::time_path,
};
use headgate_columnar::stream::{Rows, encode};

use crate::{
    groups::{Group, Known},
    scalar::{Key, Scalar},
};

/// The results of a window.
#[derive(Debug)]
pub struct Results {
    /// The object's key.
    pub key: String,
    /// Its content.
    pub body: Bytes,
    /// Each key's columns and its measures as JSON, in the order of the keys.
    pub lines: Vec<String>,
    /// Sums that are null because they have too many digits.
    pub sums_out_of_range: u64,
}

/// Which part of which window results are of.
#[derive(Debug, Clone, Copy)]
pub struct Part<'a> {
    /// The window.
    pub window: &'a Window<'a>,
    /// The first record of the part.
    pub first: &'a Mark,
}

/// Makes the results of a part of a window.
///
/// # Errors
/// Retry, [`Code::Internal`]: they cannot be written. Misconfigured: the window has no time that a path can say.
pub fn results(stream: &Stream, table: &Contract, known: &Known, part: Part<'_>) -> Result<Results, Error> {
    let Part { window, first } = part;
    let (mut rows, mut line) = (Rows::new(table), Lines::new(table));
    let (mut lines, mut sums_out_of_range) = (Vec::with_capacity(known.len()), 0);
    for (key, group) in known {
        sums_out_of_range += row(table, key, group, window, &mut rows);
        line.cut(0);
        row(table, key, group, window, &mut line);
        lines.push(String::from_utf8_lossy(line.bytes()).trim_end().to_owned());
    }
    let batch = rows.finish().map_err(|error| Error::retry(Code::Internal, error.to_string()))?;
    let start = window.start.0.to_string();
    let properties = [
        ("headgate.dataset", stream.name.as_str()),
        ("headgate.source", &window.stream),
        ("headgate.shard", &window.shard),
        ("headgate.first", first.as_str()),
        ("headgate.window", &start),
    ];
    let body = encode(&batch, None, stream.compression, &properties)?;
    let path = match stream.partition_by.time {
        None => String::new(),
        Some(time) => time_path(window.start.0, time)
            .ok_or_else(|| Error::poison(Code::InvalidEvent, "window.start is not in the years 1970 to 9999"))?,
    };
    let name = object_name(&window.stream, &window.shard, first, "parquet");
    Ok(Results { key: format!("{}{path}{name}", stream.prefix), body, lines, sums_out_of_range })
}

/// Writes a row, and says how many of its sums are out of range.
fn row(table: &Contract, key: &Key, group: &Group, window: &Window<'_>, sink: &mut impl Sink) -> u64 {
    let moment = |time: Timestamp| Some(Value::Integer(time.0));
    let mut nodes = table.columns().iter().map(|column| column.node.id);
    let mut tell = |value: Option<Value<'_>>| match (nodes.next(), value) {
        (Some(node), Some(value)) => sink.value(node, value),
        (Some(node), None) => sink.null(node),
        (None, _) => {}
    };
    tell(moment(window.start));
    tell(moment(window.end));
    tell(Some(Value::Text(&window.shard)));
    for value in key {
        tell(value.as_ref().map(Scalar::value));
    }
    let out_of_range = group.tallies.iter().filter(|tally| tally.told(&mut tell)).count();
    sink.keep(None);
    out_of_range as u64
}
