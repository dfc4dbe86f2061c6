//! Rows that the dataset does not want: left out, counted, and in no way of the others.

use std::collections::BTreeMap;

use serde_json::json;

use super::lake::{Lake, batch, clickstream};

/// Rows of which the filter wants each third, a line each or each by itself; each hundredth breaks the contract.
fn bodies(records: usize, lines: usize) -> Vec<Vec<u8>> {
    let document = |number: usize| {
        let duration = if number.is_multiple_of(100) { -1 } else { 1 };
        let value = (!number.is_multiple_of(3)).then_some(number % 3 * 50);
        let document = json!({"event_id": format!("e{number}"), "user_id": number, "event_type": "view",
            "ts": "2026-01-01T00:00:00Z", "value": value, "duration_ms": duration, "session": (number % 3).to_string()});
        document.to_string()
    };
    let record = |record: usize| (record * lines..(record + 1) * lines).map(document).collect::<Vec<_>>().join("\n");
    (0..records).map(|number| record(number).into_bytes()).collect()
}

fn lake() -> Lake {
    Lake::new(&clickstream(|dataset| {
        dataset["filter"] = json!([{"column": "value", "min": 100}]);
        dataset["partition_by"] = json!({"time": "hour", "columns": ["session"]});
    }))
}

#[tokio::test]
async fn each_document_is_stored_filtered_or_refused() {
    for (records, lines) in [(900, 1), (30, 30)] {
        let (lake, event) = (lake(), batch(0, &bodies(records, lines)));
        lake.land(&event).await;
        let wanted = (0..900_usize).filter(|number| number % 3 == 2 && number % 100 != 0);
        let once: BTreeMap<_, _> = wanted.map(|number| (format!("e{number}"), 1)).collect();
        assert_eq!(lake.values("event_id").await, once);
        assert_eq!(lake.reasons().await, BTreeMap::from([("check_failed".to_owned(), 9)]), "wanted or not");
        assert_eq!(lake.files().await, 1, "what is not wanted has no partition");
        let figures = ["Records", "RowsStored", "RowsFiltered"].map(|name| lake.figure(name));
        assert_eq!(figures, [records as u64, 297, 900 - 297 - 9]);
        let seen = lake.seen().await;
        lake.land(&event).await;
        assert_eq!((lake.seen().await, lake.figure("RowsRepeated")), (seen, records as u64));
    }
}

#[tokio::test]
async fn a_batch_of_which_nothing_is_wanted_is_done() {
    let (lake, bodies) = (lake(), bodies(1, 2));
    lake.land(&batch(0, &bodies[..])).await;
    assert_eq!((lake.files().await, lake.reasons().await.len(), lake.figure("RowsFiltered")), (0, 1, 1));
    lake.land(&batch(0, &bodies[..])).await;
    assert_eq!(lake.figure("RowsRepeated"), 1, "its checkpoint moved");
}
