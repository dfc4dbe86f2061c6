//! Reports → what an operator reads and the exit status.

use std::collections::BTreeMap;

use headgate::{Code, Error};
use headgate_columnar::replay::{Refused, Report};

use super::{
    Failure,
    told::{tell, verdict},
};

fn seen() -> Report {
    let refused =
        Refused { lines: 1, examples: vec!["quarantine/clicks/a.jsonl:7: is no number at $.user_id".to_owned()] };
    Report {
        dataset: "clicks".to_owned(),
        objects: 2,
        lines: 1_004,
        replayed: 1_000,
        repeated: 2,
        unreadable: 1,
        unreadable_at: vec!["quarantine/clicks/a.jsonl:9: is too long".to_owned()],
        refused: BTreeMap::from([("invalid_value".to_owned(), refused)]),
        rows: BTreeMap::from([("year=2026/".to_owned(), 990), ("year=2027/".to_owned(), 10)]),
        ..Report::default()
    }
}

fn check(report: &Report, json: bool) -> String {
    let mut out = Vec::new();
    tell(report, json, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn a_report_is_one_json_object_or_a_table() {
    let json = check(&seen(), true);
    let value: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((value["rows"]["year=2026/"].as_u64(), json.lines().count()), (Some(990), 1));
    let expected = "\
clicks: nothing is written; --apply writes
  lines       1 004 in 2 objects
  to replay   1 000 lines
  rows        1 000 in 2 partitions
              990 year=2026/
              10 year=2027/
  refused     1 lines: invalid_value
              quarantine/clicks/a.jsonl:7: is no number at $.user_id
  repeated    2 lines that were replayed before
  unreadable  1 lines
              quarantine/clicks/a.jsonl:9: is too long
";
    assert_eq!(check(&seen(), false), expected);
}

#[test]
fn what_was_interrupted_is_not_yet_completed_where_nothing_is_written() {
    let seen = Report { completed: 1, ..Report::default() };
    let line =
        |report: &Report| check(report, false).lines().last().unwrap().split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(line(&seen), "to complete 1 batches of replays that were interrupted");
    assert_eq!(line(&Report { applied: true, ..seen }), "completed 1 batches of replays that were interrupted");
}

#[test]
fn what_is_left_alone_is_told_with_what_takes_it() {
    let seen = Report {
        landed: 1,
        unclear: 2,
        late: 3,
        superseded: 4,
        include: vec!["cdc/orders/a.jsonl.gz".to_owned()],
        ..Report::default()
    };
    let told = check(&seen, false);
    for line in [
        "landed      1 records of failed batches that had landed nonetheless",
        "unclear     2 records of failed batches of which nobody knows any more whether they had landed; --unclear",
        "late        3 changes that belong behind the lateness horizon, where no merge looks by itself; --late",
        "superseded  4 changes of the replayed lines: later ones",
        "to merge    headgate merge --include cdc/orders/a.jsonl.gz",
    ] {
        assert!(told.contains(line), "{line}: {told}");
    }
}

#[test]
fn an_early_end_and_unreadable_lines_fail() {
    let lines = "clicks: 1 lines cannot be read: quarantine/clicks/a.jsonl:9: is too long";
    assert_eq!(verdict(&seen()), Err(Failure::Failed(lines.to_owned())));
    let ended = Report { error: Some(Error::retry(Code::Contended, "somebody was first")), ..seen() };
    assert_eq!(verdict(&ended), Err(Failure::Failed("clicks: somebody was first (contended)".to_owned())));
    assert_eq!(verdict(&Report::default()), Ok(()));
}
