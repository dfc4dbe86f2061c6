//! `api-ingest` over the wire: records to Kinesis, idempotency keys to `DynamoDB`, a lost answer between.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
    time::Duration,
};

use api_ingest::{
    config::Config,
    handler::{Ports, handle},
    signature::sign,
};
use headgate::{
    clock::{Clock, ManualClock, Timestamp},
    metrics::Emitter,
};
use headgate_aws::{Aws, DynamoState, Endpoint, KinesisStream};
use headgate_tests::ministack::{Fault, Ministack, Proxy};
use serde_json::{Value, json};

use crate::kinesis::all_held;

const NOW: Timestamp = Timestamp(1_795_348_800_000);
const SECRET: &str = "a secret of the sender";

fn request(body: &str) -> Value {
    let seconds = NOW.0 / 1000;
    json!({"rawPath": "/orders", "body": body, "requestContext": {"http": {"method": "POST"}}, "headers": {
        "x-headgate-timestamp": seconds.to_string(), "x-headgate-signature": sign(SECRET, seconds, body.as_bytes()),
        "idempotency-key": "k-1",
    }})
}

#[tokio::test]
async fn a_request_goes_through_once_though_an_answer_is_lost() {
    let Some(server) = Ministack::shared() else { return };
    server.create_stream("ingested");
    server.create_table("ingested");
    let given =
        [("DATASET", "orders"), ("STREAM", "ingested"), ("STATE", "dynamodb://ingested"), ("SIGNING_KEYS", SECRET)];
    let lookup = |name: &str| given.iter().find(|(given, _)| *given == name).map(|(_, text)| (*text).to_owned());
    let (proxy, clock) = (Proxy::before(server), Arc::new(ManualClock::new(NOW)));
    let (direct, proxied) = (Endpoint::Emulator(server.url()), Endpoint::Emulator(proxy.url()));
    let ports = Ports {
        config: Config::read(lookup).unwrap(),
        stream: Arc::new(KinesisStream::new(&Aws::connect(proxied).await, "ingested")),
        state: Arc::new(DynamoState::new(&Aws::connect(direct).await, "ingested", clock.clone())),
        clock: clock.clone(),
        emitter: Emitter::Memory(Arc::new(Mutex::new(Vec::new()))),
    };
    proxy.fail("POST", "/", Fault::LoseAnswer);
    let deadline = clock.now().plus(Duration::from_secs(30));
    let event = request(r#"[{"id": 1}, {"id": 2}]"#).to_string();
    let first = handle(event.as_bytes(), deadline, &ports).await.unwrap();
    assert_eq!((first.status_code, first.body.as_str()), (202, r#"{"accepted":2,"bytes":18,"dataset":"orders"}"#));
    assert_eq!(handle(event.as_bytes(), deadline, &ports).await.unwrap(), first);
    assert_eq!(proxy.seen().len(), 2, "one put whose answer was lost, one more, and none for the repetition");
    assert_eq!(all_held("ingested").into_iter().collect::<BTreeSet<_>>().len(), 2);

    let other = handle(request("{}").to_string().as_bytes(), deadline, &ports).await.unwrap();
    assert_eq!(other.status_code, 409);
}
