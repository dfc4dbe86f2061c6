//! The bodies of a batch's records → rows of partitions, refused records, and fates.
//!
//! Every body ends as at least one fate. One bad document costs itself and nothing beside it.

use bytes::Bytes;
use headgate::{
    Code,
    clock::Timestamp,
    contract::{Contract, Reader},
    dataset::stream::{PartitionBy, RecordFormat, Stream},
    decode::{
        Refusal, RefusedPart, compression, json,
        logs::{self, Message},
    },
    fate::{Dropped, Fate, Fates},
    landing::Mark,
    partition::{NoPartition, Partitions},
    position::Position,
    quarantine::{Kafka, Part, Place},
};
use serde_json::json;

use super::{Aside, Gather, Rows, Why};

mod objects;
mod seen;

pub use objects::Source;

/// The most partitions of one batch: each is an object to be written, and their keys must fit the shard's item, however
/// long they are.
pub const PARTITIONS: usize = 300;
/// The most bytes a record may unpack to.
pub const UNPACKED: usize = 32 << 20;

/// The most documents of a record that are read one by one.
const DOCUMENTS: u64 = 100_000;
/// The most documents of a record that are set aside one by one: each takes far more room than a line of rubbish.
const REFUSED: u64 = 1_000;

/// A record's body and where it came from.
#[derive(Clone)]
pub struct Body<'a> {
    /// Where it came from; asked only where something is refused.
    pub position: &'a dyn Fn() -> Position,
    /// Its place in the shard.
    pub mark: &'a Mark,
    /// When the source took it in.
    pub arrived: Timestamp,
    /// Its bytes.
    pub data: Bytes,
    /// What it has beside them, where it is of a topic; asked only where something is refused.
    pub kafka: Option<&'a dyn Fn() -> Kafka>,
    /// Where it belongs, where it is a change that is refused.
    pub place: Option<Place>,
}

impl<'a> Body<'a> {
    /// A body without more to it.
    #[must_use]
    pub fn new(position: &'a dyn Fn() -> Position, mark: &'a Mark, arrived: Timestamp, data: Bytes) -> Self {
        Self { position, mark, arrived, data, kafka: None, place: None }
    }
}

/// What came in, becoming rows.
#[derive(Debug)]
pub struct Intake<'c, R = Rows> {
    stream: &'c Stream,
    reader: Reader<'c>,
    rows: R,
    /// The partition of each row.
    homes: Vec<u32>,
    partitions: Partitions,
    /// The place of the first row of each partition.
    firsts: Vec<Mark>,
    aside: Aside,
    /// Whether what is refused is set aside, and not only counted.
    keeps_refused: bool,
    fates: Fates,
    newest: Option<i64>,
    unknown_fields: u64,
    bytes: usize,
}

/// What became of a batch's records.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tally {
    /// How many ended how.
    pub fates: Fates,
    /// The newest time that a row says it happened at, in milliseconds since 1970.
    pub newest: Option<i64>,
    /// Fields that no column took.
    pub unknown_fields: u64,
}

impl<'c> Intake<'c> {
    /// Nothing came in yet.
    #[must_use]
    pub fn new(stream: &'c Stream, contract: &'c Contract) -> Self {
        Self::of(stream, contract, Rows::new(contract), stream.partition_by.clone())
    }
}

impl<'c, R: Gather> Intake<'c, R> {
    /// Nothing came in yet. The rows go to `rows`, which are not to be written as files.
    #[must_use]
    pub fn gather(stream: &'c Stream, contract: &'c Contract, rows: R) -> Self {
        Self::of(stream, contract, rows, PartitionBy { time: None, columns: Vec::new() })
    }

    fn of(stream: &'c Stream, contract: &'c Contract, rows: R, by: PartitionBy) -> Self {
        Self {
            stream,
            reader: Reader::new(contract),
            rows,
            homes: Vec::new(),
            partitions: Partitions::new(by, PARTITIONS),
            firsts: Vec::new(),
            aside: Aside::default(),
            keeps_refused: true,
            fates: Fates::default(),
            newest: None,
            unknown_fields: 0,
            bytes: 0,
        }
    }

    /// How many bytes came in, unpacked.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// About how many bytes of memory are taken: small texts may become many rows, or many refused records.
    #[must_use]
    pub fn memory(&self) -> usize {
        self.bytes + self.rows.bytes() + self.aside.bytes()
    }

    /// About how many bytes of memory are taken beside those of the records themselves.
    #[must_use]
    pub fn gathered_memory(&self) -> usize {
        self.rows.bytes() + self.aside.bytes()
    }

