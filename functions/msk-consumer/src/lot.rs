//! The records of one topic-partition → rows or changes, and refused records, in the lake.
//!
//! A lot lands by itself: what fails in one does not touch another.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use headgate::{
    Code, Error,
    clock::Timestamp,
    decode::registry::SchemaId,
    event::kafka::{self, Record},
    landing::{self, Mark, Object, Shard},
    position::Position,
};
use headgate_columnar::stream::{Body, Source, Tally};

use crate::{
    Share,
    changes::Changes,
    handler::{Ports, Target},
    rows::Taking,
    schemas::Known,
};

/// What the records of a lot become.
pub(crate) trait Intake<'a> {
    /// Takes a record that is not done.
    fn take(&mut self, item: &'a Item<'a>);

    /// Takes a record that was delivered before.
    fn repeated(&mut self);

    /// About how many bytes of memory are taken.
    fn memory(&self) -> usize;

    /// How many bytes came in, unpacked.
    fn bytes(&self) -> usize;

    /// What is to be landed on the shard now.
    ///
    /// # Errors
    /// Retry, [`Code::Internal`], which is a bug.
    fn finish(self: Box<Self>, source: &Source<'_>, shard: Shard, now: Timestamp) -> Result<Finished, Error>;
}

/// The end of an intake.
pub(crate) struct Finished {
    /// The shard, with what is to be noted.
    pub(crate) shard: Shard,
    pub(crate) objects: Vec<Object>,
    pub(crate) tally: Tally,
}

/// The most schemas that are asked for at once: bytes that are no Avro may name any number of them, which nobody has.
const SCHEMAS: usize = 100;

/// A record, or what is there instead of one.
#[derive(Debug)]
pub(crate) struct Item<'a> {
    offset: i64,
    pub(crate) mark: Mark,
    pub(crate) read: Result<Record<'a>, (Position, &'a str, Error)>,
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
        let item = landing::item_key(ports.target.name(), &self.topic, &self.partition.to_string());
        let shard = landing::open(ports.state.as_ref(), &item).await?;
        let (schemas, records) = self.schemas(records, &shard, ports);
        let known = ports.schemas.find(schemas).await?;
        let (mut report, taken) = self.take(records, shard, ports, &known, most)?;
        let Some((finished, last)) = taken else { return Ok(report) };
        let Finished { shard, objects, tally } = finished;
        report.tally(tally, ports.clock.now());
        report.landed = shard.land(ports.store.as_ref(), ports.state.as_ref(), objects, last).await?;
        Ok(report)
    }

    /// Takes the first records in, as many as fit; `None` where there are none.
    fn take(
        &self,
        records: usize,
        shard: Shard,
        ports: &Ports,
        known: &Known,
        most: usize,
    ) -> Result<(Share, Option<(Finished, Mark)>), Error> {
        let now = ports.clock.now();
        let newest = self.items.iter().filter_map(Item::at).max();
        let mut report = Share {
            offsets_skipped: self.skipped(&shard),
            age_milliseconds: newest.map(|newest| now.0 - newest.0),
            ..self.share()
        };
        let mut intake: Box<dyn Intake<'_>> = match &ports.target {
            Target::Rows(rows) => Box::new(Taking::new(rows, known)),
            Target::Changes(dataset) => Box::new(Changes::new(dataset, known)),
        };
        let mut last = None;
        for (index, item) in self.items.iter().enumerate() {
            if index == records || intake.memory() > most {
                report.again_from = Some(item.offset);
                break;
            }
            if shard.is_done(&item.mark) {
                intake.repeated();
            } else {
                intake.take(item);
            }
            report.records += 1;
            last = Some(item.mark.clone());
        }
        let Some(last) = last else { return Ok((report, None)) };
        report.bytes_in = intake.bytes() as u64;
        let number = self.partition.to_string();
        let source = Source { stream: &self.topic, shard: &number, attempt: shard.attempt().clone() };
        Ok((report, Some((intake.finish(&source, shard, now)?, last))))
    }

    /// The schemas that the first records were written with, as far as they are not done; and how many records there
    /// are before one more schema would be too many.
    fn schemas(&self, records: usize, shard: &Shard, ports: &Ports) -> (BTreeSet<SchemaId>, usize) {
        let mut schemas = BTreeSet::new();
        for (index, item) in self.items.iter().enumerate().take(records) {
            let Ok(record) = &item.read else { continue };
            let more = if shard.is_done(&item.mark) { [None, None] } else { ports.target.schemas(record) };
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

impl Item<'_> {
    fn at(&self) -> Option<Timestamp> {
        self.read.as_ref().ok().and_then(|record| record.timestamp)
    }

    /// The record as a body that can be set aside: its value, or its key where it has none.
    pub(crate) fn as_body<T>(&self, then: impl FnOnce(&Body<'_>) -> T) -> T {
        let (data, position): (_, &dyn Fn() -> Position) = match &self.read {
            Ok(record) => {
                (record.value.clone().or_else(|| record.key.clone()).unwrap_or_default(), &|| record.position())
            }
            Err((position, raw, _)) => (Bytes::copy_from_slice(raw.as_bytes()), &|| position.clone()),
        };
        // A record without a time is of 1970: at every delivery it must be of the same partition.
        let arrived = self.at().unwrap_or(Timestamp(0));
        then(&Body { position, mark: &self.mark, arrived, data })
    }
}
