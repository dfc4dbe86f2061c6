//! A change event of Debezium → the row it tells of, as one JSON object.
//!
//! The row is the image after the change; of a delete it is the image before, or else the key. What the dataset asks of
//! the event itself is put before it, under `envelope`. Source: debezium-connector-common, `data/Envelope.java`.

use headgate::{Code, dataset::Stream, decode::Refusal};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::content::Content;

/// The member, and the first name of the columns' paths, that means the event.
pub(crate) const EVENT: &str = "envelope";

/// An event with its schema, as Kafka Connect's JSON converter writes it where `schemas.enable` is set.
#[derive(Deserialize)]
struct Schemaed<'a> {
    #[serde(borrow)]
    schema: Option<&'a RawValue>,
    #[serde(borrow)]
    payload: &'a RawValue,
}

#[derive(Deserialize)]
struct Event<'a> {
    op: Option<String>,
    #[serde(borrow)]
    before: Option<&'a RawValue>,
    #[serde(borrow)]
    after: Option<&'a RawValue>,
}

fn refuse(code: Code, reason: &'static str) -> Refusal {
    Refusal { code, reason: reason.into() }
}

/// What is inside of `{"schema": …, "payload": …}`; else the text itself.
pub(crate) fn payload(text: &str) -> &str {
    match serde_json::from_str::<Schemaed<'_>>(text) {
        Ok(Schemaed { schema: Some(_), payload }) => payload.get(),
        _ => text,
    }
}

/// The row of the event; `key` gives the record's key as an object.
pub(crate) fn row(
    content: Content,
    stream: &Stream,
    key: impl FnOnce() -> Result<String, Refusal>,
) -> Result<Content, Refusal> {
    let text = match content {
        Content::Object(text) => text,
        Content::Plain(bytes) => String::from_utf8(bytes.into()).map_err(|_| refuse(Code::InvalidJson, "not UTF-8"))?,
        Content::Control => return Ok(Content::Control),
    };
    // serde takes an array for a struct as well, member by member.
    if !text.trim_ascii_start().starts_with('{') {
        return Err(refuse(Code::InvalidJson, "no change event"));
    }
    // Such a decimal is base64, which may look like digits.
    if let Ok(Schemaed { schema: Some(schema), .. }) = serde_json::from_str(&text)
        && schema.get().contains("org.apache.kafka.connect.data.Decimal")
    {
        return Err(refuse(
            Code::IncompatibleType,
            "a decimal in bytes: set the connector's decimal.handling.mode to string",
        ));
    }
    let text = payload(&text);
    let event: Event<'_> = serde_json::from_str(text).map_err(|_| refuse(Code::InvalidJson, "no change event"))?;
    let object =
        |image: Option<&RawValue>| image.map(RawValue::get).filter(|image| image.starts_with('{')).map(str::to_owned);
    let image = match event.op.as_deref() {
        Some("c" | "u" | "r") => {
            object(event.after).ok_or_else(|| refuse(Code::InvalidJson, "no image after the change"))?
        }
        Some("d") => object(event.before).map_or_else(key, Ok)?,
        // The table was emptied; a message of the database's log.
        Some("t" | "m") => return Ok(Content::Control),
        _ => return Err(refuse(Code::UnknownOp, "`op` is none of c, u, d, r, t, m")),
    };
    Ok(Content::Object(with_envelope(&image, text, stream)?))
}

/// The image with the members of the event that columns ask for.
fn with_envelope(image: &str, event: &str, stream: &Stream) -> Result<String, Refusal> {
    let members: std::collections::BTreeMap<&str, &RawValue> =
        serde_json::from_str(event).map_err(|_| refuse(Code::InvalidJson, "no change event"))?;
    let mut asked: Vec<&str> = Vec::new();
    for field in &stream.columns {
        if let [first, name, ..] = &field.path[..]
            && first == EVENT
            && !asked.contains(&name.as_str())
        {
            asked.push(name);
        }
    }
    let asked = asked.iter().filter_map(|name| Some(format!("\"{name}\":{}", members.get(name)?.get())));
    let asked: Vec<_> = asked.collect();
    let rest = image[1..].trim_start();
    let comma = if rest.starts_with('}') { "" } else { "," };
    Ok(format!("{{\"{EVENT}\":{{{}}}{comma}{rest}", asked.join(",")))
}
