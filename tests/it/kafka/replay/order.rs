//! Where a refused change belongs within its batch, and what is told where nobody can say.

use std::sync::Arc;

use async_trait::async_trait;
use base64::{Engine, prelude::BASE64_STANDARD};
use headgate::{
    Error,
    clock::{SystemClock, Timestamp},
    decode::registry::SchemaId,
    registry::{Registry, SchemaText},
};
use headgate_columnar::{merge::Outcome, replay::replay};
use headgate_kafka::{replay::Changes as Kind, schemas::Schemas};
use serde_json::{Value, json};

use super::changes::Play;
use crate::{
    kafka::{
        changes::Changes,
        table::{Form, Table},
    },
    replay::scene::{adds_up, apply, target},
};

/// Lands a batch of one partition, of these keys and values.
async fn land(lake: &Changes, records: &[(Option<&str>, Vec<u8>)]) {
    let record = |(offset, (key, value)): (usize, &(Option<&str>, Vec<u8>))| {
        json!({"topic": "shop.public.orders", "partition": 0, "offset": offset, "timestamp": 1_795_348_700_000_i64,
            "timestampType": "CREATE_TIME", "key": key.map(|key| BASE64_STANDARD.encode(key)), "headers": [],
            "value": BASE64_STANDARD.encode(value)})
    };
    let records: Vec<_> = records.iter().enumerate().map(record).collect();
    let event = json!({"eventSource": "aws:kafka", "records": {"shop.public.orders-0": records}});
    assert_eq!(lake.deliver(&event).await, Ok(json!({"batchItemFailures": []})));
}

/// A batch of one partition in JSON.
async fn batch(records: &[(Option<&str>, Value)]) -> Play {
    let play = Play::new(Form::Bare, &[], |_, _| false);
    let records: Vec<_> = records.iter().map(|(key, value)| (*key, value.to_string().into_bytes())).collect();
    land(&play.lake, &records).await;
    play
}

fn row(id: i64, amount: &str) -> Value {
    json!({"op": "c", "after": {"id": id, "state": "new", "amount": amount, "day": null}})
}

#[tokio::test]
async fn what_cannot_be_put_in_order_is_left_and_told() {
    let (wide, narrow) = ("123.45", "1.00");
    let told = async |records: &[(Option<&str>, Value)], expected: Result<(u64, usize), &str>| {
        let play = batch(records).await;
        let report = play.replay(&apply()).await;
        adds_up(&report);
        match expected {
            Ok((superseded, rows)) => {
                assert_eq!((report.superseded, report.replayed), (superseded, 1), "{report:#?}");
                play.merge().await;
                assert_eq!(play.lake.table().await.len(), rows);
            }
            Err(why) => {
                let refused = &report.refused["out_of_order"];
                assert_eq!((refused.lines, report.written), (1, 0));
                assert!(refused.examples[0].contains(why), "{refused:?}");
            }
        }
    };
    let unknown = Err("nobody can tell whether a later change is of the same row");
    told(&[(None, row(1, wide)), (Some("2"), row(2, narrow))], Ok((0, 2))).await;
    told(&[(Some("0"), row(0, narrow)), (None, row(1, wide)), (Some("2"), row(2, narrow))], unknown).await;
    told(&[(Some("0"), row(0, narrow)), (Some("1"), row(1, wide)), (None, row(2, narrow))], unknown).await;
    told(&[(Some("0"), row(0, narrow)), (Some("1"), row(1, wide))], Ok((0, 2))).await;
    told(&[(Some("0"), row(0, narrow)), (Some("1"), row(1, wide)), (Some("1"), row(1, narrow))], Ok((1, 2))).await;
    told(&[(Some("0"), row(0, narrow)), (Some("1"), row(1, wide)), (Some("2"), row(2, narrow))], Ok((0, 3))).await;
}

