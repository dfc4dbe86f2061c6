//! How tables fared → what SQS and other triggers are answered.

use std::collections::BTreeMap;

use headgate::{Code, Error};
use headgate_columnar::merge::{MergeReport, Outcome};
use serde_json::json;

use super::{Answered, Fared, Tables, batch, whole};
use crate::route::Ignored;

fn fared() -> Tables {
    let stopped = MergeReport {
        outcome: Outcome::Stopped,
        error: Some(Error::poison(Code::UnknownOp, "x.parquet: Op is \"Q\"")),
        ..MergeReport::default()
    };
    let more = MergeReport { outcome: Outcome::More, pending: 3, ..MergeReport::default() };
    BTreeMap::from([
        ("done".to_owned(), Fared::Done(Outcome::Merged)),
        ("idle".to_owned(), Fared::of(&MergeReport::default())),
        ("more".to_owned(), Fared::of(&more)),
        ("stopped".to_owned(), Fared::of(&stopped)),
    ])
}

fn message(id: &str, tables: &[&str]) -> Answered {
    Answered { id: id.to_owned(), tables: Ok(tables.iter().map(|table| (*table).to_owned()).collect()) }
}

#[test]
fn a_batch_reports_exactly_what_was_not_merged() {
    let messages = [
        message("done", &["done"]),
        message("idle", &["idle"]),
        message("nothing", &[]),
        message("more", &["more"]),
        message("stopped", &["stopped"]),
        message("mixed", &["done", "stopped"]),
        Answered { id: "unreadable".to_owned(), tables: Err(Error::poison(Code::InvalidEvent, "no")) },
    ];
    let failed: Vec<_> = ["more", "stopped", "mixed", "unreadable"].map(|id| json!({"itemIdentifier": id})).to_vec();
    assert_eq!(batch(&messages, &fared()), json!({"batchItemFailures": failed}));
    assert_eq!(batch(&messages[..3], &fared()), json!({"batchItemFailures": []}));
}

#[test]
fn any_other_event_fails_as_a_whole() {
    let ignored = BTreeMap::from([(Ignored::OutsideDatasets, 2)]);
    let error = whole(&fared(), &ignored).unwrap_err();
    let expected = "more: 3 change files still wait; the next delivery goes on; stopped: x.parquet: Op is \"Q\"";
    assert_eq!(error, Error::retry(Code::Deadline, expected));

    let mut done = fared();
    done.retain(|table, _| table == "done" || table == "idle");
    assert_eq!(
        whole(&done, &ignored),
        Ok(json!({"tables": {"done": "merged", "idle": "up_to_date"}, "ignored": {"outside_datasets": 2}}))
    );
}
