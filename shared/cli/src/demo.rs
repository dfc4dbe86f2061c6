//! Nothing but this machine → change files, the real function, the table it makes, and a check of it.
//!
//! No AWS, no network, no Python: what happens here happens on any laptop.

mod build;
mod notices;
mod orders;
mod place;
mod replay;
mod rounds;
mod tell;
mod tree;

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
    time::Duration,
};

use clap::Args;
use headgate_columnar::rows;

use self::{
    orders::{File, Size},
    place::Place,
    rounds::Round,
};
use crate::{
    Failure,
    command::Lookup,
    host::{Function, Host},
    table,
};

/// What `headgate demo` takes.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Where the demo's lake goes
    #[arg(long, value_name = "DIR", default_value = "target/demo")]
    dir: PathBuf,
    /// Leave the lake there when all is done
    #[arg(long)]
    keep: bool,
}

const SIZE: Size = Size { loaded: 200_000, change_files: 30 };
const TIMEOUT: Duration = Duration::from_mins(1);
const MEMORY_MB: u32 = 1024;
const ROWS_SHOWN: usize = 8;

/// Runs the demo and says whether the snapshot equals the replay of all changes.
///
/// # Errors
/// [`Failure::Failed`] where something does not work, or the snapshot differs.
pub async fn run(arguments: &Arguments, lookup: Lookup) -> Result<(), Failure> {
    let out = &mut io::stdout().lock();
    let binary = build::function("dms-merge", lookup).await?;
    let place = Place::make(&arguments.dir)?;
    let files = orders::files(SIZE);
    writeln!(
        out,
        "A table `orders`, as DMS writes it: a full load of {} rows,",
        table::count(SIZE.loaded.unsigned_abs())
    )?;
    writeln!(out, "then {} files with inserts, updates and deletes; a column is added midway.\n", SIZE.change_files)?;
    play(&files, &binary, &place, out).await?;
    writeln!(out, "\nThe lake, {}:", place.lake().display())?;
    tree::write(out, place.lake())?;
    check(&files, &place, out)?;
    if arguments.keep {
        return Ok(());
    }
    place.remove()
}

async fn play(files: &[File], binary: &Path, place: &Place, out: &mut impl Write) -> Result<(), Failure> {
    let function = Function {
        name: "dms-merge".to_owned(),
        binary: binary.to_owned(),
        settings: place.settings(),
        memory_mb: MEMORY_MB,
    };
    let mut host = Host::start(&function).await.map_err(Failure::failed)?;
    for Round { what, arrive, events } in rounds::of(files) {
        for file in &files[arrive.clone()] {
            place.put(&file.key, file.parquet()?).await?;
        }
        writeln!(out, "{what} ({} new)", arrive.len())?;
        for event in events {
            tell::invocation(&mut host, event, TIMEOUT, out).await?;
        }
    }
    Ok(())
}

fn check(files: &[File], place: &Place, out: &mut impl Write) -> Result<(), Failure> {
    let snapshot = place.snapshot()?;
    let head = rows::read(snapshot.clone(), Some(ROWS_SHOWN))?;
    writeln!(out, "\nThe first rows of {}:", place::SNAPSHOT)?;
    table::grid(out, &head.columns, &head.rows)?;
    let count = replay::compare(&rows::read(snapshot, None)?, files)?;
    writeln!(out, "\nsnapshot equals the replay: {} rows", table::count(count as u64))?;
    Ok(())
}

#[cfg(test)]
mod tests;
