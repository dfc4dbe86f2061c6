//! The records of a lot → one file of changes of a `cdc` dataset: Debezium's events, one a line, for `dms-merge`.
//!
//! No line goes in that a merge would stop at: a record that is none of a change is set aside by itself.
//!
//! **Why the order is enough.** Debezium keys its messages by the row's primary key, so all changes of a row are in one
//! partition, and the files of a partition are in the order of its offsets: their names have the time of the landing,
//! which never goes back within a partition ([`Shard::note`]), and then the first offset. Between partitions the time
//! alone decides, which is right for rows, and not for a truncate, which has no key, nor for a topic that gets more
//! partitions, where a key may move. The time is the landing's and not the events': a
//! consumer that lags behind would else write names behind the lateness horizon of `dms-merge`.

use std::{
    collections::{HashMap, hash_map::Entry},
    io::{self, Write},
    sync::Arc,
};

use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use headgate::{
    Code, Error,
    clock::Timestamp,
    dataset::{Dataset, Format},
    decode::{Refusal, registry::SchemaId},
    fate::{Dropped, Fate, Fates},
    landing::{Object, Shard, object_name},
    quarantine::Part,
};
use headgate_columnar::{
    merge::of_partition,
    read,
    stream::{Aside, Source, Tally, Why},
};
use serde_json::json;

use crate::{
    event::{Event, Told},
    lot::{Finished, Intake, Item},
    schemas::Known,
};

/// A schema is written with each line and kept once.
const SCHEMA_SHARE: usize = 8;
const HOUR: i64 = 3_600_000;

/// Checks that the dataset's files are lines of events.
///
/// # Errors
/// Misconfigured: they are of another format.
pub(crate) fn accepts(dataset: Dataset) -> Result<Dataset, Error> {
    if dataset.source.format == Format::DebeziumJson {
        return Ok(dataset);
    }
    let message = format!("{}: $.source.format: must be `debezium_json` for this function", dataset.name);
    Err(Error::misconfigured(Code::InvalidConfig, message))
}

/// Records on their way to be lines.
#[derive(Debug)]
pub(crate) struct Changes<'a> {
    dataset: &'a Dataset,
    known: &'a Known,
    schemas: HashMap<SchemaId, Option<Arc<str>>>,
    lines: Vec<Line<'a>>,
    aside: Aside,
    taken: u64,
    fates: Fates,
    newest: Option<i64>,
    bytes: usize,
    memory: usize,
}

/// An event, without line breaks.
#[derive(Debug)]
struct Line<'a> {
    item: &'a Item<'a>,
    text: String,
    /// What Kafka Connect's schema of it is, where it was Avro.
    schema: Option<Arc<str>>,
}

impl Line<'_> {
    fn write(&self, out: &mut impl Write) -> io::Result<()> {
        match &self.schema {
            Some(schema) => writeln!(out, r#"{{"schema":{schema},"payload":{}}}"#, self.text),
            None => writeln!(out, "{}", self.text),
        }
    }

    /// What a merge would say against it.
    fn check(&self, dataset: &Dataset) -> Result<(), Why> {
        let mut line = Vec::with_capacity(self.text.len());
        self.write(&mut line).map_err(|error| Why::of_record(Code::Internal, error.to_string()))?;
        read::check(dataset, &line.into()).map_err(|refusal| {
            let reason = refusal.reason.strip_prefix("line 1: ").unwrap_or(&refusal.reason).to_owned();
            let path = refusal.column.map(|column| format!("$.{column}"));
            Why { path, ..Why::of_record(refusal.code, reason) }
        })
    }
}

impl<'a> Changes<'a> {
    pub(crate) fn new(dataset: &'a Dataset, known: &'a Known) -> Self {
        Self {
            dataset,
            known,
            schemas: HashMap::new(),
            lines: Vec::new(),
            aside: Aside::default(),
            taken: 0,
            fates: Fates::default(),
            newest: None,
            bytes: 0,
            memory: 0,
        }
    }

    fn drop(&mut self, reason: Dropped) {
        self.fates.add(Fate::Dropped { reason }, 1);
    }

    fn set_aside(&mut self, item: &Item<'_>, why: Why) {
        self.fates.add(Fate::Quarantined { reason: why.code }, 1);
        item.as_body(|body| self.aside.put(&self.dataset.name, body, 0, &body.data, why));
    }

    fn schema(&mut self, id: SchemaId) -> Option<Arc<str>> {
        match self.schemas.entry(id) {
            Entry::Occupied(known) => known.get().clone(),
            Entry::Vacant(unknown) => {
                let schema = self.known.get(id).ok().and_then(crate::avro::Schema::connect);
                unknown.insert(schema.map(Arc::from)).clone()
            }
        }
    }

