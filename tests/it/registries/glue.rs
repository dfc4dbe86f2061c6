//! Glue's registry.

use headgate::{
    Class, Code, Error,
    decode::registry::SchemaId,
    registry::{Registry, SchemaText},
};
use headgate_aws::{Aws, Endpoint};
use headgate_glue::GlueRegistry;
use serde_json::{Value, json};

use super::server::{Answer, Server};

const UUID: &str = "b7b4a7f0-9c96-4e4a-a687-fb5de9ef0c63";

async fn registry(server: &Server) -> GlueRegistry {
    GlueRegistry::new(&Aws::connect(Endpoint::Emulator(server.url.clone())).await)
}

async fn ask(answers: Vec<Answer>) -> (Result<Option<SchemaText>, Error>, usize) {
    let server = Server::start(answers, (400, refusal("EntityNotFoundException"))).await;
    let answer = registry(&server).await.schema(SchemaId::parse(UUID).unwrap()).await;
    let asked = server.asked();
    let target = "x-amz-target: AWSGlue.GetSchemaVersion";
    assert!(asked.iter().all(|request| request.contains(target) && request.ends_with(&body())), "{asked:?}");
    (answer, asked.len())
}

/// What a request says.
fn body() -> String {
    json!({"SchemaVersionId": UUID}).to_string()
}

fn version(format: &str, schema: Option<&str>) -> Value {
    json!({"SchemaVersionId": UUID, "SchemaDefinition": schema, "DataFormat": format, "VersionNumber": 3,
        "SchemaArn": "arn:aws:glue:us-east-1:111122223333:schema/orders/order", "Status": "AVAILABLE"})
}

fn refusal(r#type: &str) -> Value {
    json!({"__type": r#type, "Message": "a word of Glue's"})
}

async fn check(status: u16, body: Value, class: Class, code: Code, asked: usize) -> String {
    let (answer, times) = ask(vec![(UUID, status, body.clone())]).await;
    let error = answer.unwrap_err();
    assert_eq!((error.class, error.code, times), (class, code, asked), "{status} {body}: {error}");
    error.message
}

#[tokio::test]
async fn a_schema_is_found_by_its_versions_id() {
    let want = SchemaText { schema: "\"long\"".to_owned(), references: Vec::new() };
    assert_eq!(ask(vec![(UUID, 200, version("AVRO", Some("\"long\"")))]).await, (Ok(Some(want)), 1));
}

#[tokio::test]
async fn what_glue_does_not_have_is_unknown() {
    assert_eq!(ask(vec![]).await, (Ok(None), 1));
    assert_eq!(ask(vec![(UUID, 400, refusal("InvalidInputException"))]).await, (Ok(None), 1));
    let server = Server::mute().await;
    assert_eq!(registry(&server).await.schema(SchemaId::Confluent(1)).await, Ok(None), "nothing is asked");
}

#[tokio::test]
async fn what_is_no_avro_is_refused() {
    check(200, version("PROTOBUF", Some("x")), Class::Poison, Code::InvalidSchema, 1).await;
}

#[tokio::test]
async fn a_failure_is_tried_again_and_then_told() {
    for (status, r#type) in [(400, "ThrottlingException"), (500, "InternalServiceException"), (503, "x")] {
        let good = version("AVRO", Some("\"long\""));
        let (answer, asked) = ask(vec![(UUID, status, refusal(r#type)), (UUID, 200, good)]).await;
        assert_eq!((answer.map(|found| found.is_some()), asked), (Ok(true), 2), "{status} {type}");
    }
    check(400, refusal("ThrottlingException"), Class::Retry, Code::Unavailable, 3).await;
    check(200, version("AVRO", None), Class::Retry, Code::Unavailable, 1).await;
}

#[tokio::test]
async fn what_a_person_must_change_refuses_no_record() {
    let told = check(400, refusal("AccessDeniedException"), Class::Misconfigured, Code::AccessDenied, 1).await;
    assert!(told.contains(UUID) && told.contains("the role needs glue:GetSchemaVersion"), "{told}");
    check(400, refusal("UnrecognizedClientException"), Class::Misconfigured, Code::AccessDenied, 1).await;
}

#[tokio::test(start_paused = true)]
async fn one_that_never_answers_is_unavailable() {
    let server = Server::mute().await;
    let error = registry(&server).await.schema(SchemaId::parse(UUID).unwrap()).await.unwrap_err();
    assert_eq!((error.class, error.code), (Class::Retry, Code::Unavailable), "{error}");
}
