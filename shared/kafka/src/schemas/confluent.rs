//! A Confluent schema registry → schemas, over HTTP.
//!
//! Source: Confluent's "Schema Registry API Reference". What cannot be told for sure is no answer: only the registry's
//! own word makes a schema unknown.

use std::{collections::HashSet, fmt, str::FromStr, time::Duration};

use async_trait::async_trait;
use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use headgate::{
    Code, Error,
    decode::registry::SchemaId,
    registry::{Registry, SchemaText},
};
use http::{
    HeaderValue, Request, StatusCode, Uri,
    header::{ACCEPT, AUTHORIZATION},
};
use http_body_util::{BodyExt, Empty, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

/// One attempt, from the connection to the answer's last byte.
const PATIENCE: Duration = Duration::from_secs(3);
/// Pauses before the second attempt and those after it.
const PAUSES: [Duration; 2] = [Duration::from_millis(200), Duration::from_secs(1)];
/// The most bytes of an answer.
const LONGEST: usize = 8 << 20;
/// The most schemas that one may name, directly or not.
const REFERENCES: usize = 200;

/// A user's name and password.
#[derive(Clone, PartialEq, Eq)]
pub struct Login(HeaderValue);

impl FromStr for Login {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if !text.contains(':') {
            return Err("must be `user:password`");
        }
        let value = HeaderValue::try_from(format!("Basic {}", BASE64_STANDARD.encode(text)));
        let mut value = value.map_err(|_| "must be `user:password`")?;
        value.set_sensitive(true);
        Ok(Self(value))
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Login")
    }
}

/// A client of the registry.
#[derive(Debug, Clone)]
pub struct Confluent {
    client: Client<HttpsConnector<HttpConnector>, Empty<Bytes>>,
    /// Without `/` at its end.
    url: String,
    login: Option<Login>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    schema: String,
    /// Left out for Avro.
    schema_type: Option<String>,
    #[serde(default)]
    references: Vec<Reference>,
}

#[derive(Deserialize, Clone, PartialEq, Eq, Hash)]
struct Reference {
    subject: String,
    version: i64,
}

#[derive(Deserialize)]
struct Refusal {
    error_code: u32,
}

/// Why an attempt brought nothing.
enum Failure {
    /// Another attempt may do better.
    Again(String),
    Final(Error),
}

impl Confluent {
    /// A client of the registry at `url`, such as `https://registry.internal:8081`. Nothing is asked yet.
    ///
    /// # Errors
    /// Misconfigured: the URL is none, or this machine has no root certificates.
    pub fn new(url: &str, login: Option<Login>) -> Result<Self, Error> {
        let misconfigured = |what: String| Error::misconfigured(Code::InvalidConfig, what);
        let wrong =
            || misconfigured(format!("`{url}` must be `glue`, or a URL of https:// or http://, without a user"));
        let parsed: Uri = url.parse().map_err(|_| wrong())?;
        let is_plain = parsed.authority().is_some_and(|authority| !authority.as_str().contains('@'));
        if !matches!(parsed.scheme_str(), Some("https" | "http")) || !is_plain || parsed.query().is_some() {
            return Err(wrong());
        }
        let tls = HttpsConnectorBuilder::new()
            .with_provider_and_native_roots(rustls::crypto::ring::default_provider())
            .map_err(|error| misconfigured(format!("root certificates: {error}")))?;
        let connector = tls.https_or_http().enable_http1().build();
        let client = Client::builder(TokioExecutor::new()).build(connector);
        Ok(Self { client, url: url.trim_end_matches('/').to_owned(), login })
    }

    /// The answer to a path; `None` where the registry says that there is no such thing.
    async fn get(&self, path: &str) -> Result<Option<Answer>, Error> {
        let mut pauses = PAUSES.iter();
        loop {
            let attempt = tokio::time::timeout(PATIENCE, self.attempt(path)).await;
            let why = match attempt.unwrap_or_else(|_| Err(Failure::Again("no answer in time".to_owned()))) {
                Ok(answer) => return Ok(answer),
                Err(Failure::Final(error)) => return Err(error),
                Err(Failure::Again(why)) => why,
            };
            let Some(pause) = pauses.next() else {
                return Err(Error::retry(Code::Unavailable, format!("the schema registry: {path}: {why}")));
            };
            tokio::time::sleep(*pause).await;
        }
    }

