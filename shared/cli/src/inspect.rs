//! `headgate inspect` → what is known of a table.

mod files;

use std::io::{self, Write};

use clap::Args;
use headgate::{clock::SystemClock, dataset::Described};
use headgate_columnar::inspect::{Inspection, Refused, inspect, inspect_files};

use crate::{
    Failure,
    command::Table,
    lake,
    table::{self, bytes, count, span},
};

/// What `headgate inspect` takes.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    table: Table,
}

/// Looks and tells; nothing is changed.
///
/// # Errors
/// [`Failure::Usage`] for a wrong dataset or lake; [`Failure::Failed`] where the table cannot be read.
pub async fn run(arguments: &Arguments) -> Result<(), Failure> {
    let (described, store) = lake::open_any(&arguments.table).await?;
    let (json, out) = (arguments.table.json, &mut io::stdout());
    match described {
        Described::Stream(stream) => files::tell(&inspect_files(&store, &stream, &SystemClock).await?, json, out)?,
        Described::Table(table) => tell(&inspect(&store, &table, &SystemClock).await?, json, out)?,
        Described::Saas(saas) => tell(&inspect(&store, &saas.table, &SystemClock).await?, json, out)?,
    }
    Ok(())
}

fn tell(seen: &Inspection, json: bool, out: &mut impl Write) -> io::Result<()> {
    if json {
        return writeln!(out, "{}", serde_json::to_string(seen)?);
    }
    writeln!(out, "{}: {}", seen.dataset, seen.snapshot.as_deref().unwrap_or("no snapshot yet"))?;
    let mut lines = vec![
        ("generation", seen.generation.to_string()),
        ("rows", format!("{} in {} row groups, {}", count(seen.rows), seen.row_groups, bytes(seen.bytes))),
        ("files", format!("{} applied, {} pending", count(seen.files_applied), seen.files_pending.len())),
        ("lag", seen.lag_seconds.map_or_else(|| "unknown".to_owned(), span)),
        ("ledger", bytes(seen.ledger_bytes)),
        ("sorted", if seen.sorted { "by key" } else { "no" }.to_owned()),
    ];
    let listed = [
        ("pending", &seen.files_pending),
        ("refused", &seen.refused),
        ("quarantined", &seen.quarantined),
        ("unrecognized", &seen.unrecognized),
    ];
    for (name, keys) in listed {
        lines.extend(keys.iter().map(|key| (name, key.clone())));
    }
    lines.extend(refused(&seen.refused_records));
    table::write(out, &lines)?;
    columns(&seen.schema, out)
}

/// Refused records, by their reasons.
fn refused(refused: &Refused) -> Vec<(&'static str, String)> {
    let Some(newest) = refused.newest_seconds else { return Vec::new() };
    let read = if refused.files_read < refused.files {
        format!(", of which the newest {} are counted", count(refused.files_read))
    } else {
        String::new()
    };
    let what =
        format!("{} objects, {}, the newest {} old{read}", count(refused.files), bytes(refused.bytes), span(newest));
    let reasons = refused.reasons.iter().map(|(reason, lines)| ("", format!("{} {reason}", count(*lines))));
    std::iter::once(("records refused", what)).chain(reasons).collect()
}

fn columns(schema: &[(String, String)], out: &mut impl Write) -> io::Result<()> {
    let columns: Vec<_> = schema.iter().map(|(name, kind)| (name.as_str(), kind.clone())).collect();
    writeln!(out, "columns")?;
    table::write(out, &columns)
}

#[cfg(test)]
mod tests {
    use super::{Inspection, tell};

    fn check(json: bool) -> String {
        let seen = Inspection {
            dataset: "orders".to_owned(),
            rows: 12,
            row_groups: 1,
            files_pending: vec!["cdc/a".to_owned()],
            schema: vec![("id".to_owned(), "Int64".to_owned())],
            ..Inspection::default()
        };
        let mut out = Vec::new();
        tell(&seen, json, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn an_inspection_is_one_json_object_or_a_table() {
        assert!(check(true).starts_with(r#"{"dataset":"orders","snapshot":null,"#));
        let expected = "\
orders: no snapshot yet
  generation  0
  rows        12 in 1 row groups, 0 B
  files       0 applied, 1 pending
  lag         unknown
  ledger      0 B
  sorted      no
  pending     cdc/a
columns
  id  Int64
";
        assert_eq!(check(false), expected);
    }
}
