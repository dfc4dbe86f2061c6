//! Events and a function's binary → its answers, over a Lambda Runtime API on loopback.
//!
//! The function is the real one and does not know where it runs: nothing here looks inside it.

mod api;
mod process;

use std::{path::PathBuf, time::Duration};

use headgate::clock::{Clock, SystemClock};
use serde_json::Value;
use tokio::{net::TcpListener, sync::mpsc, sync::oneshot, task::JoinSet, time};

use self::{api::Api, process::Process};

/// A function to host.
#[derive(Debug, Clone)]
pub struct Function {
    /// Its name, as `AWS_LAMBDA_FUNCTION_NAME` tells it.
    pub name: String,
    /// Its executable.
    pub binary: PathBuf,
    /// Its settings; they come on top of this process's environment.
    pub settings: Vec<(String, String)>,
    /// Its memory in MB.
    pub memory_mb: u32,
}

/// How an invocation failed, as Lambda would tell it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FunctionError {
    /// The function answered with an error.
    #[error("{error_type}: {message}")]
    Reported {
        /// `errorType` of its answer.
        error_type: String,
        /// `errorMessage` of its answer.
        message: String,
    },
    /// The function ended without an answer.
    #[error("the function ended without an answer: {how}")]
    Exited {
        /// The exit status, and what it said last.
        how: String,
    },
    /// The function took too long and was killed.
    #[error("the function took more than {0:?} and was killed")]
    TimedOut(Duration),
    /// The host could not do its part.
    #[error("{0}")]
    Host(String),
}

impl FunctionError {
    fn host(what: &str, error: impl std::fmt::Display) -> Self {
        Self::Host(format!("{what}: {error}"))
    }
}

/// One event on its way to the function.
#[derive(Debug)]
struct Invocation {
    id: String,
    event: Value,
    deadline_ms: i64,
    answer: oneshot::Sender<Result<Value, FunctionError>>,
}

/// A running function. Dropping it kills the function.
#[derive(Debug)]
pub struct Host {
    process: Process,
    queue: mpsc::Sender<Invocation>,
    invoked: u64,
    _server: JoinSet<()>,
}

impl Host {
    /// Serves the Runtime API on a free port and starts the function.
    ///
    /// # Errors
    /// [`FunctionError::Host`]: where no port can be bound or the binary cannot be run.
    pub async fn start(function: &Function) -> Result<Self, FunctionError> {
        let listener =
            TcpListener::bind(("127.0.0.1", 0)).await.map_err(|error| FunctionError::host("binding a port", error))?;
        let address = listener.local_addr().map_err(|error| FunctionError::host("binding a port", error))?;
        let (queue, events) = mpsc::channel(1);
        let mut server = JoinSet::new();
        server.spawn(api::serve(listener, Api::new(function, events)));
        let process = Process::start(function, address)?;
        Ok(Self { process, queue, invoked: 0, _server: server })
    }

    /// Gives the function one event and waits for its answer, for at most `timeout`.
    ///
    /// # Errors
    /// As Lambda would: the function's own error, its end, or the timeout. After the last two it is gone, and so is
    /// every later invocation; start another.
    pub async fn invoke(&mut self, event: Value, timeout: Duration) -> Result<Value, FunctionError> {
        self.invoked += 1;
        let (answer, answered) = oneshot::channel();
        let id = format!("00000000-0000-4000-8000-{:012x}", self.invoked);
        let deadline_ms = SystemClock.now().0.saturating_add(i64::try_from(timeout.as_millis()).unwrap_or(i64::MAX));
        let invocation = Invocation { id, event, deadline_ms, answer };
        let exchange = async {
            self.queue.send(invocation).await.map_err(|error| FunctionError::host("queueing the event", error))?;
            answered.await.map_err(|error| FunctionError::host("waiting for the answer", error))?
        };
        tokio::select! {
            biased;
            answer = exchange => answer,
            how = self.process.ended() => Err(FunctionError::Exited { how }),
            () = time::sleep(timeout) => {
                self.process.kill().await;
                Err(FunctionError::TimedOut(timeout))
            }
        }
    }

    /// The next line of the function's output (logs and metrics) for which `wanted` is true, if it comes within
    /// `patience`. Lines before it are passed over.
    pub async fn line(&mut self, patience: Duration, wanted: impl Fn(&str) -> bool) -> Option<String> {
        time::timeout(patience, self.process.line(wanted)).await.ok().flatten()
    }

    /// Ends the function and gives all that it has said since it was last asked.
    pub async fn end(mut self) -> Vec<String> {
        self.process.kill().await;
        self.process.rest().await
    }

    /// What the function has said since it was last asked, line by line, as far as it has come through.
    pub fn lines(&mut self) -> Vec<String> {
        self.process.lines()
    }
}

#[cfg(test)]
mod tests;
