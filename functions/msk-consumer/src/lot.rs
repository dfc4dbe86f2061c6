//! The records of one topic-partition → rows and refused records in the lake.
//!
//! A lot lands by itself: what fails in one does not touch another.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use headgate::{
    Code, Error,
    clock::Timestamp,
    decode::{Refusal, registry::SchemaId},
    event::kafka::{self, Record},
    landing::{self, Mark, Shard},
    position::Position,
};
use headgate_columnar::stream::{Body, Intake, Source};

use crate::{
    Share,
    content::{self, Content},
    debezium,
    handler::Ports,
    schemas::Known,
};

/// The most schemas that are asked for at once: bytes that are no Avro may name any number of them, which nobody has.
const SCHEMAS: usize = 100;

/// A record, or what is there instead of one.
#[derive(Debug)]
struct Item<'a> {
    offset: i64,
    mark: Mark,
    read: Result<Record<'a>, (Position, &'a str, Error)>,
}

/// The records of one topic-partition by their offsets; never none.
#[derive(Debug)]
pub(crate) struct Lot<'a> {
    pub(crate) topic: String,
    pub(crate) partition: i32,
    /// No two with one offset.
    items: Vec<Item<'a>>,
}

/// Reads an event into its lots, in the order of topics and partitions.
///
/// # Errors
/// Poison where the event is none of Kafka's, or a record in it has no place: nobody could tell whether it was here
/// before.
pub(crate) fn lots(event: &[u8]) -> Result<Vec<Lot<'_>>, Error> {
    let mut lots: BTreeMap<(String, i32), BTreeMap<i64, Item<'_>>> = BTreeMap::new();
    for read in kafka::read(event)? {
        let (position, read) = match read {
            Ok(record) => (record.position(), Ok(record)),
            Err(refused) => {
                let position = refused.position.clone().ok_or_else(|| refused.error.clone())?;
                (position.clone(), Err((position, refused.raw, refused.error.clone())))
            }
        };
        let Position::Offset { topic, partition, offset } = position else { continue };
        let mark = u64::try_from(offset)
            .map(Mark::from)
            .map_err(|_| Error::poison(Code::InvalidEvent, format!("{topic}-{partition}: an offset below zero")))?;
        lots.entry((topic, partition)).or_default().entry(offset).or_insert(Item { offset, mark, read });
    }
    let lot = |((topic, partition), items): (_, BTreeMap<_, _>)| Lot {
        topic,
        partition,
        items: items.into_values().collect(),
    };
    Ok(lots.into_iter().map(lot).collect())
}

impl Lot<'_> {
    /// The offsets from this one on, all where there is `None`.
    pub(crate) fn offsets(&self, from: Option<i64>) -> impl Iterator<Item = i64> {
        self.items.iter().map(|item| item.offset).filter(move |offset| from.is_none_or(|from| *offset >= from))
    }

    pub(crate) fn share(&self) -> Share {
        Share { topic: self.topic.clone(), partition: self.partition, ..Share::default() }
    }

    /// Lands the records, or as many of them as take about `most` bytes of memory and have few enough objects for the
    /// partition's item.
    ///
    /// # Errors
    /// As those of the ports; some of the records may be done nonetheless.
    pub(crate) async fn land_what_fits(&self, ports: &Ports, most: usize) -> Result<Share, Error> {
        let mut records = self.items.len();
        loop {
            match self.land(records, ports, most).await {
                Err(error) if error.code == Code::TooLarge && records > 1 => records = records.div_ceil(2),
                landed => return landed,
            }
        }
    }

    /// Lands the first records.
    async fn land(&self, records: usize, ports: &Ports, most: usize) -> Result<Share, Error> {
        let (number, now) = (self.partition.to_string(), ports.clock.now());
        let item = landing::item_key(&ports.stream.name, &self.topic, &number);
        let shard = landing::open(ports.state.as_ref(), &item).await?;
        let (schemas, records) = self.schemas(records, &shard, ports);
        let known = ports.schemas.find(schemas).await?;
        let newest = self.items.iter().filter_map(Item::at).max();
        let mut report = Share {
            offsets_skipped: self.skipped(&shard),
            age_milliseconds: newest.map(|newest| now.0 - newest.0),
            ..self.share()
        };
        let mut intake = Intake::new(&ports.stream, &ports.contract);
        let mut last = None;
        for (index, item) in self.items.iter().enumerate() {
            if index == records || intake.memory() > most {
                report.again_from = Some(item.offset);
                break;
            }
            if shard.is_done(&item.mark) {
                intake.repeated();
            } else {
                item.take(ports, &known, &mut intake);
            }
            report.records += 1;
            last = Some(item.mark.clone());
        }
        let Some(last) = last else { return Ok(report) };
        report.bytes_in = intake.bytes() as u64;
        let source = Source { stream: &self.topic, shard: &number, attempt: shard.attempt().clone() };
        let (objects, tally) = intake.finish(&source)?;
        report.tally(tally, now);
        report.landed = shard.land(ports.store.as_ref(), ports.state.as_ref(), objects, last).await?;
        Ok(report)
    }

    /// The schemas that the first records were written with, as far as they are not done; and how many records there
    /// are before one more schema would be too many.
    fn schemas(&self, records: usize, shard: &Shard, ports: &Ports) -> (BTreeSet<SchemaId>, usize) {
        let mut schemas = BTreeSet::new();
        for (index, item) in self.items.iter().enumerate().take(records) {
            let Ok(record) = &item.read else { continue };
            let more = if shard.is_done(&item.mark) { [None, None] } else { content_schemas(record, ports) };
            let more: Vec<_> = more.into_iter().flatten().filter(|schema| !schemas.contains(schema)).collect();
            if schemas.len() + more.len() > SCHEMAS && index > 0 {
                return (schemas, index);
            }
            schemas.extend(more);
        }
        (schemas, records)
    }

    /// How many offsets there are between what is done and the first record that is not.
    fn skipped(&self, shard: &Shard) -> u64 {
        let done = shard.checkpoint().and_then(|checkpoint| checkpoint.as_str().parse::<i64>().ok());
        let first = self.items.iter().find(|item| !shard.is_done(&item.mark));
        let between = done.zip(first).map(|(done, first)| first.offset - done - 1);
        between.and_then(|between| u64::try_from(between).ok()).unwrap_or_default()
    }
}

