//! The change files, as they were generated → what the table must hold, against what the snapshot does hold.
//!
//! Written to be plainly right: nothing of the merge is used here.

use std::{collections::BTreeMap, fmt::Write};

use headgate_columnar::rows::Rows;
use time::OffsetDateTime;

use super::orders::{File, Op, Order};
use crate::Failure;

/// The table's columns in the order of the newest file.
const COLUMNS: [&str; 7] = ["id", "customer", "status", "amount", "placed", "note", "channel"];

/// Applies every change of every file, in order.
pub fn replay(files: &[File]) -> BTreeMap<i64, &Order> {
    let mut table = BTreeMap::new();
    for change in files.iter().flat_map(|file| &file.changes) {
        match change.op {
            Op::Insert | Op::Update => table.insert(change.id, &change.order),
            Op::Delete => table.remove(&change.id),
        };
    }
    table
}

/// Compares the snapshot with the replay, row by row and value by value; gives the number of rows.
///
/// # Errors
/// [`Failure::Failed`] with the first differences.
pub fn compare(snapshot: &Rows, files: &[File]) -> Result<usize, Failure> {
    if snapshot.columns != COLUMNS {
        return Err(Failure::Failed(format!("the snapshot's columns are {:?}, not {COLUMNS:?}", snapshot.columns)));
    }
    let mut expected: BTreeMap<String, _> =
        replay(files).into_iter().map(|(id, order)| (id.to_string(), text(id, order))).collect();
    let rows = expected.len();
    let mut differences = Vec::new();
    for row in &snapshot.rows {
        let key = row.first().cloned().flatten().unwrap_or_default();
        match expected.remove(&key) {
            Some(expected) if expected == *row => {}
            Some(expected) => differences.push(format!("differs: {row:?}, not {expected:?}")),
            None => differences.push(format!("not in the replay, or twice: {row:?}")),
        }
    }
    differences.extend(expected.values().map(|row| format!("missing: {row:?}")));
    if differences.is_empty() {
        return Ok(rows);
    }
    let mut told = format!("the snapshot differs from the replay in {} rows", differences.len());
    for difference in differences.iter().take(10) {
        // Writing to a string cannot fail.
        let _ = write!(told, "\n  {difference}");
    }
    Err(Failure::Failed(told))
}

fn text(id: i64, order: &Order) -> Vec<Option<String>> {
    vec![
        Some(id.to_string()),
        Some(order.customer.clone()),
        Some(order.status.to_owned()),
        Some(format!("{}.{:02}", order.cents / 100, order.cents % 100)),
        Some(moment(order.placed)),
        order.note.clone(),
        order.channel.map(str::to_owned),
    ]
}

/// As the reader writes it: no fraction, or three or six digits of one.
fn moment(at: OffsetDateTime) -> String {
    let ((year, month, day), (hour, minute, second, micro)) = (at.to_calendar_date(), at.to_hms_micro());
    let whole = format!("{year}-{:02}-{day:02}T{hour:02}:{minute:02}:{second:02}", u8::from(month));
    match (micro, micro % 1000) {
        (0, _) => whole,
        (_, 0) => format!("{whole}.{:03}", micro / 1000),
        _ => format!("{whole}.{micro:06}"),
    }
}
