//! Every call of a port → a wait for the test, which says when it takes effect and what the caller is told.

use std::{
    fmt,
    future::pending,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use headgate::{
    faults::Unavailable,
    notify::{Notice, Notify, NotifyError, memory::MemoryNotify},
    state::{self, Expected, Item, State, Version, memory::MemoryState},
    stream::{Limits, Outcome, Outgoing, Stream, StreamError, memory::MemoryStream},
};
use serde_json::Value;
use tokio::sync::oneshot;

/// What becomes of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    Given,
    /// No effect, no answer.
    Unheard,
    /// An effect, no answer.
    Lost,
    /// No answer, and an effect when it is least expected.
    Late,
}

type Request = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Requests on their way whose callers have given up.
pub(super) type Requests = Arc<Mutex<Vec<Request>>>;

struct Waiting {
    call: String,
    answer: oneshot::Sender<Answer>,
}

/// What the calls of one invocation wait at. Clones are the same gate.
#[derive(Clone, Default)]
pub(super) struct Gate {
    waiting: Arc<Mutex<Vec<Waiting>>>,
    late: Requests,
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.calls()).finish()
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Gate {
    pub(super) fn new(late: &Requests) -> Self {
        Self { waiting: Arc::default(), late: Arc::clone(late) }
    }

    /// The calls that wait, without those whose caller has given up.
    pub(super) fn calls(&self) -> Vec<String> {
        let mut waiting = lock(&self.waiting);
        waiting.retain(|waiting| !waiting.answer.is_closed());
        waiting.iter().map(|waiting| waiting.call.clone()).collect()
    }

    pub(super) fn open(&self, call: usize, answer: Answer) {
        let waiting = lock(&self.waiting).remove(call);
        waiting.answer.send(answer).expect("a caller that waits");
    }

    async fn pass<T, E>(
        &self,
        call: String,
        lost: E,
        request: impl Future<Output = Result<T, E>> + Send + 'static,
    ) -> Result<T, E> {
        let (answer, told) = oneshot::channel();
        lock(&self.waiting).push(Waiting { call, answer });
        match told.await {
            Ok(Answer::Given) => request.await,
            Ok(Answer::Unheard) => Err(lost),
            Ok(Answer::Lost) => {
                let _ = request.await;
                Err(lost)
            }
            Ok(Answer::Late) => {
                lock(&self.late).push(Box::pin(async { drop(request.await) }));
                Err(lost)
            }
            Err(_) => pending().await,
        }
    }
}

/// A port behind a gate.
#[derive(Debug, Clone)]
pub(super) struct Gated<P> {
    pub(super) port: P,
    pub(super) gate: Gate,
}

#[async_trait]
impl State for Gated<MemoryState> {
    async fn get(&self, key: &str) -> state::Result<Option<Item>> {
        let (port, at) = (self.port.clone(), key.to_owned());
        self.gate.pass(format!("read {key}"), Unavailable::unavailable(key), async move { port.get(&at).await }).await
    }

    async fn put_if(
        &self,
        key: &str,
        value: Value,
        expected: Expected,
        ttl: Option<Duration>,
    ) -> state::Result<Version> {
        let (port, at) = (self.port.clone(), key.to_owned());
        let request = async move { port.put_if(&at, value, expected, ttl).await };
        self.gate.pass(format!("change {key}"), Unavailable::unavailable(key), request).await
    }

    async fn delete_if(&self, _: &str, _: Expected) -> state::Result<()> {
        unreachable!("items are kept")
    }
}

#[async_trait]
impl Notify for Gated<MemoryNotify> {
    async fn publish(&self, notice: &Notice) -> Result<(), NotifyError> {
        let (port, notice) = (self.port.clone(), notice.clone());
        let call = format!("publish {}", notice.deduplication);
        self.gate.pass(call, Unavailable::unavailable("topic"), async move { port.publish(&notice).await }).await
    }
}

#[async_trait]
impl Stream for Gated<MemoryStream> {
    fn name(&self) -> &str {
        self.port.name()
    }

    fn limits(&self) -> Limits {
        self.port.limits()
    }

    async fn put(&self, records: &[&Outgoing]) -> Result<Vec<Outcome>, StreamError> {
        let (port, records): (_, Vec<Outgoing>) = (self.port.clone(), records.iter().map(|it| (*it).clone()).collect());
        let request = async move { port.put(&records.iter().collect::<Vec<_>>()).await };
        self.gate.pass("put".to_owned(), Unavailable::unavailable("stream"), request).await
    }
}
