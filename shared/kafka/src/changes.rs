//! Debezium's events, one a line → a file of changes of a `cdc` dataset, for `dms-merge`.
//!
//! No line goes in that a merge would stop at: a record that is none of a change is set aside by itself.
//!
//! **Why the order is enough.** Debezium keys its messages by the row's primary key, so all changes of a row are in one
//! partition, and the files of a partition are in the order of its offsets: their names have the time of the landing,
//! which never goes back within a partition ([`Shard::note`](headgate::landing::Shard::note)), and then the first
//! offset. Between partitions the time alone decides, which is right for rows, and not for a truncate, which has no
//! key, nor for a topic that gets more partitions, where a key may move. The time is the landing's and not the events': a
//! consumer that lags behind would else write names behind the lateness horizon of `dms-merge`.
//!
//! **Where a refused change belongs** ([`Place`](headgate::quarantine::Place)). A file of its own with the time of its
//! batch's file and its own offset comes after all that landed before the batch, and before all that lands later. Within
//! the batch it comes before the file that begins later, or after all of the file that begins earlier; so it is noted
//! whether that file has a later change of the same key, which makes this one moot.

mod intake;

use std::{
    collections::{HashMap, hash_map::Entry},
    io::{self, Write},
    sync::Arc,
};

use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use headgate::{
    Code, Error,
    dataset::{Dataset, Format},
    decode::{Refusal, registry::SchemaId},
    fate::Dropped,
    quarantine::Part,
};
use headgate_columnar::{read, stream::Why};
use serde_json::{Value, json};

pub use intake::Changes;

use crate::{
    Item,
    event::{Event, Told},
    schemas::Known,
};

/// Checks that the dataset's files are lines of events.
///
/// # Errors
/// Misconfigured: they are of another format.
pub fn accepts(dataset: Dataset) -> Result<Dataset, Error> {
    if dataset.source.format == Format::DebeziumJson {
        return Ok(dataset);
    }
    let message = format!("{}: $.source.format: must be `debezium_json` for change topics", dataset.name);
    Err(Error::misconfigured(Code::InvalidConfig, message))
}

/// An event, without line breaks.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) text: String,
    /// What Kafka Connect's schema of it is, where it was Avro.
    pub(crate) schema: Option<Arc<str>>,
}

impl Line {
    pub(crate) fn write(&self, out: &mut impl Write) -> io::Result<()> {
        match &self.schema {
            Some(schema) => writeln!(out, r#"{{"schema":{schema},"payload":{}}}"#, self.text),
            None => writeln!(out, "{}", self.text),
        }
    }

    /// What a merge would say against it.
    pub(crate) fn check(&self, dataset: &Dataset) -> Result<(), Why> {
        let mut line = Vec::with_capacity(self.text.len());
        self.write(&mut line).map_err(|error| Why::of_record(Code::Internal, error.to_string()))?;
        read::check(dataset, &line.into()).map_err(|refusal| {
            let reason = refusal.reason.strip_prefix("line 1: ").unwrap_or(&refusal.reason).to_owned();
            let path = refusal.column.map(|column| format!("$.{column}"));
            Why { path, ..Why::of_record(refusal.code, reason) }
        })
    }
}

/// The lines as a file that is written by this. Its first line says so, in a message, which is no change: no two attempts
/// write the same bytes.
pub(crate) fn file<'l>(written_by: &Value, lines: impl IntoIterator<Item = &'l Line>) -> Result<Bytes, Error> {
    let write = || -> io::Result<Vec<u8>> {
        let mut file = GzEncoder::new(Vec::new(), Compression::fast());
        writeln!(file, "{}", json!({"op": "m", "headgate": written_by}))?;
        lines.into_iter().try_for_each(|line| line.write(&mut file))?;
        file.finish()
    };
    write().map(Bytes::from).map_err(|error| Error::retry(Code::Internal, error.to_string()))
}

/// What is read of a record.
pub(crate) enum Read {
    Line {
        line: Line,
        /// When the connector handled it.
        at: Option<i64>,
        /// Whether it says that the table was emptied.
        truncates: bool,
    },
    Dropped(Dropped),
}

/// Records → lines.
#[derive(Debug, Default)]
pub(crate) struct Reader {
    schemas: HashMap<SchemaId, Option<Arc<str>>>,
}

impl Reader {
    /// Reads a record.
    ///
    /// # Errors
    /// Where it is no change.
    pub(crate) fn read(&mut self, item: &Item<'_>, known: &Known) -> Result<Read, Why> {
        let of_event = |unread: &crate::item::Unread<'_>| {
            let why = Why::of_record(unread.error.code, unread.error.message.clone());
            Why { part: Part::Event, ..why }
        };
        let record = item.read.as_ref().map_err(of_event)?;
        let refused = |Refusal { code, reason }| Why::of_record(code, reason.into_owned());
        Ok(match Event::of(record, known).map_err(refused)? {
            Event::Change(Told { text, schema, at, truncates }) => {
                let schema = schema.and_then(|id| self.schema(id, known));
                Read::Line { line: Line { text, schema }, at, truncates }
            }
            Event::Tombstone => Read::Dropped(Dropped::Tombstone),
            Event::Control => Read::Dropped(Dropped::Control),
        })
    }

    fn schema(&mut self, id: SchemaId, known: &Known) -> Option<Arc<str>> {
        match self.schemas.entry(id) {
            Entry::Occupied(known) => known.get().clone(),
            Entry::Vacant(unknown) => {
                let schema = known.get(id).ok().and_then(crate::avro::Schema::connect);
                unknown.insert(schema.map(Arc::from)).clone()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_lines_of_events_are_written() {
        for (format, accepted) in [("debezium_json", true), ("parquet", false)] {
            let text = json!({"name": "orders", "kind": "cdc", "primary_key": ["id"],
                "source": {"format": format, "prefix": "cdc/orders/"}, "target": {"snapshot": "curated/orders.parquet"}});
            let taken = accepts(Dataset::parse("orders.json", &text.to_string()).unwrap());
            let told = taken.map(|dataset| dataset.name).map_err(|error| error.message);
            let refused = "orders: $.source.format: must be `debezium_json` for change topics".to_owned();
            assert_eq!(told, if accepted { Ok("orders".to_owned()) } else { Err(refused) });
        }
    }
}
