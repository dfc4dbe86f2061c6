//! A record's bytes → its documents as lines of JSON, and the one partition they belong to; or why not.
//!
//! Firehose fails a record whole or not at all, and puts a failed one as it came into the error prefix. So one bad
//! document refuses its record: the good ones beside it can be sent again from there, while an answer with the good
//! ones alone would lose the bad one without a trace. No IO.

use std::{borrow::Cow, collections::BTreeMap, ops::Range};

use bytes::Bytes;
use headgate::{
    Code,
    clock::Timestamp,
    contract::{self, Contract, Reader, json::Lines},
    dataset::stream::{RecordFormat, Stream},
    decode::{
        Refusal, compression,
        json::documents,
        logs::{self, Message},
    },
    event::firehose::{Outcome, PartitionKeys},
    fate::Dropped,
    partition::{NoPartition, Partitions},
};
use serde::Serialize;
use serde_json::value::RawValue;

/// The most bytes a record may unpack to.
pub(crate) const UNPACKED: usize = 32 << 20;

/// Transforms one record after the other.
#[derive(Debug)]
pub(crate) struct Transform<'c> {
    stream: &'c Stream,
    reader: Reader<'c>,
    /// Of all records that are kept.
    lines: Lines,
    /// Where those of the record being read begin.
    start: usize,
    partitions: Partitions,
    /// The keys of each partition.
    keys: Vec<PartitionKeys>,
    /// The most bytes of lines that a record may become.
    most: usize,
    /// A log event as a document.
    event: Vec<u8>,
    found: Found,
}

/// What the record being read has in it.
#[derive(Debug, Default)]
struct Found {
    documents: u64,
    filtered: u64,
    /// Why the first of what is left out is.
    dropped: Option<Dropped>,
    partition: Option<usize>,
    unknown_fields: u64,
    newest: Option<i64>,
}

/// What became of a record.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Transformed {
    /// It is to be delivered.
    Kept(Kept),
    /// There is nothing in it for the table.
    Dropped {
        /// Why.
        reason: Dropped,
        /// Documents that the filter does not want.
        filtered: u64,
    },
}

/// A record to be delivered.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Kept {
    /// Where its lines are, one a document.
    pub(crate) lines: Range<usize>,
    /// The number of its partition.
    pub(crate) partition: usize,
    /// How many documents it is.
    pub(crate) documents: u64,
    /// Documents beside them that the filter does not want.
    pub(crate) filtered: u64,
    /// Fields that no column took.
    pub(crate) unknown_fields: u64,
    /// The newest time that a document says it happened at, in milliseconds since 1970.
    pub(crate) newest: Option<i64>,
}

/// Why a record is refused.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Why {
    /// The bounded reason.
    pub(crate) code: Code,
    /// What is wrong, for people; without content of the record.
    pub(crate) reason: String,
    /// Which of its documents it is, the first being 0.
    pub(crate) document: u64,
    /// Where in the document, as a JSON path.
    pub(crate) path: Option<String>,
}

impl Why {
    pub(crate) fn new(code: Code, reason: impl Into<String>) -> Self {
        Self { code, reason: reason.into(), document: 0, path: None }
    }

    fn of(refused: &contract::Refused, document: u64) -> Self {
        let (reason, path) = (refused.reason().to_owned(), Some(refused.path().to_owned()));
        Self { code: refused.code, reason, document, path }
    }
}

impl From<Refusal> for Why {
    fn from(Refusal { code, reason }: Refusal) -> Self {
        Self::new(code, reason)
    }
}

impl<'c> Transform<'c> {
    /// Records of this dataset; `most` is the most bytes of lines that a record may become.
    pub(crate) fn new(stream: &'c Stream, contract: &'c Contract, most: usize) -> Self {
        Self {
            stream,
            reader: Reader::new(contract),
            lines: Lines::new(contract),
            start: 0,
            // How many are too many is told where it is known which records are delivered.
            partitions: Partitions::new(stream.partition_by.clone(), usize::MAX),
            keys: Vec::new(),
            most,
            event: Vec::new(),
            found: Found::default(),
        }
    }

