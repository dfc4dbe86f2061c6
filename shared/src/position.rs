//! A record → where it came from, so that a person or a replay can find it again.
//!
//! It names a place, never a content.

mod sequence;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use sequence::SequenceNumber;

/// Where a record came from.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Position {
    /// A row of an object.
    Row {
        /// The object.
        key: String,
        /// The row, the first being 0; `None` where the object cannot be read as rows.
        row: Option<u64>,
    },
    /// A record of a Kinesis shard.
    Shard {
        /// The stream's name.
        stream: String,
        /// The shard's id.
        shard: String,
        /// The record's place in its shard.
        sequence: SequenceNumber,
        /// The place within an aggregate, whose records share a sequence number, the first being 0; `None` where the
        /// record is meant as a whole.
        sub_sequence: Option<u64>,
    },
    /// A record of a Kafka partition.
    Offset {
        /// The topic's name.
        topic: String,
        /// The partition's number.
        partition: i32,
        /// The record's place in its partition.
        offset: i64,
    },
    /// A message of a device.
    Message {
        /// The MQTT topic; empty where the message does not say it.
        topic: String,
        /// What tells it from others: 128 bits of a hash of it, as hexadecimal digits.
        id: String,
    },
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Row { key, row: Some(row) } => write!(f, "{key} row {row}"),
            Self::Row { key, row: None } => f.write_str(key),
            Self::Shard { stream, shard, sequence, sub_sequence: Some(sub) } => {
                write!(f, "{stream} {shard} sequence {sequence} sub-sequence {sub}")
            }
            Self::Shard { stream, shard, sequence, sub_sequence: None } => {
                write!(f, "{stream} {shard} sequence {sequence}")
            }
            Self::Offset { topic, partition, offset } => write!(f, "{topic}-{partition} offset {offset}"),
            Self::Message { topic, id } if topic.is_empty() => write!(f, "message {id}"),
            Self::Message { topic, id } => write!(f, "{topic} message {id}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How a position reads, and that it survives as JSON.
    fn check(position: &Position, text: &str, json: &str) {
        assert_eq!(position.to_string(), text);
        assert_eq!(serde_json::to_string(position).unwrap(), json);
        assert_eq!(&serde_json::from_str::<Position>(json).unwrap(), position);
    }

    fn row(row: Option<u64>) -> Position {
        Position::Row { key: "cdc/a.csv".to_owned(), row }
    }

    fn shard(sequence: &str, sub_sequence: Option<u64>) -> Position {
        let sequence = SequenceNumber::new(sequence).unwrap();
        Position::Shard { stream: "clicks".to_owned(), shard: "shardId-1".to_owned(), sequence, sub_sequence }
    }

    fn offset(partition: i32, offset: i64) -> Position {
        Position::Offset { topic: "eu-orders".to_owned(), partition, offset }
    }

    #[test]
    fn it_reads_as_a_place() {
        check(&row(Some(3)), "cdc/a.csv row 3", r#"{"row":{"key":"cdc/a.csv","row":3}}"#);
        check(&row(None), "cdc/a.csv", r#"{"row":{"key":"cdc/a.csv","row":null}}"#);
        check(
            &shard("21", Some(4)),
            "clicks shardId-1 sequence 21 sub-sequence 4",
            r#"{"shard":{"stream":"clicks","shard":"shardId-1","sequence":"21","sub_sequence":4}}"#,
        );
        check(
            &shard("21", None),
            "clicks shardId-1 sequence 21",
            r#"{"shard":{"stream":"clicks","shard":"shardId-1","sequence":"21","sub_sequence":null}}"#,
        );
        let message = |topic: &str| Position::Message { topic: topic.to_owned(), id: "0f".to_owned() };
        check(&message("a/b"), "a/b message 0f", r#"{"message":{"topic":"a/b","id":"0f"}}"#);
        check(&message(""), "message 0f", r#"{"message":{"topic":"","id":"0f"}}"#);
        check(&offset(7, 12), "eu-orders-7 offset 12", r#"{"offset":{"topic":"eu-orders","partition":7,"offset":12}}"#);
    }

    #[test]
    fn it_sorts_as_records_do() {
        assert!(row(None) < row(Some(0)) && row(Some(9)) < row(Some(10)));
        assert!(shard("9", Some(3)) < shard("10", None) && shard("10", None) < shard("10", Some(0)));
        assert!(shard("10", Some(2)) < shard("10", Some(11)));
        assert!(offset(2, 100) < offset(10, 9) && offset(2, 9) < offset(2, 10));
    }
}
