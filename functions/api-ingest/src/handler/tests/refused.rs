//! Requests that are refused: the status, the reason, and that nothing was sent.

use headgate::{
    state::StateError,
    stream::{Reason, StreamError},
};

use super::*;

/// Answers with this status and reason, and sends nothing.
async fn check(scene: &Scene, event: &Value, status: u16, reason: &str) -> Response {
    let response = scene.ask(event).await;
    let (told_status, body, _) = told(&response);
    assert_eq!((told_status, &body["reason"]), (status, &json!(reason)), "{body:#}");
    assert_eq!(response.headers["content-type"], "application/problem+json");
    assert_eq!((&body["status"], body["detail"].as_str().is_some()), (&json!(status), true), "{body:#}");
    assert_eq!(scene.sent(), [""; 0]);
    assert_eq!(scene.figures()["Reason"], json!(reason));
    response
}

fn with(event: &Value, pointer: &str, value: Value) -> Value {
    let mut event = event.clone();
    *event.pointer_mut(pointer).unwrap() = value;
    event
}

#[tokio::test(start_paused = true)]
async fn every_refusal_has_its_status() {
    let scene = scene();
    let good = scene.request(&json!({"content-encoding": "identity", "idempotency-key": "k"}), &body(2));
    check(&scene, &with(&good, "/rawPath", json!("/v1/strangers")), 404, "unknown_dataset").await;
    let response = check(&scene, &with(&good, "/requestContext/http/method", json!("GET")), 405, "method").await;
    assert_eq!(response.headers["allow"], "POST");
    let response = check(&scene, &with(&good, "/body", json!("{}")), 401, "wrong_signature").await;
    assert_eq!(response.headers["www-authenticate"], "HMAC-SHA256");
    check(&scene, &with(&good, "/headers/x-headgate-signature", json!(null)), 401, "unsigned").await;
    check(&scene, &with(&good, "/headers/content-type", json!("text/csv")), 415, "media_type").await;
    check(&scene, &with(&good, "/headers/content-encoding", json!("br")), 415, "encoding").await;
    check(&scene, &with(&good, "/headers/idempotency-key", json!("a b")), 400, "invalid_idempotency_key").await;
    assert_eq!(scene.state.faults().total(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_bad_body_says_where() {
    let scene = scene();
    let signed = |body: &str| scene.request(&json!({}), body);
    check(&scene, &signed(""), 400, "empty").await;
    check(&scene, &signed("[]"), 400, "empty").await;
    let response = check(&scene, &signed("{}\n{\"a\": tru}\n{}"), 400, "invalid_json").await;
    let (_, body, _) = told(&response);
    assert_eq!(body["position"], json!(1));
    let detail = "The record at position 1 cannot be read: not JSON at byte 12. Records are JSON objects. Nothing was \
                  sent on.";
    assert_eq!(body["detail"], json!(detail));
    check(&scene, &signed(&"{}".repeat(1001)), 413, "too_many_records").await;
    check(&scene, &signed(&" ".repeat((16 << 20) + 1)), 413, "body_too_large").await;
    let large = format!("{{}} {{\"a\": \"{}\"}}", "x".repeat(1 << 20));
    let response = check(&scene, &signed(&large), 413, "record_too_large").await;
    assert_eq!(told(&response).1["position"], json!(1));
}

#[tokio::test(start_paused = true)]
async fn a_request_does_not_keep() {
    let scene = scene();
    let captured = scene.request(&json!({}), &body(1));
    scene.clock.advance(Duration::from_secs(301));
    check(&scene, &captured, 401, "out_of_time").await;
}

#[tokio::test(start_paused = true)]
async fn a_world_that_fails_is_503_and_a_wrong_setup_500() {
    let scene = scene();
    let keyed = scene.request(&json!({"idempotency-key": "k"}), &body(2));
    scene.state.faults().crash_from(1);
    let response = check(&scene, &keyed, 503, "unavailable").await;
    assert_eq!(told(&response).2, Some("1"));
    scene.state.faults().revive();

    let refused = StateError::Refused { key: "k".into(), reason: "no such table".into() };
    scene.state.faults().fail_before(scene.state.faults().total() + 1, refused);
    let response = check(&scene, &keyed, 500, "misconfigured").await;
    assert!(!response.body.contains("no such table"), "the log says how, not the answer");

    let refused = StreamError::Refused { stream: "ingest".into(), reason: "no such stream".into() };
    scene.stream.faults().fail_before(1, refused);
    check(&scene, &keyed, 500, "misconfigured").await;
    assert_eq!(told(&scene.ask(&keyed).await).0, 202, "the key was let go");
}

#[tokio::test(start_paused = true)]
async fn a_record_that_the_stream_will_not_take_is_503_too() {
    let scene = scene();
    scene.stream.refuse(2, Reason::Rejected);
    let response = scene.ask(&scene.request(&json!({}), &body(3))).await;
    let (status, body, _) = told(&response);
    assert_eq!((status, &body["accepted"], &body["failed"]), (503, &json!([[0, 0], [2, 2]]), &json!("rejected")));
}