    /// Transforms a record that arrived then, and adds its lines where it is kept.
    ///
    /// # Errors
    /// Why it is refused.
    pub(crate) fn record(&mut self, data: &Bytes, arrived: Timestamp) -> Result<Transformed, Why> {
        self.start = self.lines.bytes().len();
        self.found = Found::default();
        let transformed = self.transformed(data, arrived);
        if !matches!(transformed, Ok(Transformed::Kept(_))) {
            self.withdraw();
        }
        transformed
    }

    /// Takes back the lines of the last record.
    pub(crate) fn withdraw(&mut self) {
        self.lines.cut(self.start);
    }

    /// These lines of what is kept, as Firehose is told of them.
    pub(crate) fn outcome(&self, lines: &Range<usize>, partition: usize) -> Outcome<'_> {
        let partition_keys = self.keys.get(partition).cloned().unwrap_or_default();
        Outcome::Ok { data: Cow::Borrowed(&self.lines.bytes()[lines.clone()]), partition_keys }
    }

    fn transformed(&mut self, data: &Bytes, arrived: Timestamp) -> Result<Transformed, Why> {
        let unpacked = compression::unpack(data, UNPACKED)?;
        match self.stream.format {
            RecordFormat::CloudWatchLogs => self.log_events(&unpacked, arrived)?,
            // What only Kafka carries cannot be here.
            _ => self.documents(&unpacked, arrived)?,
        }
        self.name_partitions();
        let Found { documents, filtered, dropped, partition, unknown_fields, newest } = self.found;
        Ok(match partition {
            Some(partition) => {
                let lines = self.start..self.lines.bytes().len();
                Transformed::Kept(Kept { lines, partition, documents, filtered, unknown_fields, newest })
            }
            None => Transformed::Dropped { reason: dropped.unwrap_or(Dropped::Empty), filtered },
        })
    }

    /// Says what `partitionKeyFromLambda` names of each partition so far: `year`, `month`, `day` and `hour` as far as the
    /// table has them, and its partition columns, spelled as in a Hive path.
    fn name_partitions(&mut self) {
        while let Some(path) = self.partitions.paths().get(self.keys.len()) {
            let columns = &self.stream.partition_by.columns;
            let parts: Vec<_> = path.split('/').filter_map(|part| part.split_once('=')).collect();
            let times = parts.len().saturating_sub(columns.len());
            let names = parts[..times].iter().map(|(name, _)| (*name).to_owned()).chain(columns.iter().cloned());
            let keys: BTreeMap<_, _> = names.zip(parts.iter().map(|(_, value)| (*value).to_owned())).collect();
            self.keys.push(keys.into());
        }
    }

    /// Reads one document after the other, as long as they are plain objects that keep the contract. What is anything
    /// else is told apart with care, and from there on all of it.
    fn documents(&mut self, data: &Bytes, arrived: Timestamp) -> Result<(), Why> {
        let (mut at, mut index) = (0, 0);
        if let Ok(text) = simdutf8::basic::from_utf8(data) {
            while let Some(start) = next_object(text.as_bytes(), at) {
                let Ok(row) = self.reader.read(text, start, &mut self.lines) else { break };
                self.settle(row.dropped, index, arrived)?;
                at = row.end;
                index += 1;
            }
            if index > 0 && text.as_bytes()[at..].iter().all(u8::is_ascii_whitespace) {
                return Ok(());
            }
        }
        for part in documents(&data.slice(at..)) {
            match part {
                Ok(document) => self.document(&document.raw, index + document.index, arrived)?,
                Err(part) => return Err(Why { document: index + part.index, ..Why::from(part.refusal) }),
            }
        }
        Ok(())
    }

    /// A subscription's log events, each a document of its own.
    fn log_events(&mut self, data: &Bytes, arrived: Timestamp) -> Result<(), Why> {
        let batch = match logs::parse(data)? {
            Message::Data(batch) => batch,
            Message::Control => {
                self.found.dropped = Some(Dropped::Control);
                return Ok(());
            }
        };
        let mut written = std::mem::take(&mut self.event);
        for (index, event) in (0..).zip(&batch.events) {
            written.clear();
            let document = LogEvent {
                id: &event.id,
                timestamp: event.timestamp,
                message: &event.message,
                owner: &batch.owner,
                log_group: &batch.log_group,
                log_stream: &batch.log_stream,
                subscription_filters: &batch.subscription_filters,
                extracted_fields: event.extracted_fields,
            };
            serde_json::to_writer(&mut written, &document)
                .map_err(|error| Why::new(Code::Internal, error.to_string()))?;
            self.document(&written, index, arrived)?;
        }
        self.event = written;
        Ok(())
    }

    fn document(&mut self, raw: &[u8], index: u64, arrived: Timestamp) -> Result<(), Why> {
        // Whoever found the document has checked that it is UTF-8.
        let text = std::str::from_utf8(raw).unwrap_or_default();
        let row = self.reader.read(text, 0, &mut self.lines).map_err(|refused| Why::of(&refused, index))?;
        self.settle(row.dropped, index, arrived)
    }

    /// Finds the partition of the row that was just read.
    fn settle(&mut self, dropped: Option<Dropped>, document: u64, arrived: Timestamp) -> Result<(), Why> {
        self.found.dropped = self.found.dropped.or(dropped);
        if dropped == Some(Dropped::Control) {
            // Whatever is in it, nothing of it is for a line.
            self.lines.cut(self.lines.bytes().len());
            return Ok(());
        }
        let why = |code, reason: String| Why { document, ..Why::new(code, reason) };
        if self.lines.misfit() {
            return Err(why(Code::InvalidValue, "a moment is outside of the years 1 to 9999".to_owned()));
        }
        // Only now: what breaks the contract is refused, whether it is wanted or not.
        if dropped.is_some() {
            self.found.filtered += 1;
            return Ok(());
        }
        if self.lines.bytes().len() - self.start > self.most {
            return Err(why(Code::TooLarge, format!("the record becomes more than {} bytes of lines", self.most)));
        }
        let time = self.reader.event_time();
        let home = self.partitions.of(time.unwrap_or(arrived.0), self.reader.partition()).map_err(|refused| {
            let code = match refused {
                NoPartition::TooMany(_) => Code::TooManyPartitions,
                NoPartition::Time | NoPartition::Value => Code::InvalidValue,
            };
            why(code, refused.to_string())
        })?;
        if self.found.partition.replace(home).is_some_and(|other| other != home) {
            let reason = "the record's documents belong to several partitions; put one document a record".to_owned();
            return Err(why(Code::MixedPartitions, reason));
        }
        self.found.documents += 1;
        self.found.unknown_fields += self.reader.unknown_fields();
        self.found.newest = self.found.newest.max(time);
        Ok(())
    }
}

/// A log event with what its subscription says of all of them.
#[derive(Serialize)]
struct LogEvent<'a> {
    id: &'a str,
    timestamp: Timestamp,
    message: &'a str,
    owner: &'a str,
    log_group: &'a str,
    log_stream: &'a str,
    subscription_filters: &'a [String],
    extracted_fields: Option<&'a RawValue>,
}

/// Where the next object begins, if nothing but white space comes before it.
fn next_object(bytes: &[u8], from: usize) -> Option<usize> {
    let space = bytes[from..].iter().position(|byte| !byte.is_ascii_whitespace())?;
    (bytes[from + space] == b'{').then_some(from + space)
}

#[cfg(test)]
mod tests;
