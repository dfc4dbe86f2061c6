//! Requests as function URLs and HTTP APIs send them → their parts; and responses.

use serde_json::{Value, json};

use super::*;
use crate::{Class, Code};

/// What a request comes to, as one line; or the failure's message.
fn check(event: &Value, expected: &str) {
    let text = event.to_string();
    let told = match read(text.as_bytes()) {
        Ok(request) => line(&request),
        Err(error) => {
            assert_eq!((error.class, error.code), (Class::Poison, Code::InvalidEvent));
            error.message.split(" (line").next().unwrap_or_default().to_owned()
        }
    };
    assert_eq!(told, expected, "{event}");
}

fn line(request: &Request<'_>) -> String {
    let Request { method, path, query, body, source_ip, request_id, received, route_key, .. } = request;
    let headers: Vec<_> = request.headers().map(|(name, value)| format!("{name}={value}")).collect();
    let query: Vec<_> = query.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let known: Vec<_> = [source_ip, request_id, route_key].into_iter().map(|part| part.as_deref()).collect();
    let body = String::from_utf8_lossy(body);
    format!("{method} {path} {query:?} {headers:?} {known:?} {:?} {body}", received.map(|at| at.0))
}

fn request() -> Value {
    json!({
        "version": "2.0", "routeKey": "POST /events", "rawPath": "/events/a%20b", "rawQueryString": "k=1&k=2",
        "queryStringParameters": {"k": "1,2"}, "cookies": ["c=1"],
        "headers": {"Content-Type": "application/json", "x-forwarded-for": "203.0.113.9"},
        "requestContext": {
            "accountId": "anonymous", "requestId": "q-1", "routeKey": "POST /events", "timeEpoch": 1_767_225_600_050_i64,
            "http": {"method": "POST", "path": "/events/a b", "protocol": "HTTP/1.1", "sourceIp": "203.0.113.9"},
        },
        "body": "{\"page\": 1}", "isBase64Encoded": false,
    })
}

/// The request with `value` at `pointer`.
fn with(pointer: &str, value: Value) -> Value {
    let mut request = request();
    *request.pointer_mut(pointer).unwrap() = value;
    request
}

#[test]
fn a_request_has_parts() {
    check(
        &request(),
        "POST /events/a%20b [\"k=1,2\"] [\"content-type=application/json\", \"x-forwarded-for=203.0.113.9\"] \
         [Some(\"203.0.113.9\"), Some(\"q-1\"), Some(\"POST /events\")] Some(1767225600050) {\"page\": 1}",
    );
    check(
        &json!({"rawPath": "/", "requestContext": {"http": {"method": "GET"}}}),
        "GET / [] [] [None, None, None] None ",
    );
    check(
        &json!({"rawPath": "/", "headers": null, "queryStringParameters": null, "body": null, "isBase64Encoded": null,
            "requestContext": {"http": {"method": "GET", "sourceIp": null}, "timeEpoch": "1767225600050"}}),
        "GET / [] [] [None, None, None] Some(1767225600050) ",
    );
}

#[test]
fn headers_have_no_case() {
    let event = with("/headers", json!({"X-Tag": "a", "x-tag": "b,c", "none": null, "n": 5, "list": []})).to_string();
    let request = read(event.as_bytes()).unwrap();
    assert_eq!(request.header("X-TAG"), Some("a,b,c"));
    assert_eq!((request.header("N"), request.header("none"), request.header("list")), (Some("5"), None, None));
    assert_eq!(format!("{request:?}"), "POST /events/a%20b 11 bytes");
}

#[test]
fn a_body_may_be_base64() {
    let mut event = with("/isBase64Encoded", json!(true));
    event["body"] = json!("/wA=");
    let text = event.to_string();
    assert_eq!(&*read(text.as_bytes()).unwrap().body, b"\xff\0");
    event["body"] = json!("*");
    check(&event, "body is not base64");
    let text = with("/body", json!("plain")).to_string();
    assert!(matches!(read(text.as_bytes()).unwrap().body, Cow::Borrowed(b"plain")));
}

#[test]
fn what_is_no_request_is_an_error() {
    let shape = "the event is not an HTTP request of payload format 2.0";
    for event in [json!({}), json!([]), with("/requestContext", json!({})), with("/rawPath", json!(1))] {
        check(&event, shape);
    }
    check(
        &with("/version", json!("1.0")),
        "the HTTP request is not of payload format 2.0; set payload_format_version of the route",
    );
}

fn json(response: &Response) -> Value {
    serde_json::to_value(response).unwrap()
}

#[test]
fn a_response_has_a_status_and_a_text() {
    assert_eq!(
        json(&Response::empty(204)),
        json!({"statusCode": 204, "headers": {}, "body": "", "isBase64Encoded": false})
    );
    assert_eq!(
        json(
            &Response::json(202, &json!({"accepted": 2}))
                .with_header("Retry-After", "1")
                .with_header("retry-after", "2")
        ),
        json!({"statusCode": 202, "headers": {"content-type": "application/json", "retry-after": "2"},
            "body": "{\"accepted\":2}", "isBase64Encoded": false})
    );
}

#[test]
fn a_problem_says_what_and_why() {
    let told = |problem: Problem| {
        let response = problem.into_response();
        assert_eq!(response.headers["content-type"], "application/problem+json");
        (response.status_code, serde_json::from_str::<Value>(&response.body).unwrap())
    };
    let problem = Problem::new(422).with_detail("line 2 has no \"id\"").with("line", 2).with("status", 200);
    let body = json!({"type": "about:blank", "title": "Unprocessable Content", "status": 422,
        "detail": "line 2 has no \"id\"", "line": 2});
    assert_eq!(told(problem), (422, body));
    for (status, title) in
        [(413, "Content Too Large"), (418, "Client Error"), (503, "Service Unavailable"), (599, "Server Error")]
    {
        assert_eq!(
            told(Problem::new(status)),
            (status, json!({"type": "about:blank", "title": title, "status": status}))
        );
    }
}