    async fn attempt(&self, path: &str) -> Result<Option<Answer>, Failure> {
        let again = |error: &dyn fmt::Display| Failure::Again(error.to_string());
        let stop = |code, what: &str| {
            Failure::Final(Error::misconfigured(code, format!("the schema registry: {path}: {what}")))
        };
        let mut request = Request::get(format!("{}{path}", self.url))
            .header(ACCEPT, "application/vnd.schemaregistry.v1+json, application/json")
            .body(Empty::new())
            .map_err(|_| stop(Code::InvalidConfig, "no URL"))?;
        if let Some(Login(login)) = &self.login {
            request.headers_mut().insert(AUTHORIZATION, login.clone());
        }
        let response = self.client.request(request).await.map_err(|error| again(&error))?;
        let status = response.status();
        let body = Limited::new(response.into_body(), LONGEST).collect().await.map_err(|error| again(&error))?;
        let body = body.to_bytes();
        match status {
            StatusCode::OK => {
                let answer = serde_json::from_slice(&body);
                answer.map(Some).map_err(|_| stop(Code::InvalidConfig, "the answer is no schema; check REGISTRY"))
            }
            // 40401 no subject, 40402 no version, 40403 no schema; any other 404 is of something before the registry.
            StatusCode::NOT_FOUND => match serde_json::from_slice(&body) {
                Ok(Refusal { error_code: 40_401..=40_403 }) => Ok(None),
                _ => Err(stop(Code::InvalidConfig, "there is no registry; check REGISTRY")),
            },
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                Err(stop(Code::AccessDenied, "refused; check REGISTRY_AUTH"))
            }
            StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS => Err(again(&status)),
            status if status.is_server_error() => Err(again(&status)),
            status => Err(stop(Code::InvalidConfig, &format!("answered {status}; check REGISTRY"))),
        }
    }

    /// The schemas that are named, each after those that it names itself.
    async fn references(&self, named: Vec<Reference>) -> Result<Vec<String>, Error> {
        enum Step {
            Ask(Reference),
            Keep(String),
        }
        let (mut seen, mut kept) = (HashSet::new(), Vec::new());
        let mut steps: Vec<_> = named.into_iter().rev().map(Step::Ask).collect();
        while let Some(step) = steps.pop() {
            let reference = match step {
                Step::Keep(schema) => {
                    kept.push(schema);
                    continue;
                }
                Step::Ask(reference) => reference,
            };
            if !seen.insert(reference.clone()) {
                continue;
            }
            if seen.len() > REFERENCES {
                return Err(Error::poison(Code::InvalidSchema, format!("names more than {REFERENCES} schemas")));
            }
            let Reference { subject, version } = reference;
            let path = format!("/subjects/{}/versions/{version}", utf8_percent_encode(&subject, NON_ALPHANUMERIC));
            let Some(answer) = self.get(&path).await? else {
                let message = format!("names `{subject}` version {version}, which the registry does not have");
                return Err(Error::poison(Code::InvalidSchema, message));
            };
            steps.push(Step::Keep(answer.schema));
            steps.extend(answer.references.into_iter().rev().map(Step::Ask));
        }
        Ok(kept)
    }
}

#[async_trait]
impl Registry for Confluent {
    async fn schema(&self, id: SchemaId) -> Result<Option<SchemaText>, Error> {
        let SchemaId::Confluent(number) = id else { return Ok(None) };
        let Some(answer) = self.get(&format!("/schemas/ids/{number}")).await? else { return Ok(None) };
        let about = |error: Error| match error.class {
            headgate::Class::Poison => Error { message: format!("schema {id}: {}", error.message), ..error },
            _ => error,
        };
        if answer.schema_type.as_deref().is_some_and(|kind| kind != "AVRO") {
            return Err(about(Error::poison(Code::InvalidSchema, "is not Avro")));
        }
        let references = self.references(answer.references).await.map_err(about)?;
        Ok(Some(SchemaText { schema: answer.schema, references }))
    }
}
