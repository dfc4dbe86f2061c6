//! The records of one topic-partition → rows or changes, and refused records, in the lake.
//!
//! A lot lands by itself: what fails in one does not touch another.

use std::collections::{BTreeMap, BTreeSet};

use headgate::{
    Code, Error,
    decode::registry::SchemaId,
    event::kafka,
    landing::{self, Mark, Shard},
    position::Position,
};
use headgate_columnar::stream::Source;
use headgate_kafka::{Finished, Item, schemas::Known};

use crate::{Share, handler::Ports};

/// The most schemas that are asked for at once: bytes that are no Avro may name any number of them, which nobody has.
const SCHEMAS: usize = 100;

/// The records of one topic-partition by their offsets; never none.
#[derive(Debug)]
pub(crate) struct Lot<'a> {
    pub(crate) topic: String,
    pub(crate) partition: i32,
    /// With their offsets, no two with one.
    items: Vec<(i64, Item<'a>)>,
}

/// Reads an event into its lots, in the order of topics and partitions.
///
/// # Errors
/// Poison where the event is none of Kafka's, or a record in it has no place: nobody could tell whether it was here
/// before.
pub(crate) fn lots(event: &[u8]) -> Result<Vec<Lot<'_>>, Error> {
    let mut lots: BTreeMap<(String, i32), BTreeMap<i64, Item<'_>>> = BTreeMap::new();
    for read in kafka::read(event)? {
        let item = Item::of(read)?;
        let Position::Offset { topic, partition, offset } = item.position() else { continue };
        lots.entry((topic, partition)).or_default().entry(offset).or_insert(item);
    }
    let lot =
        |((topic, partition), items): (_, BTreeMap<_, _>)| Lot { topic, partition, items: items.into_iter().collect() };
    Ok(lots.into_iter().map(lot).collect())
}

impl Lot<'_> {
    /// The offsets from this one on, all where there is `None`.
    pub(crate) fn offsets(&self, from: Option<i64>) -> impl Iterator<Item = i64> {
        self.items.iter().map(|(offset, _)| *offset).filter(move |offset| from.is_none_or(|from| *offset >= from))
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
        let first = self.items.iter().find(|(_, item)| !shard.is_done(&item.mark));
        let shard = match first.and_then(|(offset, _)| u64::try_from(*offset).ok()) {
            Some(first) => shard.beginning(first),
            None => shard,
        };
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
        let newest = self.items.iter().filter_map(|(_, item)| item.at()).max();
        let mut report = Share {
            offsets_skipped: self.skipped(&shard),
            age_milliseconds: newest.map(|newest| now.0 - newest.0),
            ..self.share()
        };
        let mut intake = ports.target.intake();
        let mut last = None;
        for (index, (offset, item)) in self.items.iter().enumerate() {
            if index == records || intake.memory() > most {
                report.again_from = Some(*offset);
                break;
            }
            if shard.is_done(&item.mark) {
                intake.repeated();
            } else {
                intake.take(item, known);
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
        for (index, (_, item)) in self.items.iter().enumerate().take(records) {
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
        let first = self.items.iter().find(|(_, item)| !shard.is_done(&item.mark));
        let between = done.zip(first).map(|(done, (first, _))| first - done - 1);
        between.and_then(|between| u64::try_from(between).ok()).unwrap_or_default()
    }
}
