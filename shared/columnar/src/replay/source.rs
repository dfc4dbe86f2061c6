//! An object → the refused records in it, whoever wrote it.
//!
//! Nothing here knows what becomes of a record: whatever can be read as a [`Line`] can be replayed.

use std::collections::VecDeque;

use headgate::{
    Error,
    quarantine::Line,
    store::{ObjectMeta, Store},
};

use super::{
    Origin,
    kind::{Kind, Read},
    lines::Lines,
};

/// The largest failed batch: an event has 6 MB, and its JSON is escaped once more.
const LARGEST: u64 = 64 << 20;

/// The lines of an object.
pub(super) enum Source<'a> {
    Lines(Lines<'a>),
    Records(VecDeque<Found>),
}

/// A line with where it is, such as `<key>:<number>`.
pub(super) struct Found {
    pub(super) place: String,
    pub(super) line: Read,
}

impl<'a> Source<'a> {
    pub(super) async fn open(
        store: &'a dyn Store,
        object: &'a ObjectMeta,
        origin: Origin,
        kind: &impl Kind,
    ) -> Result<Self, Error> {
        match origin {
            Origin::Quarantine => Ok(Self::Lines(Lines::of(store, object))),
            Origin::FailedBatches => {
                let records = if object.size > LARGEST {
                    Err(format!("has {} bytes, more than any failed batch", object.size))
                } else {
                    let body = store.get_range(&object.key, 0..object.size, &object.etag).await?;
                    kind.records(&body).map_err(|error| error.message)
                };
                let place = |(record, number): (Read, u64)| {
                    let place = format!("{} record {number}", object.key);
                    Found { place, line: record }
                };
                let unreadable = |why| VecDeque::from([Found { place: object.key.clone(), line: Err(why) }]);
                let records = records.map(|records| records.into_iter().zip(1..).map(place).collect());
                Ok(Self::Records(records.unwrap_or_else(unreadable)))
            }
        }
    }

    /// The next one; lines with nothing in them are none.
    pub(super) async fn next(&mut self, key: &str) -> Result<Option<Found>, Error> {
        match self {
            Self::Records(records) => Ok(records.pop_front()),
            Self::Lines(lines) => loop {
                let Some((number, text)) = lines.next().await? else { return Ok(None) };
                let place = format!("{key}:{number}");
                let line = match text {
                    None => Err("is too long".to_owned()),
                    Some(text) if text.trim_ascii().is_empty() => continue,
                    Some(text) => line_of(&text),
                };
                return Ok(Some(Found { place, line }));
            },
        }
    }
}

fn line_of(text: &[u8]) -> Read {
    // serde's own text may quote what it found.
    let line: Line = serde_json::from_slice(text)
        .map_err(|error| format!("is no line of a refused record (column {})", error.column()))?;
    let data = line.bytes().ok_or("its `raw` is not base64")?;
    Ok((line, data.into()))
}
