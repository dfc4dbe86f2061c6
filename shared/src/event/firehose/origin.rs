//! What Firehose tells of a record's source → where the record was before.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{
    clock::Timestamp,
    event::{
        kinesis, moment,
        wire::{self, Object, Remains},
    },
    position::{Position, SequenceNumber},
};

/// What feeds a delivery stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source<'a> {
    /// Producers put records themselves.
    DirectPut,
    /// The Kinesis stream of this ARN. Firehose has taken KPL aggregates apart.
    Kinesis(Cow<'a, str>),
    /// A topic of the MSK cluster of this ARN.
    Msk(Cow<'a, str>),
}

impl Source<'_> {
    /// The name of the Kinesis stream.
    #[must_use]
    pub fn stream(&self) -> Option<&str> {
        match self {
            Self::Kinesis(arn) => kinesis::stream(arn),
            Self::DirectPut | Self::Msk(_) => None,
        }
    }
}

/// Where a record was before Firehose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin<'a> {
    /// Nowhere, or the event does not say.
    Unknown,
    /// In a Kinesis stream.
    Kinesis(KinesisMetadata<'a>),
    /// In a Kafka topic.
    Kafka(KafkaMetadata),
}

/// `kinesisRecordMetadata`: what is readable of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KinesisMetadata<'a> {
    /// The shard's id.
    pub shard: Option<Cow<'a, str>>,
    /// The producer's partition key, by which a record can be put again.
    pub partition_key: Option<Cow<'a, str>>,
    /// The place in the shard.
    pub sequence: Option<SequenceNumber>,
    /// The place within an aggregate; 0, as a rule, where it was in none.
    pub sub_sequence: Option<u64>,
    /// When the stream took it in.
    pub arrived: Option<Timestamp>,
}

/// `mskRecordMetadata`: what is readable of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KafkaMetadata {
    /// The partition's number.
    pub partition: Option<i32>,
    /// The place in the partition.
    pub offset: Option<i64>,
    /// When the partition took it in.
    pub arrived: Option<Timestamp>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata<'a> {
    #[serde(borrow)]
    shard_id: Option<&'a RawValue>,
    #[serde(borrow)]
    partition_key: Option<&'a RawValue>,
    #[serde(borrow)]
    sequence_number: Option<&'a RawValue>,
    /// A number, a number as a string, or "".
    #[serde(borrow)]
    subsequence_number: Option<&'a RawValue>,
    #[serde(borrow)]
    partition_id: Option<&'a RawValue>,
    #[serde(borrow)]
    offset: Option<&'a RawValue>,
    #[serde(borrow)]
    approximate_arrival_timestamp: Option<&'a RawValue>,
}

impl Metadata<'_> {
    fn arrived(&self) -> Option<Timestamp> {
        moment::millis(&wire::scalar(self.approximate_arrival_timestamp?)?)
    }
}

impl<'a> Origin<'a> {
    pub(super) fn of(kinesis: Option<&'a str>, msk: Option<&'a str>) -> Self {
        let read =
            |text: &'a str| serde_json::from_str::<Object<Metadata<'a>>>(text).ok().map(|Object(metadata)| metadata);
        if let Some(metadata) = kinesis.and_then(read) {
            return Self::Kinesis(KinesisMetadata {
                shard: metadata.shard_id.and_then(wire::scalar),
                partition_key: metadata.partition_key.and_then(wire::scalar),
                sequence: metadata.sequence_number.and_then(wire::scalar).and_then(|text| SequenceNumber::new(&text)),
                sub_sequence: metadata.subsequence_number.and_then(wire::number),
                arrived: metadata.arrived(),
            });
        }
        msk.and_then(read).map_or(Self::Unknown, |metadata| {
            Self::Kafka(KafkaMetadata {
                partition: metadata.partition_id.and_then(wire::number),
                offset: metadata.offset.and_then(wire::number),
                arrived: metadata.arrived(),
            })
        })
    }

    pub(super) fn position(&self, source: &Source<'_>) -> Option<Position> {
        let Self::Kinesis(metadata) = self else {
            return None;
        };
        Some(Position::Shard {
            stream: source.stream()?.to_owned(),
            shard: metadata.shard.clone()?.into_owned(),
            sequence: metadata.sequence.clone()?,
            sub_sequence: metadata.sub_sequence,
        })
    }
}

/// Where a record that cannot be read came from.
pub(super) fn remains(remains: Remains<'_>, source: &Source<'_>) -> Option<Position> {
    let at = |name| ["kinesisRecordMetadata", name];
    Some(Position::Shard {
        stream: source.stream()?.to_owned(),
        shard: remains.scalar(&at("shardId"))?.into_owned(),
        sequence: SequenceNumber::new(&remains.scalar(&at("sequenceNumber"))?)?,
        sub_sequence: remains.number(&at("subsequenceNumber")),
    })
}
