//! A batch as Lambda writes it → its records, in one pass over the text.
//!
//! All or nothing: at anything odd, be it one record's, the caller reads the batch with care and tells what it is.

use std::{borrow::Cow, ops::Range};

use bytes::Bytes;

use super::{Record, shard, stream};
use crate::{
    clock::Timestamp,
    event::{
        moment,
        sound::{body, members, number, objects, once, skip, text},
    },
    lexer::Lexer,
    position::SequenceNumber,
};

/// The records of a batch none of which is odd.
pub(in crate::event) fn read(event: &str) -> Option<Vec<Record<'_>>> {
    let mut lexer = Lexer::new(event, 0);
    let mut read = None;
    // The bodies of all records, one after the other.
    let mut bodies = Vec::with_capacity(event.len() / 4 * 3);
    members(&mut lexer, &[(r#""Records":"#, Field::Records)], |lexer, field| match field {
        Field::Records => once(&mut read, records(lexer, &mut bodies)?),
        _ => skip(lexer),
    })?;
    let (mut records, places) = read.filter(|_| lexer.is_at_end())?;
    let bodies = Bytes::from(bodies);
    for (record, place) in records.iter_mut().zip(places) {
        record.data = bodies.slice(place);
    }
    Some(records)
}

/// The ARN and the stream of the record before: nearly always the next one's too.
type Before<'a> = Option<(&'a str, &'a str)>;

fn stream_of<'a>(arn: &'a str, before: &mut Before<'a>) -> Option<&'a str> {
    match before {
        Some((same, name)) if *same == arn => Some(name),
        _ => before.insert((arn, stream(arn)?)).1.into(),
    }
}

#[derive(Debug, Clone, Copy, Default)]
enum Field {
    Records,
    Kinesis,
    Id,
    Arn,
    PartitionKey,
    Sequence,
    Data,
    Arrived,
    #[default]
    Other,
}

/// A record's fields, in the order in which Lambda writes them.
const RECORD: [(&str, Field); 8] = [
    (r#""kinesis":"#, Field::Kinesis),
    (r#""eventSource":"#, Field::Other),
    (r#""eventVersion":"#, Field::Other),
    (r#""eventID":"#, Field::Id),
    (r#""eventName":"#, Field::Other),
    (r#""invokeIdentityArn":"#, Field::Other),
    (r#""awsRegion":"#, Field::Other),
    (r#""eventSourceARN":"#, Field::Arn),
];

const PAYLOAD: [(&str, Field); 5] = [
    (r#""kinesisSchemaVersion":"#, Field::Other),
    (r#""partitionKey":"#, Field::PartitionKey),
    (r#""sequenceNumber":"#, Field::Sequence),
    (r#""data":"#, Field::Data),
    (r#""approximateArrivalTimestamp":"#, Field::Arrived),
];

/// What a record is made of.
#[derive(Default)]
struct Parts<'a> {
    id: Option<&'a str>,
    arn: Option<&'a str>,
    payload: Option<()>,
    sequence: Option<SequenceNumber>,
    partition_key: Option<&'a str>,
    arrived: Option<Timestamp>,
    body: Option<Range<usize>>,
}

impl<'a> Parts<'a> {
    /// The record without its data, whose place goes to `places`.
    fn record(self, before: &mut Before<'a>, places: &mut Vec<Range<usize>>) -> Option<Record<'a>> {
        let arn = self.arn?;
        places.push(self.body?);
        Some(Record {
            source_arn: Cow::Borrowed(arn),
            stream: Cow::Borrowed(stream_of(arn, before)?),
            shard: Cow::Borrowed(shard(self.id?)?),
            sequence: self.sequence?,
            partition_key: Cow::Borrowed(self.partition_key?),
            arrived: self.arrived?,
            data: Bytes::new(),
        })
    }
}

/// The records without their data, and where in `bodies` that is.
fn records<'a>(lexer: &mut Lexer<'a>, bodies: &mut Vec<u8>) -> Option<(Vec<Record<'a>>, Vec<Range<usize>>)> {
    let (mut before, mut places) = (None, Vec::new());
    let member = |lexer: &mut Lexer<'a>, field, parts: &mut Parts<'a>| match field {
        Field::Id => once(&mut parts.id, text(lexer)?),
        Field::Arn => once(&mut parts.arn, text(lexer)?),
        Field::Kinesis => payload(lexer, parts, bodies).and_then(|()| once(&mut parts.payload, ())),
        _ => skip(lexer),
    };
    let records = objects(lexer, &RECORD, member, |parts| parts.record(&mut before, &mut places))?;
    Some((records, places))
}

fn payload<'a>(lexer: &mut Lexer<'a>, parts: &mut Parts<'a>, bodies: &mut Vec<u8>) -> Option<()> {
    members(lexer, &PAYLOAD, |lexer, field| match field {
        Field::Sequence => once(&mut parts.sequence, SequenceNumber::new(text(lexer)?)?),
        Field::PartitionKey => once(&mut parts.partition_key, text(lexer)?),
        Field::Arrived => once(&mut parts.arrived, moment::seconds(number(lexer)?)?),
        Field::Data => once(&mut parts.body, body(lexer, bodies)?),
        _ => skip(lexer),
    })
}
