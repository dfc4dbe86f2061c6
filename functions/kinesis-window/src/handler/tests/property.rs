//! Any cut of the records into batches, windows and shards, with repeats and full states: the sum is the batch's answer.

use proptest::prelude::*;
use serde_json::json;

use super::scene::{Record, Scene, Told, event};

/// A batch: how many new records, how many of those before come again, how often it is delivered, and whether the
/// window ends with it.
type Step = (usize, usize, usize, bool);

fn records() -> impl Strategy<Value = Vec<Record>> {
    prop::collection::vec((0..12_u8, prop::option::weighted(0.9, -1000..1000_i64)), 0..60)
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec((0..15_usize, 0..4_usize, 1..3_usize, any::<bool>()), 1..12)
}

/// Delivers a shard's records, the last window ending with the last of them.
async fn play(scene: &Scene, shard: &str, records: &[Record], steps: &[Step]) {
    let (mut at, mut minute, mut state, mut begin) = (0_usize, 0, json!({}), 0);
    let rest = (records.len(), 0, 1, true);
    for (new, again, times, end) in steps.iter().copied().chain([rest]) {
        let from = at.saturating_sub(again).max(begin);
        let to = (at + new).min(records.len());
        let sent = event(shard, minute, from, &records[from..to], &state, end);
        for _ in 0..times {
            state = scene.count(&sent).await;
        }
        at = to;
        if end {
            (minute, begin) = ((minute + 1).min(8), at);
        }
    }
}

fn run(room: usize, shards: &[(Vec<Record>, Vec<Step>)]) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async {
        let (scene, mut all) = (Scene::new(room), Vec::new());
        for (number, (records, steps)) in shards.iter().enumerate() {
            play(&scene, &format!("shardId-{number:012}"), records, steps).await;
            all.extend(records.iter().copied());
        }
        assert_eq!(scene.told().await, Told::of(&all));
        assert_eq!(scene.refused().await, all.iter().filter(|(_, value)| value.is_none()).count());
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn windows_add_up_to_the_whole(shards in prop::collection::vec((records(), steps()), 1..4)) {
        run(900_000, &shards);
    }

    #[test]
    fn so_they_do_where_hardly_a_key_fits_the_state(shards in prop::collection::vec((records(), steps()), 1..3)) {
        run(1_400, &shards);
    }
}
