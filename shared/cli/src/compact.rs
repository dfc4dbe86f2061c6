//! `headgate compact` → one compaction and its report.

use std::{
    io::{self, Write},
    sync::Arc,
};

use clap::Args;
use headgate::{
    clock::{Clock, SystemClock},
    config::Settings,
    dataset::Described,
    state::State,
};
use headgate_aws::state::Place;
use headgate_columnar::{
    bounds::Bounds,
    compact::{Options, Outcome, Report, Skip, Target, compact},
};

use crate::{
    Failure,
    command::{Lookup, Table},
    lake,
    progress::Bar,
    table::{self, bytes, count, span},
};

/// What `headgate compact` takes.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    table: Table,
    /// The state that the function keeps its checkpoints in: `dynamodb://table` or a directory; tables of Firehose and
    /// of windows need none
    #[arg(long, value_name = "PLACE")]
    state: Option<Place>,
    /// Only look, which is the default
    #[arg(long, conflicts_with = "apply")]
    dry_run: bool,
    /// Replace files; without it the figures say what would be replaced
    #[arg(long)]
    apply: bool,
}

/// Compacts and tells how it went.
///
/// # Errors
/// [`Failure::Usage`] for wrong settings, dataset, lake or state; [`Failure::Failed`] where something failed, or where
/// there is more to do.
pub async fn run(arguments: &Arguments, lookup: Lookup) -> Result<(), Failure> {
    let mut settings = Settings::new(lookup);
    let bounds = Bounds::read(&mut settings);
    let bounds = settings.finish(Some(bounds)).map_err(Failure::usage)?;
    let (described, store) = lake::open_any(&arguments.table).await?;
    let stream = match described {
        Described::Stream(stream) => stream,
        Described::Table(_) | Described::Saas(_) => {
            let (name, kind) = (described.name(), described.kind());
            let what =
                format!("the snapshot of a `{kind}` dataset is one file already, which `headgate merge` keeps compact");
            return Err(Failure::Usage(format!("{name}: $.kind: {what}")));
        }
    };
    if let Some(Place::Directory(path)) = &arguments.state
        && !path.is_dir()
    {
        return Err(Failure::Usage(format!("--state {}: no such directory; correct the path", path.display())));
    }
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let state: Option<Arc<dyn State>> = match &arguments.state {
        Some(place) => Some(place.open(Arc::clone(&clock)).await),
        None => None,
    };
    let options = Options { apply: arguments.apply, threads: bounds.threads, memory: bounds.memory, time_left: None };
    let bar = Bar::counting(&stream.name, "partitions", 0);
    let target = Target { store: &store, state: state.as_deref(), stream: &stream, clock: clock.as_ref() };
    let report =
        compact(target, &options, &|partitions, files| bar.counted(partitions, &format!("{files} files"))).await;
    drop(bar);
    tell(&report, arguments.table.json, &mut io::stdout().lock())?;
    verdict(&report)
}

fn tell(report: &Report, json: bool, out: &mut impl Write) -> io::Result<()> {
    if json {
        return writeln!(out, "{}", serde_json::to_string(report)?);
    }
    let what = match report.outcome {
        Outcome::UpToDate => "nothing to compact",
        Outcome::Stopped => "stopped",
        Outcome::More => "not finished",
        Outcome::Compacted if report.applied => "compacted",
        Outcome::Compacted => "nothing is written; --apply writes",
    };
    writeln!(out, "{}: {what}", report.dataset)?;
    table::write(out, &lines(report))
}

fn lines(report: &Report) -> Vec<(&'static str, String)> {
    let will = if report.applied { "" } else { "would be " };
    let mut told = vec![
        ("partitions", format!("{} looked at, {} {will}compacted", count(report.partitions), count(report.compacted))),
        ("files", format!("{} {will}replaced by {}", count(report.files_in), count(report.files_out))),
    ];
    if report.applied {
        told.push(("rows", count(report.rows)));
        told.push(("bytes", format!("{} replaced by {}", bytes(report.bytes_in), bytes(report.bytes_out))));
        told.push(("doubled", format!("for {} at most", span(report.doubled_seconds))));
    } else {
        told.push(("bytes", bytes(report.bytes_in)));
    }
    told.push(("time", span(report.seconds)));
    for (skip, partitions) in &report.skipped {
        let why = match skip {
            Skip::Open => "are not closed yet",
            Skip::StillWritten => "had a file within the last hour",
            Skip::Unrecognized => "are none of the dataset's by their path",
            Skip::FewFiles => "have too few small files",
            Skip::LongPath => "have a path too long for the key of a new file",
        };
        told.push(("left", format!("{} partitions {why}", count(*partitions))));
    }
    let notes = [
        ("waiting", "small files may be written again: their shard has not passed them", report.waiting),
        ("foreign", "small files were written by nobody of ours", report.foreign),
        ("finished", "swap of an earlier compaction", report.finished),
    ];
    told.extend(
        notes.into_iter().filter(|note| note.2 > 0).map(|(name, what, n)| (name, format!("{} {what}", count(n)))),
    );
    for failed in &report.failed {
        let at = failed.file.as_ref().unwrap_or(&failed.partition);
        let column = failed.column.as_ref().map(|column| format!(", column {column:?}")).unwrap_or_default();
        told.push(("failed", format!("{at}{column}: {} ({})", failed.error, failed.error.code)));
    }
    told.extend(report.left.iter().map(|key| ("changed", format!("{key}: written anew while it was replaced"))));
    told
}

fn verdict(report: &Report) -> Result<(), Failure> {
    let told = match (&report.error, report.outcome) {
        (Some(error), _) => format!("{error} ({})", error.code),
        (None, Outcome::Stopped) => format!("{} partitions failed", report.failed.len().max(1)),
        (None, Outcome::More) => "not finished; run it again".to_owned(),
        (None, Outcome::Compacted | Outcome::UpToDate) => return Ok(()),
    };
    Err(Failure::Failed(format!("{}: {told}", report.dataset)))
}
