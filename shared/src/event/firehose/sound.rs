//! A batch as Firehose writes it → the request, in one pass over the text.
//!
//! Not of an MSK source: its records are read with care.

use std::{borrow::Cow, ops::Range};

use bytes::Bytes;

use super::{Origin, PayloadField, Record, Request, Source};
use crate::{
    clock::Timestamp,
    event::{
        moment,
        sound::{body, members, number, objects, once, skip, text},
    },
    lexer::Lexer,
};

/// The request, unless anything in it is odd.
pub(in crate::event) fn read(event: &str) -> Option<Request<'_>> {
    let mut lexer = Lexer::new(event, 0);
    let (mut invocation, mut delivery, mut region, mut source, mut read) = (None, None, None, None, None);
    // The bodies of all records, one after the other.
    let mut bodies = Vec::with_capacity(event.len() / 4 * 3);
    members(&mut lexer, &REQUEST, |lexer, field| match field {
        Field::Invocation => once(&mut invocation, text(lexer)?),
        Field::Delivery => once(&mut delivery, text(lexer)?),
        Field::Region => once(&mut region, text(lexer)?),
        Field::Kinesis => once(&mut source, text(lexer)?),
        Field::Records => once(&mut read, records(lexer, &mut bodies)?),
        Field::Msk => None,
        _ => skip(lexer),
    })?;
    let bodies = Bytes::from(bodies);
    let read = read.filter(|_| lexer.is_at_end())?;
    let source = source.map_or(Source::DirectPut, |arn| Source::Kinesis(Cow::Borrowed(arn)));
    let records: Option<Vec<_>> = read.into_iter().map(|parts| parts.record(&bodies, &source).map(Ok)).collect();
    Some(Request {
        invocation_id: Cow::Borrowed(invocation.unwrap_or_default()),
        delivery_stream_arn: Cow::Borrowed(delivery?),
        region: Cow::Borrowed(region.unwrap_or_default()),
        payload: PayloadField::of(&source),
        records: records?,
        source,
    })
}

#[derive(Debug, Clone, Copy, Default)]
enum Field {
    Invocation,
    Delivery,
    Region,
    Kinesis,
    Msk,
    Records,
    Id,
    Arrived,
    Data,
    Metadata,
    /// Of a Kafka topic.
    Kafka,
    #[default]
    Other,
}

const REQUEST: [(&str, Field); 6] = [
    (r#""invocationId":"#, Field::Invocation),
    (r#""deliveryStreamArn":"#, Field::Delivery),
    (r#""region":"#, Field::Region),
    (r#""sourceKinesisStreamArn":"#, Field::Kinesis),
    (r#""records":"#, Field::Records),
    (r#""sourceMSKArn":"#, Field::Msk),
];

const RECORD: [(&str, Field); 6] = [
    (r#""recordId":"#, Field::Id),
    (r#""approximateArrivalTimestamp":"#, Field::Arrived),
    (r#""data":"#, Field::Data),
    (r#""kinesisRecordMetadata":"#, Field::Metadata),
    (r#""kafkaRecordValue":"#, Field::Kafka),
    (r#""mskRecordMetadata":"#, Field::Kafka),
];

/// What a record is made of.
#[derive(Default)]
struct Parts<'a> {
    id: Option<&'a str>,
    arrived: Option<Timestamp>,
    body: Option<Range<usize>>,
    metadata: Option<&'a str>,
}

impl<'a> Parts<'a> {
    fn record(self, bodies: &Bytes, source: &Source<'_>) -> Option<Record<'a>> {
        let origin = Origin::of(self.metadata, None);
        Some(Record {
            id: Cow::Borrowed(self.id?),
            arrived: self.arrived,
            position: origin.position(source),
            origin,
            data: bodies.slice(self.body?),
        })
    }
}

fn records<'a>(lexer: &mut Lexer<'a>, bodies: &mut Vec<u8>) -> Option<Vec<Parts<'a>>> {
    let member = |lexer: &mut Lexer<'a>, field, parts: &mut Parts<'a>| match field {
        Field::Id => once(&mut parts.id, text(lexer)?),
        Field::Arrived => once(&mut parts.arrived, moment::millis(number(lexer)?)?),
        Field::Data => once(&mut parts.body, body(lexer, bodies)?),
        Field::Metadata => once(&mut parts.metadata, lexer.skip().ok()?),
        Field::Kafka => None,
        _ => skip(lexer),
    };
    objects(lexer, &RECORD, member, Some)
}
