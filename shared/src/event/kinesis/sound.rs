//! A batch as Lambda writes it → its records, in one pass over the text.
//!
//! All or nothing: at anything odd, be it one record's, the caller reads the batch with care and tells what it is.

use std::{borrow::Cow, ops::Range};

use bytes::Bytes;

use super::{Record, shard, stream};
use crate::{
    clock::Timestamp,
    event::moment,
    lexer::{Lexer, Token, inner},
    position::SequenceNumber,
};

/// The records of a batch none of which is odd.
pub(super) fn read(event: &str) -> Option<Vec<Record<'_>>> {
    let mut lexer = Lexer::new(event, 0);
    let mut read = None;
    // The bodies of all records, one after the other.
    let mut bodies = Vec::with_capacity(event.len() / 4 * 3);
    members(&mut lexer, &[(r#""Records":"#, Field::Records)], |lexer, field| match field {
        Field::Records => once(&mut read, records(lexer, &mut bodies)?),
        _ => skip(lexer),
    })?;
    let bodies = Bytes::from(bodies);
    let read = read.filter(|_| lexer.is_at_end())?;
    read.into_iter().map(|parts| parts.record(&bodies)).collect()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    Records,
    Kinesis,
    Id,
    Arn,
    PartitionKey,
    Sequence,
    Data,
    Arrived,
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
    sequence: Option<SequenceNumber>,
    partition_key: Option<&'a str>,
    arrived: Option<Timestamp>,
    body: Option<Range<usize>>,
}

impl<'a> Parts<'a> {
    fn record(self, bodies: &Bytes) -> Option<Record<'a>> {
        let arn = self.arn?;
        Some(Record {
            source_arn: Cow::Borrowed(arn),
            stream: Cow::Borrowed(stream(arn)?),
            shard: Cow::Borrowed(shard(self.id?)?),
            sequence: self.sequence?,
            partition_key: Cow::Borrowed(self.partition_key?),
            arrived: self.arrived?,
            data: bodies.slice(self.body?),
        })
    }
}

fn records<'a>(lexer: &mut Lexer<'a>, bodies: &mut Vec<u8>) -> Option<Vec<Parts<'a>>> {
    let Token::Array = lexer.token().ok()? else { return None };
    let mut records = Vec::new();
    while lexer.more(records.is_empty(), b']').ok()? {
        let mut parts = Parts::default();
        members(lexer, &RECORD, |lexer, field| match field {
            Field::Id => once(&mut parts.id, text(lexer)?),
            Field::Arn => once(&mut parts.arn, text(lexer)?),
            Field::Kinesis => payload(lexer, &mut parts, bodies),
            _ => skip(lexer),
        })?;
        records.push(parts);
    }
    Some(records)
}

fn payload<'a>(lexer: &mut Lexer<'a>, parts: &mut Parts<'a>, bodies: &mut Vec<u8>) -> Option<()> {
    members(lexer, &PAYLOAD, |lexer, field| match field {
        Field::Sequence => once(&mut parts.sequence, SequenceNumber::new(text(lexer)?)?),
        Field::PartitionKey => once(&mut parts.partition_key, text(lexer)?),
        Field::Arrived => once(&mut parts.arrived, time(lexer)?),
        Field::Data => {
            let start = bodies.len();
            base64_simd::STANDARD.decode_append(text(lexer)?, bodies).ok()?;
            once(&mut parts.body, start..bodies.len())
        }
        _ => skip(lexer),
    })
}

/// Gives each member of the object to `member`, which reads its value; it may well be the next one of `fields`.
fn members<'a>(
    lexer: &mut Lexer<'a>,
    fields: &[(&str, Field)],
    mut member: impl FnMut(&mut Lexer<'a>, Field) -> Option<()>,
) -> Option<()> {
    let Token::Object = lexer.token().ok()? else { return None };
    let (mut hint, mut first) = (0, true);
    while lexer.more(first, b'}').ok()? {
        first = false;
        let near = fields.get(hint).is_some_and(|(written, _)| lexer.passes(written));
        let at = if near { Some(hint) } else { find(lexer, fields)? };
        hint = at.map_or(hint, |at| at + 1);
        member(lexer, at.map_or(Field::Other, |at| fields[at].1))?;
    }
    Some(())
}

/// Which of the fields comes, if any of them.
fn find(lexer: &mut Lexer<'_>, fields: &[(&str, Field)]) -> Option<Option<usize>> {
    let name = lexer.name().ok().filter(|name| !name.escaped)?;
    Some(fields.iter().position(|(written, _)| inner(written) == name.text))
}

/// A member that comes twice is odd.
fn once<T>(place: &mut Option<T>, value: T) -> Option<()> {
    place.replace(value).is_none().then_some(())
}

fn skip(lexer: &mut Lexer<'_>) -> Option<()> {
    lexer.skip().ok().map(|_| ())
}

fn text<'a>(lexer: &mut Lexer<'a>) -> Option<&'a str> {
    match lexer.token() {
        Ok(Token::Text(raw)) if !raw.escaped => Some(raw.text),
        _ => None,
    }
}

fn time(lexer: &mut Lexer<'_>) -> Option<Timestamp> {
    match lexer.token() {
        Ok(Token::Number(digits)) => moment::seconds(digits),
        _ => None,
    }
}