    /// The lines as a file of this attempt. Its first line is a message, which is no change: no two attempts write the
    /// same bytes.
    fn file(&self, source: &Source<'_>) -> Result<Bytes, Error> {
        let write = || -> io::Result<Vec<u8>> {
            let mut file = GzEncoder::new(Vec::new(), Compression::fast());
            let written_by = json!({
                "dataset": self.dataset.name, "source": source.stream, "shard": source.shard,
                "attempt": source.attempt.as_str(),
            });
            writeln!(file, "{}", json!({"op": "m", "headgate": written_by}))?;
            self.lines.iter().try_for_each(|line| line.write(&mut file))?;
            file.finish()
        };
        write().map(Bytes::from).map_err(|error| Error::retry(Code::Internal, error.to_string()))
    }

    /// The file, without the lines that a merge would stop at. Where only some lines together make it stop, as when a
    /// column turns from one type into another that has nothing in common with it, they are for a person to part.
    fn sound_file(&mut self, source: &Source<'_>) -> Result<Bytes, Error> {
        let file = self.file(source)?;
        if read::check(self.dataset, &file).is_ok() {
            return Ok(file);
        }
        let lines = std::mem::take(&mut self.lines);
        let all = lines.len();
        for line in lines {
            match line.check(self.dataset) {
                Ok(()) => self.lines.push(line),
                Err(why) => self.set_aside(line.item, why),
            }
        }
        if self.lines.len() == all { Ok(file) } else { self.file(source) }
    }

    /// The object's key and the time in it: that of an unfinished attempt, whose object may be merged already, unless it
    /// is so old that the horizon may soon pass it, where a merge no longer sees that an object changes. A new key is
    /// as good: what is merged of the old one is merged once more after it.
    fn key(&self, source: &Source<'_>, shard: &Shard, first: &Item<'_>, now: Timestamp) -> (String, Timestamp) {
        let name = object_name(source.stream, source.shard, &first.mark, "jsonl.gz");
        let key = |at| format!("{}{}", self.dataset.source.prefix, of_partition(at, &name));
        let last = shard.note().and_then(|note| note.parse().ok()).map(Timestamp);
        let recent = i64::from(self.dataset.source.lateness_hours) * HOUR / 2;
        match last {
            Some(last) if now.0 - last.0 < recent && shard.is_unfinished(&key(last)) => (key(last), last),
            last => {
                let at = last.map_or(now, |last| last.max(now));
                (key(at), at)
            }
        }
    }
}

impl<'a> Intake<'a> for Changes<'a> {
    fn take(&mut self, item: &'a Item<'a>) {
        self.taken += 1;
        let record = match &item.read {
            Ok(record) => record,
            Err((_, _, error)) => {
                let why = Why { part: Part::Event, ..Why::of_record(error.code, error.message.clone()) };
                return self.set_aside(item, why);
            }
        };
        match Event::of(record, self.known) {
            Ok(Event::Change(Told { text, schema, at })) => {
                let schema = schema.and_then(|id| self.schema(id));
                let beside = schema.as_ref().map_or(0, |schema| schema.len() / SCHEMA_SHARE);
                self.bytes += text.len();
                self.memory += text.len() + beside + size_of::<Line<'_>>();
                self.newest = self.newest.max(at);
                self.lines.push(Line { item, text, schema });
            }
            Ok(Event::Tombstone) => self.drop(Dropped::Tombstone),
            Ok(Event::Control) => self.drop(Dropped::Control),
            Err(Refusal { code, reason }) => self.set_aside(item, Why::of_record(code, reason.into_owned())),
        }
    }

    fn repeated(&mut self) {
        self.taken += 1;
        self.drop(Dropped::Repeated);
    }

    fn memory(&self) -> usize {
        self.memory + self.aside.bytes()
    }

    fn bytes(&self) -> usize {
        self.bytes
    }

    fn finish(mut self: Box<Self>, source: &Source<'_>, shard: Shard, now: Timestamp) -> Result<Finished, Error> {
        let file = if self.lines.is_empty() { Bytes::new() } else { self.sound_file(source)? };
        let mut objects = Vec::new();
        let mut noted = shard;
        if let Some(first) = self.lines.first() {
            let (key, at) = self.key(source, &noted, first.item, now);
            objects.push(Object { key, first: first.item.mark.clone(), body: file });
            noted = noted.noting(at.0.to_string());
        }
        self.fates.add(Fate::Stored, self.lines.len() as u64);
        self.fates.account_for(self.taken)?;
        objects.extend(self.aside.finish(&self.dataset.name, source));
        let tally = Tally { fates: self.fates, newest: self.newest, unknown_fields: 0 };
        Ok(Finished { shard: noted, objects, tally })
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
            let refused = "orders: $.source.format: must be `debezium_json` for this function".to_owned();
            assert_eq!(told, if accepted { Ok("orders".to_owned()) } else { Err(refused) });
        }
    }
}
