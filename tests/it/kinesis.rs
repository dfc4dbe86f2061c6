//! The Kinesis adapter over the wire.
//!
//! ministack takes every record it is given, so refused ones are tested through the memory port; it never loses an
//! answer and never throttles, which the proxy does.

use std::{collections::BTreeSet, time::Duration};

use bytes::Bytes;
use headgate::stream::{Failed, Fared, Outgoing, Patience, Stream, StreamError, deliver};
use headgate_aws::{Aws, Endpoint, KinesisStream};
use headgate_tests::ministack::{Fault, Ministack, Proxy};
use serde_json::{Value, json};

const TIME: Patience = Patience {
    time: Duration::from_secs(20),
    answer: Duration::from_secs(5),
    pause: Duration::from_millis(1),
    longest_pause: Duration::from_millis(10),
};

/// A stream of its own behind a proxy.
async fn stream(name: &str) -> Option<(KinesisStream, Proxy)> {
    let server = Ministack::shared()?;
    server.create_stream(name);
    let proxy = Proxy::before(server);
    let aws = Aws::connect(Endpoint::Emulator(proxy.url())).await;
    Some((KinesisStream::new(&aws, name), proxy))
}

fn records(texts: &[&str]) -> Vec<Outgoing> {
    let record = |text: &&str| Outgoing {
        partition_key: (*text).to_owned(),
        explicit_hash_key: None,
        data: Bytes::copy_from_slice(text.as_bytes()),
    };
    texts.iter().map(record).collect()
}

/// What the stream has, by shard: base64 of each record.
fn held(name: &str, shard: &str) -> Vec<String> {
    let server = Ministack::shared().unwrap();
    let call =
        |call: &str, body: Value| -> Value { serde_json::from_str(&server.kinesis(call, &body.to_string())).unwrap() };
    let begin = json!({"StreamName": name, "ShardId": shard, "ShardIteratorType": "TRIM_HORIZON"});
    let iterator = call("GetShardIterator", begin)["ShardIterator"].clone();
    let got = call("GetRecords", json!({"ShardIterator": iterator, "Limit": 1000}));
    got["Records"].as_array().unwrap().iter().map(|record| record["Data"].as_str().unwrap().to_owned()).collect()
}

/// The same of both shards.
pub fn all_held(name: &str) -> Vec<String> {
    ["shardId-000000000000", "shardId-000000000001"].iter().flat_map(|shard| held(name, shard)).collect()
}

#[tokio::test]
async fn records_are_put_and_their_places_told() {
    let Some((stream, _proxy)) = stream("put").await else { return };
    let delivery = deliver(&stream, &records(&["a", "b", "c", "d"]), &TIME).await;
    assert_eq!((delivery.failed(), delivery.requests), (None, 1));
    let shards: BTreeSet<_> = delivery
        .fared
        .iter()
        .map(|fared| match fared {
            Fared::Accepted(receipt) => receipt.shard.clone().unwrap(),
            Fared::Failed(failed) => panic!("{failed:?}"),
        })
        .collect();
    assert!(shards.iter().all(|shard| shard.starts_with("shardId-")), "{shards:?}");
    let there: BTreeSet<_> = all_held("put").into_iter().collect();
    assert_eq!(there, ["YQ==", "Yg==", "Yw==", "ZA=="].map(str::to_owned).into());
}

#[tokio::test]
async fn the_hash_key_decides_the_shard() {
    let Some((stream, _proxy)) = stream("hashed").await else { return };
    let mut sent = records(&["a", "b", "c", "d"]);
    for record in &mut sent {
        record.explicit_hash_key = Some(u128::MAX.to_string());
    }
    assert_eq!(deliver(&stream, &sent, &TIME).await.failed(), None);
    assert_eq!(held("hashed", "shardId-000000000001"), ["YQ==", "Yg==", "Yw==", "ZA=="]);
}

#[tokio::test]
async fn a_lost_answer_and_a_throttled_request_pass() {
    let Some((stream, proxy)) = stream("lost").await else { return };
    proxy.fail("POST", "/", Fault::LoseAnswer);
    let throttled = r#"{"__type":"ProvisionedThroughputExceededException","message":"slow down"}"#;
    proxy.fail("POST", "/", Fault::Answer("400 Bad Request", throttled));
    let delivery = deliver(&stream, &records(&["a"]), &TIME).await;
    assert_eq!((delivery.failed(), delivery.requests), (None, 3), "each request is made once");
    assert_eq!(all_held("lost"), ["YQ==", "YQ=="], "at least once");
}

#[tokio::test]
async fn a_stream_that_is_not_there_is_a_persons_matter() {
    let Some(server) = Ministack::shared() else { return };
    let aws = Aws::connect(Endpoint::Emulator(server.url())).await;
    let nowhere = KinesisStream::new(&aws, "no-such-stream");
    let sent = records(&["a"]);
    let refused = nowhere.put(&[&sent[0]]).await;
    assert!(
        matches!(&refused, Err(StreamError::Refused { reason, .. }) if reason.contains("create the table or stream")),
        "{refused:?}"
    );
    let delivery = deliver(&nowhere, &sent, &TIME).await;
    assert_eq!((delivery.failed(), delivery.requests), (Some(Failed::Rejected), 1));
}
