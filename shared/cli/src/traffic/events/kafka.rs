//! A body → a record of a Kafka batch.
//!
//! Shape: AWS Lambda Developer Guide, "Using Lambda with Amazon MSK".

use super::{
    Wrapping, base64,
    lane::{Body, Lane},
};

pub(super) fn head() -> String {
    let cluster = "arn:aws:kafka:eu-west-1:111122223333:cluster/headgate/0f6c2a4e-5b1d-4c8e-9a37-2d4b6f8e1c35-2";
    let broker = |number| format!("b-{number}.headgate.c2.kafka.eu-west-1.amazonaws.com:9098");
    format!(
        r#"{{"eventSource":"aws:kafka","eventSourceArn":"{cluster}","bootstrapServers":"{},{}","records":{{"#,
        broker(1),
        broker(2)
    )
}

/// What stands before a partition's records.
pub(super) fn part(wrapping: &Wrapping, partition: usize) -> String {
    format!(r#""{}-{partition}":["#, wrapping.name)
}

pub(super) fn item(lane: &mut Lane, body: &Body) -> String {
    let (offset, partition, trace) = (lane.offset(), lane.number, trace(lane));
    let value = body.bytes.as_ref().map_or("null".to_owned(), |bytes| format!("\"{}\"", base64(bytes)));
    format!(
        r#"{{"topic":"{}","partition":{partition},"offset":{offset},"timestamp":{},"timestampType":"CREATE_TIME","key":"{}","value":{value},"headers":[{{"source":[104,101,97,100,103,97,116,101]}},{{"trace":{trace}}}]}}"#,
        lane.stream(),
        body.at.0,
        base64(body.key.as_bytes())
    )
}

/// Eight bytes as Java has them, -128 to 127; the first is negative.
fn trace(lane: &mut Lane) -> String {
    let bytes = (lane.draw.below(1 << 63) | 1 << 63).to_be_bytes().map(|byte| byte.cast_signed().to_string());
    format!("[{}]", bytes.join(","))
}
