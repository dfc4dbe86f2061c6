//! The records of a lot → rows of a `stream` dataset.

use bytes::Bytes;
use headgate::{
    Code, Error,
    clock::Timestamp,
    contract::Contract,
    dataset::Stream,
    decode::{Refusal, registry::SchemaId},
    event::kafka::Record,
    landing::Shard,
    quarantine::Identity,
};
use headgate_columnar::stream::{self, Body, Source};

use crate::{
    Envelope, Finished, Intake, Item,
    content::{self, Content},
    debezium,
    schemas::Known,
};

/// A table that records are rows of.
#[derive(Debug)]
pub struct Rows {
    /// The dataset.
    pub stream: Stream,
    /// What its records must be.
    pub contract: Contract,
    /// The columns it has of the records' envelopes.
    pub envelope: Envelope,
}

impl Rows {
    /// The schemas of a record's value and of its key, which is looked at where the value may say nothing of the row.
    #[must_use]
    pub fn schemas(&self, record: &Record<'_>) -> [Option<SchemaId>; 2] {
        let format = self.stream.format;
        let is_asked = if record.value.is_none() { self.envelope.keeps_tombstones() } else { format.is_debezium() };
        let key = record.key.as_ref().filter(|_| is_asked);
        let of = |bytes: Option<&Bytes>, told| content::schema(format, bytes?, told);
        [of(record.value.as_ref(), record.value_schema.as_ref()), of(key, record.key_schema.as_ref())]
    }
}

/// Records on their way to be rows.
#[derive(Debug)]
pub(crate) struct Taking<'a> {
    rows: &'a Rows,
    intake: stream::Intake<'a>,
}

impl<'a> Taking<'a> {
    pub(crate) fn new(rows: &'a Rows) -> Self {
        Self { rows, intake: stream::Intake::new(&rows.stream, &rows.contract) }
    }

    pub(crate) fn take_item(&mut self, item: &Item<'_>, known: &Known) {
        let record = match &item.read {
            Ok(record) => record,
            Err(unread) => {
                let error = &unread.error;
                return item.as_body(|body| self.intake.unread(body, error.code, &error.message));
            }
        };
        let envelope = &self.rows.envelope;
        if let Some(members) = envelope.members(record) {
            self.intake.beside(&members);
        }
        match &record.value {
            Some(value) => item.as_body(|body| self.take_value(record, value, body, known)),
            None if envelope.keeps_tombstones() => {
                let format = self.rows.stream.format;
                let read = content::key(format, record.key.as_ref(), record.key_schema.as_ref(), known);
                item.as_body(|body| self.take_content(read.map(Content::Object), body));
            }
            None => self.intake.tombstone(),
        }
    }

    /// Takes a document of the record, which is the record's value here.
    pub(crate) fn take_document(&mut self, item: &Item<'_>) {
        if let Ok(record) = &item.read
            && let Some(members) = self.rows.envelope.members(record)
        {
            self.intake.beside(&members);
        }
        item.as_body(|body| self.intake.take_document(body));
    }

    /// Takes what cannot be read at all.
    pub(crate) fn refused(&mut self, body: &Body<'_>, code: Code, reason: &str) {
        self.intake.refused(body, code, reason);
    }

    /// Says what line the records are of that are taken from now on.
    pub(crate) fn within(&mut self, line: Option<Identity>) {
        self.intake.within(line);
    }

    pub(crate) fn intake(&self) -> &stream::Intake<'a> {
        &self.intake
    }

    pub(crate) fn into_intake(self) -> stream::Intake<'a> {
        self.intake
    }

    fn take_value(&mut self, record: &Record<'_>, value: &Bytes, body: &Body<'_>, known: &Known) {
        let stream = &self.rows.stream;
        let format = stream.format;
        let read = content::read(format, value, record.value_schema.as_ref(), known);
        let read = if format.is_debezium() {
            let key = || content::key(format, record.key.as_ref(), record.key_schema.as_ref(), known);
            read.and_then(|content| debezium::row(content, stream, key))
        } else {
            read
        };
        self.take_content(read, body);
    }

    fn take_content(&mut self, read: Result<Content, Refusal>, body: &Body<'_>) {
        match read {
            Ok(Content::Plain(_)) => self.intake.take(body),
            Ok(Content::Object(text)) => self.intake.take_object(body, &text),
            Ok(Content::Control) => self.intake.control(),
            Err(Refusal { code, reason }) => self.intake.refused(body, code, &reason),
        }
    }
}

impl<'a> Intake<'a> for Taking<'a> {
    fn take(&mut self, item: &'a Item<'a>, known: &Known) {
        self.take_item(item, known);
    }

    fn repeated(&mut self) {
        self.intake.repeated();
    }

    fn memory(&self) -> usize {
        self.intake.memory()
    }

    fn bytes(&self) -> usize {
        self.intake.bytes()
    }

    fn finish(self: Box<Self>, source: &Source<'_>, shard: Shard, _: Timestamp) -> Result<Finished, Error> {
        let (objects, tally) = self.intake.finish(source)?;
        Ok(Finished { shard, objects, tally })
    }
}
