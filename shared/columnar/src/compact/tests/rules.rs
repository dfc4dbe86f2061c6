//! What is left alone, what is told, and that looking changes nothing.

use headgate::{
    Code,
    clock::{Clock, Timestamp},
    dataset::Compression,
    landing::{self, Mark, Object, object_name},
    store::{LONGEST_KEY, Store},
};
use serde_json::json;

use super::{
    super::{Outcome, Skip, plan::output_name},
    scene::{FOLDER, HOUR, Scene, THEN, batch, row, stream},
};
use crate::{
    sample::{Column, Values, parquet},
    stream::encode,
};

#[tokio::test]
async fn files_become_one_in_the_order_of_their_time() {
    let scene = Scene::full().await;
    let report = scene.compact().await;
    assert_eq!((report.outcome, report.files_in, report.files_out, report.rows), (Outcome::Compacted, 8, 1, 80));
    assert!(report.bytes_out > 0 && report.bytes_in > report.bytes_out, "{report:?}");
    let files = scene.files();
    let (name, file) = files.first_key_value().unwrap();
    assert!(name.starts_with(&format!("{FOLDER}compact--")), "{name}");
    assert_eq!(file.columns, ["id", "at", "page"]);
    assert!(file.rows.is_sorted_by_key(|row| row[1].clone()));
    let again = scene.compact().await;
    assert_eq!((again.outcome, again.skipped[&Skip::FewFiles]), (Outcome::UpToDate, 1));
}

#[tokio::test]
async fn looking_changes_nothing_and_tells_the_same() {
    let mut scene = Scene::full().await;
    scene.options.apply = false;
    let before = scene.store.list("", None).await.unwrap();
    let looked = scene.compact().await;
    assert_eq!(scene.store.list("", None).await.unwrap(), before);
    scene.options.apply = true;
    let done = scene.compact().await;
    assert_eq!((looked.files_in, looked.files_out, looked.bytes_in), (done.files_in, done.files_out, done.bytes_in));
    assert_eq!((looked.applied, looked.outcome), (false, Outcome::Compacted));
}

#[tokio::test]
async fn a_file_that_may_be_written_again_is_left_alone() {
    let scene = Scene::full().await;
    // The next batch of shard 0 is written, and nobody moves the checkpoint.
    let faults = scene.state.faults();
    faults.crash_from(faults.total() + 3);
    scene.deliver(0, 40, 50).await.unwrap_err();
    faults.revive();
    scene.clock.advance(HOUR * 2);
    let report = scene.compact().await;
    assert_eq!((report.files_in, report.waiting, report.outcome), (8, 1, Outcome::Compacted));
    scene.deliver(0, 35, 45).await.unwrap();
    scene.deliver(0, 35, 50).await.unwrap();
    let seen = scene.seen();
    assert_eq!((seen.len(), seen.values().max()), (90, Some(&1)), "{seen:?}");
}

#[tokio::test]
async fn files_of_a_shard_of_which_nothing_is_known_and_of_strangers_are_left_alone() {
    let scene = Scene::full().await;
    let body = encode(&batch(&[row(7, 1)]), None, Compression::None, &[]).unwrap();
    for number in 0..5_u64 {
        let name = object_name("other", "9", &Mark::from(number), "parquet");
        scene.store.put_at(&format!("{FOLDER}{name}"), body.clone(), Timestamp(THEN));
        scene.store.put_at(&format!("{FOLDER}by-hand-{number}.parquet"), body.clone(), Timestamp(THEN));
    }
    scene.store.put_at(&format!("{FOLDER}_hidden.parquet"), body, Timestamp(THEN));
    let report = scene.compact().await;
    assert_eq!((report.files_in, report.waiting, report.foreign), (8, 5, 5));
    assert_eq!(scene.files().len(), 12);
}