/// The schemas of a record's value and of its key, which is looked at where the value may say nothing of the row.
fn content_schemas(record: &Record<'_>, ports: &Ports) -> [Option<SchemaId>; 2] {
    let format = ports.stream.format;
    let is_asked = if record.value.is_none() { ports.envelope.keeps_tombstones() } else { format.is_debezium() };
    let key = record.key.as_ref().filter(|_| is_asked);
    let of = |bytes: Option<&Bytes>, told| content::schema(format, bytes?, told);
    [of(record.value.as_ref(), record.value_schema.as_ref()), of(key, record.key_schema.as_ref())]
}

impl Item<'_> {
    fn at(&self) -> Option<Timestamp> {
        self.read.as_ref().ok().and_then(|record| record.timestamp)
    }

    fn take(&self, ports: &Ports, known: &Known, intake: &mut Intake<'_>) {
        // A record without a time is of 1970: at every delivery it must be of the same partition.
        let arrived = self.at().unwrap_or(Timestamp(0));
        match &self.read {
            Ok(record) => {
                let position = || record.position();
                let body = |data| Body { position: &position, mark: &self.mark, arrived, data };
                if let Some(members) = ports.envelope.members(record) {
                    intake.beside(&members);
                }
                match &record.value {
                    Some(value) => {
                        let format = ports.stream.format;
                        let read = content::read(format, value, record.value_schema.as_ref(), known);
                        let read = if format.is_debezium() {
                            let key = || content::key(format, record.key.as_ref(), record.key_schema.as_ref(), known);
                            read.and_then(|content| debezium::row(content, &ports.stream, key))
                        } else {
                            read
                        };
                        take(read, &body(value.clone()), intake);
                    }
                    None if ports.envelope.keeps_tombstones() => {
                        let key = record.key.as_ref();
                        let read = content::key(ports.stream.format, key, record.key_schema.as_ref(), known);
                        take(read.map(Content::Object), &body(key.cloned().unwrap_or_default()), intake);
                    }
                    None => intake.tombstone(),
                }
            }
            Err((position, raw, error)) => {
                let data = Bytes::copy_from_slice(raw.as_bytes());
                let position = || position.clone();
                let body = Body { position: &position, mark: &self.mark, arrived, data };
                intake.unread(&body, error.code, &error.message);
            }
        }
    }
}

fn take(read: Result<Content, Refusal>, body: &Body<'_>, intake: &mut Intake<'_>) {
    match read {
        Ok(Content::Plain(_)) => intake.take(body),
        Ok(Content::Object(text)) => intake.take_object(body, &text),
        Ok(Content::Control) => intake.control(),
        Err(Refusal { code, reason }) => intake.refused(body, code, &reason),
    }
}
