//! `headgate merge` → one merge and its report.

use std::io::{self, Write};

use clap::Args;
use headgate::{clock::SystemClock, config::Settings};
use headgate_columnar::{
    bounds::Bounds,
    merge::{MergeReport, Options, Outcome, merge},
};

use crate::{
    Failure,
    command::{Lookup, Table},
    lake,
    progress::Bar,
    table::{self, bytes, count, span},
};

/// What `headgate merge` takes.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    table: Table,
    /// Apply this change file although it is behind the lateness horizon
    #[arg(long, value_name = "KEY")]
    include: Vec<String>,
    /// Move this bad change file to quarantine and go on without it
    #[arg(long, value_name = "KEY")]
    quarantine: Vec<String>,
}

/// Merges and tells how it went.
///
/// # Errors
/// [`Failure::Usage`] for wrong settings, dataset or lake; [`Failure::Failed`] where the merge stopped.
pub async fn run(arguments: &Arguments, lookup: Lookup) -> Result<(), Failure> {
    let mut settings = Settings::new(lookup);
    let bounds = Bounds::read(&mut settings);
    let bounds = settings.finish(Some(bounds)).map_err(Failure::usage)?;
    let (dataset, store) = lake::open(&arguments.table).await?;
    let options = Options {
        threads: bounds.threads,
        memory: bounds.memory,
        time_left: None,
        include: arguments.include.clone(),
        quarantine: arguments.quarantine.clone(),
        poked: Vec::new(),
    };
    let bar = Bar::new(&dataset.name);
    let report = merge(&store, &dataset, &options, &SystemClock, &bar).await;
    drop(bar);
    tell(&report, arguments.table.json, &mut io::stdout().lock())?;
    verdict(&report)
}

fn tell(report: &MergeReport, json: bool, out: &mut impl Write) -> io::Result<()> {
    if json {
        return writeln!(out, "{}", serde_json::to_string(report)?);
    }
    writeln!(out, "{}: {}", report.dataset, outcome(report.outcome))?;
    table::write(out, &lines(report))
}

pub(crate) fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Merged => "merged",
        Outcome::UpToDate => "up to date",
        Outcome::More => "not finished",
        Outcome::Stopped => "stopped",
    }
}

fn lines(report: &MergeReport) -> Vec<(&'static str, String)> {
    let MergeReport { inserts, updates, deletes, noop_deletes, .. } = report;
    let mut lines = vec![
        ("snapshot", report.snapshot.clone().unwrap_or_else(|| "none yet".to_owned())),
        (
            "rows",
            format!("{} in {} row groups, generation {}", count(report.rows), report.row_groups, report.generation),
        ),
        ("files", format!("{} applied, {} late, {} pending", report.files, report.late, report.pending)),
        (
            "changes",
            format!(
                "{} rows: {inserts} inserts, {updates} updates, {deletes} deletes, {noop_deletes} deletes of nothing",
                count(report.rows_in)
            ),
        ),
        (
            "row groups",
            format!("{} carried over, {} rewritten", report.row_groups_carried, report.row_groups_rewritten),
        ),
        (
            "bytes",
            format!(
                "{} read, {} copied, {} written",
                bytes(report.bytes_read),
                bytes(report.bytes_copied),
                bytes(report.bytes_written)
            ),
        ),
        ("time", span(report.seconds)),
    ];
    let notes = [
        ("ghosts", "updates of unknown keys, perhaps of a changed key", report.ghost_candidates),
        ("vanished", "applied files are gone", report.vanished),
        ("outdated", "files of an earlier full load are left out", report.outdated),
    ];
    lines.extend(notes.into_iter().filter(|note| note.2 > 0).map(|(name, what, n)| (name, format!("{n} {what}"))));
    lines.extend(report.lag_seconds.map(|lag| ("lag", span(lag))));
    let listed = [
        ("refused", &report.refused, "behind the lateness horizon: --include KEY applies it"),
        ("unrecognized", &report.unrecognized, "no change file by its name"),
        ("quarantined", &report.quarantined, "set aside"),
        ("undeclared", &report.undeclared_columns, "in the files, not in the dataset"),
    ];
    for (name, what, why) in listed {
        lines.extend(what.iter().map(|what| (name, format!("{what} ({why})"))));
    }
    lines
}

/// A merge that did not come to its end is a failure, told with file, column and reason.
fn verdict(report: &MergeReport) -> Result<(), Failure> {
    match (report.outcome, &report.error) {
        (Outcome::Merged | Outcome::UpToDate, _) => Ok(()),
        (Outcome::More, _) => Err(Failure::Failed(format!("{}: not finished; run it again", report.dataset))),
        (Outcome::Stopped, error) => {
            let at = report.stopped_at.iter().map(|file| format!(" at {file}"));
            let column = report.column.iter().map(|column| format!(", column {column:?}"));
            let why = error.iter().map(|error| format!(": {error} ({})", error.code));
            Err(Failure::Failed(format!(
                "{}: stopped{}",
                report.dataset,
                at.chain(column).chain(why).collect::<String>()
            )))
        }
    }
}

#[cfg(test)]
mod tests;
