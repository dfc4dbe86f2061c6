//! A Confluent registry.

use headgate::{
    Class, Code,
    decode::registry::SchemaId,
    registry::{Registry, SchemaText},
};
use headgate_kafka::schemas::{Confluent, Login};
use serde_json::json;

use super::server::{Answer, Server};

async fn ask(answers: Vec<Answer>, id: u32) -> (Result<Option<SchemaText>, (Class, Code)>, usize) {
    let nothing = (404, json!({"error_code": 40403, "message": "Schema not found"}));
    let server = Server::start(answers, nothing).await;
    let registry = Confluent::new(&format!("{}/base/", server.url), Some("u:p".parse().unwrap())).unwrap();
    let answer = registry.schema(SchemaId::Confluent(id)).await.map_err(|error| (error.class, error.code));
    let asked = server.asked();
    assert!(asked.iter().all(|request| request.to_lowercase().contains("authorization: basic dtpw")), "{asked:?}");
    (answer, asked.len())
}

fn text(schema: &str, references: &[&str]) -> SchemaText {
    SchemaText { schema: schema.to_owned(), references: references.iter().map(|text| (*text).to_owned()).collect() }
}

const ONE: &str = "GET /base/schemas/ids/1 ";

#[tokio::test]
async fn a_schema_comes_after_those_it_names() {
    let named = |subject: &str| json!({"name": "x", "subject": subject, "version": 3});
    let answers = vec![
        (ONE, 200, json!({"schema": "one", "references": [named("a/b"), named("c")]})),
        ("GET /base/subjects/a%2Fb/versions/3 ", 200, json!({"schema": "ab", "references": [named("c")]})),
        ("GET /base/subjects/c/versions/3 ", 200, json!({"schema": "c", "schemaType": "AVRO"})),
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

#[tokio::test(start_paused = true)]
async fn one_that_never_answers_is_unavailable() {
    let server = Server::mute().await;
    let registry = Confluent::new(&server.url, None).unwrap();
    let error = registry.schema(SchemaId::Confluent(1)).await.unwrap_err();
    assert_eq!((error.class, error.code), (Class::Retry, Code::Unavailable), "{error}");
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
