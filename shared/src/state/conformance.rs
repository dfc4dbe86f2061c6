//! Any [`State`] → proof that it keeps its promises: what every adapter must pass.
//!
//! All keys begin with `conformance/` and a random part, so that it may run on a table that is in use.
#![expect(clippy::unwrap_used, reason = "a check: its failure is a panic that says where")]

use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};

use super::{Expected, State, StateError, Version};

const WRITERS: usize = 64;

fn key() -> String {
    format!("conformance/{}", Version::fresh())
}

fn changed<T>(result: Result<T, StateError>, what: &str) {
    match result {
        Err(StateError::Changed { .. }) => {}
        Err(other) => assert_eq!(other.to_string(), "", "{what}: expected `changed`"),
        Ok(_) => assert_eq!(what, "", "a success, expected `changed`"),
    }
}

async fn value(state: &dyn State, key: &str) -> Option<Value> {
    state.get(key).await.unwrap().map(|item| item.value)
}

/// Tries every verb and condition of `state`, one after the other and 64 at once.
///
/// # Panics
/// Where a promise is broken.
pub async fn check(state: Arc<dyn State>) {
    conditions(&*state).await;
    values(&*state).await;
    one_creates(&state).await;
    none_is_lost(&state).await;
}

/// Tries that items end: `advance` moves the clock of `state`.
///
/// # Panics
/// Where a promise is broken.
pub async fn check_expiry(state: &dyn State, advance: &(dyn Fn(Duration) + Sync)) {
    let key = key();
    let minute = Some(Duration::from_mins(1));
    let first = state.put_if(&key, json!(1), Expected::Absent, minute).await.unwrap();
    advance(Duration::from_secs(59));
    assert_eq!(value(state, &key).await, Some(json!(1)));
    changed(state.put_if(&key, json!(2), Expected::Absent, minute).await, "create over an item that lives");
    advance(Duration::from_secs(1));
    assert_eq!(value(state, &key).await, None);
    changed(state.put_if(&key, json!(2), Expected::Version(first), None).await, "replace an item that is over");
    state.put_if(&key, json!(3), Expected::Absent, None).await.unwrap();
    advance(Duration::from_hours(24_000));
    assert_eq!(value(state, &key).await, Some(json!(3)), "an item without an end stays");
    state.delete_if(&key, Expected::Any).await.unwrap();
}

async fn conditions(state: &dyn State) {
    let key = key();
    assert_eq!(state.get(&key).await.unwrap(), None);
    changed(state.put_if(&key, json!(0), Expected::Version(Version::fresh()), None).await, "replace what is not there");
    changed(state.delete_if(&key, Expected::Version(Version::fresh())).await, "delete what is not there");
    state.delete_if(&key, Expected::Any).await.unwrap();
    let first = state.put_if(&key, json!(1), Expected::Absent, None).await.unwrap();
    assert_eq!(state.get(&key).await.unwrap().map(|item| (item.version, item.expires_at)), Some((first.clone(), None)));
    changed(state.put_if(&key, json!(2), Expected::Absent, None).await, "create over an item");
    let second = state.put_if(&key, json!(1), Expected::Version(first.clone()), None).await.unwrap();
    assert_ne!(first, second, "the version changes even where the value does not");
    changed(state.put_if(&key, json!(3), Expected::Version(first.clone()), None).await, "replace a stale version");
    changed(state.delete_if(&key, Expected::Version(first.clone())).await, "delete a stale version");
    changed(state.delete_if(&key, Expected::Absent).await, "delete on absence");
    assert_eq!(value(state, &key).await, Some(json!(1)));
    state.delete_if(&key, Expected::Version(second)).await.unwrap();
    assert_eq!(value(state, &key).await, None);
    let again = state.put_if(&key, json!(1), Expected::Absent, None).await.unwrap();
    assert_ne!(first, again, "a version is not used again after a deletion");
    state.delete_if(&key, Expected::Any).await.unwrap();
}

async fn values(state: &dyn State) {
    let key = key();
    let cases = [
        json!(null),
        json!("text"),
        json!(""),
        json!(-1.5),
        json!(u64::MAX),
        json!([1, {"a": [true, null]}]),
        json!({}),
    ];
    for case in cases {
        state.put_if(&key, case.clone(), Expected::Any, None).await.unwrap();
        assert_eq!(value(state, &key).await, Some(case));
    }
    state.delete_if(&key, Expected::Any).await.unwrap();
}

async fn one_creates(state: &Arc<dyn State>) {
    let key = key();
    let create = |number: usize| {
        let (state, key) = (Arc::clone(state), key.clone());
        tokio::spawn(async move { state.put_if(&key, json!(number), Expected::Absent, None).await })
    };
    let writers: Vec<_> = (0..WRITERS).map(create).collect();
    let mut winners = Vec::new();
    for (number, writer) in writers.into_iter().enumerate() {
        match writer.await.unwrap() {
            Ok(version) => winners.push((version, json!(number))),
            lost => changed(lost, "a loser"),
        }
    }
    let there = state.get(&key).await.unwrap().map(|item| (item.version, item.value));
    assert_eq!(winners, there.into_iter().collect::<Vec<_>>(), "exactly one create-only write wins");
    state.delete_if(&key, Expected::Any).await.unwrap();
}

async fn none_is_lost(state: &Arc<dyn State>) {
    let key = key();
    state.put_if(&key, json!(0), Expected::Absent, None).await.unwrap();
    let increment = |_| {
        let (state, key) = (Arc::clone(state), key.clone());
        tokio::spawn(async move {
            loop {
                let item = state.get(&key).await.unwrap().unwrap();
                let next = json!(item.value.as_u64().unwrap() + 1);
                match state.put_if(&key, next, Expected::Version(item.version), None).await {
                    Ok(_) => return,
                    lost => changed(lost, "a loser"),
                }
            }
        })
    };
    let writers: Vec<_> = (0..WRITERS).map(increment).collect();
    for writer in writers {
        writer.await.unwrap();
    }
    assert_eq!(value(&**state, &key).await, Some(json!(WRITERS)), "no increment is lost");
    state.delete_if(&key, Expected::Any).await.unwrap();
}
