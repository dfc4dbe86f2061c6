//! Changes that belong behind the lateness horizon: they are told of, and a merge takes them on request.

use std::collections::BTreeMap;

use headgate::clock::{Clock, Timestamp};
use headgate_columnar::merge::{MergeReport, Options, Outcome, Silent, merge};

use super::changes::replays;
use crate::{
    kafka::{
        changes::{Changes, dataset},
        table::{Form, Table},
    },
    replay::scene::{adds_up, apply},
};

const HOUR: i64 = 3_600_000;

async fn include(lake: &Changes, keys: &[String]) -> MergeReport {
    let options = Options { include: keys.to_vec(), ..Options::default() };
    merge(&lake.port(), &lake.dataset, &options, lake.clock.as_ref(), &Silent).await
}

#[tokio::test]
async fn they_are_left_alone_until_they_are_asked_for() {
    let mut table = Table::new(Form::Avro);
    for (id, value) in [(3, 2), (3, 4), (6, 1), (6, 6), (6, 8), (6, 9), (3, 11), (6, 12), (3, 14)] {
        table.happen(0, id, 0, value);
    }
    // Row 3 is right again by a later change, row 6 by none; one is moot by its batch's next.
    table.renumber(|_, number| matches!(number, 1 | 4 | 7));
    let lake = Changes::of(dataset(None));
    for batch in 0..3 {
        let event = table.event(&[batch * 3..batch * 3 + 3, 0..0, 0..0]);
        lake.deliver(&event).await.unwrap();
        lake.merge().await;
        lake.clock.set(Timestamp(lake.clock.now().0 + HOUR));
    }
    // 73 hours later, another row.
    lake.clock.set(Timestamp(lake.clock.now().0 + 73 * HOUR));
    table.happen(0, 1, 0, 2);
    lake.deliver(&table.event(&[0..0, 0..1, 0..0])).await.unwrap();
    lake.merge().await;
    let before = lake.table().await;
    let report = replays(&lake, &lake.dataset, &apply(), false).await;
    adds_up(&report);
    assert_eq!((report.late, report.replayed, report.superseded, report.written), (2, 1, 1, 0), "{report:#?}");
    let report = replays(&lake, &lake.dataset, &apply(), true).await;
    adds_up(&report);
    assert_eq!((report.late, report.replayed, report.include.len()), (0, 2, 2), "{report:#?}");
    assert_eq!(lake.merge().await.outcome, Outcome::UpToDate);
    assert_eq!(lake.table().await, before, "no merge takes them by itself");
    let merged = include(&lake, &report.include).await;
    assert_eq!(merged.outcome, Outcome::Merged, "{merged:#?}");
    let truth: BTreeMap<_, _> = table.truth();
    assert_eq!(lake.table().await, truth);
    assert_ne!(before, truth);
}
