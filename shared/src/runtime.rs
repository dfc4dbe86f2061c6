//! A handler → a Lambda function: logging, panics, failures, the runtime's loop.
//!
//! The one bootstrap; nothing here knows what a function does.

use std::{
    cell::Cell,
    mem, panic,
    sync::{Arc, Once},
    task::{self, Poll},
};

use bytes::Bytes;
use lambda_runtime::{Context, Diagnostic, LambdaEvent, LambdaInvocation, Service, tower::layer::layer_fn};
use serde::{Serialize, de::IgnoredAny};
use tokio::task::futures::TaskLocalFuture;
use tracing::{Instrument, Subscriber};
use tracing_subscriber::{EnvFilter, fmt::MakeWriter};

use crate::{
    clock::Timestamp,
    config::process_environment,
    error::{Code, Error},
};

/// Sends logs to stdout as JSON lines, panics among them. The second call does nothing.
///
/// The level is `AWS_LAMBDA_LOG_LEVEL` (Lambda's own setting), else `RUST_LOG`, else `info`.
pub fn start() {
    static STARTED: Once = Once::new();
    STARTED.call_once(|| {
        keep_memory();
        let subscriber = subscriber(&directives(process_environment), std::io::stdout);
        // Where a subscriber is there already, as in a test, it stays.
        let _ = tracing::subscriber::set_global_default(subscriber);
        panic::set_hook(Box::new(log_panic));
    });
}

/// Has freed memory kept for the next event, which takes as much again. An allocator that gives it back pays for each
/// page of it anew.
///
/// Only glibc's is told; whoever chose another one has chosen its options.
pub fn keep_memory() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    #[allow(unsafe_code, reason = "glibc has no other way to be told")]
    // SAFETY: both calls set a number that the allocator reads, under its own lock.
    unsafe {
        // The most that glibc takes: what is smaller comes from the heap, and is not unmapped when it is freed.
        libc::mallopt(libc::M_MMAP_THRESHOLD, 32 << 20);
        libc::mallopt(libc::M_TRIM_THRESHOLD, i32::MAX);
    }
}

/// What Lambda hands to a function.
#[derive(Debug, Clone)]
pub struct Event {
    /// JSON, as it came: nobody has read it yet.
    pub body: Bytes,
    /// When Lambda will stop this invocation.
    pub deadline: Timestamp,
    /// Lambda's id of the invocation.
    pub request_id: String,
}

/// Runs `handler` for one event after the other, for as long as Lambda keeps this process.
///
/// A handler's failure becomes the invocation's: its code is the error type, its message the error message. A span
/// around each call carries `request_id`, and `dataset` where the setting `DATASET` names one.
///
/// # Errors
/// Where the Runtime API cannot be reached any more.
///
/// # Panics
/// In `lambda_runtime`, where Lambda's own settings (`AWS_LAMBDA_FUNCTION_NAME` and so on) are missing.
pub async fn run<A, F>(handler: F) -> Result<(), Error>
where
    A: Serialize,
    F: AsyncFn(Event) -> Result<A, Error>,
{
    start();
    let (handler, dataset) = (Arc::new(handler), process_environment("DATASET"));
    let service = lambda_runtime::service_fn(move |LambdaEvent { context, .. }: LambdaEvent<IgnoredAny>| {
        let (handler, dataset) = (Arc::clone(&handler), dataset.clone());
        async move { invoke(&*handler, BODY.with(Cell::take), context, dataset.as_deref()).await }
    });
    let ended = lambda_runtime::Runtime::new(service).layer(layer_fn(Kept)).run().await;
    ended.map_err(|error| Error::retry(Code::Unavailable, format!("the Runtime API: {error}")))
}

tokio::task_local! {
    /// The event of the invocation that is being polled.
    static BODY: Cell<Bytes>;
}

/// Keeps an event from the runtime, which would read all of it, and sets it aside for the handler.
struct Kept<S>(S);

impl<S: Service<LambdaInvocation>> Service<LambdaInvocation> for Kept<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = TaskLocalFuture<Cell<Bytes>, S::Future>;

    fn poll_ready(&mut self, context: &mut task::Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, mut invocation: LambdaInvocation) -> Self::Future {
        let body = mem::replace(&mut invocation.body, Bytes::from_static(b"null"));
        BODY.scope(Cell::new(body), self.0.call(invocation))
    }
}

async fn invoke<A, F>(handler: &F, body: Bytes, context: Context, dataset: Option<&str>) -> Result<A, Diagnostic>
where
    F: AsyncFn(Event) -> Result<A, Error>,
{
    let Context { request_id, deadline, .. } = context;
    let span = tracing::info_span!("invocation", request_id, dataset);
    let event = Event { body, deadline: Timestamp(i64::try_from(deadline).unwrap_or(i64::MAX)), request_id };
    async {
        handler(event).await.map_err(|error| {
            tracing::error!(class = ?error.class, code = error.code.as_str(), "{error}");
            Diagnostic { error_type: error.code.as_str().to_owned(), error_message: error.message }
        })
    }
    .instrument(span)
    .await
}

