//! Refused records of a topic, line by line → rows or changes, for a replay.
//!
//! A line is made the record it was, and read as the consumer reads it.

mod changes;
mod rows;

use bytes::Bytes;
use headgate::{
    Code, Error,
    clock::Timestamp,
    decode::Refusal,
    event::kafka,
    landing::Mark,
    position::Position,
    quarantine::{Line, Part},
};
use headgate_columnar::replay::{Read, of_record};
use serde_json::Value;

pub use changes::Changes;
pub use rows::Rows;

use crate::Item;

fn refuse(code: Code, reason: &'static str) -> Refusal {
    Refusal { code, reason: reason.into() }
}

/// Hands the line's record over; `mark` is the place that its objects are named by.
fn with_item<T>(line: &Line, data: &Bytes, mark: &Mark, then: impl FnOnce(&Item<'_>) -> T) -> Result<T, Refusal> {
    let Position::Offset { topic, partition, .. } = &line.position else {
        return Err(refuse(Code::InvalidEvent, "the line is not of a topic"));
    };
    if line.part == Part::Event {
        let name = Value::from(format!("{topic}-{partition}")).to_string();
        let event = [b"{\"records\":{", name.as_bytes(), b":[", data, b"]}}"].concat();
        let whole = |Error { code, message, .. }| Refusal { code, reason: message.into() };
        let [read] = <[_; 1]>::try_from(kafka::read(&event).map_err(whole)?)
            .map_err(|_| refuse(Code::InvalidEvent, "the line is not one record"))?;
        let item = Item { mark: mark.clone(), ..Item::of(read).map_err(whole)? };
        if item.position() != line.position {
            return Err(refuse(Code::InvalidEvent, "the record is of another place than its line"));
        }
        return Ok(then(&item));
    }
    let kafka = line.kafka.as_ref().ok_or_else(|| {
        let what = "the line has no `kafka`: it is of a version that did not keep a record's key, headers and time; read \
                    the topic again from its offset";
        refuse(Code::InvalidEvent, what)
    })?;
    let record = kafka.record(&line.position, data);
    let record = record.ok_or_else(|| refuse(Code::InvalidEvent, "what is in the line's `kafka` is not base64"))?;
    Ok(then(&Item { mark: mark.clone(), read: Ok(record) }))
}

/// The records of a batch that was given up.
fn records(object: &[u8], dataset: &str) -> Result<Vec<Read>, Error> {
    let event = kafka::failed_event(object)?;
    let texts = kafka::texts(event.as_bytes())?;
    let found = kafka::read(event.as_bytes())?.into_iter().zip(texts).map(|(record, text)| {
        let item = Item::of(record).map_err(|error| format!("does not say where it came from: {error}"))?;
        let line = of_record(dataset, item.position(), item.at().unwrap_or(Timestamp(0)), text);
        Ok((line, Bytes::copy_from_slice(text.as_bytes())))
    });
    Ok(found.collect())
}

#[cfg(test)]
mod tests {
    use headgate::quarantine::Kafka;
    use serde_json::json;

    use super::*;

    fn position(offset: i64) -> Position {
        Position::Offset { topic: "a\"-b".to_owned(), partition: 3, offset }
    }

    fn line(part: Part, kafka: Option<Kafka>, raw: &str) -> (Line, Bytes) {
        let line = Line::new("orders", Code::InvalidJson, String::new(), position(7), Timestamp(5), raw.as_bytes());
        (Line { part, kafka, ..line }, Bytes::copy_from_slice(raw.as_bytes()))
    }

    /// The record's key and value, or why there is none.
    fn check((line, data): &(Line, Bytes), expected: &str) {
        let told = with_item(line, data, &Mark::from(1), |item| match &item.read {
            Ok(record) => format!("{:?} {:?} {:?}", record.key, record.value, record.timestamp.map(|at| at.0)),
            Err(unread) => format!("unread: {}", unread.error),
        });
        let told = told.unwrap_or_else(|refusal| format!("refused: {}", refusal.reason));
        assert!(told.starts_with(expected), "{told}");
    }

    #[test]
    fn a_line_is_the_record_it_was() {
        let kafka = Kafka { key: Some("aw==".to_owned()), timestamp: Some(9), ..Kafka::default() };
        check(&line(Part::Record, Some(kafka.clone()), "{}"), r#"Some(b"k") Some(b"{}") Some(9)"#);
        let gone = Kafka { tombstone: true, ..kafka };
        check(&line(Part::Record, Some(gone), "k"), r#"Some(b"k") None Some(9)"#);
        let event = |record: serde_json::Value| line(Part::Event, None, &record.to_string());
        check(&event(json!({"offset": 7, "timestamp": 9, "value": "e30="})), r#"None Some(b"{}") Some(9)"#);
        check(&event(json!({"offset": 7, "value": "?"})), "unread: value is not base64");
    }

    #[test]
    fn a_line_that_is_none_is_refused() {
        check(&line(Part::Record, None, "{}"), "refused: the line has no `kafka`: it is of a version");
        let broken = Kafka { key: Some("?".to_owned()), ..Kafka::default() };
        check(&line(Part::Record, Some(broken), "{}"), "refused: what is in the line's `kafka`");
        check(&line(Part::Event, None, r#"{"offset": 8, "value": "e30="}"#), "refused: the record is of another place");
        check(&line(Part::Event, None, r#"{"offset": 7}, {"offset": 8}"#), "refused: the line is not one record");
        check(&line(Part::Event, None, "}"), "refused: the event is not a Kafka batch");
        let (line, data) = line(Part::Event, None, "{}");
        let line = Line { position: Position::Row { key: "a".to_owned(), row: None }, ..line };
        check(&(line, data), "refused: the line is not of a topic");
    }

    #[test]
    fn a_failed_batch_is_its_records_the_bad_ones_too() {
        let lists = json!({"a-0": [{"offset": 7, "timestamp": 5, "value": "e30="}, {"offset": 8, "value": "?"}],
            "a-1": null, "a-2": [{"value": "e30="}], "a-3": 5});
        let event = json!({"eventSource": "aws:kafka", "records": lists}).to_string();
        let object = json!({"KafkaBatchInfo": {}, "payload": event}).to_string();
        let found = records(object.as_bytes(), "orders").unwrap();
        let told = found.iter().map(|found| match found {
            Ok((line, data)) => format!("{} {} {:?} {}", line.position, line.arrived, line.part, data.len()),
            Err(why) => why.clone(),
        });
        assert_eq!(
            told.collect::<Vec<_>>(),
            [
                "a-0 offset 7 5 Event 41",
                "a-0 offset 8 0 Event 24",
                "does not say where it came from: the record is not a Kafka record (line 1 column 16)",
                "does not say where it came from: a partition's records are no list",
            ]
        );
        let other = json!({"KinesisBatchInfo": {}, "payload": "{}"}).to_string();
        assert_eq!(records(other.as_bytes(), "orders").unwrap_err().message, "the document has no KafkaBatchInfo");
    }
}
