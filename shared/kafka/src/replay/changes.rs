//! Lines of a change topic's records → files of changes, each where it belongs among the others.
//!
//! A file has changes of consecutive offsets: nothing that is replayed later can belong between them.

use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use headgate::{
    Code, Error,
    clock::Timestamp,
    dataset::Dataset,
    decode::Refusal,
    fate::{Dropped, Fate, Fates},
    landing::{Attempt, Mark, Object, object_name},
    position::Position,
    quarantine::{After, Line, Place},
    store::Store,
};
use headgate_columnar::{
    inspect,
    merge::{in_partition, of_partition},
    read,
    replay::{self, Cause, Kind, Outlook, SOURCE, Taking},
    stream::{Aside, Body, Source, Why},
};
use serde_json::json;

use super::{records, with_item};
use crate::{
    changes::{Line as Change, Read, Reader, file},
    event,
    schemas::{Known, Schemas},
};

/// A table that its change topic keeps up to date.
#[derive(Debug)]
pub struct Changes<'a> {
    dataset: &'a Dataset,
    schemas: &'a Schemas,
    /// Where merges do not look any more by themselves.
    horizon: Option<Timestamp>,
    /// Whether changes that belong there are written nonetheless.
    late: bool,
}

impl<'a> Changes<'a> {
    /// Reads how far the table's merges have settled. With `late` changes are written that belong behind that, in files
    /// that a merge takes on request.
    ///
    /// # Errors
    /// Where the store fails, or the snapshot is not ours.
    pub async fn open(
        store: &Arc<dyn Store>,
        dataset: &'a Dataset,
        schemas: &'a Schemas,
        late: bool,
    ) -> Result<Self, Error> {
        Ok(Self { dataset, schemas, horizon: inspect::horizon(store, dataset).await?, late })
    }

    fn is_behind(&self, at: Timestamp) -> bool {
        self.horizon.is_some_and(|horizon| at <= horizon)
    }
}

/// Where the change of a line belongs, if that is known. That of a batch that was given up, and so has no file, comes
/// right before what landed next.
fn place(line: &Line, cause: &Cause) -> Option<Place> {
    match cause {
        Cause::Refused => line.place,
        Cause::GivenUp { note } => Some(Place { at: note.as_ref()?.parse().ok()?, after: After::Nothing }),
    }
}

#[async_trait]
impl Kind for Changes<'_> {
    type Known = (Known, Option<Place>);

    fn dataset(&self) -> &str {
        &self.dataset.name
    }

    fn records(&self, object: &[u8]) -> Result<Vec<replay::Read>, Error> {
        records(object, self.dataset())
    }

    fn lands_in_parts(&self) -> bool {
        true
    }

    async fn look(&self, line: &Line, data: &Bytes, cause: &Cause) -> Result<Outlook<Self::Known>, Error> {
        let place = place(line, cause);
        // What is moot is so wherever it belongs.
        let matters = place.filter(|place| place.after != After::SameKey);
        if !self.late && matters.is_some_and(|place| self.is_behind(Timestamp(place.at))) {
            return Ok(Outlook::Late);
        }
        let id = with_item(line, data, &Mark::from(0), |item| event::schema(item.read.as_ref().ok()?));
        let known = self.schemas.find(id.ok().flatten().into_iter().collect()).await?;
        Ok(Outlook::Known((known, place)))
    }

    fn taking(&self) -> Box<dyn Taking<Self::Known> + '_> {
        Box::new(Lines {
            dataset: self.dataset,
            reader: Reader::default(),
            changes: Vec::new(),
            rows: BTreeMap::new(),
            aside: Aside::default(),
            fates: Fates::default(),
            memory: 0,
        })
    }

    fn is_late(&self, key: &str) -> bool {
        let named = key.strip_prefix(&self.dataset.source.prefix).and_then(in_partition);
        named.is_some_and(|(at, _)| self.is_behind(at))
    }
}

/// A change and where it belongs: the time, the topic, the partition and the offset.
type Placed = ((i64, String, i32, u64), Change);

struct Lines<'a> {
    dataset: &'a Dataset,
    reader: Reader,
    changes: Vec<Placed>,
    /// By day.
    rows: BTreeMap<String, u64>,
    aside: Aside,
    fates: Fates,
    memory: usize,
}

/// What a line is when it is read.
enum Told {
    Change(Placed),
    Dropped(Dropped),
}

