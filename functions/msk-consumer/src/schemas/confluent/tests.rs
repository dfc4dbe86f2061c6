//! A registry on this machine → schemas, and what becomes of one that fails.

use std::sync::{Arc, Mutex};

use headgate::Class;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use super::*;

/// Answers by path; each is a status and a body. Where there are several for a path, one after the other.
#[derive(Debug, Default)]
struct Server {
    answers: Vec<(&'static str, u16, Value)>,
    asked: Mutex<Vec<String>>,
}

impl Server {
    fn answer(&self, head: &str) -> String {
        let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
        let mut asked = self.asked.lock().unwrap();
        let before = asked.iter().filter(|known| **known == path).count();
        asked.push(path.clone());
        let mut answers = self.answers.iter().filter(|(known, ..)| *known == path);
        let (status, body) = match (answers.clone().nth(before), answers.next_back()) {
            (Some((_, status, body)), _) | (None, Some((_, status, body))) => (*status, body.to_string()),
            _ => (404, r#"{"error_code": 40403, "message": "Schema not found"}"#.to_owned()),
        };
        let denied = !head.to_lowercase().contains("authorization: basic dtpw");
        let status = if denied { 401 } else { status };
        format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len())
    }
}

/// Serves for as long as the test runs.
async fn serve(server: Server) -> (String, Arc<Server>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/base/", listener.local_addr().unwrap());
    let server = Arc::new(server);
    let shared = Arc::clone(&server);
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                if socket.read_exact(&mut byte).await.is_err() {
                    break;
                }
                head.push(byte[0]);
            }
            let answer = shared.answer(&String::from_utf8_lossy(&head));
            let _ = socket.write_all(answer.as_bytes()).await;
        }
    });
    (url, server)
}

async fn ask(answers: Vec<(&'static str, u16, Value)>, id: u32) -> (Result<Option<Text>, (Class, Code)>, usize) {
    let (url, server) = serve(Server { answers, ..Server::default() }).await;
    let registry = Confluent::new(&url, Some("u:p".parse().unwrap())).unwrap();
    let answer = registry.schema(SchemaId::Confluent(id)).await.map_err(|error| (error.class, error.code));
    let asked = server.asked.lock().unwrap().len();
    (answer, asked)
}

fn text(schema: &str, references: &[&str]) -> Text {
    Text { schema: schema.to_owned(), references: references.iter().map(|text| (*text).to_owned()).collect() }
}

const ONE: &str = "/base/schemas/ids/1";

#[tokio::test]
async fn a_schema_comes_after_those_it_names() {
    let named = |subject: &str| json!({"name": "x", "subject": subject, "version": 3});
    let answers = vec![
        (ONE, 200, json!({"schema": "one", "references": [named("a/b"), named("c")]})),
        ("/base/subjects/a%2Fb/versions/3", 200, json!({"schema": "ab", "references": [named("c")]})),
        ("/base/subjects/c/versions/3", 200, json!({"schema": "c", "schemaType": "AVRO"})),
    ];
    assert_eq!(ask(answers, 1).await, (Ok(Some(text("one", &["c", "ab"]))), 3));
}

#[tokio::test]
async fn what_the_registry_does_not_have_is_unknown() {
    assert_eq!(ask(vec![], 1).await, (Ok(None), 1));
    let glue = Confluent::new("http://127.0.0.1:1", None).unwrap().schema(SchemaId::Glue([0; 16])).await;
    assert_eq!(glue, Ok(None));
}

#[tokio::test]
async fn a_failure_is_tried_again_and_then_told() {
    let good = || json!({"schema": "one"});
    for status in [408, 429, 500, 503] {
        let answers = vec![(ONE, status, json!({})), (ONE, 200, good())];
        assert_eq!(ask(answers, 1).await, (Ok(Some(text("one", &[]))), 2), "{status}");
    }
    let down = vec![(ONE, 503, json!({}))];
    assert_eq!(ask(down, 1).await, (Err((Class::Retry, Code::Unavailable)), 3));
    let nobody = Confluent::new("http://127.0.0.1:1", None).unwrap().schema(SchemaId::Confluent(1)).await.unwrap_err();
    assert_eq!((nobody.class, nobody.code), (Class::Retry, Code::Unavailable));
}

#[tokio::test]
async fn what_a_person_must_change_refuses_no_record() {
    let wrong = |code| (Err((Class::Misconfigured, code)), 1);
    assert_eq!(ask(vec![(ONE, 403, json!({}))], 1).await, wrong(Code::AccessDenied));
    assert_eq!(ask(vec![(ONE, 404, json!("Not Found"))], 1).await, wrong(Code::InvalidConfig));
    assert_eq!(ask(vec![(ONE, 200, json!({"x": 1}))], 1).await, wrong(Code::InvalidConfig));
    assert_eq!(ask(vec![(ONE, 301, json!({}))], 1).await, wrong(Code::InvalidConfig));
    for url in ["", "registry:8081", "ftp://registry", "http://u:p@registry", "/x"] {
        assert!(Confluent::new(url, None).is_err(), "{url}");
    }
}

#[tokio::test]
async fn what_is_no_avro_is_refused() {
    let refused = |asked| (Err((Class::Poison, Code::InvalidSchema)), asked);
    assert_eq!(ask(vec![(ONE, 200, json!({"schema": "x", "schemaType": "PROTOBUF"}))], 1).await, refused(1));
    let missing = json!({"schema": "x", "references": [{"name": "x", "subject": "c", "version": 1}]});
    assert_eq!(ask(vec![(ONE, 200, missing)], 1).await, refused(2));
}

#[test]
fn a_login_is_never_told() {
    let registry = Confluent::new("https://registry", Some("user:secret".parse().unwrap())).unwrap();
    assert!(!format!("{registry:?}").contains("c2VjcmV0"));
    assert!(!format!("{registry:?}").contains("secret"));
    assert!("user".parse::<Login>().is_err() && "u\n:p".parse::<Login>().is_ok());
}
