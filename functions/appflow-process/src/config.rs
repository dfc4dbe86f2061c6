//! Settings → which flows' runs come in, where, and within which bounds.
//!
//! Two steps: text is looked up, then resolved; nothing here is optional that must be there.

use std::{convert::Infallible, path::PathBuf, str::FromStr, time::Duration};

use headgate::{
    Code, Error,
    config::Settings,
    contract::MaskKey,
    dataset::{Datasets, Saas},
};
use headgate_aws::lake::Location;
use headgate_columnar::bounds::Bounds;

const HOUR: Duration = Duration::from_hours(1);

/// The function's settings, resolved.
#[derive(Debug, Clone)]
pub struct Config {
    /// `AWS_LAMBDA_FUNCTION_NAME`: whose metrics these are.
    pub function: String,
    /// `LAKE`: `s3://bucket[/prefix]` or a directory.
    pub lake: Location,
    /// `FLOWS`: who is asked for runs whose reports never came.
    pub flows: Service,
    /// `LOOKBACK_HOURS`: how far back a schedule looks for them.
    pub lookback: Duration,
    /// `DATASETS_DIR`: where the dataset files are.
    pub datasets: PathBuf,
    /// `DATASET`: the one dataset to serve; all of kind `saas` where it is not set.
    pub only: Option<String>,
    /// `MASK_KEY`: the key of hashed columns.
    pub mask_key: Option<MaskKey>,
    /// `HEADGATE_THREADS` and `HEADGATE_MEMORY_MB`.
    pub bounds: Bounds,
}

/// Who is asked for runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Service {
    /// Amazon `AppFlow`.
    AppFlow,
    /// Files under a local directory.
    Directory(PathBuf),
}

impl FromStr for Service {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(if text == "appflow" { Self::AppFlow } else { Self::Directory(text.into()) })
    }
}

impl Config {
    /// Reads the settings through `lookup`.
    ///
    /// # Errors
    /// Misconfigured, naming every missing or wrong setting at once; without a secret.
    pub fn read(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, Error> {
        let mut settings = Settings::new(lookup);
        let function = settings.or("AWS_LAMBDA_FUNCTION_NAME", "appflow-process".to_owned());
        let lake = settings.required("LAKE");
        let flows = settings.or("FLOWS", Service::AppFlow);
        let hours: u32 = settings.or("LOOKBACK_HOURS", 48);
        if hours == 0 {
            settings.problem("LOOKBACK_HOURS", "must be at least 1");
        }
        let datasets = settings.datasets();
        let only = settings.optional("DATASET");
        let mask_key = settings.optional("MASK_KEY");
        let bounds = Bounds::read(&mut settings);
        let lookback = HOUR * hours;
        settings.finish(lake.map(|lake| Self { function, lake, flows, lookback, datasets, only, mask_key, bounds }))
    }

    /// Reads the dataset files that are to be served.
    ///
    /// # Errors
    /// Misconfigured, listing every problem of every file; also where `DATASET` names none of kind `saas`.
    pub fn load(&self) -> Result<Vec<Saas>, Error> {
        let datasets = Datasets::load(&self.datasets)?;
        let wanted = |saas: &&Saas| self.only.as_deref().is_none_or(|only| only == saas.name());
        let served: Vec<Saas> = datasets.saas().filter(wanted).cloned().collect();
        match &self.only {
            Some(name) if served.is_empty() => {
                let there: Vec<_> = datasets.saas().map(Saas::name).collect();
                let there = if there.is_empty() { "none".to_owned() } else { there.join(", ") };
                let message = format!("DATASET: no `saas` dataset `{name}`; there are: {there}");
                Err(Error::misconfigured(Code::InvalidConfig, message))
            }
            _ => Ok(served),
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
        let config = read(&[("LAKE", "s3://lake"), ("LAMBDA_TASK_ROOT", "/var/task")]).unwrap();
        assert_eq!((config.flows, config.lookback), (Service::AppFlow, 48 * HOUR));
        assert_eq!((config.datasets, config.only), ("/var/task/datasets".into(), None));
        let config = read(&[("LAKE", "lake"), ("FLOWS", "flows"), ("LOOKBACK_HOURS", "3"), ("DATASET", "a")]).unwrap();
        assert_eq!((config.flows, config.lookback), (Service::Directory("flows".into()), 3 * HOUR));
        assert_eq!(config.only.as_deref(), Some("a"));
    }

    #[test]
    fn all_problems_are_told_at_once() {
        let told = "settings: LAKE: not set; LOOKBACK_HOURS: must be at least 1";
        assert_eq!(read(&[("LOOKBACK_HOURS", "0")]).unwrap_err(), told);
    }
}