impl Lines<'_> {
    fn read(&mut self, line: &Line, data: &Bytes, (known, place): &(Known, Option<Place>)) -> Result<Told, Why> {
        let read = with_item(line, data, &Mark::from(0), |item| self.reader.read(item, known));
        let read = read.map_err(|Refusal { code, reason }| Why::of_record(code, reason.into_owned()))??;
        let (change, truncates) = match read {
            Read::Line { line, truncates, .. } => (line, truncates),
            Read::Dropped(reason) => return Ok(Told::Dropped(reason)),
        };
        let out_of_order = |what: &str| Why::of_record(Code::OutOfOrder, what.to_owned());
        let Some(place) = place else {
            let what = "where it belongs is not known: it is of a version that did not keep its `place`, or of a batch that \
                        nobody remembers; the row's next change heals it";
            return Err(out_of_order(what));
        };
        match place.after {
            After::Nothing => {}
            _ if truncates => return Err(out_of_order("a truncate, in the middle of what landed with it")),
            After::OtherKeys => {}
            After::SameKey => return Ok(Told::Dropped(Dropped::Superseded)),
            After::Unknown => {
                return Err(out_of_order("without a key nobody can tell whether a later change is of the same row"));
            }
        }
        change.check(self.dataset)?;
        let Position::Offset { topic, partition, offset } = &line.position else {
            return Err(out_of_order("the line is not of a topic"));
        };
        let offset = u64::try_from(*offset).map_err(|_| out_of_order("an offset below zero"))?;
        Ok(Told::Change(((place.at, topic.clone(), *partition, offset), change)))
    }

    fn set_aside(&mut self, line: &Line, data: &Bytes, place: Option<Place>, why: Why, mark: &Mark) {
        self.fates.add(Fate::Quarantined { reason: why.code }, 1);
        let put = |aside: &mut Aside, body: &Body<'_>, why| {
            // It comes after all that has files here: between them nothing of the line's batch is.
            let place = place.map(|place| Place { after: After::Nothing, ..place });
            aside.put(&self.dataset.name, &Body { place, ..body.clone() }, 0, &body.data, why);
        };
        let position = || line.position.clone();
        let body = Body::new(&position, mark, Timestamp(line.arrived), data.clone());
        // Of an event that can be read the record is set aside, as the consumer would have it.
        let mut why = Some(why);
        let of_item = with_item(line, data, mark, |item| {
            item.as_body(|body| why.take().into_iter().for_each(|why| put(&mut self.aside, body, why)));
        });
        if let (Err(_), Some(why)) = (of_item, why) {
            put(&mut self.aside, &body, Why { part: line.part, ..why });
        }
    }
}

impl Taking<(Known, Option<Place>)> for Lines<'_> {
    fn take(&mut self, line: &Line, data: &Bytes, known: &(Known, Option<Place>), mark: &Mark) {
        match self.read(line, data, known) {
            Ok(Told::Change((place, change))) => {
                self.fates.add(Fate::Stored, 1);
                self.memory += change.text.len() + place.1.len() + size_of::<Placed>();
                let day = of_partition(Timestamp(place.0), "");
                let day = day.rsplit_once('/').map_or(String::new(), |(day, _)| format!("{day}/"));
                *self.rows.entry(day).or_default() += 1;
                self.changes.push((place, change));
            }
            Ok(Told::Dropped(reason)) => self.fates.add(Fate::Dropped { reason }, 1),
            Err(why) => self.set_aside(line, data, known.1, why, mark),
        }
    }

    fn fates(&self) -> &Fates {
        &self.fates
    }

    fn rows(&self) -> BTreeMap<&str, u64> {
        self.rows.iter().map(|(day, rows)| (day.as_str(), *rows)).collect()
    }

    fn refusal(&self) -> Option<&Line> {
        self.aside.lines().next()
    }

    fn memory(&self) -> usize {
        self.memory + self.aside.bytes()
    }

    fn finish(self: Box<Self>, log: &str) -> Result<Vec<Object>, Error> {
        let Self { dataset, mut changes, aside, .. } = *self;
        let attempt = Attempt::fresh();
        let written_by = json!({"dataset": dataset.name, "source": SOURCE, "shard": log, "attempt": attempt.as_str()});
        let object = |changes: &[Placed]| -> Result<Object, Error> {
            let ((at, topic, partition, offset), _) = &changes[0];
            let first = Mark::from(*offset);
            let name = object_name(topic, &partition.to_string(), &first, "jsonl.gz");
            let key = format!("{}{}", dataset.source.prefix, of_partition(Timestamp(*at), &name));
            let body = file(&written_by, changes.iter().map(|(_, change)| change))?;
            Ok(Object { key, first, body })
        };
        changes.sort_by(|(one, _), (other, _)| one.cmp(other));
        let mut objects = Vec::new();
        for changes in changes.chunk_by(|(one, _), (other, _)| follows(one, other)) {
            let together = object(changes)?;
            if read::check(dataset, &together.body).is_ok() {
                objects.push(together);
            } else {
                // Each by itself is sound.
                for change in changes.chunks(1) {
                    objects.push(object(change)?);
                }
            }
        }
        objects.extend(aside.finish(&dataset.name, &Source { stream: SOURCE, shard: log, attempt }));
        Ok(objects)
    }
}

/// Whether the other is of the same file and of the next offset.
fn follows(one: &(i64, String, i32, u64), other: &(i64, String, i32, u64)) -> bool {
    (one.0, &one.1, one.2, one.3 + 1) == (other.0, &other.1, other.2, other.3)
}
