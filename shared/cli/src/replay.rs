//! `headgate replay` → refused records under the contract as it is now, and what became of each.

use std::{
    io::{self, Write},
    sync::Arc,
};

use clap::Args;
use headgate::{
    clock::SystemClock,
    config::Settings,
    contract::{Contract, MaskKey},
    dataset::{Stream, stream::Transport},
    quarantine,
};
use headgate_aws::state::Place;
use headgate_columnar::{
    bounds::Bounds,
    replay::{Kinesis, Options, Origin, Report, Target, replay},
};

use crate::{
    Failure,
    command::{Lookup, Table},
    lake,
    progress::Bar,
    table::{self, count},
};

/// What `headgate replay` takes.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    table: Table,
    /// The state that the function keeps its checkpoints in: `dynamodb://table` or a directory
    #[arg(long, value_name = "PLACE")]
    state: Place,
    /// Where the refused records are; without it `quarantine/<dataset>/`
    #[arg(long, value_name = "PREFIX")]
    quarantine: Option<String>,
    /// Take batches that Lambda gave up, as its S3 on-failure destination has them, in place of refused records
    #[arg(long, value_name = "PREFIX", conflicts_with_all = ["quarantine", "reason"])]
    failed_batches: Option<String>,
    /// Only records that were refused for this reason, such as `invalid_value`; may be repeated
    #[arg(long, value_name = "CODE")]
    reason: Vec<String>,
    /// Write; without it the figures say what would be written
    #[arg(long)]
    apply: bool,
}

/// The most bytes of rows at once, whatever the memory.
const MOST: u64 = 64 << 20;

/// Replays and tells what became of the lines.
///
/// # Errors
/// [`Failure::Usage`] for wrong settings, dataset, lake or state; [`Failure::Failed`] where it ended early, or where
/// lines cannot be read.
pub async fn run(arguments: &Arguments, lookup: Lookup) -> Result<(), Failure> {
    let mut settings = Settings::new(lookup);
    let bounds = Bounds::read(&mut settings);
    let mask_key = settings.optional("MASK_KEY");
    let (bounds, mask_key) = settings.finish(Some((bounds, mask_key))).map_err(Failure::usage)?;
    let (stream, store) = lake::open_stream(&arguments.table).await?;
    let contract = contract(&stream, mask_key)?;
    if let Place::Directory(path) = &arguments.state
        && !path.is_dir()
    {
        return Err(Failure::Usage(format!("--state {}: no such directory; correct the path", path.display())));
    }
    let state = arguments.state.open(Arc::new(SystemClock)).await;
    let options = options(arguments, &stream.name, bounds);
    let kind = Kinesis { stream: &stream, contract: &contract };
    let target = Target { store: store.as_ref(), state: state.as_ref(), kind: &kind };
    let bar = Bar::counting(&stream.name, "objects", 0);
    let report = replay(target, &options, &|done, listed| bar.at(done, listed)).await;
    drop(bar);
    tell(&report, arguments.table.json, &mut io::stdout().lock())?;
    verdict(&report)
}

fn contract(stream: &Stream, mask_key: Option<MaskKey>) -> Result<Contract, Failure> {
    if stream.transport != Transport::Kinesis {
        let told = format!("{}: $.source.type: is `{}`: only `kinesis` is replayed", stream.name, stream.transport);
        return Err(Failure::Usage(told));
    }
    Contract::new(stream, mask_key).map_err(Failure::usage)
}

fn options(arguments: &Arguments, dataset: &str, bounds: Bounds) -> Options {
    let (origin, prefix) = match (&arguments.failed_batches, &arguments.quarantine) {
        (Some(prefix), _) => (Origin::FailedBatches, prefix.clone()),
        (None, Some(prefix)) => (Origin::Quarantine, prefix.clone()),
        (None, None) => (Origin::Quarantine, quarantine::prefix(dataset)),
    };
    let most = usize::try_from((bounds.memory / 8).min(MOST)).unwrap_or(usize::MAX);
    Options { origin, prefix, reasons: arguments.reason.clone(), unclear: false, apply: arguments.apply, most }
}

fn tell(report: &Report, json: bool, out: &mut impl Write) -> io::Result<()> {
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
            "lines that may be delivered again: their shard's checkpoint has not passed them",
            report.unsettled,
        ),
        ("left out", "lines of other datasets", report.other_datasets),
        ("left out", "lines that were refused for other reasons", report.other_reasons),
        ("dropped", "documents, such as control messages", report.dropped),
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
    told.extend(report.unreadable_at.iter().map(|place| ("", place.clone())));
    told
}

fn verdict(report: &Report) -> Result<(), Failure> {
    match (&report.error, report.unreadable_at.first()) {
        (Some(error), _) => Err(Failure::Failed(format!("{}: {error} ({})", report.dataset, error.code))),
        (None, Some(first)) => {
            let told = format!("{}: {} lines cannot be read: {first}", report.dataset, count(report.unreadable));
            Err(Failure::Failed(told))
        }
        (None, None) => Ok(()),
    }
}

#[cfg(test)]
mod tests;
