//! What each kind of invocation does.

use serde_json::{Value, json};

use super::scene::{Record, Scene, Told, dataset, event};

const SHARD: &str = "shardId-000000000001";
const OTHER: &str = "shardId-000000000002";
const ROOM: usize = 900_000;

fn records() -> Vec<Record> {
    vec![(1, Some(5)), (2, Some(-1)), (1, Some(7)), (3, None), (1, Some(5))]
}

#[tokio::test]
async fn a_window_is_told_of_when_it_ends_and_a_repeat_changes_nothing() {
    let (scene, records) = (Scene::new(ROOM), records());
    let state = scene.count(&event(SHARD, 0, 0, &records[..2], &Value::Null, false)).await;
    assert!(scene.objects("windows/").await.is_empty());
    let state = scene.count(&event(SHARD, 0, 0, &records[..4], &state, false)).await;
    let last = event(SHARD, 0, 3, &records[3..], &state, true);
    assert_eq!(scene.count(&last).await, json!({}));
    let objects = scene.objects("windows/").await;
    let first = "49590338271490256608559692538361571095921000000000000000";
    let key = format!("windows/views/year=2026/month=01/day=01/hour=00/clicks--{SHARD}--{first}.parquet");
    assert_eq!(objects.iter().map(|(key, _)| key).collect::<Vec<_>>(), [&key]);
    assert_eq!((scene.told().await, scene.refused().await), (Told::of(&records), 1));
    let measures = json!({"views": 3, "total": "17", "least": 5, "most": 7, "last": 5, "revenue": 4.25, "values": 2});
    let latest = json!({format!("{SHARD}/{first}"): measures});
    assert_eq!(scene.latest("p1").await, latest);
    assert_eq!((scene.figure("RowsCounted"), scene.figure("RowsRepeated")), (4, 3));
    assert_eq!(scene.count(&last).await, json!({}));
    assert_eq!((scene.objects("windows/").await, scene.latest("p1").await), (objects, latest));
    assert_eq!(scene.refused().await, 1);
}

#[tokio::test]
async fn a_window_without_rows_writes_nothing() {
    let scene = Scene::new(ROOM);
    for state in [Value::Null, json!({})] {
        assert_eq!(scene.count(&event(SHARD, 0, 0, &[], &state, false)).await, json!({}));
        assert_eq!(scene.count(&event(SHARD, 0, 0, &[], &state, true)).await, json!({}));
    }
    let refused = scene.count(&event(SHARD, 0, 0, &[(1, None)], &json!({}), false)).await;
    assert_eq!(scene.count(&event(SHARD, 0, 1, &[], &refused, true)).await, json!({}));
    assert_eq!((scene.objects("windows/").await.len(), scene.refused().await), (0, 1));
}

#[tokio::test]
async fn an_older_window_takes_no_newer_ones_place_and_shards_stand_side_by_side() {
    let scene = Scene::new(ROOM);
    scene.count(&event(SHARD, 2, 10, &[(1, Some(3))], &json!({}), true)).await;
    scene.count(&event(SHARD, 1, 0, &[(1, Some(9))], &json!({}), true)).await;
    scene.count(&event(OTHER, 2, 0, &[(1, Some(4))], &json!({}), true)).await;
    let latest = scene.latest("p1").await;
    let totals: Vec<_> = latest.as_object().unwrap().values().map(|part| part["total"].clone()).collect();
    assert_eq!(totals, [json!("3"), json!("4")]);
    scene.count(&event(OTHER, 3, 1, &[(1, Some(6))], &json!({}), true)).await;
    assert_eq!(scene.latest("p1").await.as_object().unwrap().len(), 1);
}

#[tokio::test]
async fn a_changed_dataset_closes_what_was_counted_before() {
    let (scene, records) = (Scene::new(ROOM), records());
    let state = scene.count(&event(SHARD, 0, 0, &records[..2], &json!({}), false)).await;
    let mut changed = dataset();
    changed["window"]["measures"][3]["function"] = json!("last");
    let mut after = Scene::of(&changed, ROOM);
    after.ports.store = scene.ports.store.clone();
    after.ports.state = scene.ports.state.clone();
    let state = after.count(&event(SHARD, 0, 1, &records[1..3], &state, false)).await;
    after.count(&event(SHARD, 0, 3, &records[3..], &state, true)).await;
    assert_eq!(scene.objects("windows/").await.len(), 2);
    let (told, want) = (scene.told().await, Told::of(&records));
    assert_eq!((told["p1"].total, told["p2"].views), (want["p1"].total, want["p2"].views));
}

#[tokio::test]
async fn what_is_no_window_or_no_state_of_ours_is_an_error() {
    let scene = Scene::new(ROOM);
    let cases: [(&str, &str, Value); 5] = [
        ("/window", "TumblingWindowInSeconds", Value::Null),
        ("/window/start", "window.start is no time", json!("today")),
        ("/shardId", "a window of clicks shardId-7 with records of", json!("shardId-7")),
        ("/state", "not written by this function", json!({"views": 3})),
        ("/state", "state is no object", json!([])),
    ];
    for (pointer, want, value) in cases {
        let mut event = event(SHARD, 0, 0, &[(1, Some(1))], &json!({}), false);
        *event.pointer_mut(pointer).unwrap() = value;
        let error = scene.deliver(&event).await.unwrap_err();
        assert!(error.message.contains(want), "{}", error.message);
    }
    assert!(scene.objects("").await.is_empty());
}
