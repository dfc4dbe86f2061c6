//! 64 writers at once: a condition holds for exactly one of them.

use std::sync::Arc;

use bytes::Bytes;

use super::{holds, put, upload};
use crate::store::{Condition, Store, StoreError};

const WRITERS: usize = 64;

const COUNTER: &str = "conformance/counter";

pub(super) async fn check(store: &Arc<dyn Store>) {
    one_creates(store).await;
    none_is_lost(store).await;
}

async fn one_creates(store: &Arc<dyn Store>) {
    let key = "conformance/created/once";
    let writers: Vec<_> = (0..WRITERS)
        .map(|number| {
            let store = Arc::clone(store);
            tokio::spawn(async move {
                let body = Bytes::from(format!("writer {number}"));
                let created = if number % 2 == 0 {
                    store.put(key, body.clone(), Condition::Absent).await
                } else {
                    upload(&*store, key, std::slice::from_ref(&body)).await.complete(Condition::Absent).await
                };
                created.map(|etag| (etag, body))
            })
        })
        .collect();
    let mut winners = Vec::new();
    for writer in writers {
        match writer.await.unwrap() {
            Ok(winner) => winners.push(winner),
            Err(StoreError::Changed { .. }) => {}
            Err(other) => assert_eq!(other.to_string(), "", "a loser is told `changed`"),
        }
    }
    assert_eq!(winners.len(), 1, "exactly one create-only write wins");
    holds(&**store, key, &winners[0].0, &winners[0].1).await;
}

async fn none_is_lost(store: &Arc<dyn Store>) {
    put(&**store, COUNTER, &Bytes::from_static(b"0")).await;
    let writers: Vec<_> = (0..WRITERS).map(|_| tokio::spawn(increment(Arc::clone(store)))).collect();
    for writer in writers {
        writer.await.unwrap();
    }
    let (_, body) = store.get(COUNTER).await.unwrap().unwrap();
    assert_eq!(body, WRITERS.to_string(), "no increment is lost");
}

async fn increment(store: Arc<dyn Store>) {
    loop {
        let (etag, body) = store.get(COUNTER).await.unwrap().unwrap();
        let count: usize = std::str::from_utf8(&body).unwrap().parse().unwrap();
        match store.put(COUNTER, Bytes::from((count + 1).to_string()), Condition::Matches(etag)).await {
            Ok(_) => return,
            Err(StoreError::Changed { .. }) => {}
            Err(other) => assert_eq!(other.to_string(), "", "a loser is told `changed`"),
        }
    }
}
