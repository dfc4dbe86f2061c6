//! Events in every wrapping → the same pokes.

use serde_json::{Value, json};

use super::{Message, Trigger, read};

/// What an event comes to, as one line: pokes, or messages with their pokes, or the failure's code.
fn check(event: &Value, expected: &str) {
    let told = match read(event) {
        Ok(Trigger::Event(pokes)) => format!("{pokes:?}"),
        Ok(Trigger::Messages(messages)) => messages.iter().map(line).collect::<Vec<_>>().join("; "),
        Err(error) => format!("{:?} {}", error.class, error.code),
    };
    assert_eq!(told, expected, "{event}");
}

fn line(message: &Message) -> String {
    match &message.pokes {
        Ok(pokes) => format!("{} {pokes:?}", message.id),
        Err(error) => format!("{} {:?} {}", message.id, error.class, error.code),
    }
}

fn s3(name: &str, key: &str) -> Value {
    json!({"Records": [{"eventVersion": "2.1", "eventSource": "aws:s3", "eventName": name,
        "s3": {"bucket": {"name": "lake", "arn": "arn:aws:s3:::lake"}, "object": {"key": key, "size": 3}}}]})
}

fn sqs(bodies: &[&str]) -> Value {
    let record =
        |(n, body): (usize, &&str)| json!({"messageId": format!("m{n}"), "eventSource": "aws:sqs", "body": body});
    json!({"Records": bodies.iter().enumerate().map(record).collect::<Vec<_>>()})
}

fn bridged(kind: &str, key: &str) -> Value {
    json!({"version": "0", "source": "aws.s3", "detail-type": kind,
        "detail": {"version": "0", "bucket": {"name": "lake"}, "object": {"key": key}, "reason": "PutObject"}})
}

#[test]
fn a_direct_notification_names_its_decoded_key() {
    check(&s3("ObjectCreated:Put", "cdc/orders/a.parquet"), "[s3://lake/cdc/orders/a.parquet]");
    check(&s3("s3:ObjectCreated:Copy", "year%3D2026/a+b%2Bc%C3%A9"), "[s3://lake/year=2026/a b+cé]");
    check(&s3("ObjectRemoved:DeleteMarkerCreated", "k"), "[s3://lake/k]");
    check(&s3("LifecycleExpiration:Delete", "k"), "[s3://lake/k]");
    check(&s3("ObjectTagging:Put", "k"), "[other]");
    check(&s3("ObjectCreated:Put", "%FF"), "Poison invalid_event");
    check(&json!({"Records": []}), "[]");
    check(
        &json!({"Records": [{"eventVersion": "3.0", "s3": {"bucket": {"name": "b"}, "object": {"key": "k"}}}]}),
        "Poison invalid_event",
    );
}

#[test]
fn a_queue_message_carries_any_notice() {
    let direct = s3("ObjectCreated:Put", "a+b").to_string();
    let event = bridged("Object Created", "a+b%20").to_string();
    let envelope = json!({"Type": "Notification", "TopicArn": "t", "Message": direct}).to_string();
    let test = json!({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "lake"}).to_string();
    check(
        &sqs(&[&direct, &event, &envelope, &test]),
        "m0 [s3://lake/a b]; m1 [s3://lake/a+b%20]; m2 [s3://lake/a b]; m3 [test]",
    );
}

#[test]
fn a_bad_message_fails_alone() {
    let envelope = json!({"Type": "Notification", "Message": "hello"}).to_string();
    check(
        &sqs(&["not json", "{}", &envelope, "[1]", "{\"tables\": \"all\"}"]),
        "m0 Poison invalid_event; m1 Poison invalid_event; m2 Poison invalid_event; m3 Poison invalid_event; \
         m4 [all tables]",
    );
    check(&json!({"Records": [{"eventSource": "aws:sqs", "messageId": "m0"}]}), "m0 Poison invalid_event");
    check(&json!({"Records": [{"eventSource": "aws:sqs", "body": "{}"}]}), "Poison invalid_event");
}

#[test]
fn sns_may_call_by_itself() {
    let message = s3("ObjectCreated:Put", "k").to_string();
    check(&json!({"Records": [{"EventSource": "aws:sns", "Sns": {"Message": message}}]}), "[s3://lake/k]");
}

#[test]
fn eventbridge_keys_are_plain() {
    check(&bridged("Object Created", "year=2026/a+b%20.parquet"), "[s3://lake/year=2026/a+b%20.parquet]");
    check(&bridged("Object Deleted", "k"), "[s3://lake/k]");
    check(&bridged("Object Tags Added", "k"), "[other]");
    check(&json!({"source": "aws.s3", "detail-type": "Object Created", "detail": {}}), "Poison invalid_event");
    check(&json!({"source": "aws.ec2", "detail-type": "State-change", "detail": {}}), "Poison invalid_event");
}

#[test]
fn a_schedule_names_tables_or_all() {
    check(&json!({"tables": ["orders", "customers"]}), "[table orders, table customers]");
    check(&json!({"tables": "all"}), "[all tables]");
    check(&json!({"tables": "orders"}), "Poison invalid_event");
    check(&json!({"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}}), "[all tables]");
    check(&json!({"source": "aws.scheduler", "detail-type": "Scheduled Event", "detail": "{}"}), "[all tables]");
    check(&json!("orders"), "Poison invalid_event");
}
