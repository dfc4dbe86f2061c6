//! A command line → the command it names, and its exit status.

use std::{ffi::OsString, io::Write, path::PathBuf, process::ExitCode};

use clap::{Args, Parser, Subcommand};

use crate::{Failure, check, compact, demo, generate, inspect, invoke, merge, replay};

/// Looks a setting up in the environment.
pub(crate) type Lookup = fn(&str) -> Option<String>;

/// Change files into current-state tables, and refused records into rows or changes, on any machine.
#[derive(Debug, Parser)]
#[command(name = "headgate", version, arg_required_else_help = true)]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Tell whether dataset files are right, and every problem of those that are not
    Check(check::Arguments),
    /// Bring a snapshot up to date with its change files
    Merge(merge::Arguments),
    /// Tell what a table holds, what waits and what was refused
    Inspect(inspect::Arguments),
    /// Take refused records of a stream or topic again, by the dataset as it is now
    Replay(replay::Arguments),
    /// Make few large files of a stream's many small ones, in partitions that are closed
    Compact(compact::Arguments),
    /// Run a function's real binary on one event
    Invoke(invoke::Arguments),
    /// Generate traffic: records, or the events that functions are invoked with
    Gen(generate::Arguments),
    /// See change files become a table on this machine: no AWS, no network
    Demo(demo::Arguments),
}

/// The table a command works on.
#[derive(Debug, Args)]
pub(crate) struct Table {
    /// The dataset file
    #[arg(long, value_name = "FILE")]
    pub dataset: PathBuf,
    /// The lake: `s3://bucket[/prefix]` or a directory
    #[arg(long, value_name = "PLACE")]
    pub lake: String,
    /// Print one JSON object on stdout, and nothing else there
    #[arg(long)]
    pub json: bool,
}

/// Tokio's own threads only wait; the merge brings its own for the work.
const WAITING_THREADS: usize = 2;

/// Runs the command that `arguments` (the program's name first) ask for.
///
/// Exit status: 0 done or nothing to do, 1 failed, 2 wrong usage, settings or dataset.
pub fn run(arguments: impl IntoIterator<Item = OsString>, lookup: Lookup) -> ExitCode {
    match CommandLine::try_parse_from(arguments) {
        Ok(line) => ended(execute(line.command, lookup)),
        Err(refused) => {
            // Where not even this can be written there is nobody to tell.
            let _ = refused.print();
            ExitCode::from(u8::try_from(refused.exit_code()).unwrap_or(2))
        }
    }
}

fn execute(command: Command, lookup: Lookup) -> Result<(), Failure> {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.worker_threads(WAITING_THREADS).enable_all().build().map_err(Failure::failed)?;
    runtime.block_on(async {
        match command {
            Command::Check(arguments) => check::run(&arguments),
            Command::Merge(arguments) => merge::run(&arguments, lookup).await,
            Command::Inspect(arguments) => inspect::run(&arguments).await,
            Command::Replay(arguments) => replay::run(&arguments, lookup).await,
            Command::Compact(arguments) => compact::run(&arguments, lookup).await,
            Command::Invoke(arguments) => invoke::run(&arguments).await,
            Command::Gen(arguments) => generate::run(&arguments),
            Command::Demo(arguments) => demo::run(&arguments, lookup).await,
        }
    })
}

fn ended(result: Result<(), Failure>) -> ExitCode {
    let Err(failure) = result else { return ExitCode::SUCCESS };
    // Where stderr is gone, the exit status still tells.
    let _ = writeln!(std::io::stderr(), "headgate: {failure}");
    failure.exit()
}