#[tokio::test]
async fn a_truncate_lands_between_batches_only() {
    let check = async |records: &[(Option<&str>, Vec<u8>)], expected: Result<usize, &str>| {
        let play = Play::new(Form::Avro, &[], |_, _| false);
        land(&play.lake, records).await;
        let report = play.replay(&apply()).await;
        adds_up(&report);
        match expected {
            Ok(rows) => {
                play.merge().await;
                assert_eq!((report.replayed, play.lake.table().await.len()), (1, rows));
            }
            Err(why) => assert!(report.refused["out_of_order"].examples[0].contains(why), "{report:#?}"),
        }
    };
    let change = |id: u8| {
        let mut table = Table::new(Form::Avro);
        table.happen(0, id, 0, 2);
        table.topic.into_iter().flatten().next().unwrap().1.unwrap()
    };
    // Of schema 8, which the function does not know: no images, `lsn` 7, `t`, no time.
    let truncate = [&[0, 0, 0, 0, 8, 0, 0, 2, 14, 2][..], b"t", &[0]].concat();
    check(&[(Some("1"), change(1)), (Some("2"), change(2)), (None, truncate.clone())], Ok(0)).await;
    check(&[(None, truncate.clone()), (Some("2"), change(2))], Ok(1)).await;
    let middle = Err("in the middle of what landed with it");
    check(&[(Some("1"), change(1)), (None, truncate), (Some("2"), change(2))], middle).await;
}

#[tokio::test]
async fn a_line_without_its_place_is_told() {
    let play = batch(&[(Some("1"), row(1, "123.45"))]).await;
    let (key, body) = play.lake.objects("quarantine/").await.remove(0);
    let mut line: Value = serde_json::from_slice(&body).unwrap();
    assert!(line.as_object_mut().unwrap().remove("place").is_some());
    play.lake.store.put_at(&key, line.to_string(), Timestamp(0));
    let report = play.replay(&apply()).await;
    adds_up(&report);
    assert!(report.refused["out_of_order"].examples[0].contains("did not keep its `place`"), "{report:#?}");
}

/// Schemas 11 and 12, of which no type holds both notes.
#[derive(Debug)]
struct Two;

#[async_trait]
impl Registry for Two {
    async fn schema(&self, id: SchemaId) -> Result<Option<SchemaText>, Error> {
        let note = if id == SchemaId::Confluent(11) { "bytes" } else { "long" };
        let field = |name: &str, r#type: Value| json!({"name": name, "type": r#type});
        let row = json!({"type": "record", "name": "row", "fields": [field("id", json!("long")), field("note", json!(note))]});
        let fields = [field("op", json!("string")), field("after", row)];
        let schema = json!({"type": "record", "name": "event", "fields": fields});
        Ok(Some(SchemaText { schema: schema.to_string(), references: Vec::new() }))
    }
}

#[tokio::test]
async fn lines_that_make_a_merge_stop_only_together_go_apart() {
    let play = Play::new(Form::Avro, &[], |_, _| false);
    land(
        &play.lake,
        &[
            (Some("1"), b"\0\0\0\0\x0b\x02c\x02\x02x".to_vec()),
            (Some("2"), b"\0\0\0\0\x0b\x02c\x04\x02x".to_vec()),
            (Some("3"), b"\0\0\0\0\x0c\x02c\x06\x02".to_vec()),
        ],
    )
    .await;
    let schemas = Schemas::new(vec![Arc::new(Two)], Arc::new(SystemClock));
    let kind = Kind::open(&play.lake.port(), &play.corrected, &schemas, false).await.unwrap();
    let report = replay(target(&kind, &play.lake.store, &play.lake.state), &apply(), &|_, _| {}).await;
    adds_up(&report);
    assert_eq!((report.replayed, report.written), (3, 3), "{report:#?}");
    let merged = play.lake.merge().await;
    assert_eq!((merged.outcome, merged.rows), (Outcome::Stopped, 2), "the third is for a person");
}
