//! What a replay did → words for a person, JSON for a program, and the exit status.

use std::io::{self, Write};

use headgate_columnar::replay::Report;

use crate::{
    Failure,
    table::{self, count},
};

pub(super) fn tell(report: &Report, json: bool, out: &mut impl Write) -> io::Result<()> {
    if json {
        return writeln!(out, "{}", serde_json::to_string(report)?);
    }
    let what = if report.applied { "replayed" } else { "nothing is written; --apply writes" };
    writeln!(out, "{}: {what}", report.dataset)?;
    table::write(out, &lines(report))
}

fn lines(report: &Report) -> Vec<(&'static str, String)> {
    let rows = report.rows.values().sum();
    let mut told = vec![
        ("lines", format!("{} in {} objects", count(report.lines), count(report.objects))),
        (if report.applied { "replayed" } else { "to replay" }, format!("{} lines", count(report.replayed))),
        ("rows", format!("{} in {} partitions", count(rows), report.rows.len())),
    ];
    told.extend(report.rows.iter().map(|(path, rows)| ("", format!("{} {path}", count(*rows)))));
    for (code, refused) in &report.refused {
        told.push(("refused", format!("{} lines: {code}", count(refused.lines))));
        told.extend(refused.examples.iter().map(|example| ("", example.clone())));
    }
    let notes = [
        ("repeated", "lines that were replayed before", report.repeated),
        (
            "unsettled",
            "lines that may be delivered again: the checkpoint of their shard or partition has not passed them",
            report.unsettled,
        ),
        ("landed", "records of failed batches that had landed nonetheless", report.landed),
        (
            "unclear",
            "records of failed batches of which nobody knows any more whether they had landed; --unclear takes them",
            report.unclear,
        ),
        (
            "late",
            "changes that belong behind the lateness horizon, where no merge looks by itself; --late writes them",
            report.late,
        ),
        ("left out", "lines of other datasets", report.other_datasets),
        ("left out", "lines that were refused for other reasons", report.other_reasons),
        ("dropped", "documents, such as control messages", report.dropped),
        ("superseded", "changes of the replayed lines: later ones of the same keys are there", report.superseded),
        ("set aside", "documents of the replayed lines, in lines of their own", report.set_aside),
        (
            if report.applied { "completed" } else { "to complete" },
            "batches of replays that were interrupted",
            report.completed,
        ),
        ("written", "objects", report.written),
        ("unreadable", "lines", report.unreadable),
    ];
    let notes = notes.into_iter().filter(|note| note.2 > 0);
    told.extend(notes.map(|(name, what, number)| (name, format!("{} {what}", count(number)))));
    let include = report.include.iter().map(|key| format!("headgate merge --include {key}"));
    told.extend(include.map(|command| ("to merge", command)));
    told.extend(report.unreadable_at.iter().map(|place| ("", place.clone())));
    told
}

pub(super) fn verdict(report: &Report) -> Result<(), Failure> {
    match (&report.error, report.unreadable_at.first()) {
        (Some(error), _) => Err(Failure::Failed(format!("{}: {error} ({})", report.dataset, error.code))),
        (None, Some(first)) => {
            let told = format!("{}: {} lines cannot be read: {first}", report.dataset, count(report.unreadable));
            Err(Failure::Failed(told))
        }
        (None, None) => Ok(()),
    }
}
