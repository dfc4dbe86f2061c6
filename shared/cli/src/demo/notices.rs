//! Keys → the events by which S3 tells of them, in each of the wrappings they come in.

use serde_json::{Value, json};

const BUCKET: &str = "headgate-demo";

/// S3's own notification, as it calls a function directly or goes to a queue. Keys of the demo need no encoding.
pub fn notification(key: &str) -> Value {
    json!({"Records": [{
        "eventVersion": "2.1", "eventSource": "aws:s3", "awsRegion": "us-east-1", "eventName": "ObjectCreated:Put",
        "eventTime": "2026-11-22T10:15:00.123Z",
        "s3": {"s3SchemaVersion": "1.0", "bucket": {"name": BUCKET, "arn": format!("arn:aws:s3:::{BUCKET}")},
               "object": {"key": key, "sequencer": "0055AED6DCD90281E5"}},
    }]})
}

/// The same as `EventBridge` tells it.
pub fn object_created(key: &str) -> Value {
    json!({"version": "0", "detail-type": "Object Created", "source": "aws.s3", "account": "123456789012",
           "detail": {"version": "0", "bucket": {"name": BUCKET}, "object": {"key": key}, "reason": "PutObject"}})
}

/// A notice through SNS: the body of the queue's message.
pub fn through_sns(notice: &Value) -> Value {
    json!({"Type": "Notification", "TopicArn": "arn:aws:sns:us-east-1:123456789012:lake", "Message": notice.to_string()})
}

/// A batch of SQS messages with these bodies.
pub fn batch(bodies: &[Value]) -> Value {
    let message = |(n, body): (usize, &Value)| {
        json!({"messageId": format!("00000000-0000-4000-8000-{n:012}"), "eventSource": "aws:sqs",
               "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:lake-events", "body": body.to_string()})
    };
    json!({"Records": bodies.iter().enumerate().map(message).collect::<Vec<_>>()})
}
