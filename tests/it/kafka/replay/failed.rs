//! Batches that were given up: what had landed of them stays, and the rest lands once.

use std::{collections::BTreeMap, sync::Arc};

use base64::{Engine, prelude::BASE64_STANDARD};
use headgate::{
    clock::{Clock, SystemClock, Timestamp},
    store::Store,
};
use headgate_columnar::replay::{Options, Origin, Report, replay};
use headgate_kafka::{Target, replay::Rows as Kind, schemas::Schemas};
use msk_consumer::config::Failures;
use serde_json::{Value, json};

use super::changes::replays;
use crate::{
    kafka::{
        changes::{Changes, dataset},
        lake::Lake,
        table::{Form, Table},
    },
    landed::Landed,
    replay::scene::{adds_up, apply, target},
};

fn failed() -> Options {
    Options { origin: Origin::FailedBatches, prefix: "failed/".to_owned(), ..apply() }
}

/// Puts an event where the mapping has what it gave up.
fn give_up(lake: &Landed, key: &str, event: &Value) {
    let object = json!({"requestContext": {"condition": "RetryAttemptsExhausted"}, "version": "1.0",
        "KafkaBatchInfo": {"batchSize": 1, "recordsInfo": {}}, "payload": event.to_string()});
    lake.store.put_at(key, object.to_string(), Timestamp(0));
}

fn event(partitions: &[(i32, std::ops::Range<i64>)]) -> Value {
    let record = |partition: i32, offset: i64| {
        let id = if offset == 13 { json!("word") } else { json!(offset + 100 * i64::from(partition)) };
        json!({"topic": "orders", "partition": partition, "offset": offset, "timestamp": 1_795_348_700_000_i64,
            "timestampType": "CREATE_TIME", "value": BASE64_STANDARD.encode(json!({"id": id}).to_string()), "headers": []})
    };
    let list = |(partition, offsets): &(i32, std::ops::Range<i64>)| {
        let records: Vec<_> = offsets.clone().map(|offset| record(*partition, offset)).collect();
        (format!("orders-{partition}"), json!(records))
    };
    let lists: serde_json::Map<_, _> = partitions.iter().map(list).collect();
    json!({"eventSource": "aws:kafka", "bootstrapServers": "b-1:9092", "records": lists})
}

async fn rows(lake: &Lake, options: &Options) -> Report {
    let Target::Rows(rows) = &lake.ports.target else { panic!("no rows") };
    let schemas = Schemas::new(Vec::new(), Arc::new(SystemClock));
    replay(target(&Kind { rows, schemas: &schemas }, &lake.store, &lake.state), options, &|_, _| {}).await
}

fn each(ids: impl IntoIterator<Item = i64>) -> BTreeMap<String, u64> {
    ids.into_iter().map(|id| (id.to_string(), 1)).collect()
}

#[tokio::test]
async fn of_a_batch_that_failed_in_part_only_that_part_lands() {
    let mut lake = Lake::new("json");
    lake.ports.failures = Failures::Batch;
    lake.deliver(&event(&[(0, 0..5), (1, 0..5)])).await.unwrap();
    // Each partition is claimed, and then moves on: the second is not claimed.
    let both = event(&[(0, 5..10), (1, 10..16)]);
    lake.ports.most = 1 << 20;
    let at = lake.state.faults().total();
    lake.state.faults().fail_before(at + 2, headgate::faults::Unavailable::unavailable("the call"));
    lake.deliver(&both).await.unwrap_err();
    lake.state.faults().revive();
    give_up(&lake, "failed/a", &both);
    let early = rows(&lake, &failed()).await;
    adds_up(&early);
    assert_eq!(
        (early.landed + early.unsettled, early.replayed),
        (11, 0),
        "one partition has not passed it: {early:#?}"
    );
    lake.deliver(&event(&[(0, 10..12), (1, 16..18)])).await.unwrap();
    let (landed, lost) = (early.landed, early.unsettled);
    for (replayed, repeated) in [(lost, 0), (0, lost)] {
        let report = rows(&lake, &failed()).await;
        adds_up(&report);
        assert_eq!((report.replayed, report.repeated, report.landed), (replayed, repeated, landed));
    }
    let ids = (0..12).chain((100..105).chain(110..118).filter(|id| *id != 113));
    assert_eq!(lake.values("id").await, each(ids));
    assert_eq!(lake.refused().await.len(), 1);
}

