//! An object → the refused records in it, whoever wrote it.
//!
//! Nothing here knows what becomes of a record: whatever can be read as a [`Line`] can be replayed.

use std::collections::VecDeque;

use bytes::Bytes;
use headgate::{
    Code, Error,
    clock::Timestamp,
    event::kinesis,
    position::Position,
    quarantine::{Line, Part},
    store::{ObjectMeta, Store},
};

use super::{Origin, lines::Lines};

/// The largest failed batch: an event has 6 MB, and its JSON is escaped once more.
const LARGEST: u64 = 64 << 20;

/// The lines of an object.
pub(super) enum Source<'a> {
    Lines(Lines<'a>),
    Records(VecDeque<Found>),
}

/// A line with its bytes and with where it is, such as `<key>:<number>`; or why it is none.
pub(super) struct Found {
    pub(super) place: String,
    pub(super) line: Result<(Line, Bytes), String>,
}

impl<'a> Source<'a> {
    pub(super) async fn open(
        store: &'a dyn Store,
        object: &'a ObjectMeta,
        origin: Origin,
        dataset: &str,
    ) -> Result<Self, Error> {
        match origin {
            Origin::Quarantine => Ok(Self::Lines(Lines::of(store, object))),
            Origin::FailedBatches => {
                let records = if object.size > LARGEST {
                    Err(format!("has {} bytes, more than any failed batch", object.size))
                } else {
                    let body = store.get_range(&object.key, 0..object.size, &object.etag).await?;
                    records(&body, &object.key, dataset).map_err(|error| error.message)
                };
                let unreadable = |why| VecDeque::from([Found { place: object.key.clone(), line: Err(why) }]);
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

fn line_of(text: &[u8]) -> Result<(Line, Bytes), String> {
    // serde's own text may quote what it found.
    let line: Line = serde_json::from_slice(text)
        .map_err(|error| format!("is no line of a refused record (column {})", error.column()))?;
    let data = line.bytes().ok_or("its `raw` is not base64")?;
    Ok((line, data.into()))
}

/// The records of a batch that was given up.
fn records(object: &[u8], key: &str, dataset: &str) -> Result<VecDeque<Found>, Error> {
    let event = kinesis::failed_event(object)?;
    let texts = kinesis::texts(event.as_bytes())?;
    let found = kinesis::read(event.as_bytes())?.into_iter().zip(texts).zip(1..).map(|((record, text), number)| {
        let (position, arrived) = match record {
            Ok(record) => (Some(record.position(None)), record.arrived),
            Err(refused) => (refused.position.clone(), Timestamp(0)),
        };
        let why = || "does not say where it came from".to_owned();
        let line = position
            .map(|position| (of_record(dataset, position, arrived, text), Bytes::copy_from_slice(text.as_bytes())));
        Found { place: format!("{key} record {number}"), line: line.ok_or_else(why) }
    });
    Ok(found.collect())
}

fn of_record(dataset: &str, position: Position, arrived: Timestamp, text: &str) -> Line {
    // It was never refused: all of its batch failed.
    let line = Line::new(dataset, Code::Unavailable, String::new(), position, arrived, text.as_bytes());
    Line { part: Part::Event, ..line }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn record(sequence: &str, data: &str) -> serde_json::Value {
        json!({
            "kinesis": {"kinesisSchemaVersion": "1.0", "partitionKey": "1", "sequenceNumber": sequence,
                "data": data, "approximateArrivalTimestamp": 1_767_225_600.05},
            "eventID": format!("shardId-000000000006:{sequence}"),
            "eventSourceARN": "arn:aws:kinesis:us-east-2:123456789012:stream/clicks",
        })
    }

    #[test]
    fn a_failed_batch_is_its_records_the_bad_ones_too() {
        let event = json!({"Records": [record("7", "e30="), record("8", "?"), {"eventID": 1}]}).to_string();
        let object = json!({"KinesisBatchInfo": {}, "payload": event}).to_string();
        let found = records(object.as_bytes(), "failed/a", "clicks").unwrap();
        let told = found.iter().map(|found| match &found.line {
            Ok((line, _)) => format!("{} {} {} {:?}", found.place, line.position, line.arrived, line.part),
            Err(why) => format!("{} {why}", found.place),
        });
        assert_eq!(
            told.collect::<Vec<_>>(),
            [
                "failed/a record 1 clicks shardId-000000000006 sequence 7 1767225600050 Event",
                "failed/a record 2 clicks shardId-000000000006 sequence 8 0 Event",
                "failed/a record 3 does not say where it came from",
            ]
        );
        let text = found[0].line.as_ref().unwrap().1.clone();
        assert_eq!(serde_json::from_slice::<serde_json::Value>(&text).unwrap(), record("7", "e30="));
    }
}
