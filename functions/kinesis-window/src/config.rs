//! Settings → which stream is told of by windows, where, and by which contract.
//!
//! Two steps: text is looked up, then resolved; nothing here is optional that must be there.

use std::path::PathBuf;

use headgate::{Error, config::Settings, contract::MaskKey};
use headgate_aws::{lake::Location, state::Place};
use headgate_columnar::bounds::Bounds;

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
    /// `DATASET`: the one that says what is told of the windows.
    pub dataset: String,
    /// `MASK_KEY`: the key of hashed columns.
    pub mask_key: Option<MaskKey>,
    /// `HEADGATE_MEMORY_MB`.
    pub bounds: Bounds,
}

impl Config {
    /// Reads the settings through `lookup`.
    ///
    /// # Errors
    /// Misconfigured, naming every missing or wrong setting at once.
    pub fn read(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, Error> {
        let mut settings = Settings::new(lookup);
        let function = settings.or("AWS_LAMBDA_FUNCTION_NAME", "kinesis-window".to_owned());
        let lake = settings.required("LAKE");
        let state = settings.required("STATE");
        let dataset = settings.required("DATASET");
        let mask_key = settings.optional("MASK_KEY");
        let datasets = settings.datasets();
        let bounds = Bounds::read(&mut settings);
        let there = lake.zip(state).zip(dataset);
        settings.finish(there.map(|((lake, state), dataset)| Self {
            function,
            lake,
            state,
            datasets,
            dataset,
            mask_key,
            bounds,
        }))
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
            ("LAMBDA_TASK_ROOT", "/var/task"),
        ])
        .unwrap();
        assert_eq!(config.state, Place::Table("state".to_owned()));
        assert_eq!(config.datasets, PathBuf::from("/var/task/datasets"));
        assert_eq!((config.dataset.as_str(), config.lake), ("clicks", "s3://lake".parse().unwrap()));
    }

    #[test]
    fn all_problems_are_told_at_once() {
        let told = read(&[("LAKE", "gs://lake"), ("MASK_KEY", "short")]).unwrap_err();
        for problem in ["LAKE: lake \"gs://lake\"", "STATE: not set", "DATASET: not set", "MASK_KEY: the mask key must"]
        {
            assert!(told.contains(problem), "{problem}: {told}");
        }
        assert!(!told.contains("short"), "a key is never told: {told}");
    }
}