#[tokio::test]
async fn a_batch_whose_landing_was_never_heard_of_is_not_there_twice() {
    let lake = Lake::new("json");
    lake.deliver(&event(&[(0, 0..5)])).await.unwrap();
    give_up(&lake, "failed/a", &event(&[(0, 0..5)]));
    lake.deliver(&event(&[(0, 5..7)])).await.unwrap();
    let report = rows(&lake, &failed()).await;
    adds_up(&report);
    assert_eq!((report.landed, report.written), (5, 0));
    assert_eq!(lake.values("id").await, each(0..7));
}

#[tokio::test]
async fn what_nobody_remembers_is_left_unless_it_is_asked_for() {
    let lake = Lake::new("json");
    give_up(&lake, "failed/a", &event(&[(0, 0..2)]));
    lake.deliver(&event(&[(0, 2..3)])).await.unwrap();
    // More holes than are kept.
    for batch in 0..60 {
        lake.deliver(&event(&[(0, 20 + batch * 2..21 + batch * 2)])).await.unwrap();
    }
    let report = rows(&lake, &failed()).await;
    adds_up(&report);
    assert_eq!((report.unclear, report.written), (2, 0));
    let report = rows(&lake, &Options { unclear: true, ..failed() }).await;
    adds_up(&report);
    assert_eq!((report.unclear, report.replayed), (0, 2));
    assert_eq!(lake.values("id").await["0"], 1);
}

/// A table whose changes come in batches of two of each partition, of which some are given up; `merges`: after each.
async fn changes(merges: bool) {
    let mut table = Table::new(Form::Avro);
    for at in 0..40_u8 {
        table.happen(at % 6, at.wrapping_mul(11) % 8, at.wrapping_mul(5) % 8, at.wrapping_mul(37));
    }
    // Schema 8 is unknown when they land: some are refused, some are given up, some both.
    table.renumber(|at, number| (at + number) % 3 == 0);
    let lake = Changes::of(dataset(None));
    let batches = table.topic.iter().map(Vec::len).max().unwrap().div_ceil(2);
    for batch in 0..=batches {
        let range = |at: usize| {
            let length = table.topic[at].len();
            (batch * 2).min(length)..(batch * 2 + 2).min(length)
        };
        let event = table.event(&[range(0), range(1), range(2)]);
        if batch % 3 == 1 {
            give_up(&lake, &format!("failed/{batch:03}"), &event);
        } else {
            lake.deliver(&event).await.unwrap();
        }
        lake.clock.set(Timestamp(lake.clock.now().0 + 700));
        if merges {
            lake.merge().await;
        }
    }
    // Let every partition pass what was given up.
    let strange = |partition: usize| {
        json!([{"topic": "shop.public.orders", "partition": partition, "offset": 9_000, "timestamp": 5,
            "timestampType": "CREATE_TIME", "headers": []}])
    };
    let lists: serde_json::Map<_, _> =
        (0..3).map(|partition| (format!("shop.public.orders-{partition}"), strange(partition))).collect();
    lake.deliver(&json!({"eventSource": "aws:kafka", "records": lists})).await.unwrap();
    let corrected = dataset(None);
    for (round, options) in [failed(), apply(), failed(), apply()].into_iter().enumerate() {
        let report = replays(&lake, &corrected, &options, false).await;
        adds_up(&report);
        assert_eq!(report.replayed > 0, round < 2, "{round}: {report:#?}");
        assert_eq!((report.unsettled, report.unclear, report.late), (0, 0, 0));
        if merges {
            lake.merge().await;
        }
    }
    lake.merge().await;
    assert_eq!(lake.table().await, table.truth(), "{merges}");
}

#[tokio::test]
async fn changes_that_were_given_up_come_where_they_belong() {
    changes(false).await;
    changes(true).await;
}

#[tokio::test]
async fn a_failed_batch_of_another_source_is_told() {
    let lake = Lake::new("json");
    lake.store.put_at("failed/a", json!({"KinesisBatchInfo": {}, "payload": "{}"}).to_string(), Timestamp(0));
    let report = rows(&lake, &failed()).await;
    assert_eq!(report.unreadable_at, ["failed/a: the document has no KafkaBatchInfo"]);
    assert!(lake.store.list("raw/", None).await.unwrap().objects.is_empty());
}
