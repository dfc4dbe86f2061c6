//! The change files, as they were generated → what the table must hold, against what the snapshot does hold.
//!
//! Written to be plainly right: nothing of the merge is used here.

use std::collections::BTreeMap;

use headgate_columnar::rows::Rows;
use time::OffsetDateTime;

use super::orders::{File, Op, Order};
use crate::Failure;

/// The table's columns in the order of the newest file.
const COLUMNS: [&str; 7] = ["id", "customer", "status", "amount", "placed", "note", "channel"];

/// Applies every change of every file, in order.
fn replay(files: &[File]) -> BTreeMap<i64, &Order> {
    let mut table = BTreeMap::new();
    for change in files.iter().flat_map(|file| &file.changes) {
        match change.op {
            Op::Insert | Op::Update => table.insert(change.id, &change.order),
            Op::Delete => table.remove(&change.id),
        };
    }
    table
}

/// The table as text, in the order of its keys.
pub fn rows(files: &[File]) -> Rows {
    let rows = replay(files).into_iter().map(|(id, order)| text(id, order)).collect();
    Rows { columns: COLUMNS.map(str::to_owned).to_vec(), rows }
}

/// Compares the snapshot with the replay, row by row and value by value; gives the number of rows.
///
/// # Errors
/// [`Failure::Failed`] with the first differences.
pub fn compare(snapshot: &Rows, files: &[File]) -> Result<usize, Failure> {
    let expected = rows(files);
    if snapshot.columns != expected.columns {
        let told = format!("the snapshot's columns are {:?}, not {:?}", snapshot.columns, expected.columns);
        return Err(Failure::Failed(told));
    }
    let differences = differences(&snapshot.rows, &expected.rows);
    if differences.is_empty() {
        return Ok(expected.rows.len());
    }
    let first = differences[..differences.len().min(10)].join("\n  ");
    Err(Failure::Failed(format!("the snapshot differs from the replay in {} rows\n  {first}", differences.len())))
}

fn differences(found: &[Vec<Option<String>>], expected: &[Vec<Option<String>>]) -> Vec<String> {
    let mut left: BTreeMap<_, _> = expected.iter().map(|row| (row.first(), row)).collect();
    let mut differences = Vec::new();
    for row in found {
        match left.remove(&row.first()) {
            Some(expected) if expected == row => {}
            Some(expected) => differences.push(format!("differs: {row:?}, not {expected:?}")),
            None => differences.push(format!("not in the replay, or twice: {row:?}")),
        }
    }
    differences.extend(left.values().map(|row| format!("missing: {row:?}")));
    differences
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
