//! Refused records → objects of lines in the dataset's quarantine, one for each hour of arrival.

use std::collections::BTreeMap;

use headgate::{
    Code,
    contract::Refused,
    dataset::stream::Granularity,
    landing::{Mark, Object, object_name},
    partition::time_path,
    quarantine::{self, Identity, Kafka, Line, Part},
};

use super::{Body, Source};

/// The refused records of a batch.
#[derive(Debug, Default)]
pub struct Aside {
    hours: BTreeMap<String, Lines>,
    bytes: usize,
    within: Option<Identity>,
}

/// The refused records of one hour.
#[derive(Debug)]
struct Lines {
    first: Mark,
    lines: Vec<Line>,
}

/// Why something is refused, and what it is.
#[derive(Debug)]
pub struct Why {
    /// What its bytes are.
    pub part: Part,
    /// The bounded reason.
    pub code: Code,
    /// What is wrong, for people.
    pub reason: String,
    /// Where in the document, as a JSON path, if that is known.
    pub path: Option<String>,
}

impl Why {
    /// Nothing more is known than that a record is refused as one.
    #[must_use]
    pub fn of_record(code: Code, reason: String) -> Self {
        Self { part: Part::Record, code, reason, path: None }
    }
}

impl From<Refused> for Why {
    fn from(refused: Refused) -> Self {
        Self {
            part: Part::Document,
            code: refused.code,
            reason: refused.reason().to_owned(),
            path: Some(refused.path().to_owned()),
        }
    }
}

impl Aside {
    /// About how many bytes of memory are taken.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// What is put from now on is of this line, which was set aside before.
    pub fn within(&mut self, line: Option<Identity>) {
        self.within = line;
    }

    /// What is refused.
    pub fn lines(&self) -> impl Iterator<Item = &Line> {
        self.hours.values().flat_map(|lines| &lines.lines)
    }

    /// Sets what is refused of a record of `dataset` aside, with its bytes.
    pub fn put(&mut self, dataset: &str, body: &Body<'_>, document: u64, raw: &[u8], why: Why) {
        let Why { part, code, reason, path } = why;
        self.bytes += raw.len() * 4 / 3 + 512;
        let hour = time_path(body.arrived.0, Granularity::Hour).unwrap_or_default();
        let line = Line::new(dataset, code, reason, (body.position)(), body.arrived, raw);
        let lines = self.hours.entry(hour).or_insert_with(|| Lines { first: body.mark.clone(), lines: Vec::new() });
        // Where a later look refuses an earlier record, the object begins there.
        lines.first = lines.first.clone().min(body.mark.clone());
        let kafka = body.kafka.map(|kafka| kafka());
        self.bytes += kafka.as_ref().map_or(0, Kafka::bytes);
        lines.lines.push(Line { document, path, part, within: self.within, kafka, place: body.place, ..line });
    }

    /// The objects.
    #[must_use]
    pub fn finish(self, dataset: &str, source: &Source<'_>) -> Vec<Object> {
        let object = |(hour, Lines { first, lines }): (String, Lines)| {
            let mut body = Vec::new();
            for line in lines {
                Line { attempt: source.attempt.to_string(), ..line }.write(&mut body);
            }
            let name = object_name(source.stream, source.shard, &first, "jsonl");
            Object { key: format!("{}{hour}{name}", quarantine::prefix(dataset)), first, body: body.into() }
        };
        self.hours.into_iter().map(object).collect()
    }
}
