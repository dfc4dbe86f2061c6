//! A stream that is read again from a place within what was replayed, in the steps of the function's README.

use std::sync::Arc;

use headgate::{clock::Timestamp, state::memory::MemoryState, store::Store};
use headgate_columnar::replay::{Options, Origin};
use serde_json::{Value, json};

use super::scene::{Lake, Rules, adds_up, apply, batch, clickstream, lenient, objects, once, record, refused};

async fn remove(lake: &Lake, key: &str) {
    lake.store.delete(key).await.unwrap();
}

/// Forgets what came from record `place` on, and all that was replayed.
async fn forget(lake: &mut Lake, place: usize) {
    lake.state = MemoryState::new(lake.ports.clock.clone());
    lake.ports.state = Arc::new(lake.state.clone());
    let place = format!("{place:023}.");
    for key in objects(lake, "").await.keys() {
        let name = key.rsplit('/').next().unwrap();
        if name.starts_with("clicks--") && name[name.find('.').unwrap() - 23..] >= *place {
            remove(lake, key).await;
        }
    }
    for (key, entry) in objects(lake, "_headgate/replay/clickstream/").await {
        let head: Value = serde_json::from_slice(entry.split(|byte| *byte == b'\n').next().unwrap()).unwrap();
        for object in head["objects"].as_array().unwrap() {
            remove(lake, object["key"].as_str().unwrap()).await;
        }
        remove(lake, &key).await;
    }
}

#[tokio::test]
async fn what_is_refused_anew_lands_and_what_was_replayed_is_not_there_twice() {
    let mut lake = refused().await;
    adds_up(&lenient("hour").replay(&lake, &apply()).await);
    assert_eq!(lake.values("event_id").await, once());
    forget(&mut lake, 3).await;
    assert_eq!((lake.values("event_id").await.len(), lake.refused().await.len()), (1, 2));
    let user = |number: usize| if number == 3 { json!(number) } else { json!("word") };
    let bodies: Vec<_> = (3..6).map(|number| record(number, number % 4, &user(number))).collect();
    lake.land(&batch(3, &bodies)).await;
    let report = lenient("hour").replay(&lake, &apply()).await;
    adds_up(&report);
    assert_eq!((report.replayed, lake.values("event_id").await), (4, once()));
}

#[tokio::test]
async fn failed_batches_before_the_place_are_replayed_again() {
    let mut lake = Lake::new(&clickstream(|_| {}));
    let rules = Rules::new(&clickstream(|_| {}));
    let bodies: Vec<_> = (0..6).map(|number| record(number, 0, &json!(number))).collect();
    for (key, first) in [("failed/a", 0), ("failed/b", 2)] {
        let object = json!({"KinesisBatchInfo": {}, "payload": batch(first, &bodies[first..first + 2])});
        lake.store.put_at(key, object.to_string(), Timestamp(0));
    }
    let options = Options { origin: Origin::FailedBatches, prefix: "failed/".to_owned(), ..apply() };
    lake.land(&batch(4, &bodies[4..])).await;
    adds_up(&rules.replay(&lake, &options).await);
    assert_eq!(lake.values("event_id").await, once());
    forget(&mut lake, 2).await;
    remove(&lake, "failed/b").await;
    lake.land(&batch(2, &bodies[2..])).await;
    let report = rules.replay(&lake, &options).await;
    adds_up(&report);
    assert_eq!((report.replayed, lake.values("event_id").await), (2, once()));
}
