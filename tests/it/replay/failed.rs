//! Batches that were given up, and copies of what was set aside: each record lands once, wherever it is and however
//! often.

use std::collections::BTreeMap;

use headgate::{clock::Timestamp, quarantine::Part};
use headgate_columnar::replay::{Options, Origin};
use serde_json::{Value, json};

use super::scene::{Lake, Rules, adds_up, apply, batch, clickstream, lenient, objects, once, record, refused};

fn failed(prefix: &str) -> Options {
    Options { origin: Origin::FailedBatches, prefix: prefix.to_owned(), ..apply() }
}

fn each(count: usize) -> BTreeMap<String, u64> {
    (0..count).map(|number| (format!("e{number}"), 1)).collect()
}

impl Lake {
    /// Puts a batch where the mapping of this role has what it gave up.
    fn give_up(&self, key: &str, role: &str, batch: &str) {
        let mut event: Value = serde_json::from_str(batch).unwrap();
        for record in event["Records"].as_array_mut().unwrap() {
            record["invokeIdentityArn"] = json!(format!("arn:aws:iam::123456789012:role/{role}"));
        }
        let object = json!({"KinesisBatchInfo": {}, "payload": event.to_string()});
        self.store.put_at(key, object.to_string(), Timestamp(0));
    }
}

#[tokio::test]
async fn a_failed_batch_lands_with_what_is_refused_of_it() {
    let lake = Lake::new(&clickstream(|_| {}));
    let bodies: Vec<_> = (0..6).map(|number| record(number, number % 2, &json!(number))).collect();
    let bad = [&bodies[..2], &[record(2, 0, &json!("word"))]].concat();
    lake.give_up("failed/2026/01/01/a", "one", &batch(0, &bad));
    lake.store.put_at("failed/2026/01/01/b", "{}", Timestamp(0));
    let options = failed("failed/");
    let strict = Rules::new(&clickstream(|_| {}));
    let early = strict.replay(&lake, &options).await;
    assert_eq!((early.unsettled, early.replayed), (3, 0), "the shard has not passed it");
    lake.land(&batch(3, &bodies[3..])).await;
    for (replayed, repeated) in [(3, 0), (0, 3)] {
        let report = strict.replay(&lake, &options).await;
        adds_up(&report);
        assert_eq!((report.replayed, report.repeated, report.unreadable), (replayed, repeated, 1));
        assert_eq!(report.unreadable_at, ["failed/2026/01/01/b: the document has no KinesisBatchInfo"]);
    }
    let report = lenient("hour").replay(&lake, &apply()).await;
    assert_eq!(report.replayed, 1);
    assert_eq!(lake.values("event_id").await, each(6));
    let refused: Value = serde_json::from_slice(&lake.refused().await[0].bytes().unwrap()).unwrap();
    assert_eq!(refused["event_id"], "e2");
}

#[tokio::test]
async fn a_failed_batch_in_two_folders_lands_once() {
    let lake = Lake::new(&clickstream(|_| {}));
    let bodies: Vec<_> = (0..9).map(|number| record(number, 0, &json!(number))).collect();
    lake.give_up("failed/aws/lambda/one/shardId-000000000006/2026/01/01/a", "one", &batch(0, &bodies[..4]));
    lake.give_up("failed/aws/lambda/two/shardId-000000000006/2026/01/02/a", "two", &batch(2, &bodies[2..6]));
    lake.give_up("copies/a", "one", &batch(0, &bodies[..4]));
    lake.land(&batch(6, &bodies[6..])).await;
    let rules = Rules::new(&clickstream(|_| {}));
    for (prefix, replayed, repeated) in [("failed/", 6, 2), ("copies/", 0, 4), ("failed/", 0, 8)] {
        let report = rules.replay(&lake, &failed(prefix)).await;
        adds_up(&report);
        assert_eq!((report.replayed, report.repeated), (replayed, repeated), "{prefix}");
    }
    assert_eq!(lake.values("event_id").await, each(9));
}

#[tokio::test]
async fn a_record_that_cannot_be_read_is_set_aside_once_whoever_delivered_it() {
    let lake = Lake::new(&clickstream(|_| {}));
    let bodies: Vec<_> = (0..2).map(|number| record(number, 0, &json!(number))).collect();
    lake.land(&batch(1, &bodies[1..])).await;
    for role in ["one", "two"] {
        let mut event: Value = serde_json::from_str(&batch(0, &bodies[..1])).unwrap();
        event["Records"][0]["kinesis"]["data"] = json!("?");
        lake.give_up(&format!("failed/{role}/a"), role, &event.to_string());
    }
    let report = Rules::new(&clickstream(|_| {})).replay(&lake, &failed("failed/")).await;
    adds_up(&report);
    assert_eq!((report.replayed, report.repeated, report.set_aside), (1, 1, 1));
    assert_eq!(lake.refused().await.iter().map(|line| line.part).collect::<Vec<_>>(), [Part::Event]);
}

#[tokio::test]
async fn a_batch_of_two_shards_is_noted_for_each() {
    let lake = Lake::new(&clickstream(|_| {}));
    let bodies: Vec<_> = (0..4).map(|number| record(number, 0, &json!(number))).collect();
    let other = |event: &str| event.replace("shardId-000000000006", "shardId-000000000007");
    let both = |event: String| {
        let (mut event, other): (Value, Value) =
            (serde_json::from_str(&event).unwrap(), serde_json::from_str(&other(&event)).unwrap());
        event["Records"].as_array_mut().unwrap().extend(other["Records"].as_array().unwrap().clone());
        event.to_string()
    };
    lake.give_up("failed/a", "one", &both(batch(0, &bodies[..2])));
    lake.give_up("failed/b", "one", &batch(0, &bodies[..2]));
    lake.give_up("failed/c", "one", &other(&batch(0, &bodies[..2])));
    lake.land(&batch(2, &bodies[2..])).await;
    lake.land(&other(&batch(2, &bodies[2..]))).await;
    let report = Rules::new(&clickstream(|_| {})).replay(&lake, &failed("failed/")).await;
    adds_up(&report);
    assert_eq!((report.replayed, report.repeated), (4, 4));
    assert!(lake.values("event_id").await.values().all(|times| *times == 2));
}

#[tokio::test]
async fn a_copy_of_what_was_set_aside_lands_once() {
    let lake = refused().await;
    for (key, body) in objects(&lake, "quarantine/").await {
        lake.store.put_at(&format!("copies/{}", key.replace('/', "-")), body, Timestamp(0));
    }
    for (prefix, replayed, repeated) in [("copies/", 4, 0), ("quarantine/", 0, 4), ("copies/", 0, 4)] {
        let report = lenient("hour").replay(&lake, &Options { prefix: prefix.to_owned(), ..apply() }).await;
        adds_up(&report);
        assert_eq!((report.replayed, report.repeated), (replayed, repeated), "{prefix}");
    }
    assert_eq!(lake.values("event_id").await, once());
}