    /// Says whether what is refused from now on is set aside, or was before and is only counted.
    pub fn keep_refused(&mut self, keep: bool) {
        self.keeps_refused = keep;
    }

    /// Takes a record that has nothing in it.
    pub fn empty(&mut self) {
        self.fates.add(Fate::Dropped { reason: Dropped::Empty }, 1);
    }

    /// Takes a record that was delivered before.
    pub fn repeated(&mut self) {
        self.fates.add(Fate::Dropped { reason: Dropped::Repeated }, 1);
    }

    /// Takes a record that says its key is gone, where nobody asks for it.
    pub fn tombstone(&mut self) {
        self.fates.add(Fate::Dropped { reason: Dropped::Tombstone }, 1);
    }

    /// Takes a record that is a message of the transport.
    pub fn control(&mut self) {
        self.fates.add(Fate::Dropped { reason: Dropped::Control }, 1);
    }

    /// Says what came beside the records that are taken from now on, as [`Reader::beside`] has it.
    pub fn beside(&mut self, members: &str) {
        self.reader.beside(members);
    }

    /// Takes a record whose body says one JSON object, `text`. Where that is refused, the body itself is set aside.
    pub fn take_object(&mut self, body: &Body<'_>, text: &str) {
        self.bytes += text.len();
        match self.reader.read(text, 0, &mut self.rows) {
            Ok(row) if text.as_bytes()[row.end..].iter().all(u8::is_ascii_whitespace) => {
                self.settle(body, (0, Part::Record), || body.data.clone(), row.dropped);
            }
            Ok(row) => {
                if row.dropped.is_none() {
                    self.rows.take_back();
                }
                self.refused(body, Code::InvalidJson, "something follows the object");
            }
            // The body is more than the document that was read of it.
            Err(refused) => self.set_aside(body, 0, &body.data, Why { part: Part::Record, ..refused.into() }),
        }
    }

    /// Takes a record that cannot be read at all.
    pub fn refused(&mut self, body: &Body<'_>, code: Code, reason: &str) {
        self.set_aside(body, 0, &body.data, Why::of_record(code, reason.to_owned()));
    }

    /// Takes a record of which not even the event's JSON can be read; its bytes are that JSON.
    pub fn unread(&mut self, body: &Body<'_>, code: Code, reason: &str) {
        let why = Why { part: Part::Event, ..Why::of_record(code, reason.to_owned()) };
        self.set_aside(body, 0, &body.data, why);
    }

    /// Takes a record's body.
    pub fn take(&mut self, body: &Body<'_>) {
        let unpacked = match compression::unpack(&body.data, UNPACKED) {
            Ok(unpacked) => unpacked,
            Err(Refusal { code, reason }) => return self.refused(body, code, &reason),
        };
        self.bytes += unpacked.len();
        match self.stream.format {
            RecordFormat::CloudWatchLogs => self.log_events(body, &unpacked),
            // Of other formats the caller has made objects.
            _ => self.documents(body, &unpacked),
        }
    }

    /// Reads one document after the other, as long as they are plain objects that keep the contract. What is anything
    /// else is told apart with care, and from there on all of it.
    fn documents(&mut self, body: &Body<'_>, data: &Bytes) {
        let (mut at, mut index) = (0, 0);
        if let Ok(text) = simdutf8::basic::from_utf8(data) {
            while let Some(start) = next_object(text.as_bytes(), at).filter(|_| index < DOCUMENTS) {
                let Ok(row) = self.reader.read(text, start, &mut self.rows) else { break };
                self.settle(body, (index, Part::Document), || data.slice(start..row.end), row.dropped);
                at = row.end;
                index += 1;
            }
            if index > 0 && text.as_bytes()[at..].iter().all(u8::is_ascii_whitespace) {
                return;
            }
        }
        self.carefully(body, index, &data.slice(at..));
    }

