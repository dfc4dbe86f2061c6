//! What a dataset makes of lines: the part of a replay that knows of a transport.

use std::{collections::BTreeMap, fmt};

use async_trait::async_trait;
use bytes::Bytes;
use headgate::{
    Code, Error,
    clock::Timestamp,
    fate::Fates,
    landing::{Mark, Object},
    position::Position,
    quarantine::{Line, Part},
};

/// A line with its bytes, or why it is none.
pub type Read = Result<(Line, Bytes), String>;

/// What is known beforehand of a line.
#[derive(Debug)]
pub enum Outlook<K> {
    /// What it takes to read it.
    Known(K),
    /// It belongs where nobody would look for it by themselves: it is to be left alone.
    Late,
}

/// Why a record has a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cause {
    /// It was refused.
    Refused,
    /// Its batch was given up.
    GivenUp {
        /// What the shard's [`note`](headgate::landing::Shard::note) was with the batch that came next, where that is known.
        note: Option<String>,
    },
}

/// What the lines of a dataset become.
#[async_trait]
pub trait Kind: fmt::Debug + Sync {
    /// What it takes to read a line beside the line.
    type Known: Send + Sync;

    /// The dataset's name.
    fn dataset(&self) -> &str;

    /// The records of a batch that an event source mapping gave up.
    ///
    /// # Errors
    /// Poison where the object is no such batch.
    fn records(&self, object: &[u8]) -> Result<Vec<Read>, Error>;

    /// Whether the records of one batch may have landed and others not: then the shard is asked which.
    fn lands_in_parts(&self) -> bool;

    /// Finds out what it takes to read a line.
    ///
    /// # Errors
    /// As those of whoever is asked.
    async fn look(&self, line: &Line, data: &Bytes, cause: &Cause) -> Result<Outlook<Self::Known>, Error>;

    /// Nothing is taken yet.
    fn taking(&self) -> Box<dyn Taking<Self::Known> + '_>;

    /// Whether the object with this key is looked at only on request, by whoever reads the table.
    fn is_late(&self, _key: &str) -> bool {
        false
    }
}

/// Lines on their way to be objects.
pub trait Taking<K> {
    /// Takes a line; `mark` is the place that its objects are named by, where its records have none of their own.
    fn take(&mut self, line: &Line, data: &Bytes, known: &K, mark: &Mark);

    /// How many documents ended how.
    fn fates(&self) -> &Fates;

    /// The paths of the partitions that have rows, each with their number.
    fn rows(&self) -> BTreeMap<&str, u64>;

    /// The first of what is refused.
    fn refusal(&self) -> Option<&Line>;

    /// About how many bytes of memory are taken.
    fn memory(&self) -> usize;

    /// The objects; `log` is the name of the log that they are decided in.
    ///
    /// # Errors
    /// Retry, `internal`, which is a bug.
    fn finish(self: Box<Self>, log: &str) -> Result<Vec<Object>, Error>;
}

/// The line of a record of a failed batch: it was never refused, for all of its batch failed.
#[must_use]
pub fn of_record(dataset: &str, position: Position, arrived: Timestamp, text: &str) -> Line {
    let line = Line::new(dataset, Code::Unavailable, String::new(), position, arrived, text.as_bytes());
    Line { part: Part::Event, ..line }
}
