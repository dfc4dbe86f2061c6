//! A request through a function URL or an HTTP API → its parts, and a status with a body → the response.
//!
//! Only payload format 2.0, which both share; nothing here judges a request. Shapes: AWS Lambda Developer Guide,
//! "Invoking Lambda function URLs"; API Gateway Developer Guide, "Create AWS Lambda proxy integrations for HTTP APIs".

mod problem;
mod response;

use std::{
    borrow::Cow,
    collections::{BTreeMap, btree_map::Entry},
    fmt,
};

use serde::Deserialize;
use serde_json::value::RawValue;

pub use problem::Problem;
pub use response::Response;

use super::{
    invalid, moment,
    wire::{self, Members, Object, Text},
};
use crate::{clock::Timestamp, error::Error};

/// A request.
///
/// Its `Debug` leaves headers, query and body out, so that it may be logged.
#[derive(Clone, PartialEq, Eq)]
pub struct Request<'a> {
    /// The method, such as `POST`.
    pub method: Cow<'a, str>,
    /// The path as it came, percent-encoded; with an HTTP API the stage's name comes first, unless it is `$default`.
    pub path: Cow<'a, str>,
    /// The query parameters, decoded; the values of a name that came more than once are joined by commas.
    pub query: BTreeMap<Cow<'a, str>, Cow<'a, str>>,
    /// The body's bytes; empty where there is none.
    pub body: Cow<'a, [u8]>,
    /// The address the request came from.
    pub source_ip: Option<Cow<'a, str>>,
    /// The id AWS gave it.
    pub request_id: Option<Cow<'a, str>>,
    /// When AWS took it in.
    pub received: Option<Timestamp>,
    /// The route it matched, such as `POST /events`; `$default` with a function URL.
    pub route_key: Option<Cow<'a, str>>,
    headers: BTreeMap<String, Cow<'a, str>>,
}

impl Request<'_> {
    /// The header of this name in any case; the values of a header that came more than once are joined by commas.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(&name.to_ascii_lowercase()).map(AsRef::as_ref)
    }

    /// Every header, by its name in lower case.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.headers.iter().map(|(name, value)| (name.as_str(), value.as_ref()))
    }
}

impl fmt::Debug for Request<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {} bytes", self.method, self.path, self.body.len())
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire<'a> {
    #[serde(borrow)]
    version: Option<Text<'a>>,
    #[serde(borrow)]
    route_key: Option<Text<'a>>,
    #[serde(borrow)]
    raw_path: Text<'a>,
    #[serde(borrow)]
    headers: Option<Members<'a, Option<&'a RawValue>>>,
    #[serde(borrow)]
    query_string_parameters: Option<Members<'a, Option<&'a RawValue>>>,
    #[serde(borrow)]
    request_context: Object<Context<'a>>,
    #[serde(borrow)]
    body: Option<Text<'a>>,
    is_base64_encoded: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Context<'a> {
    #[serde(borrow)]
    http: Object<Http<'a>>,
    #[serde(borrow)]
    request_id: Option<&'a RawValue>,
    #[serde(borrow)]
    time_epoch: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Http<'a> {
    #[serde(borrow)]
    method: Text<'a>,
    #[serde(borrow)]
    source_ip: Option<&'a RawValue>,
}

/// Reads `{"version": "2.0", "rawPath", "headers", "queryStringParameters", "requestContext", "body",
/// "isBase64Encoded"}`.
///
/// # Errors
/// Poison, `invalid_event`: where the event is not JSON of payload format 2.0, or its body is not the base64 it says.
pub fn read(event: &[u8]) -> Result<Request<'_>, Error> {
    let wire: Wire<'_> = wire::event(event, "an HTTP request of payload format 2.0")?;
    if wire.version.is_some_and(|Text(version)| version != "2.0") {
        return Err(invalid("the HTTP request is not of payload format 2.0; set payload_format_version of the route"));
    }
    let Object(context) = wire.request_context;
    let Object(http) = context.http;
    let lower = |name: Cow<'_, str>| name.to_ascii_lowercase();
    Ok(Request {
        method: http.method.0,
        path: wire.raw_path.0,
        query: joined(wire.query_string_parameters, |name| name),
        headers: joined(wire.headers, lower),
        body: body(wire.body, wire.is_base64_encoded.unwrap_or_default())?,
        source_ip: http.source_ip.and_then(wire::scalar),
        request_id: context.request_id.and_then(wire::scalar),
        received: context.time_epoch.and_then(wire::scalar).and_then(|text| moment::millis(&text)),
        route_key: wire.route_key.map(|Text(key)| key),
    })
}

/// The members with a value, by the name that `named` makes of theirs.
fn joined<'a, N: Ord>(
    members: Option<Members<'a, Option<&'a RawValue>>>,
    named: impl Fn(Cow<'a, str>) -> N,
) -> BTreeMap<N, Cow<'a, str>> {
    let mut joined = BTreeMap::new();
    let values = members.unwrap_or_default().0.into_iter();
    for (name, value) in values.filter_map(|(name, value)| Some((name, wire::scalar(value?)?))) {
        match joined.entry(named(name)) {
            Entry::Vacant(vacant) => {
                vacant.insert(value);
            }
            Entry::Occupied(mut occupied) => {
                let before: &mut Cow<'_, str> = occupied.get_mut();
                before.to_mut().push(',');
                before.to_mut().push_str(&value);
            }
        }
    }
    joined
}

fn body(body: Option<Text<'_>>, base64: bool) -> Result<Cow<'_, [u8]>, Error> {
    match body.unwrap_or_default().0 {
        text if base64 => Ok(Cow::Owned(wire::bytes("body", &text)?.into())),
        Cow::Borrowed(text) => Ok(Cow::Borrowed(text.as_bytes())),
        Cow::Owned(text) => Ok(Cow::Owned(text.into_bytes())),
    }
}

#[cfg(test)]
mod tests;