fn directives(lookup: impl Fn(&str) -> Option<String>) -> String {
    let set = lookup("AWS_LAMBDA_LOG_LEVEL").or_else(|| lookup("RUST_LOG")).filter(|set| !set.is_empty());
    match set {
        None => "info".to_owned(),
        // Lambda knows a level above error.
        Some(set) if set.eq_ignore_ascii_case("fatal") => "error".to_owned(),
        // At these levels the runtime and the SDK log events and requests whole.
        Some(set) if ["trace", "debug"].iter().any(|level| set.to_ascii_lowercase().contains(level)) => {
            format!("{set},{QUIET}")
        }
        Some(set) => set,
    }
}

/// What must not tell all it knows: bodies, and the signatures of requests.
const QUIET: &str = "lambda_runtime=info,lambda_runtime_api_client=info,hyper=info,hyper_util=info,h2=info,\
    aws_config=info,aws_runtime=info,aws_sdk_dynamodb=info,aws_sdk_firehose=info,aws_sdk_iot=info,aws_sdk_kinesis=info,\
    aws_sdk_s3=info,aws_sdk_sns=info,\
    aws_sigv4=info,aws_smithy_http_client=info,aws_smithy_runtime=info,aws_smithy_runtime_api=info";

fn subscriber<W>(directives: &str, writer: W) -> impl Subscriber + Send + Sync
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    // Lambda filters and indexes lines by their top-level `timestamp` and `level`.
    tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(true)
        .with_env_filter(EnvFilter::builder().parse_lossy(directives))
        .with_writer(writer)
        .finish()
}

fn log_panic(panic: &panic::PanicHookInfo<'_>) {
    let message = panic.payload_as_str().unwrap_or("no message");
    let place = panic.location().map(ToString::to_string);
    tracing::error!(place, code = Code::Internal.as_str(), "panic: {message}");
}

#[cfg(test)]
mod tests {
    use std::sync::{Mutex, PoisonError};

    use serde_json::{Value, json};

    use super::*;
    use crate::error::Class;

    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl std::io::Write for Log {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    impl Log {
        fn lines(&self) -> Vec<Value> {
            let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
        }
    }

    /// What a handler that echoes, or fails for `null`, answers and logs.
    async fn answer(body: &'static str, directives: &str) -> (Result<Value, Diagnostic>, Vec<Value>) {
        let mut context = Context::default();
        "r-1".clone_into(&mut context.request_id);
        context.deadline = 1_700_000_000_000;
        let log = Log::default();
        let writer = log.clone();
        let guard = tracing::subscriber::set_default(subscriber(directives, move || writer.clone()));
        let handler = async |event: Event| {
            tracing::info!(rows = 3, "handled");
            match &event.body[..] {
                b"null" => Err(Error::poison(Code::InvalidEvent, "an event of no kind")),
                body => Ok(json!([event.deadline.0, event.request_id, str::from_utf8(body).unwrap()])),
            }
        };
        let answered = invoke(&handler, Bytes::from_static(body.as_bytes()), context, Some("orders")).await;
        drop(guard);
        (answered, log.lines())
    }

    #[tokio::test]
    async fn an_answer_passes_and_its_logs_say_whose_they_are() {
        let (answered, log) = answer("[1 ]", "info").await;
        assert_eq!(answered, Ok(json!([1_700_000_000_000_i64, "r-1", "[1 ]"])));
        assert_eq!(log.len(), 1);
        assert!(log[0]["timestamp"].is_string());
        assert_eq!(
            (&log[0]["level"], &log[0]["message"], &log[0]["rows"]),
            (&json!("INFO"), &json!("handled"), &json!(3))
        );
        assert_eq!(log[0]["spans"], json!([{"name": "invocation", "request_id": "r-1", "dataset": "orders"}]));
    }

    #[tokio::test]
    async fn a_failure_is_the_runtimes_and_logged_once() {
        let (answered, log) = answer("null", "error").await;
        let diagnostic =
            Diagnostic { error_type: "invalid_event".to_owned(), error_message: "an event of no kind".to_owned() };
        assert_eq!(answered, Err(diagnostic));
        assert_eq!(log.len(), 1, "{log:?}");
        assert_eq!((&log[0]["code"], &log[0]["message"]), (&json!("invalid_event"), &json!("an event of no kind")));
        assert_eq!(log[0]["class"], json!(format!("{:?}", Class::Poison)));
    }

    #[test]
    fn lambdas_level_comes_first() {
        let level = |given: &[(&str, &str)]| {
            directives(|name| given.iter().find(|(given, _)| *given == name).map(|(_, text)| (*text).to_owned()))
        };
        assert_eq!(level(&[]), "info");
        assert_eq!(level(&[("RUST_LOG", "headgate=debug")]), format!("headgate=debug,{QUIET}"));
        assert_eq!(level(&[("AWS_LAMBDA_LOG_LEVEL", "TRACE")]), format!("TRACE,{QUIET}"));
        assert_eq!(level(&[("RUST_LOG", "debug"), ("AWS_LAMBDA_LOG_LEVEL", "WARN")]), "WARN");
        assert_eq!(level(&[("AWS_LAMBDA_LOG_LEVEL", "FATAL")]), "error");
    }
}
