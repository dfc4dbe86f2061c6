//! What is wrong with a request → a body that programs and people understand (RFC 9457).

use serde_json::{Map, Value, json};

use super::Response;

/// A problem of type `about:blank`: the status says which, the title is the status's own phrase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    status: u16,
    detail: Option<String>,
    extensions: Map<String, Value>,
}

impl Problem {
    /// A problem of this HTTP status.
    #[must_use]
    pub fn new(status: u16) -> Self {
        Self { status, detail: None, extensions: Map::new() }
    }

    /// With words about this occurrence: what to change.
    #[must_use]
    pub fn with_detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// With an extension member. Names that RFC 9457 gives a meaning do not take.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        if !["type", "title", "status", "detail", "instance"].contains(&name) {
            self.extensions.insert(name.to_owned(), value.into());
        }
        self
    }

    /// The response: `application/problem+json` with `type`, `title`, `status`, `detail` and the extensions.
    #[must_use]
    pub fn into_response(self) -> Response {
        let mut body = self.extensions;
        body.insert("type".to_owned(), json!("about:blank"));
        body.insert("title".to_owned(), json!(phrase(self.status)));
        body.insert("status".to_owned(), json!(self.status));
        if let Some(detail) = self.detail {
            body.insert("detail".to_owned(), json!(detail));
        }
        Response::json(self.status, &Value::Object(body)).with_header("content-type", "application/problem+json")
    }
}

/// The phrases of RFC 9110 and RFC 6585, for what a function has reason to say.
fn phrase(status: u16) -> &'static str {
    match status {
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        406 => "Not Acceptable",
        408 => "Request Timeout",
        409 => "Conflict",
        410 => "Gone",
        411 => "Length Required",
        412 => "Precondition Failed",
        413 => "Content Too Large",
        415 => "Unsupported Media Type",
        422 => "Unprocessable Content",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ if status < 500 => "Client Error",
        _ => "Server Error",
    }
}
