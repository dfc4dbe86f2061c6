//! A body → a record of a Kinesis batch.
//!
//! Shape: AWS Lambda Developer Guide, "Using Lambda with Kinesis".

use super::{
    base64,
    lane::{Body, Lane},
};
use crate::traffic::object::seconds;

pub(super) const HEAD: &str = r#"{"Records":["#;

pub(super) fn item(lane: &mut Lane, body: &Body) -> String {
    let (sequence, shard, stream) = (lane.sequence(), lane.shard(), lane.stream());
    let (key, at) = (&body.key, seconds(body.at));
    let data = base64(body.bytes.as_deref().unwrap_or_default());
    format!(
        r#"{{"kinesis":{{"kinesisSchemaVersion":"1.0","partitionKey":"{key}","sequenceNumber":"{sequence}","data":"{data}","approximateArrivalTimestamp":{at}}},"eventSource":"aws:kinesis","eventVersion":"1.0","eventID":"{shard}:{sequence}","eventName":"aws:kinesis:record","invokeIdentityArn":"arn:aws:iam::111122223333:role/{stream}","awsRegion":"eu-west-1","eventSourceARN":"{}"}}"#,
        arn(stream)
    )
}

pub(super) fn arn(stream: &str) -> String {
    format!("arn:aws:kinesis:eu-west-1:111122223333:stream/{stream}")
}
