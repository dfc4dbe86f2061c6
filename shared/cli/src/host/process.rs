//! A function's binary → a running process and what it says.
//!
//! The process is ours alone: it is killed by its own handle, and with its host.

use std::{net::SocketAddr, process::Stdio};

use tokio::{
    io::{AsyncBufReadExt, AsyncRead, BufReader},
    process::{Child, Command},
    sync::mpsc,
};

use super::{Function, FunctionError};

/// How many of the last lines are quoted when a function ends unexpectedly.
const LAST_WORDS: usize = 5;

/// A running function.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    said: mpsc::UnboundedReceiver<String>,
}

impl Process {
    /// Runs the function's binary with the environment that Lambda gives it.
    pub(super) fn start(function: &Function, api: SocketAddr) -> Result<Self, FunctionError> {
        let mut child = Command::new(&function.binary)
            .env("AWS_LAMBDA_RUNTIME_API", api.to_string())
            .env("AWS_LAMBDA_FUNCTION_NAME", &function.name)
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", function.memory_mb.to_string())
            .env("AWS_LAMBDA_LOG_GROUP_NAME", format!("/aws/lambda/{}", function.name))
            .env("AWS_LAMBDA_LOG_STREAM_NAME", "local")
            .envs(function.settings.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| FunctionError::host(&format!("starting {}", function.binary.display()), error))?;
        let (say, said) = mpsc::unbounded_channel();
        listen(child.stdout.take(), say.clone());
        listen(child.stderr.take(), say);
        Ok(Self { child, said })
    }

    /// Waits for the process to end and tells how, with its last words.
    pub(super) async fn ended(&mut self) -> String {
        let status = self.child.wait().await.map_or_else(|error| error.to_string(), |status| status.to_string());
        let said = self.rest().await;
        let last = &said[said.len().saturating_sub(LAST_WORDS)..];
        let words: Vec<_> = std::iter::once(&status).chain(last).map(String::as_str).collect();
        words.join("\n  ")
    }

    /// Kills the process and waits for its end.
    pub(super) async fn kill(&mut self) {
        // It fails only where the process has ended by itself.
        let _ = self.child.kill().await;
    }

    /// Waits for a line that is wanted.
    pub(super) async fn line(&mut self, wanted: impl Fn(&str) -> bool) -> Option<String> {
        loop {
            let line = self.said.recv().await?;
            if wanted(&line) {
                return Some(line);
            }
        }
    }

    /// The lines until the process closes its output.
    pub(super) async fn rest(&mut self) -> Vec<String> {
        let mut said = Vec::new();
        while let Some(line) = self.said.recv().await {
            said.push(line);
        }
        said
    }

    /// The lines so far.
    pub(super) fn lines(&mut self) -> Vec<String> {
        std::iter::from_fn(|| self.said.try_recv().ok()).collect()
    }
}

/// Passes on each line of `stream`, until its end.
fn listen(stream: Option<impl AsyncRead + Unpin + Send + 'static>, say: mpsc::UnboundedSender<String>) {
    let Some(stream) = stream else { return };
    tokio::spawn(async move {
        let mut lines = BufReader::new(stream).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            if say.send(line).is_err() {
                return;
            }
        }
    });
}
