//! Functions played by shell scripts: how the host tells answers, failures and deaths apart.

use std::{fs, os::unix::fs::PermissionsExt, path::Path, time::Duration};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::{Function, FunctionError, Host};

const PATIENCE: Duration = Duration::from_secs(20);

/// A function that is a shell script.
fn script(dir: &Path, lines: &str) -> Function {
    let binary = dir.join("function");
    fs::write(&binary, format!("#!/bin/sh\n{lines}\n")).unwrap();
    fs::set_permissions(&binary, fs::Permissions::from_mode(0o755)).unwrap();
    Function { name: "f".to_owned(), binary, settings: vec![("SET".to_owned(), "yes".to_owned())], memory_mb: 128 }
}

/// A host whose function only tells its address, so that the test can play the function.
async fn told(dir: &Path) -> (Host, String) {
    let function = script(dir, "echo $AWS_LAMBDA_RUNTIME_API; exec sleep 100");
    let mut host = Host::start(&function).await.unwrap();
    let api = host.line(PATIENCE, |_| true).await.unwrap();
    (host, api)
}

/// One request of the function; gives head and body of the response.
async fn call(api: &str, method: &str, path: &str, body: &str) -> (String, String) {
    let mut stream = TcpStream::connect(api).await.unwrap();
    let request = format!(
        "{method} /2018-06-01/runtime/{path} HTTP/1.1\r\nhost: {api}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).await.unwrap();
    let (head, body) = response.split_once("\r\n\r\n").unwrap();
    (head.to_lowercase(), body.to_owned())
}

/// Takes the next event and answers it at `path` (`response` or `error`).
async fn play(api: &str, path: &str, answer: Value) -> (String, String) {
    let (head, event) = call(api, "GET", "invocation/next", "").await;
    let id = head.lines().find_map(|line| line.strip_prefix("lambda-runtime-aws-request-id: ")).unwrap().to_owned();
    assert!(
        head.contains("lambda-runtime-deadline-ms: ") && head.contains("lambda-runtime-invoked-function-arn: arn:")
    );
    let (_, stale) = call(api, "POST", "invocation/other/response", "1").await;
    assert!(stale.contains("nobody waits"), "{stale}");
    let (head, _) = call(api, "POST", &format!("invocation/{id}/{path}"), &answer.to_string()).await;
    (head.lines().next().unwrap_or_default().to_owned(), event)
}

#[tokio::test]
async fn an_event_is_answered_or_fails_by_the_functions_word() {
    let dir = tempfile::tempdir().unwrap();
    let (mut host, api) = told(dir.path()).await;
    let (answer, (status, event)) =
        tokio::join!(host.invoke(json!({"n": 1}), PATIENCE), play(&api, "response", json!([2])));
    assert_eq!((answer, status.as_str(), event.as_str()), (Ok(json!([2])), "http/1.1 202 accepted", "{\"n\":1}"));

    let failure = json!({"errorType": "deadline", "errorMessage": "too late"});
    let (answer, _) = tokio::join!(host.invoke(json!(2), PATIENCE), play(&api, "error", failure));
    let expected = FunctionError::Reported { error_type: "deadline".to_owned(), message: "too late".to_owned() };
    assert_eq!(answer, Err(expected));
    assert!(call(&api, "GET", "nothing", "").await.0.starts_with("http/1.1 404"));
}

#[tokio::test]
async fn an_init_error_answers_the_first_event() {
    let dir = tempfile::tempdir().unwrap();
    let (mut host, api) = told(dir.path()).await;
    let failure = json!({"errorType": "invalid_config", "errorMessage": "LAKE is missing"}).to_string();
    let (answer, _) = tokio::join!(host.invoke(json!(1), PATIENCE), call(&api, "POST", "init/error", &failure));
    assert_eq!(answer.unwrap_err().to_string(), "invalid_config: LAKE is missing");
}

#[tokio::test]
async fn a_function_that_ends_or_hangs_is_told_apart() {
    let dir = tempfile::tempdir().unwrap();
    let mut host = Host::start(&script(dir.path(), "echo $SET $AWS_LAMBDA_FUNCTION_NAME; exit 3")).await.unwrap();
    let ended = FunctionError::Exited { how: "exit status: 3\n  yes f".to_owned() };
    assert_eq!(host.invoke(json!(1), PATIENCE).await, Err(ended));

    let dir = tempfile::tempdir().unwrap();
    let (mut host, _) = told(dir.path()).await;
    let brief = Duration::from_millis(50);
    assert_eq!(host.invoke(json!(1), brief).await, Err(FunctionError::TimedOut(brief)));
    assert!(matches!(host.invoke(json!(1), PATIENCE).await, Err(FunctionError::Exited { .. })));

    let missing = Function { binary: dir.path().join("missing"), ..script(dir.path(), "") };
    assert!(matches!(Host::start(&missing).await, Err(FunctionError::Host(_))));
}
