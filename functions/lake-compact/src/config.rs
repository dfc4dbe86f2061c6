//! Settings → which datasets are compacted, where, and within which bounds.
//!
//! Two steps: text is looked up, then resolved; nothing here is optional that must be there.

use std::path::PathBuf;

use headgate::{
    Error,
    config::Settings,
    dataset::{Datasets, Stream},
};
use headgate_aws::{lake::Location, state::Place};
use headgate_columnar::bounds::Bounds;

/// The function's settings, resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// `AWS_LAMBDA_FUNCTION_NAME`: whose metrics these are.
    pub function: String,
    /// `LAKE`: `s3://bucket[/prefix]` or a directory.
    pub lake: Location,
    /// `STATE`: `dynamodb://table` or a directory; datasets of Firehose and of windows need none.
    pub state: Option<Place>,
    /// `DATASETS_DIR`: where the dataset files are.
    pub datasets: PathBuf,
    /// `DATASET`: the one to serve, whether or not it says `compact`.
    pub only: Option<String>,
    /// `HEADGATE_THREADS` and `HEADGATE_MEMORY_MB`.
    pub bounds: Bounds,
}

impl Config {
    /// Reads the settings through `lookup`.
    ///
    /// # Errors
    /// Misconfigured, naming every missing or wrong setting at once.
    pub fn read(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, Error> {
        let mut settings = Settings::new(lookup);
        let function = settings.or("AWS_LAMBDA_FUNCTION_NAME", "lake-compact".to_owned());
        let lake = settings.required("LAKE");
        let state = settings.optional("STATE");
        let datasets = settings.datasets();
        let only = settings.optional("DATASET");
        let bounds = Bounds::read(&mut settings);
        settings.finish(lake.map(|lake| Self { function, lake, state, datasets, only, bounds }))
    }

    /// Reads the dataset files that may be served.
    ///
    /// # Errors
    /// Misconfigured, listing every problem of every file; also where `DATASET` names none of them.
    pub fn load(&self) -> Result<Vec<Stream>, Error> {
        let datasets = Datasets::load(&self.datasets)?;
        match &self.only {
            Some(name) => {
                let mut stream = datasets.stream(name)?.clone();
                stream.compact.get_or_insert_default();
                Ok(vec![stream])
            }
            None => Ok(datasets.streams().cloned().collect()),
        }
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
        let given = [("LAKE", "s3://lake"), ("STATE", "dynamodb://state"), ("LAMBDA_TASK_ROOT", "/var/task")];
        let config = read(&given).unwrap();
        assert_eq!(config.state, Some(Place::Table("state".to_owned())));
        assert_eq!((config.datasets, config.only), (PathBuf::from("/var/task/datasets"), None));
    }

    #[test]
    fn all_problems_are_told_at_once() {
        let told = read(&[("STATE", "gs://x"), ("HEADGATE_MEMORY_MB", "1")]).unwrap_err();
        for problem in ["LAKE: not set", "STATE: state \"gs://x\"", "HEADGATE_MEMORY_MB: must be at least 128"] {
            assert!(told.contains(problem), "{problem}: {told}");
        }
    }
}