#[tokio::test]
async fn what_a_replay_may_write_again_is_left_alone() {
    let scene = Scene::full().await;
    let log = "0123456789abcdef0123456789abcdef";
    let body = encode(&batch(&[row(7, 1)]), None, Compression::None, &[]).unwrap();
    for number in 0..2_u64 {
        let name = object_name("replay", log, &Mark::from(number), "parquet");
        scene.store.put_at(&format!("{FOLDER}{name}"), body.clone(), Timestamp(THEN));
        let head = json!({"scope": "s", "published": number == 0, "objects": [], "lines": []});
        scene.store.put_at(&format!("_headgate/replay/clicks/{log}/{number:08}"), format!("{head}\n"), Timestamp(THEN));
    }
    let report = scene.compact().await;
    assert_eq!((report.files_in, report.waiting), (9, 1));
}

#[tokio::test]
async fn a_bad_file_is_named_and_holds_up_no_other_partition() {
    let scene = Scene::full().await;
    let other = FOLDER.replace("hour=22", "hour=21");
    let put = |name: &str, body: bytes::Bytes| scene.store.put_at(&format!("{other}{name}"), body, Timestamp(THEN));
    let names: Vec<_> = (0..4_u64).map(|number| object_name("clicks", "0", &Mark::from(number), "parquet")).collect();
    for name in &names[..3] {
        put(name, encode(&batch(&[row(7, 1)]), None, Compression::None, &[]).unwrap());
    }
    put(&names[3], "no Parquet".into());
    let before = scene.store.list(&other, None).await.unwrap();
    let report = scene.compact().await;
    assert_eq!((report.outcome, report.files_in), (Outcome::Stopped, 8));
    let [failed] = &report.failed[..] else { panic!("{report:?}") };
    assert_eq!((failed.file.clone(), failed.error.code), (Some(format!("{other}{}", names[3])), Code::UnreadableFile));
    assert_eq!(scene.store.list(&other, None).await.unwrap(), before);

    put(&names[3], parquet(&[Column::optional("id", Values::Text(vec![Some("x".to_owned())]))]).unwrap());
    scene.clock.advance(HOUR);
    let report = scene.compact().await;
    let [failed] = &report.failed[..] else { panic!("{report:?}") };
    assert_eq!((failed.column.as_deref(), failed.error.code), (Some("id"), Code::IncompatibleType));
}

#[tokio::test]
async fn columns_of_all_files_are_kept_and_widened() {
    let scene = Scene::full().await;
    let columns = [
        Column::optional("id", Values::Int32(vec![Some(90_000_000), None])),
        Column::optional("at", Values::Micros(vec![Some(1), Some(1_700_000_000_000_001)])),
        Column::optional("new", Values::Boolean(vec![Some(true), Some(false)])),
    ];
    let name = object_name("clicks", "0", &Mark::from(9), "parquet");
    scene.store.put_at(&format!("{FOLDER}{name}"), parquet(&columns).unwrap(), Timestamp(THEN));
    let report = scene.compact().await;
    assert_eq!((report.files_in, report.rows), (9, 82));
    let files = scene.files();
    let file = files.first_key_value().unwrap().1;
    assert_eq!(file.columns, ["id", "at", "page", "new"]);
    let text = |value: &str| Some(value.to_owned());
    assert_eq!(file.rows[0], [text("90000000"), text("1970-01-01T00:00:00.000001"), None, text("true")]);
    let last = file.rows.iter().find(|row| row[0].is_none()).unwrap();
    assert_eq!(last[1], text("2023-11-14T22:13:20.000001"));
}

#[tokio::test]
async fn a_partition_is_left_where_the_key_of_a_new_file_would_not_fit() {
    let mut scene = Scene::full().await;
    scene.stream = stream(|document| document["source"] = json!({"type": "firehose"}));
    let room = LONGEST_KEY - FOLDER.len() - output_name(&[]).len();
    for (length, letter) in [(room, "x"), (room + 1, "y")] {
        // Somebody else's path: those of the dataset are shorter.
        let folder = format!("{FOLDER}{letter}={}/", letter.repeat(length - 3));
        for number in 0..4_u64 {
            let body = encode(&batch(&[row(7, number)]), None, Compression::None, &[]).unwrap();
            scene.store.put_at(&format!("{folder}{number}.parquet"), body, Timestamp(THEN));
        }
    }
    let report = scene.compact().await;
    assert_eq!((report.outcome, report.files_in, report.partitions), (Outcome::Compacted, 12, 3), "{report:?}");
    assert_eq!(report.skipped[&Skip::LongPath], 1);
    let files = scene.files();
    assert_eq!(files.keys().filter(|key| key.contains("/y=")).count(), 4);
    assert_eq!(files.keys().map(String::len).max(), Some(LONGEST_KEY));
}

