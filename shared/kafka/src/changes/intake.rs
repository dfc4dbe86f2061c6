//! The records of a batch of a topic-partition → its file of changes, and what is refused with its place.

use std::collections::HashSet;

use bytes::Bytes;
use headgate::{
    Error,
    clock::Timestamp,
    dataset::Dataset,
    fate::{Dropped, Fate, Fates},
    landing::{Object, Shard, object_name},
    quarantine::{After, Place},
};
use headgate_columnar::{
    merge::of_partition,
    read,
    stream::{Aside, Body, Source, Tally, Why},
};
use serde_json::json;

use super::{Line, Read, Reader, file};
use crate::{Finished, Intake, Item, schemas::Known};

/// A schema is written with each line and kept once.
const SCHEMA_SHARE: usize = 8;
const HOUR: i64 = 3_600_000;

/// Records on their way to be lines.
#[derive(Debug)]
pub struct Changes<'a> {
    dataset: &'a Dataset,
    reader: Reader,
    lines: Vec<(&'a Item<'a>, Line)>,
    refused: Vec<(&'a Item<'a>, Why)>,
    taken: u64,
    fates: Fates,
    newest: Option<i64>,
    bytes: usize,
    memory: usize,
}

impl<'a> Changes<'a> {
    pub(crate) fn new(dataset: &'a Dataset) -> Self {
        Self {
            dataset,
            reader: Reader::default(),
            lines: Vec::new(),
            refused: Vec::new(),
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

    fn set_aside(&mut self, item: &'a Item<'a>, why: Why) {
        self.fates.add(Fate::Quarantined { reason: why.code }, 1);
        self.memory += item.as_body(|body| body.data.len()) * 4 / 3 + 512;
        self.refused.push((item, why));
    }

    /// The lines as a file of this attempt.
    fn file(&self, source: &Source<'_>) -> Result<Bytes, Error> {
        let written_by = json!({
            "dataset": self.dataset.name, "source": source.stream, "shard": source.shard,
            "attempt": source.attempt.as_str(),
        });
        file(&written_by, self.lines.iter().map(|(_, line)| line))
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
        for (item, line) in lines {
            match line.check(self.dataset) {
                Ok(()) => self.lines.push((item, line)),
                Err(why) => self.set_aside(item, why),
            }
        }
        if self.lines.len() == all { Ok(file) } else { self.file(source) }
    }

    /// The time in the file's name, and its key, where there is a file: those of an unfinished attempt, whose object may
    /// be merged already, unless it is so old that the horizon may soon pass it, where a merge no longer sees that an
    /// object changes. A new key is as good: what is merged of the old one is merged once more after it. Where there is no
    /// file, the time stays, for the unfinished attempt's may begin right behind what came now.
    fn name(&self, source: &Source<'_>, shard: &Shard, now: Timestamp) -> (Timestamp, Option<String>) {
        let key = |at| {
            let (first, _) = self.lines.first()?;
            let name = object_name(source.stream, source.shard, &first.mark, "jsonl.gz");
            Some(format!("{}{}", self.dataset.source.prefix, of_partition(at, &name)))
        };
        let last = shard.note().and_then(|note| note.parse().ok()).map(Timestamp);
        let recent = i64::from(self.dataset.source.lateness_hours) * HOUR / 2;
        let is_unfinished = |at| key(at).is_none_or(|key| shard.is_unfinished(&key));
        let at = match last {
            Some(last) if now.0 - last.0 < recent && is_unfinished(last) => last,
            last => last.map_or(now, |last| last.max(now)),
        };
        (at, key(at))
    }

    /// What is refused, by its place beside the file with this time.
    fn aside(&mut self, at: Timestamp) -> Aside {
        let mut refused = std::mem::take(&mut self.refused);
        refused.sort_by(|(one, _), (other, _)| one.mark.cmp(&other.mark));
        let mut places = Vec::with_capacity(refused.len());
        let mut later = Later::default();
        let mut lines = self.lines.iter().rev().peekable();
        for (item, _) in refused.iter().rev() {
            while let Some((line, _)) = lines.next_if(|(line, _)| line.mark > item.mark) {
                later.add(line);
            }
            // Before the file, nothing of it matters.
            let after = if lines.peek().is_none() { After::Nothing } else { later.than(item) };
            places.push(Place { at: at.0, after });
        }
        let mut aside = Aside::default();
        for ((item, why), place) in refused.into_iter().zip(places.into_iter().rev()) {
            item.as_body(|body| {
                let body = Body { place: Some(place), ..body.clone() };
                aside.put(&self.dataset.name, &body, 0, &body.data, why);
            });
        }
        aside
    }
}

/// The keys of the changes that come later.
#[derive(Default)]
struct Later<'a> {
    keys: HashSet<&'a Bytes>,
    any: bool,
    keyless: bool,
}

impl<'a> Later<'a> {
    fn add(&mut self, item: &'a Item<'_>) {
        self.any = true;
        match key(item) {
            Some(key) => drop(self.keys.insert(key)),
            None => self.keyless = true,
        }
    }

    fn than(&self, item: &Item<'_>) -> After {
        match key(item) {
            _ if !self.any => After::Nothing,
            Some(key) if self.keys.contains(key) => After::SameKey,
            Some(_) if !self.keyless => After::OtherKeys,
            _ => After::Unknown,
        }
    }
}

fn key<'a>(item: &'a Item<'_>) -> Option<&'a Bytes> {
    item.read.as_ref().ok()?.key.as_ref()
}

impl<'a> Intake<'a> for Changes<'a> {
    fn take(&mut self, item: &'a Item<'a>, known: &Known) {
        self.taken += 1;
        match self.reader.read(item, known) {
            Ok(Read::Line { line, at, .. }) => {
                let beside = line.schema.as_ref().map_or(0, |schema| schema.len() / SCHEMA_SHARE);
                self.bytes += line.text.len();
                self.memory += line.text.len() + beside + size_of::<(&Item<'_>, Line)>();
                self.newest = self.newest.max(at);
                self.lines.push((item, line));
            }
            Ok(Read::Dropped(reason)) => self.drop(reason),
            Err(why) => self.set_aside(item, why),
        }
    }

    fn repeated(&mut self) {
        self.taken += 1;
        self.drop(Dropped::Repeated);
    }

    fn memory(&self) -> usize {
        self.memory
    }

    fn bytes(&self) -> usize {
        self.bytes
    }

    fn finish(mut self: Box<Self>, source: &Source<'_>, shard: Shard, now: Timestamp) -> Result<Finished, Error> {
        let file = if self.lines.is_empty() { Bytes::new() } else { self.sound_file(source)? };
        let (at, key) = self.name(source, &shard, now);
        let mut objects = Vec::new();
        if let (Some(key), Some((first, _))) = (key, self.lines.first()) {
            objects.push(Object { key, first: first.mark.clone(), body: file });
        }
        // Whatever came: what never came before it belongs here.
        let shard = shard.noting(at.0.to_string());
        self.fates.add(Fate::Stored, self.lines.len() as u64);
        self.fates.account_for(self.taken)?;
        objects.extend(self.aside(at).finish(&self.dataset.name, source));
        let tally = Tally { fates: self.fates, newest: self.newest, unknown_fields: 0 };
        Ok(Finished { shard, objects, tally })
    }
}
