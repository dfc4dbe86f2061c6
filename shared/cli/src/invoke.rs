//! `headgate invoke` → one event through a function's real binary.

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
    time::Duration,
};

use clap::Args;
use serde_json::Value;

use crate::{
    Failure,
    host::{Function, Host},
};

/// What `headgate invoke` takes.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The function, such as dms-merge; its binary is looked for beside headgate's own
    function: String,
    /// The event: a JSON file
    event: PathBuf,
    /// The lake (`LAKE`): `s3://bucket[/prefix]` or a directory
    #[arg(long, value_name = "PLACE")]
    lake: Option<String>,
    /// The dataset files (`DATASETS_DIR`)
    #[arg(long, value_name = "DIR", default_value = "infra/datasets")]
    datasets: String,
    /// The function's binary, where it is elsewhere
    #[arg(long, value_name = "PATH")]
    bin: Option<PathBuf>,
    /// The function's timeout in seconds
    #[arg(long, default_value_t = 60)]
    timeout: u64,
}

const MEMORY_MB: u32 = 1024;

/// Invokes the function once, passes its output on to stderr, and prints its answer.
///
/// # Errors
/// [`Failure::Usage`] where the event or the binary is not there; [`Failure::Failed`] with the function's error.
pub async fn run(arguments: &Arguments) -> Result<(), Failure> {
    let event = read(&arguments.event)?;
    let mut host = Host::start(&function(arguments)?).await.map_err(Failure::failed)?;
    let answer = host.invoke(event, Duration::from_secs(arguments.timeout)).await;
    for line in host.end().await {
        writeln!(io::stderr(), "{line}")?;
    }
    let answer = answer.map_err(Failure::failed)?;
    writeln!(io::stdout(), "{answer:#}")?;
    Ok(())
}

fn read(path: &Path) -> Result<Value, Failure> {
    let wrong = |why: &dyn std::fmt::Display| Failure::Usage(format!("{}: {why}", path.display()));
    let text = fs::read_to_string(path).map_err(|error| wrong(&error))?;
    serde_json::from_str(&text).map_err(|error| wrong(&error))
}

fn function(arguments: &Arguments) -> Result<Function, Failure> {
    let binary = match &arguments.bin {
        Some(path) => path.clone(),
        None => beside(&arguments.function)?,
    };
    if !binary.is_file() {
        let how = format!("cargo build --release -p {}, or give --bin", arguments.function);
        return Err(Failure::Usage(format!("{}: no such binary; {how}", binary.display())));
    }
    let mut settings = vec![("DATASETS_DIR".to_owned(), arguments.datasets.clone())];
    settings.extend(arguments.lake.iter().map(|lake| ("LAKE".to_owned(), lake.clone())));
    Ok(Function { name: arguments.function.clone(), binary, settings, memory_mb: MEMORY_MB })
}

/// Where cargo puts every binary of one profile: in one folder.
pub(crate) fn beside(function: &str) -> Result<PathBuf, Failure> {
    let own = std::env::current_exe().map_err(Failure::failed)?;
    Ok(own.with_file_name(function))
}
