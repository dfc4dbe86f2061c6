//! A body → a record of a Firehose transformation.
//!
//! Shape: Amazon Data Firehose Developer Guide, "Transform source data".

use super::{
    Format, Wrapping, base64, kinesis,
    lane::{Body, Lane},
};

pub(super) fn head(wrapping: &Wrapping, invocation: &str) -> String {
    let name = &wrapping.name;
    let source = match wrapping.format {
        Format::FirehoseKinesis => format!(r#""sourceKinesisStreamArn":"{}","#, kinesis::arn(name)),
        _ => String::new(),
    };
    format!(
        r#"{{"invocationId":"{invocation}","deliveryStreamArn":"arn:aws:firehose:eu-west-1:111122223333:deliverystream/{name}","region":"eu-west-1",{source}"records":["#
    )
}

pub(super) fn item(lane: &mut Lane, body: &Body) -> String {
    format!("{{{}}}", members(&lane.sequence(), body))
}

pub(super) fn item_of_stream(lane: &mut Lane, body: &Body) -> String {
    let (sequence, shard) = (lane.sequence(), lane.shard());
    format!(
        r#"{{{},"kinesisRecordMetadata":{{"shardId":"{shard}","partitionKey":"{}","approximateArrivalTimestamp":{},"sequenceNumber":"{sequence}","subsequenceNumber":0}}}}"#,
        members(&sequence, body),
        body.key,
        body.at.0
    )
}

fn members(sequence: &str, body: &Body) -> String {
    let data = base64(body.bytes.as_deref().unwrap_or_default());
    format!(r#""recordId":"{sequence}000000","approximateArrivalTimestamp":{},"data":"{data}""#, body.at.0)
}
