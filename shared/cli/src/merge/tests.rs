//! Reports → what an operator reads and the exit status.

use headgate::{Code, Error};
use headgate_columnar::merge::{MergeReport, Outcome};

use super::{Failure, tell, verdict};

fn check(report: &MergeReport, json: bool) -> String {
    let mut out = Vec::new();
    tell(report, json, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn merged() -> MergeReport {
    MergeReport {
        dataset: "orders".to_owned(),
        outcome: Outcome::Merged,
        snapshot: Some("curated/orders/snapshot.parquet".to_owned()),
        generation: 1,
        files: 2,
        rows_in: 1200,
        inserts: 1000,
        rows: 1000,
        row_groups: 1,
        row_groups_rewritten: 1,
        ghost_candidates: 2,
        refused: vec!["cdc/a".to_owned()],
        seconds: 0.5,
        ..MergeReport::default()
    }
}

#[test]
fn a_report_is_one_json_object_or_a_table() {
    let json = check(&merged(), true);
    let value: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((value["outcome"].as_str(), json.lines().count()), (Some("merged"), 1));
    let expected = "\
orders: merged
  snapshot    curated/orders/snapshot.parquet
  rows        1 000 in 1 row groups, generation 1
  files       2 applied, 0 late, 0 pending
  changes     1 200 rows: 1000 inserts, 0 updates, 0 deletes, 0 deletes of nothing
  row groups  0 carried over, 1 rewritten
  bytes       0 B read, 0 B copied, 0 B written
  time        0.50 s
  ghosts      2 updates of unknown keys, perhaps of a changed key
  refused     cdc/a (behind the lateness horizon: --include KEY applies it)
";
    assert_eq!(check(&merged(), false), expected);
}

#[test]
fn a_stopped_merge_names_file_column_and_reason() {
    let stopped = MergeReport {
        outcome: Outcome::Stopped,
        error: Some(Error::poison(Code::NullKey, "a key column holds NULL")),
        stopped_at: Some("cdc/b".to_owned()),
        column: Some("id".to_owned()),
        ..merged()
    };
    let expected = "orders: stopped at cdc/b, column \"id\": a key column holds NULL (null_key)";
    assert_eq!(verdict(&stopped), Err(Failure::Failed(expected.to_owned())));
    assert_eq!(verdict(&merged()), Ok(()));
}
