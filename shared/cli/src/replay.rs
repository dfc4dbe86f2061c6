//! `headgate replay` → refused records under the dataset as it is now, and what became of each.

mod told;

use std::{io, path::PathBuf, sync::Arc};

use clap::Args;
use headgate::{
    clock::{Clock, SystemClock},
    config::Settings,
    contract::{Contract, MaskKey},
    dataset::{
        Dataset, Described, Saas, Stream,
        stream::{RecordFormat, Transport},
    },
    quarantine,
    registry::Registry,
    state::State,
    store::Store,
};
use headgate_aws::state::Place;
use headgate_columnar::{
    bounds::Bounds,
    replay::{Kind, Kinesis, Options, Origin, Report, Target, replay},
};
use headgate_kafka::{
    Envelope, Rows, accepts,
    replay::{Changes, Rows as TopicRows},
    schemas::{Confluent, Folder, Login, Schemas},
};

use crate::{
    Failure,
    command::{Lookup, Table},
    lake,
    progress::Bar,
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
    /// Kafka: `<id>.avsc` files of schemas, by Confluent number or Glue version UUID; asked first
    #[arg(long, value_name = "DIR")]
    schemas: Option<PathBuf>,
    /// Kafka: a Confluent schema registry; its login is in `REGISTRY_AUTH`
    #[arg(long, value_name = "URL")]
    registry: Option<String>,
    /// Kafka: also records of failed batches of which nobody knows any more whether they had landed
    #[arg(long, requires = "failed_batches")]
    unclear: bool,
    /// Change topics: also changes that belong behind the lateness horizon, in files that a merge takes on request
    #[arg(long)]
    late: bool,
    /// Write; without it the figures say what would be written
    #[arg(long)]
    apply: bool,
}

/// The most bytes of rows at once, whatever the memory.
const MOST: u64 = 64 << 20;

/// What the settings say.
struct Set {
    bounds: Bounds,
    mask_key: Option<MaskKey>,
    login: Option<Login>,
}

/// Replays and tells what became of the lines.
///
/// # Errors
/// [`Failure::Usage`] for wrong settings, dataset, lake or state; [`Failure::Failed`] where it ended early, or where
/// lines cannot be read.
pub async fn run(arguments: &Arguments, lookup: Lookup) -> Result<(), Failure> {
    let mut settings = Settings::new(lookup);
    let bounds = Bounds::read(&mut settings);
    let (mask_key, login) = (settings.optional("MASK_KEY"), settings.optional("REGISTRY_AUTH"));
    let set = settings.finish(Some(Set { bounds, mask_key, login })).map_err(Failure::usage)?;
    let (described, store) = lake::open_any(&arguments.table).await?;
    let registries = registries(arguments, set.login)?;
    if let Place::Directory(path) = &arguments.state
        && !path.is_dir()
    {
        return Err(Failure::Usage(format!("--state {}: no such directory; correct the path", path.display())));
    }
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let state = arguments.state.open(Arc::clone(&clock)).await;
    let has_schemas = !registries.is_empty();
    let schemas = Schemas::new(registries, clock);
    let run = Run { arguments, options: options(arguments, described.name(), set.bounds), store, state, schemas };
    let report = match described {
        Described::Stream(stream) => run.stream(stream, set.mask_key, has_schemas).await?,
        Described::Table(dataset) => run.table(dataset).await?,
        Described::Saas(saas) => return Err(Failure::Usage(again(&saas))),
    };
    told::tell(&report, arguments.table.json, &mut io::stdout().lock())?;
    told::verdict(&report)
}

/// All that a replay works with but the dataset.
struct Run<'a> {
    arguments: &'a Arguments,
    options: Options,
    store: Arc<dyn Store>,
    state: Arc<dyn State>,
    schemas: Schemas,
}

