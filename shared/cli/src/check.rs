//! `headgate check` → whether dataset files are what functions and Terraform take them for.

use std::{
    io::{self, Write},
    path::PathBuf,
};

use clap::Args;
use headgate::dataset::{Datasets, Described};

use crate::{Failure, table};

/// What `headgate check` takes.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The folder of dataset files
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

/// Reads all files of the folder, and tells what they are.
///
/// # Errors
/// [`Failure::Usage`]: every problem of every file.
pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let datasets = Datasets::load(&arguments.folder).map_err(Failure::usage)?;
    let lines: Vec<_> = datasets.all().map(line).collect();
    if lines.is_empty() {
        return Err(Failure::Usage(format!("{}: no dataset file, <name>.json", arguments.folder.display())));
    }
    let mut out = io::stdout().lock();
    writeln!(out, "{}: {} datasets, all well", arguments.folder.display(), lines.len())?;
    table::write(&mut out, &lines)?;
    Ok(())
}

fn line(dataset: &Described) -> (&str, String) {
    let place = match dataset {
        Described::Table(table) => &table.target.snapshot,
        Described::Stream(stream) => &stream.prefix,
        Described::Saas(saas) => &saas.table.target.snapshot,
    };
    (dataset.name(), format!("{}, {place}", dataset.kind()))
}
