//! Settings → what is watched, where readings go on to, and who is told.
//!
//! Two steps: text is looked up, then resolved; nothing here is optional that must be there.

use std::{convert::Infallible, path::PathBuf, str::FromStr};

use headgate::{Error, config::Settings, dataset::stream::watch::TopicFilter};
use headgate_aws::{lake::Location, state::Place};

/// The function's settings, resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// `AWS_LAMBDA_FUNCTION_NAME`: whose metrics these are.
    pub function: String,
    /// `LAKE`: where the quarantine is: `s3://bucket[/prefix]` or a directory.
    pub lake: Location,
    /// `STATE`: `dynamodb://table` or a directory.
    pub state: Place,
    /// `NOTIFY`: who is told.
    pub topic: Topic,
    /// `STREAM`: where readings go on to.
    pub onward: Onward,
    /// `DATASETS_DIR`: where the dataset files are.
    pub datasets: PathBuf,
    /// `DATASET`: the one that the messages belong to.
    pub dataset: String,
    /// `TOPIC_FILTER`: that of the rule, where its SQL is what the Terraform makes of the dataset.
    pub filter: Option<TopicFilter>,
}

/// Who is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Topic {
    /// An SNS topic, by its ARN.
    Sns(String),
    /// Files under a local directory.
    Directory(PathBuf),
}

/// Where readings go on to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Onward {
    /// A Kinesis data stream of this name or ARN.
    Kinesis(String),
    /// Other actions of the rule see to it.
    Rule,
}

/// What stands for "the rule has actions for that".
const RULE: &str = "none";

impl FromStr for Topic {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        match text.strip_prefix("arn:") {
            Some(rest) if rest.split(':').nth(1) == Some("sns") => Ok(Self::Sns(text.to_owned())),
            Some(_) => Err("an ARN of another service: must be an SNS topic's"),
            None => Ok(Self::Directory(text.into())),
        }
    }
}

impl FromStr for Onward {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(if text == RULE { Self::Rule } else { Self::Kinesis(text.to_owned()) })
    }
}

impl Config {
    /// Reads the settings through `lookup`.
    ///
    /// # Errors
    /// Misconfigured, naming every missing or wrong setting at once.
    pub fn read(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, Error> {
        let mut settings = Settings::new(lookup);
        let function = settings.or("AWS_LAMBDA_FUNCTION_NAME", "iot-rule".to_owned());
        let (lake, state) = (settings.required("LAKE"), settings.required("STATE"));
        let (topic, onward) = (settings.required("NOTIFY"), settings.required("STREAM"));
        let dataset = settings.required("DATASET");
        let datasets = settings.datasets();
        let filter: Option<TopicFilter> = settings.optional("TOPIC_FILTER");
        if filter.as_ref().is_some_and(|filter| !filter.has_segment()) {
            settings.problem("TOPIC_FILTER", "must have a `+`, which stands for the device");
        }
        let there = lake.zip(state).zip(topic.zip(onward)).zip(dataset);
        settings.finish(there.map(|(((lake, state), (topic, onward)), dataset)| Self {
            function,
            lake,
            state,
            topic,
            onward,
            datasets,
            dataset,
            filter,
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
        let topic = "arn:aws:sns:eu-west-1:123456789012:alerts.fifo";
        let mut given = vec![
            ("LAKE", "s3://lake"),
            ("STATE", "dynamodb://state"),
            ("NOTIFY", topic),
            ("STREAM", "telemetry"),
            ("DATASET", "temperature"),
            ("LAMBDA_TASK_ROOT", "/var/task"),
            ("TOPIC_FILTER", "sensors/+/temperature"),
        ];
        let config = read(&given).unwrap();
        assert_eq!(
            (config.topic, config.onward),
            (Topic::Sns(topic.to_owned()), Onward::Kinesis("telemetry".to_owned()))
        );
        assert_eq!(config.datasets, PathBuf::from("/var/task/datasets"));
        assert_eq!(config.filter, "sensors/+/temperature".parse().ok());
        given.pop();
        (given[2].1, given[3].1) = ("target/alerts", "none");
        let config = read(&given).unwrap();
        assert_eq!((config.topic, config.onward), (Topic::Directory("target/alerts".into()), Onward::Rule));
        assert_eq!(config.filter, None);
    }

    #[test]
    fn a_filter_is_one_and_says_where_the_device_is() {
        for (filter, told) in [
            ("sensors/all/temperature", "TOPIC_FILTER: must have a `+`, which stands for the device"),
            ("sensors/a+", "TOPIC_FILTER: must be a topic filter such as `sensors/+/temperature`"),
        ] {
            assert!(read(&[("TOPIC_FILTER", filter)]).unwrap_err().contains(told), "{filter}");
        }
    }

    #[test]
    fn all_problems_are_told_at_once() {
        let told = read(&[("LAKE", "gs://lake"), ("NOTIFY", "arn:aws:sqs:eu-west-1:1:q")]).unwrap_err();
        for problem in [
            "LAKE: lake \"gs://lake\"",
            "STATE: not set",
            "STREAM: not set",
            "DATASET: not set",
            "NOTIFY: an ARN of another service",
        ] {
            assert!(told.contains(problem), "{problem}: {told}");
        }
    }
}