impl Run<'_> {
    async fn stream(&self, stream: Stream, mask_key: Option<MaskKey>, has_schemas: bool) -> Result<Report, Failure> {
        if stream.window.is_some() {
            let what = "its windows are closed, and no record goes into them any more";
            return Err(Failure::Usage(format!("{}: $.window: {what}", stream.name)));
        }
        let contract = Contract::new(&stream, mask_key).map_err(Failure::usage)?;
        match stream.transport {
            Transport::Kinesis => Ok(self.replay(&Kinesis { stream: &stream, contract: &contract }).await),
            Transport::Kafka => {
                needs_schemas(&stream.name, stream.format, has_schemas)?;
                let envelope = Envelope::of(&stream).map_err(Failure::usage)?;
                let rows = Rows { stream, contract, envelope };
                Ok(self.replay(&TopicRows { rows: &rows, schemas: &self.schemas }).await)
            }
            Transport::Firehose | Transport::AppFlow => {
                let what = "only `kinesis` and `kafka` are replayed";
                let told = format!("{}: $.source.type: is `{}`: {what}", stream.name, stream.transport);
                Err(Failure::Usage(told))
            }
        }
    }

    async fn table(&self, dataset: Dataset) -> Result<Report, Failure> {
        let dataset = accepts(dataset).map_err(Failure::usage)?;
        let kind = Changes::open(&self.store, &dataset, &self.schemas, self.arguments.late).await?;
        Ok(self.replay(&kind).await)
    }

    async fn replay(&self, kind: &impl Kind) -> Report {
        let target = Target { store: self.store.as_ref(), state: self.state.as_ref(), kind };
        let bar = Bar::counting(kind.dataset(), "objects", 0);
        replay(target, &self.options, &|done, listed| bar.at(done, listed)).await
    }
}

/// The files of a run stay where the flow put them, so the run itself can come again.
fn again(saas: &Saas) -> String {
    let name = saas.name();
    format!(
        "{name}: $.kind: is `saas`: its records come again with their runs. Correct the dataset, and invoke \
         appflow-process with {{\"dataset\": \"{name}\", \"run\": \"<id>\"}}; the ids are in the names under \
         `{}`",
        quarantine::prefix(name)
    )
}

fn registries(arguments: &Arguments, login: Option<Login>) -> Result<Vec<Arc<dyn Registry>>, Failure> {
    let mut registries: Vec<Arc<dyn Registry>> = Vec::new();
    if let Some(folder) = &arguments.schemas {
        if !folder.is_dir() {
            let told = format!("--schemas {}: no such directory; correct the path", folder.display());
            return Err(Failure::Usage(told));
        }
        registries.push(Arc::new(Folder::new(folder.clone())));
    }
    match arguments.registry.as_deref() {
        None => {}
        Some("glue") => {
            let what =
                "Glue is not asked here: put each schema version into a folder as `<uuid>.avsc`, and give --schemas";
            return Err(Failure::Usage(format!("--registry glue: {what}")));
        }
        Some(url) => {
            let registry = Confluent::new(url, login);
            registries.push(Arc::new(registry.map_err(|error| Failure::Usage(format!("--registry: {error}")))?));
        }
    }
    Ok(registries)
}

fn needs_schemas(dataset: &str, format: RecordFormat, has_schemas: bool) -> Result<(), Failure> {
    if format.is_avro() && !has_schemas {
        return Err(Failure::Usage(format!("{dataset}: Avro needs schemas: give --registry or --schemas")));
    }
    Ok(())
}

fn options(arguments: &Arguments, dataset: &str, bounds: Bounds) -> Options {
    let (origin, prefix) = match (&arguments.failed_batches, &arguments.quarantine) {
        (Some(prefix), _) => (Origin::FailedBatches, prefix.clone()),
        (None, Some(prefix)) => (Origin::Quarantine, prefix.clone()),
        (None, None) => (Origin::Quarantine, quarantine::prefix(dataset)),
    };
    let most = usize::try_from((bounds.memory / 8).min(MOST)).unwrap_or(usize::MAX);
    let (reasons, unclear, apply) = (arguments.reason.clone(), arguments.unclear, arguments.apply);
    Options { origin, prefix, reasons, unclear, apply, most }
}

#[cfg(test)]
mod tests;
