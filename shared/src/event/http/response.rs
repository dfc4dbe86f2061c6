//! A status with a body → the response in payload format 2.0.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

/// A response: `{"statusCode", "headers", "body", "isBase64Encoded": false}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Response {
    /// The HTTP status.
    pub status_code: u16,
    /// The headers by their names.
    pub headers: BTreeMap<String, String>,
    /// The body's text; empty for none.
    pub body: String,
    is_base64_encoded: bool,
}

impl Response {
    /// A response without a body.
    #[must_use]
    pub fn empty(status_code: u16) -> Self {
        Self { status_code, headers: BTreeMap::new(), body: String::new(), is_base64_encoded: false }
    }

    /// A response of `application/json`.
    #[must_use]
    pub fn json(status_code: u16, body: &Value) -> Self {
        let response = Self { body: body.to_string(), ..Self::empty(status_code) };
        response.with_header("content-type", "application/json")
    }

    /// The response with this header, instead of one of the same name.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.insert(name.to_ascii_lowercase(), value.into());
        self
    }
}