#[tokio::test]
async fn windows_are_left_until_the_next_of_their_shard_is_there() {
    let mut scene = Scene::new();
    scene.stream = stream(|document| {
        document["unknown_fields"] = json!("drop");
        document["window"] = json!({"key": [], "measures": [{"name": "n", "function": "count"}]});
    });
    for (shard, number) in [("0", 1), ("0", 2), ("0", 3), ("0", 4), ("0", 5), ("1", 1)] {
        let body = encode(&batch(&[row(0, number)]), None, Compression::None, &[]).unwrap();
        let name = object_name("clicks", shard, &Mark::from(number), "parquet");
        scene.store.put_at(&format!("{FOLDER}{name}"), body, Timestamp(THEN));
    }
    scene.clock.advance(HOUR * 30);
    let report = scene.compact().await;
    assert_eq!((report.files_in, report.waiting), (4, 2));
}

#[tokio::test]
async fn files_of_firehose_need_no_state() {
    let mut scene = Scene::full().await;
    scene.stream = stream(|document| document["source"] = json!({"type": "firehose"}));
    for number in 0..4_u64 {
        let body = encode(&batch(&[row(7, number)]), None, Compression::None, &[]).unwrap();
        scene.store.put_at(&format!("{FOLDER}clicks-1-2023-11-14-22-13-{number}-uuid.parquet"), body, Timestamp(THEN));
    }
    assert_eq!(scene.compact().await.files_in, 12);
}

#[tokio::test]
async fn without_time_nothing_is_begun_and_nothing_is_lost() {
    let mut scene = Scene::full().await;
    scene.options.time_left = Some(std::time::Duration::ZERO);
    let report = scene.compact().await;
    assert_eq!((report.outcome, report.files_in), (Outcome::More, 0));
    scene.holds(2, 40, "without time");
}

#[tokio::test]
async fn an_empty_table_and_files_without_rows_are_no_trouble() {
    let scene = Scene::new();
    assert_eq!(scene.compact().await.outcome, Outcome::UpToDate);
    let scene = Scene::full().await;
    let item = landing::item_key("clicks", "clicks", "5");
    for number in 0..4_u64 {
        let body = encode(&batch(&[]), None, Compression::None, &[("n", &number.to_string())]).unwrap();
        let first = Mark::from(number);
        let key = format!("{FOLDER}{}", object_name("clicks", "5", &first, "parquet"));
        let shard = landing::open(scene.state.as_ref(), &item).await.unwrap();
        let objects = vec![Object { key, first: first.clone(), body }];
        shard.land(&scene.store, scene.state.as_ref(), objects, first).await.unwrap();
    }
    scene.clock.set(scene.clock.now().plus(HOUR * 2));
    assert_eq!(scene.compact().await.files_in, 12);
    scene.holds(2, 40, "with empty files");
}

#[tokio::test]
async fn a_plan_whose_files_somebody_removed_is_told_and_then_given_up() {
    let scene = Scene::full().await;
    // It dies right before the new file becomes visible: the calls after are the plan's.
    let scene_hook = scene.clone();
    scene.store.faults().hook(Box::new(move |call| {
        if call.verb == headgate::store::memory::Verb::Complete {
            scene_hook.store.faults().crash_from(call.number);
        }
    }));
    scene.compact().await;
    scene.store.faults().unhook();
    scene.store.faults().revive();
    let gone = scene.files().first_key_value().unwrap().0.clone();
    scene.store.delete(&gone).await.unwrap();
    let report = scene.compact().await;
    assert_eq!(report.failed[0].error.code, Code::FilesGone);
    assert_eq!((report.outcome, report.files_in), (Outcome::Stopped, 0), "nothing else is swapped meanwhile");
    scene.clock.advance(HOUR);
    let report = scene.compact().await;
    assert_eq!((report.failed.len(), report.files_in), (1, 7), "given up, and the rest goes on");
    assert_eq!(scene.compact().await.outcome, Outcome::UpToDate);
}
