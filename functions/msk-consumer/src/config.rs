//! Settings → which topic lands, where, and by which contract.
//!
//! Two steps: text is looked up, then resolved; nothing here is optional that must be there.

use std::{path::PathBuf, str::FromStr, sync::Arc};

use headgate::{Error, config::Settings, contract::MaskKey, registry::Registry};
use headgate_aws::{lake::Location, state::Place};
use headgate_columnar::bounds::Bounds;
use headgate_kafka::schemas::{Folder, Login};

use crate::service::Service;

/// The function's settings, resolved.
#[derive(Debug, Clone)]
pub struct Config {
    /// `AWS_LAMBDA_FUNCTION_NAME`: whose metrics these are.
    pub function: String,
    /// `LAKE`: `s3://bucket[/prefix]` or a directory.
    pub lake: Location,
    /// `STATE`: `dynamodb://table` or a directory.
    pub state: Place,
    /// `DATASETS_DIR`: where the dataset files are.
    pub datasets: PathBuf,
    /// `DATASET`: the one that the topic's records belong to.
    pub dataset: String,
    /// `MASK_KEY`: the key of hashed columns.
    pub mask_key: Option<MaskKey>,
    /// `FAILURES`: how a failure is answered.
    pub failures: Failures,
    /// `SCHEMAS_DIR`: where schema files are.
    pub schemas: Option<PathBuf>,
    /// `REGISTRY`, with `REGISTRY_AUTH`: who has the schemas.
    pub registry: Option<Service>,
    /// `HEADGATE_MEMORY_MB`.
    pub bounds: Bounds,
}

/// How records that are to be delivered again are told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Failures {
    /// `records`: by name. The event source mapping must have `ReportBatchItemFailures`, or they are lost.
    #[default]
    Records,
    /// `batch`: the invocation fails. For mappings without partial responses, which are those without provisioned pollers.
    Batch,
}

impl FromStr for Failures {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "records" => Ok(Self::Records),
            "batch" => Ok(Self::Batch),
            _ => Err("must be `records` or `batch`"),
        }
    }
}

impl Config {
    /// Reads the settings through `lookup`.
    ///
    /// # Errors
    /// Misconfigured, naming every missing or wrong setting at once.
    pub fn read(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, Error> {
        let mut settings = Settings::new(lookup);
        let function = settings.or("AWS_LAMBDA_FUNCTION_NAME", "msk-consumer".to_owned());
        let lake = settings.required("LAKE");
        let state = settings.required("STATE");
        let dataset = settings.required("DATASET");
        let mask_key = settings.optional("MASK_KEY");
        let datasets = settings.datasets();
        let failures = settings.or("FAILURES", Failures::default());
        let schemas = settings.optional("SCHEMAS_DIR");
        let login = settings.optional::<Login>("REGISTRY_AUTH");
        let registry = settings.optional::<String>("REGISTRY");
        let registry = registry.and_then(|registry| match Service::read(&registry, login) {
            Ok(registry) => Some(registry),
            Err(error) => {
                settings.problem("REGISTRY", error);
                None
            }
        });
        let bounds = Bounds::read(&mut settings);
        let there = lake.zip(state).zip(dataset);
        settings.finish(there.map(|((lake, state), dataset)| Self {
            function,
            lake,
            state,
            datasets,
            dataset,
            mask_key,
            failures,
            schemas,
            registry,
            bounds,
        }))
    }

    /// Where schemas are looked for, in this order.
    pub(crate) async fn registries(&self) -> Vec<Arc<dyn Registry>> {
        let mut registries: Vec<Arc<dyn Registry>> = Vec::new();
        if let Some(folder) = &self.schemas {
            registries.push(Arc::new(Folder::new(folder.clone())));
        }
        if let Some(service) = &self.registry {
            registries.push(service.clone().open().await);
        }
        registries
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(given: &[(&str, &str)]) -> Result<Config, String> {
        let lookup = |name: &str| given.iter().find(|(given, _)| *given == name).map(|(_, text)| (*text).to_owned());
        Config::read(lookup).map_err(|error| error.message)
    }

    #[test]
    fn settings_are_resolved() {
        let config = read(&[
            ("LAKE", "s3://lake"),
            ("STATE", "dynamodb://state"),
            ("DATASET", "clicks"),
            ("FAILURES", "batch"),
            ("LAMBDA_TASK_ROOT", "/var/task"),
        ])
        .unwrap();
        assert_eq!(config.state, Place::Table("state".to_owned()));
        assert_eq!(config.datasets, PathBuf::from("/var/task/datasets"));
        assert_eq!(config.failures, Failures::Batch);
        assert_eq!((config.dataset.as_str(), config.lake), ("clicks", "s3://lake".parse().unwrap()));
    }

    #[test]
    fn all_problems_are_told_at_once() {
        let told = read(&[
            ("LAKE", "gs://lake"),
            ("MASK_KEY", "short"),
            ("FAILURES", "none"),
            ("REGISTRY", "sr:8081"),
            ("REGISTRY_AUTH", "secret"),
        ])
        .unwrap_err();
        for problem in [
            "LAKE: lake \"gs://lake\"",
            "STATE: not set",
            "DATASET: not set",
            "MASK_KEY: the mask key must",
            "FAILURES: must be",
            "REGISTRY: `sr:8081`",
            "REGISTRY_AUTH: must be",
        ] {
            assert!(told.contains(problem), "{problem}: {told}");
        }
        assert!(!told.contains("short") && !told.contains("secret"), "a key is never told: {told}");
    }
}
