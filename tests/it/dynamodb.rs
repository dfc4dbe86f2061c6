//! The `DynamoDB` adapter over the wire.
//!
//! ministack evaluates the conditions and returns the item that a failed one was checked against. It never loses an
//! answer; the proxy does.

use std::sync::Arc;

use headgate::{
    clock::{Clock, ManualClock, SystemClock, Timestamp},
    state::{Expected, State, StateError, conformance},
};
use headgate_aws::{Aws, DynamoState, Endpoint};
use headgate_tests::ministack::{Fault, Ministack, Proxy};
use serde_json::json;

/// A table of its own behind a proxy.
async fn state(table: &str, clock: Arc<dyn Clock>) -> Option<(DynamoState, Proxy)> {
    let server = Ministack::shared()?;
    server.create_table(table);
    let proxy = Proxy::before(server);
    let aws = Aws::connect(Endpoint::Emulator(proxy.url())).await;
    Some((DynamoState::new(&aws, table, clock), proxy))
}

#[tokio::test(flavor = "multi_thread")]
async fn it_keeps_a_states_promises() {
    let Some((state, _proxy)) = state("conformance", Arc::new(SystemClock)).await else { return };
    conformance::check(Arc::new(state)).await;
}

#[tokio::test]
async fn an_item_ends_with_its_time() {
    let clock = Arc::new(ManualClock::new(Timestamp(1_700_000_000_000)));
    let Some((state, _proxy)) = state("expiry", Arc::clone(&clock) as Arc<dyn Clock>).await else { return };
    conformance::check_expiry(&state, &|time| clock.advance(time)).await;
}

#[tokio::test]
async fn a_lost_answer_is_not_a_lost_race() {
    let Some((state, proxy)) = state("lost-answer", Arc::new(SystemClock)).await else { return };
    proxy.fail("POST", "/", Fault::LoseAnswer);
    let first = state.put_if("k", json!(1), Expected::Absent, None).await.unwrap();
    proxy.fail("POST", "/", Fault::LoseAnswer);
    let second = state.put_if("k", json!(2), Expected::Version(first.clone()), None).await.unwrap();
    let lost = state.put_if("k", json!(3), Expected::Version(first), None).await;
    assert_eq!(lost, Err(StateError::Changed { key: "k".into() }));
    let item = state.get("k").await.unwrap().unwrap();
    assert_eq!((item.version, item.value), (second, json!(2)));
}

#[tokio::test]
async fn throttling_passes() {
    let Some((state, proxy)) = state("throttled", Arc::new(SystemClock)).await else { return };
    let throttled = r#"{"__type":"ProvisionedThroughputExceededException","message":"slow down"}"#;
    proxy.fail("POST", "/", Fault::Answer("400 Bad Request", throttled));
    assert_eq!(state.get("k").await, Ok(None));
}

#[tokio::test(start_paused = true)]
async fn a_table_that_does_not_answer_is_unavailable() {
    // Nothing listens on the discard port.
    let aws = Aws::connect(Endpoint::Emulator("http://127.0.0.1:9".into())).await;
    let silent = DynamoState::new(&aws, "t", Arc::new(SystemClock)).get("k").await;
    assert!(matches!(silent, Err(StateError::Unavailable { .. })), "{silent:?}");
}

#[tokio::test]
async fn refusals_say_what_to_change() {
    let Some((state, _proxy)) = state("refusals", Arc::new(SystemClock)).await else { return };
    let nowhere = Aws::connect(Endpoint::Emulator(Ministack::shared().unwrap().url())).await;
    let nowhere = DynamoState::new(&nowhere, "no-such-table", Arc::new(SystemClock));
    for (state, key, remedy) in [(&nowhere, "k", "create the table"), (&state, "", "table refusals: 400")] {
        let refused = state.put_if(key, json!(1), Expected::Any, None).await;
        assert!(matches!(&refused, Err(StateError::Refused { reason, .. }) if reason.contains(remedy)), "{refused:?}");
    }
}
