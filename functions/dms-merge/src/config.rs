//! Settings → what this function merges, where, and within which bounds.
//!
//! Two steps: text is looked up, then resolved; nothing here is optional that must be there.

use std::path::PathBuf;

use headgate::{
    Error,
    config::Settings,
    dataset::{Dataset, Datasets},
};
use headgate_aws::lake::Location;
use headgate_columnar::bounds::Bounds;

/// The function's settings, resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// `AWS_LAMBDA_FUNCTION_NAME`: whose metrics these are.
    pub function: String,
    /// `LAKE`: `s3://bucket[/prefix]` or a directory.
    pub lake: Location,
    /// `DATASETS_DIR`: where the dataset files are.
    pub datasets: PathBuf,
    /// `DATASET`: the one dataset to serve; all where it is not set.
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
        let function = settings.or("AWS_LAMBDA_FUNCTION_NAME", "dms-merge".to_owned());
        let lake = settings.required("LAKE");
        let datasets = settings.datasets();
        let only = settings.optional("DATASET");
        let bounds = Bounds::read(&mut settings);
        settings.finish(lake.map(|lake| Self { function, lake, datasets, only, bounds }))
    }

    /// Reads the dataset files that are to be served.
    ///
    /// # Errors
    /// Misconfigured, listing every problem of every file; also where `DATASET` names none of them.
    pub fn load(&self) -> Result<Vec<Dataset>, Error> {
        let datasets = Datasets::load(&self.datasets)?;
        match &self.only {
            Some(name) => Ok(vec![datasets.table(name)?.clone()]),
            None => Ok(datasets.tables().cloned().collect()),
        }
    }
}

#[cfg(test)]
mod tests {
    use headgate_aws::lake::Location;
    use headgate_columnar::bounds::Bounds;

    use super::Config;

    fn read(given: &[(&str, &str)]) -> Result<Config, String> {
        let lookup = |name: &str| given.iter().find(|(given, _)| *given == name).map(|(_, text)| (*text).to_owned());
        Config::read(lookup).map_err(|error| error.message)
    }

    #[test]
    fn settings_are_resolved() {
        let given = [("LAKE", "s3://lake/raw"), ("LAMBDA_TASK_ROOT", "/var/task"), ("HEADGATE_THREADS", "2")];
        let expected = Config {
            function: "dms-merge".to_owned(),
            lake: Location::Bucket { bucket: "lake".to_owned(), prefix: "raw".to_owned() },
            datasets: "/var/task/datasets".into(),
            only: None,
            bounds: Bounds { threads: 2, memory: 1 << 30 },
        };
        assert_eq!(read(&given), Ok(expected.clone()));
        let named = [&given[..], &[("DATASETS_DIR", "d"), ("DATASET", "orders")]].concat();
        assert_eq!(read(&named), Ok(Config { datasets: "d".into(), only: Some("orders".to_owned()), ..expected }));
    }

    #[test]
    fn all_problems_are_told_at_once() {
        assert_eq!(
            read(&[("HEADGATE_THREADS", "many"), ("HEADGATE_MEMORY_MB", "1")]).unwrap_err(),
            "settings: LAKE: not set; HEADGATE_THREADS: invalid digit found in string; \
             HEADGATE_MEMORY_MB: must be at least 128"
        );
        assert!(read(&[("LAKE", "gs://lake")]).unwrap_err().starts_with("settings: LAKE: lake \"gs://lake\""));
    }
}
