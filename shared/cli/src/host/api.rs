//! HTTP requests of a function → events for it and answers from it (Lambda Runtime API, version 2018-06-01).
//!
//! One event at a time, as Lambda does: the next is handed out only when it is asked for.

use std::{convert::Infallible, sync::Arc};

use http_body_util::{BodyExt, Full};
use hyper::{
    Method, Request, Response, StatusCode,
    body::{Bytes, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::{
    net::TcpListener,
    sync::{Mutex, mpsc, oneshot},
    task::JoinSet,
};

use super::{Function, FunctionError, Invocation};

type Answer = oneshot::Sender<Result<Value, FunctionError>>;

/// The Runtime API of one function.
#[derive(Debug)]
pub(super) struct Api {
    arn: String,
    events: Mutex<mpsc::Receiver<Invocation>>,
    /// The invocation under way: its request id, and who waits.
    under_way: Mutex<Option<(String, Answer)>>,
}

impl Api {
    pub(super) fn new(function: &Function, events: mpsc::Receiver<Invocation>) -> Self {
        let arn = format!("arn:aws:lambda:us-east-1:123456789012:function:{}", function.name);
        Self { arn, events: Mutex::new(events), under_way: Mutex::new(None) }
    }

    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let (parts, body) = request.into_parts();
        let path = parts.uri.path().strip_prefix("/2018-06-01/runtime/").unwrap_or_default();
        let steps: Vec<_> = path.split('/').collect();
        if (&parts.method, steps.as_slice()) == (&Method::GET, &["invocation", "next"]) {
            return self.next().await;
        }
        let Ok(body) = body.collect().await else { return refusal(StatusCode::BAD_REQUEST, "the body broke off") };
        let body = body.to_bytes();
        match (&parts.method, steps.as_slice()) {
            (&Method::POST, ["invocation", id, "response"]) => self.settle(Some(id), response(&body)).await,
            (&Method::POST, ["invocation", id, "error"]) => self.settle(Some(id), Err(error(&body))).await,
            (&Method::POST, ["init", "error"]) => self.settle(None, Err(error(&body))).await,
            _ => refusal(StatusCode::NOT_FOUND, "no such call in the Runtime API"),
        }
    }

    /// The next event; the request hangs until there is one.
    async fn next(&self) -> Response<Full<Bytes>> {
        let Some(invocation) = self.events.lock().await.recv().await else {
            return refusal(StatusCode::GONE, "the host is going away");
        };
        let response = Response::builder()
            .header("content-type", "application/json")
            .header("lambda-runtime-aws-request-id", &invocation.id)
            .header("lambda-runtime-deadline-ms", invocation.deadline_ms)
            .header("lambda-runtime-invoked-function-arn", &self.arn)
            .body(Full::from(invocation.event.to_string()));
        *self.under_way.lock().await = Some((invocation.id, invocation.answer));
        response.unwrap_or_else(|_| refusal(StatusCode::INTERNAL_SERVER_ERROR, "the event cannot be sent"))
    }

    /// Hands the answer to whoever waits; an init error (no id) answers the event that waits for the function.
    async fn settle(&self, id: Option<&str>, outcome: Result<Value, FunctionError>) -> Response<Full<Bytes>> {
        let waiting = match id {
            Some(id) => self.under_way.lock().await.take_if(|(under_way, _)| under_way == id).map(|(_, answer)| answer),
            None => self.events.lock().await.recv().await.map(|invocation| invocation.answer),
        };
        match waiting.map(|answer| answer.send(outcome)) {
            Some(Ok(())) => plain(StatusCode::ACCEPTED, &json!({"status": "OK"})),
            Some(Err(_)) | None => refusal(StatusCode::BAD_REQUEST, "nobody waits for this request id"),
        }
    }
}

fn response(body: &[u8]) -> Result<Value, FunctionError> {
    serde_json::from_slice(body).map_err(|error| FunctionError::host("the function's answer is not JSON", error))
}

fn error(body: &[u8]) -> FunctionError {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or("unknown").to_owned();
    FunctionError::Reported { error_type: text("errorType"), message: text("errorMessage") }
}

fn refusal(status: StatusCode, why: &str) -> Response<Full<Bytes>> {
    plain(status, &json!({"errorType": "HostRefused", "errorMessage": why}))
}

fn plain(status: StatusCode, body: &Value) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(body.to_string()));
    *response.status_mut() = status;
    response
}

/// Answers every connection to `listener`, until it is dropped.
pub(super) async fn serve(listener: TcpListener, api: Api) {
    let api = Arc::new(api);
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let api = Arc::clone(&api);
        let service = service_fn(move |request| {
            let api = Arc::clone(&api);
            async move { Ok::<_, Infallible>(api.answer(request).await) }
        });
        connections.spawn(async move {
            // A connection that breaks off is the function's end, which the host sees by itself.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}
