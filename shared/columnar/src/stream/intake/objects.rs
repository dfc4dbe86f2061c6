//! What came in → the objects of a batch.

use arrow::array::UInt32Array;
use headgate::{
    Code, Error,
    fate::Fate,
    landing::{Attempt, Mark, Object, object_name},
};

use super::{Gather, Intake, Tally};
use crate::stream::encode;

/// What the records came by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source<'a> {
    /// The stream or topic.
    pub stream: &'a str,
    /// The shard or partition.
    pub shard: &'a str,
    /// The attempt that lands them.
    pub attempt: Attempt,
}

impl<'a> Source<'a> {
    fn properties(&'a self, dataset: &'a str, first: &'a Mark) -> [(&'a str, &'a str); 5] {
        [
            ("headgate.dataset", dataset),
            ("headgate.source", self.stream),
            ("headgate.shard", self.shard),
            ("headgate.first", first.as_str()),
            ("headgate.attempt", self.attempt.as_str()),
        ]
    }
}

impl Intake<'_> {
    /// The objects of the batch: a file for each partition, and lines for what is refused.
    ///
    /// # Errors
    /// Retry, [`Code::Internal`]: the rows cannot be written, or a record has no fate. Both are bugs.
    pub fn finish(self, source: &Source<'_>) -> Result<(Vec<Object>, Tally), Error> {
        let Self { stream, rows, homes, partitions, firsts, aside, fates, newest, unknown_fields, .. } = self;
        let refused = aside.lines().count();
        if rows.len() != homes.len() || fates.of(Fate::Stored) + fates.quarantined() != (rows.len() + refused) as u64 {
            return Err(Error::retry(Code::Internal, "rows or refused records without a fate"));
        }
        let tally = Tally { fates, newest, unknown_fields };
        let mut objects = Vec::with_capacity(firsts.len() + 1);
        if !rows.is_empty() {
            let batch = rows.finish().map_err(|error| Error::retry(Code::Internal, error.to_string()))?;
            for (home, first) in firsts.into_iter().enumerate() {
                let picks = (partitions.paths().len() > 1).then(|| picks(&homes, home));
                let body =
                    encode(&batch, picks.as_ref(), stream.compression, &source.properties(&stream.name, &first))?;
                let name = object_name(source.stream, source.shard, &first, "parquet");
                objects.push(Object {
                    key: format!("{}{}{name}", stream.prefix, partitions.paths()[home]),
                    first,
                    body,
                });
            }
        }
        objects.extend(aside.finish(&stream.name, source));
        Ok((objects, tally))
    }
}

impl<R: Gather> Intake<'_, R> {
    /// What the rows became, the objects of what is refused, and what became of the records.
    #[must_use]
    pub fn gathered(self, source: &Source<'_>) -> (R, Vec<Object>, Tally) {
        let Self { stream, rows, aside, fates, newest, unknown_fields, .. } = self;
        (rows, aside.finish(&stream.name, source), Tally { fates, newest, unknown_fields })
    }
}

fn picks(homes: &[u32], home: usize) -> UInt32Array {
    let rows = (0_u32..).zip(homes).filter(|(_, at)| usize::try_from(**at) == Ok(home));
    rows.map(|(row, _)| row).collect()
}
