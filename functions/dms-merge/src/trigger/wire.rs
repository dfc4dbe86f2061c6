//! The JSON that AWS sends → pokes.
//!
//! Every field that AWS may leave out is optional here and nowhere after: an unknown field or a missing extra
//! never costs an event.

use headgate::Error;
use percent_encoding::percent_decode_str;
use serde::Deserialize;
use serde_json::Value;

use super::{Message, Poke, invalid};

/// Every notice there is, by the fields that tell them apart.
#[derive(Deserialize)]
struct Notice<'a> {
    #[serde(rename = "Records", borrow)]
    records: Option<Vec<Record<'a>>>,
    /// `s3:TestEvent`.
    #[serde(rename = "Event")]
    event: Option<&'a str>,
    /// An SNS envelope in a message body.
    #[serde(rename = "Type")]
    kind: Option<&'a str>,
    #[serde(rename = "Message")]
    message: Option<&'a str>,
    /// `EventBridge`'s.
    source: Option<&'a str>,
    #[serde(rename = "detail-type")]
    detail_type: Option<&'a str>,
    /// A schedule's own input.
    #[serde(borrow)]
    tables: Option<Tables<'a>>,
}

/// One of `Records`: S3's own, or SNS's around it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record<'a> {
    event_version: Option<&'a str>,
    event_name: Option<&'a str>,
    #[serde(borrow)]
    s3: Option<Entity<'a>>,
    #[serde(rename = "Sns", borrow)]
    sns: Option<Sns<'a>>,
}

#[derive(Deserialize)]
struct Sns<'a> {
    #[serde(rename = "Message")]
    message: &'a str,
}

/// `s3` of a record, and `detail` of an `EventBridge` event: both name a bucket and an object.
#[derive(Deserialize)]
struct Entity<'a> {
    #[serde(borrow)]
    bucket: Bucket<'a>,
    #[serde(borrow)]
    object: Object<'a>,
}

#[derive(Deserialize)]
struct Bucket<'a> {
    name: &'a str,
}

#[derive(Deserialize)]
struct Object<'a> {
    key: &'a str,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Tables<'a> {
    #[serde(borrow)]
    Named(Vec<&'a str>),
    Word(&'a str),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SqsRecord<'a> {
    message_id: &'a str,
    body: Option<&'a str>,
}

/// Whether this is a batch of SQS messages.
pub(super) fn is_sqs(event: &Value) -> bool {
    let source = |record: &Value| record.get("eventSource").and_then(Value::as_str) == Some("aws:sqs");
    event.get("Records").and_then(Value::as_array).is_some_and(|records| records.iter().any(source))
}

/// The messages of an SQS batch.
pub(super) fn messages(event: &Value) -> Result<Vec<Message>, Error> {
    let records = event.get("Records").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    records.iter().map(message).collect()
}

fn message(record: &Value) -> Result<Message, Error> {
    let record = SqsRecord::deserialize(record).map_err(|_| invalid("a message of the SQS batch has no messageId"))?;
    let pokes = match record.body {
        Some(body) => text(body),
        None => Err(invalid("the message has no body")),
    };
    Ok(Message { id: record.message_id.to_owned(), pokes })
}

fn text(body: &str) -> Result<Vec<Poke>, Error> {
    let value: Value = serde_json::from_str(body).map_err(|_| invalid("the message's body is not JSON"))?;
    pokes(&value)
}

/// What one notice pokes.
pub(super) fn pokes(event: &Value) -> Result<Vec<Poke>, Error> {
    let notice = Notice::deserialize(event).map_err(|_| invalid("the event is of no known kind"))?;
    match notice {
        Notice { records: Some(records), .. } => {
            let pokes: Result<Vec<_>, _> = records.iter().map(Record::pokes).collect();
            Ok(pokes?.concat())
        }
        Notice { event: Some("s3:TestEvent"), .. } => Ok(vec![Poke::Test]),
        Notice { kind: Some("Notification"), message: Some(message), .. } => text(message),
        Notice { source: Some("aws.s3"), detail_type: Some(kind), .. } => bridged(kind, &event["detail"]),
        Notice { detail_type: Some("Scheduled Event"), .. } => Ok(vec![Poke::AllTables]),
        Notice { tables: Some(tables), .. } => tables.pokes(),
        _ => Err(invalid("the event is of no known kind")),
    }
}

fn bridged(kind: &str, detail: &Value) -> Result<Vec<Poke>, Error> {
    if kind != "Object Created" && kind != "Object Deleted" {
        return Ok(vec![Poke::Other]);
    }
    let entity =
        Entity::deserialize(detail).map_err(|_| invalid(format!("\"{kind}\" names no bucket and object key")))?;
    // EventBridge does not encode the key, unlike S3's own notifications.
    Ok(vec![entity.poke(entity.object.key.to_owned())])
}

impl Record<'_> {
    fn pokes(&self) -> Result<Vec<Poke>, Error> {
        match (&self.s3, &self.sns) {
            (Some(entity), _) => self.notified(entity).map(|poke| vec![poke]),
            (None, Some(sns)) => text(sns.message),
            (None, None) => Err(invalid("a record carries neither S3's nor SNS's own part")),
        }
    }

    fn notified(&self, entity: &Entity<'_>) -> Result<Poke, Error> {
        if let Some(version) = self.event_version
            && !version.starts_with("2.")
        {
            return Err(invalid(format!("S3 event version {version} is not 2.x")));
        }
        let name = self.event_name.unwrap_or("ObjectCreated:");
        if !COMINGS_AND_GOINGS.iter().any(|prefix| name.trim_start_matches("s3:").starts_with(prefix)) {
            return Ok(Poke::Other);
        }
        Ok(entity.poke(form_decoded(entity.object.key)?))
    }
}

const COMINGS_AND_GOINGS: [&str; 3] = ["ObjectCreated:", "ObjectRemoved:", "LifecycleExpiration:"];

/// S3's own notifications encode the key as a form does: `+` is a space, then `%XX`.
fn form_decoded(key: &str) -> Result<String, Error> {
    let spaced = key.replace('+', " ");
    let decoded = percent_decode_str(&spaced).decode_utf8().map_err(|_| invalid("the object key is not UTF-8"))?;
    Ok(decoded.into_owned())
}

impl Entity<'_> {
    fn poke(&self, key: String) -> Poke {
        Poke::Object { bucket: self.bucket.name.to_owned(), key }
    }
}

impl Tables<'_> {
    fn pokes(&self) -> Result<Vec<Poke>, Error> {
        match self {
            Self::Word("all") => Ok(vec![Poke::AllTables]),
            Self::Word(_) => Err(invalid("\"tables\" is neither a list of names nor \"all\"")),
            Self::Named(names) => Ok(names.iter().map(|name| Poke::Table((*name).to_owned())).collect()),
        }
    }
}
