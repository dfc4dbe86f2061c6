//! A dataset → what the records of its topic become.

use std::fmt;

use headgate::{
    Error,
    clock::Timestamp,
    dataset::Dataset,
    decode::registry::SchemaId,
    event::kafka::Record,
    landing::{Object, Shard},
};
use headgate_columnar::stream::{Source, Tally};

use crate::{Changes, Item, Rows, event, rows::Taking, schemas::Known};

/// What records become, as their dataset says.
#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "there is one of it in a process")]
pub enum Target {
    /// `stream`: rows of a table.
    Rows(Rows),
    /// `cdc`: files of changes, which `dms-merge` keeps a table up to date from.
    Changes(Dataset),
}

impl Target {
    /// The dataset's name.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Rows(rows) => &rows.stream.name,
            Self::Changes(dataset) => &dataset.name,
        }
    }

    /// The schemas of a record's value and key, as far as they are looked at.
    #[must_use]
    pub fn schemas(&self, record: &Record<'_>) -> [Option<SchemaId>; 2] {
        match self {
            Self::Rows(rows) => rows.schemas(record),
            Self::Changes(_) => [event::schema(record), None],
        }
    }

    /// Nothing of a topic-partition came in yet.
    #[must_use]
    pub fn intake<'a>(&'a self) -> Box<dyn Intake<'a> + 'a> {
        match self {
            Self::Rows(rows) => Box::new(Taking::new(rows)),
            Self::Changes(dataset) => Box::new(Changes::new(dataset)),
        }
    }
}

/// The records of one topic-partition, on their way into the lake.
pub trait Intake<'a>: fmt::Debug {
    /// Takes a record that is not done. Records come in the order of their offsets.
    fn take(&mut self, item: &'a Item<'a>, known: &Known);

    /// Takes a record that was delivered before.
    fn repeated(&mut self);

    /// About how many bytes of memory are taken.
    fn memory(&self) -> usize;

    /// How many bytes came in, unpacked.
    fn bytes(&self) -> usize;

    /// What is to be landed on the shard now.
    ///
    /// # Errors
    /// Retry, `internal`, which is a bug.
    fn finish(self: Box<Self>, source: &Source<'_>, shard: Shard, now: Timestamp) -> Result<Finished, Error>;
}

/// The end of an intake.
#[derive(Debug)]
pub struct Finished {
    /// The shard, with what is to be noted.
    pub shard: Shard,
    /// What is to be written.
    pub objects: Vec<Object>,
    /// What became of the records.
    pub tally: Tally,
}
