//! Settings → by which contract records are read, and whether what does not fit an answer goes round again.
//!
//! Two steps: text is looked up, then resolved; nothing here is optional that must be there.

use std::path::PathBuf;

use headgate::{Error, config::Settings, contract::MaskKey};

/// The function's settings, resolved.
#[derive(Debug, Clone)]
pub struct Config {
    /// `AWS_LAMBDA_FUNCTION_NAME`: whose metrics these are.
    pub function: String,
    /// `DATASETS_DIR`: where the dataset files are.
    pub datasets: PathBuf,
    /// `DATASET`: the one that the records belong to.
    pub dataset: String,
    /// `MASK_KEY`: the key of hashed columns.
    pub mask_key: Option<MaskKey>,
    /// `MAX_PARTITIONS`: the most partitions of one answer.
    pub partitions: usize,
    /// `REINGEST`.
    pub reingest: Reingest,
}

/// What becomes of records that do not fit the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reingest {
    /// They go to the error prefix.
    Off,
    /// They are put again into the Kinesis data stream of this ARN, which feeds the delivery stream.
    Kinesis(String),
    /// They are put again into the delivery stream of this ARN and name, into which producers put.
    Firehose {
        /// Its ARN.
        arn: String,
        /// Its name.
        name: String,
    },
}

/// Below the 500 partitions that a delivery stream may have open, unless AWS was asked for more (Amazon Data Firehose
/// Developer Guide, "Quota").
const PARTITIONS: usize = 400;

impl Config {
    /// Reads the settings through `lookup`.
    ///
    /// # Errors
    /// Misconfigured, naming every missing or wrong setting at once.
    pub fn read(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, Error> {
        let mut settings = Settings::new(lookup);
        let function = settings.or("AWS_LAMBDA_FUNCTION_NAME", "firehose-transform".to_owned());
        let dataset = settings.required("DATASET");
        let mask_key = settings.optional("MASK_KEY");
        let datasets = settings.datasets();
        let partitions = settings.or("MAX_PARTITIONS", PARTITIONS);
        if partitions == 0 {
            settings.problem("MAX_PARTITIONS", "must be at least 1");
        }
        let reingest = reingest(&settings.or("REINGEST", "off".to_owned()));
        if reingest.is_none() {
            settings.problem("REINGEST", "must be `off`, or the ARN of the Kinesis data stream or delivery stream");
        }
        let resolved = dataset.zip(reingest);
        settings.finish(resolved.map(|(dataset, reingest)| Self {
            function,
            datasets,
            dataset,
            mask_key,
            partitions,
            reingest,
        }))
    }
}

/// `off`, `arn:aws:kinesis:…:stream/name` or `arn:aws:firehose:…:deliverystream/name`.
fn reingest(written: &str) -> Option<Reingest> {
    if written == "off" {
        return Some(Reingest::Off);
    }
    let parts: Vec<_> = written.splitn(6, ':').collect();
    match parts[..] {
        ["arn", _, "kinesis", _, _, stream] if stream.starts_with("stream/") => {
            Some(Reingest::Kinesis(written.to_owned()))
        }
        ["arn", _, "firehose", _, _, stream] => {
            let name = stream.strip_prefix("deliverystream/")?.to_owned();
            Some(Reingest::Firehose { arn: written.to_owned(), name })
        }
        _ => None,
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
        let config = read(&[("DATASET", "clicks"), ("LAMBDA_TASK_ROOT", "/var/task")]).unwrap();
        assert_eq!(config.datasets, PathBuf::from("/var/task/datasets"));
        assert_eq!((config.dataset.as_str(), config.partitions, config.reingest), ("clicks", 400, Reingest::Off));
    }

    #[test]
    fn the_stream_to_put_into_is_told_by_its_arn() {
        let check = |written: &str, expected: Option<Reingest>| {
            let config = read(&[("DATASET", "clicks"), ("REINGEST", written)]);
            assert_eq!(config.ok().map(|config| config.reingest), expected, "{written}");
        };
        let arn = "arn:aws:kinesis:eu-west-1:123456789012:stream/clicks";
        check(arn, Some(Reingest::Kinesis(arn.to_owned())));
        let arn = "arn:aws-cn:firehose:cn-north-1:123456789012:deliverystream/clicks";
        check(arn, Some(Reingest::Firehose { arn: arn.to_owned(), name: "clicks".to_owned() }));
        for wrong in ["on", "clicks", "arn:aws:sqs:eu-west-1:1:clicks", "arn:aws:kinesis:eu-west-1:1:consumer/clicks"] {
            check(wrong, None);
        }
    }

    #[test]
    fn all_problems_are_told_at_once() {
        let told = read(&[("MASK_KEY", "short"), ("MAX_PARTITIONS", "0"), ("REINGEST", "on")]).unwrap_err();
        for problem in ["DATASET: not set", "MASK_KEY: the mask key must", "MAX_PARTITIONS: must", "REINGEST: must"] {
            assert!(told.contains(problem), "{problem}: {told}");
        }
        assert!(!told.contains("short"), "a key is never told: {told}");
    }
}
