//! Random rows in random files → the same rows, in order, whatever the memory and the threads.

use headgate::{
    clock::Timestamp,
    dataset::Compression,
    landing::{Mark, object_name},
};
use proptest::prelude::*;
use serde_json::json;

use super::scene::{FOLDER, HOUR, Row, Scene, THEN, batch, stream};
use crate::stream::encode;

fn files() -> impl Strategy<Value = Vec<Vec<Row>>> {
    let row = (any::<i64>(), -50_i64..50, "[a-c]{0,20}");
    prop::collection::vec(prop::collection::vec(row, 0..60), 4..10)
}

fn sorted(mut rows: Vec<Vec<Option<String>>>) -> Vec<Vec<Option<String>>> {
    rows.sort();
    rows
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn rows_stay_and_sort(
        files in files(),
        order in prop::sample::select(vec![vec![], vec!["page"], vec!["page", "at"], vec!["id"], vec!["at", "page", "id"]]),
        memory in prop::sample::select(vec![8_u64 << 10, 64 << 10, 512 << 20]),
        threads in 1..4_usize,
    ) {
        let mut scene = Scene::new();
        scene.stream = stream(|document| {
            document["source"] = json!({"type": "firehose"});
            document["compact"] = json!({"order_by": order});
        });
        (scene.options.memory, scene.options.threads) = (memory, threads);
        for (number, rows) in (0_u64..).zip(&files) {
            let rows: Vec<_> = rows.iter().map(|(id, at, page)| (*id, THEN + at, page.clone())).collect();
            let body = encode(&batch(&rows), None, Compression::Snappy, &[("n", &number.to_string())]).unwrap();
            let name = object_name("clicks", "0", &Mark::from(number), "parquet");
            scene.store.put_at(&format!("{FOLDER}{name}"), body, Timestamp(THEN));
        }
        scene.clock.advance(HOUR * 30);
        let before: Vec<_> = scene.files().into_values().flat_map(|rows| rows.rows).collect();
        scene.stream.transport = headgate::dataset::stream::Transport::Firehose;
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
        let report = runtime.block_on(async {
            let store: std::sync::Arc<dyn headgate::store::Store> = std::sync::Arc::new(scene.store.clone());
            let target = super::super::Target { store: &store, state: None, stream: &scene.stream, clock: scene.clock.as_ref() };
            super::super::compact(target, &scene.options, &|_, _| ()).await
        });
        prop_assert_eq!(report.files_out, 1, "{:?}", report);
        let after = scene.files().into_values().next().unwrap();
        let by: Vec<usize> = if order.is_empty() { vec![1] } else {
            order.iter().map(|name| after.columns.iter().position(|column| column == name).unwrap()).collect()
        };
        let key = |row: &Vec<Option<String>>| by.iter().map(|at| match at {
            0 => (row[0].as_ref().unwrap().parse::<i64>().unwrap(), String::new()),
            at => (0, row[*at].clone().unwrap()),
        }).collect::<Vec<_>>();
        // A stable sort of the files one after the other.
        let mut expected = before.clone();
        expected.sort_by_key(key);
        prop_assert_eq!(&after.rows, &expected);
        prop_assert_eq!(sorted(after.rows), sorted(before));
    }
}
