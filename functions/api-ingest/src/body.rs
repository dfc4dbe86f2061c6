//! A body with its content type and encoding → the JSON objects in it.
//!
//! All or nothing: one part that cannot be read refuses the body, so that a sender never has to find out which part of
//! a bad body went through.

use bytes::Bytes;
use headgate::{
    Code,
    decode::{
        compression::unpack,
        json::{self, Document},
    },
    event::http::Request,
};

use crate::refusal::Refusal;

/// What a body may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Bytes, unpacked.
    pub bytes: usize,
    /// Records.
    pub records: usize,
}

/// Checks that the body is JSON, packed in a way we know. A content type may be missing.
///
/// # Errors
/// [`Refusal::MediaType`] or [`Refusal::Encoding`].
pub fn check(request: &Request<'_>) -> Result<(), Refusal> {
    if request.header("content-type").is_some_and(|written| !is_json(written)) {
        return Err(Refusal::MediaType);
    }
    let encoding = request.header("content-encoding").unwrap_or("identity").trim().to_ascii_lowercase();
    match encoding.as_str() {
        "" | "identity" | "gzip" | "x-gzip" | "zstd" => Ok(()),
        _ => Err(Refusal::Encoding),
    }
}

/// Whether a content type is one of JSON's; NDJSON has no registered one, so all that are used are taken.
fn is_json(written: &str) -> bool {
    let mut parts = written.split(';').map(|part| part.trim().to_ascii_lowercase());
    let kind = parts.next().unwrap_or_default();
    let known = match kind.strip_prefix("application/") {
        Some("json" | "x-ndjson" | "ndjson" | "jsonl" | "x-jsonlines" | "json-lines") => true,
        Some(other) => other.ends_with("+json"),
        None => false,
    };
    let utf8 = |part: String| match part.strip_prefix("charset=") {
        Some(charset) => matches!(charset.trim_matches('"'), "utf-8" | "utf8" | "us-ascii"),
        None => true,
    };
    known && parts.all(utf8)
}

/// The body's bytes, unpacked where they are packed, whatever the content encoding says: some proxies unpack and leave
/// the header.
///
/// # Errors
/// [`Refusal::BodyTooLarge`], also for a small body that unpacks to a large one; [`Refusal::Packed`].
pub fn unpacked(request: &Request<'_>, bounds: Bounds) -> Result<Bytes, Refusal> {
    let too_large = Refusal::BodyTooLarge { most: bounds.bytes };
    let body = unpack(&Bytes::copy_from_slice(&request.body), bounds.bytes);
    match body {
        Ok(body) if body.len() > bounds.bytes => Err(too_large),
        Ok(body) => Ok(body),
        Err(unreadable) if unreadable.code == Code::TooLarge => Err(too_large),
        Err(unreadable) => Err(Refusal::Packed(unreadable)),
    }
}

/// The records of an unpacked body, in order.
///
/// # Errors
/// [`Refusal::Empty`], [`Refusal::InvalidJson`] for the first part that is none, [`Refusal::TooManyRecords`].
pub fn records(body: &Bytes, bounds: Bounds) -> Result<Vec<Document>, Refusal> {
    if is_blank(body) {
        return Err(Refusal::Empty);
    }
    let mut records = Vec::new();
    for document in json::documents(body) {
        match document {
            Err(part) => return Err(Refusal::InvalidJson { at: part.index, unreadable: part.refusal }),
            Ok(_) if records.len() == bounds.records => return Err(Refusal::TooManyRecords { most: bounds.records }),
            Ok(document) => records.push(document),
        }
    }
    if records.is_empty() { Err(Refusal::Empty) } else { Ok(records) }
}

fn is_blank(body: &[u8]) -> bool {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    body.iter().all(u8::is_ascii_whitespace)
}

#[cfg(test)]
mod tests;