    /// Where nothing can be read, the record is refused as one; where far too much cannot, all of the rest is.
    fn carefully(&mut self, body: &Body<'_>, base: u64, rest: &Bytes) {
        let refused = self.fates.quarantined();
        let mut held = Vec::new();
        let mut read = base > 0;
        let mut documents = json::documents(rest);
        let mut numbers = base..;
        while let (Some(part), Some(number)) = (documents.next(), numbers.next()) {
            if number >= DOCUMENTS || self.fates.quarantined() - refused + held.len() as u64 >= REFUSED {
                let (number, rest) = if read { (number, documents.rest()) } else { (base, rest.clone()) };
                let reason =
                    "a record with too many documents, or too many bad ones: all of it, or the rest".to_owned();
                let why = Why::of_record(Code::TooLarge, reason);
                return self.set_aside(body, number, &rest, why);
            }
            match part {
                Ok(document) => {
                    self.flush(body, std::mem::take(&mut held));
                    self.document(body, number, &document.raw);
                    read = true;
                }
                Err(part) if read => self.flush(body, vec![(number, part)]),
                Err(part) => held.push((number, part)),
            }
        }
        match held.len() {
            0 if !read => self.empty(),
            0 | 1 => self.flush(body, held),
            _ => {
                let Refusal { code, reason } = held.swap_remove(0).1.refusal;
                self.set_aside(body, base, rest, Why::of_record(code, reason.into_owned()));
            }
        }
    }

    fn flush(&mut self, body: &Body<'_>, parts: Vec<(u64, RefusedPart)>) {
        for (number, RefusedPart { raw, refusal: Refusal { code, reason }, .. }) in parts {
            self.set_aside(body, number, &raw, Why::of_record(code, reason.into_owned()));
        }
    }

    fn document(&mut self, body: &Body<'_>, index: u64, raw: &Bytes) {
        // The caller has checked that it is UTF-8.
        let text = std::str::from_utf8(raw).unwrap_or_default();
        match self.reader.read(text, 0, &mut self.rows) {
            Ok(row) => self.settle(body, (index, Part::Document), || raw.clone(), row.dropped),
            Err(refused) => self.set_aside(body, index, raw, refused.into()),
        }
    }

    /// Finds the partition of the row that was just read, of the document of this number or of all the record.
    fn settle(
        &mut self,
        body: &Body<'_>,
        (index, part): (u64, Part),
        raw: impl FnOnce() -> Bytes,
        dropped: Option<Dropped>,
    ) {
        if let Some(reason) = dropped {
            return self.fates.add(Fate::Dropped { reason }, 1);
        }
        if let Some(objection) = self.rows.objection() {
            self.rows.take_back();
            let why = Why { part: Part::Document, ..Why::of_record(Code::TooLarge, objection.to_owned()) };
            return self.set_aside(body, index, &raw(), why);
        }
        let time = self.reader.event_time();
        match self.partitions.of(time.unwrap_or(body.arrived.0), self.reader.partition()) {
            Ok(home) => {
                if home == self.firsts.len() {
                    self.firsts.push(body.mark.clone());
                }
                // There are at most a thousand.
                self.homes.push(u32::try_from(home).unwrap_or(u32::MAX));
                self.newest = self.newest.max(time);
                self.unknown_fields += self.reader.unknown_fields();
                self.fates.add(Fate::Stored, 1);
            }
            Err(refused) => {
                self.rows.take_back();
                let code = match refused {
                    NoPartition::TooMany(_) => Code::TooManyPartitions,
                    NoPartition::Time | NoPartition::Value => Code::InvalidValue,
                };
                let why = Why { part, ..Why::of_record(code, refused.to_string()) };
                self.set_aside(body, index, &raw(), why);
            }
        }
    }

    /// A subscription's log events, each a document of its own.
    fn log_events(&mut self, body: &Body<'_>, data: &Bytes) {
        let batch = match logs::parse(data) {
            Ok(Message::Data(batch)) => batch,
            Ok(Message::Control) => return self.fates.add(Fate::Dropped { reason: Dropped::Control }, 1),
            Err(Refusal { code, reason }) => return self.refused(body, code, &reason),
        };
        if batch.events.is_empty() {
            self.empty();
        }
        for (index, event) in (0..).zip(&batch.events) {
            let document = json!({
                "id": event.id, "timestamp": event.timestamp, "message": event.message, "owner": batch.owner,
                "log_group": batch.log_group, "log_stream": batch.log_stream,
                "subscription_filters": batch.subscription_filters, "extracted_fields": event.extracted_fields,
            });
            self.document(body, index, &Bytes::from(document.to_string()));
        }
    }

    fn set_aside(&mut self, body: &Body<'_>, document: u64, raw: &[u8], why: Why) {
        self.fates.add(Fate::Quarantined { reason: why.code }, 1);
        if self.keeps_refused {
            self.aside.put(&self.stream.name, body, document, raw, why);
        }
    }
}

/// Where the next object begins, if nothing but white space comes before it.
fn next_object(bytes: &[u8], from: usize) -> Option<usize> {
    let space = bytes[from..].iter().position(|byte| !byte.is_ascii_whitespace())?;
    (bytes[from + space] == b'{').then_some(from + space)
}
