//! Settings → which datasets are served, where their records go, and who may send.
//!
//! Two steps: text is looked up, then resolved; nothing here is optional that must be there. Secrets are read here and
//! shown nowhere.

use std::{collections::BTreeSet, time::Duration};

use headgate::{Error, config::Settings, event::http::Request};
use headgate_aws::state::Place;

use crate::{
    body::Bounds,
    partition::Field,
    signature::{Keys, Signing, Terms},
};

/// The function's settings, resolved.
#[derive(Debug, Clone)]
pub struct Config {
    /// `AWS_LAMBDA_FUNCTION_NAME`: whose metrics these are.
    pub function: String,
    /// `DATASET` or `DATASETS`.
    pub served: Served,
    /// `STREAM`.
    pub target: Target,
    /// `STATE`: where idempotency keys are kept.
    pub state: Place,
    /// `SIGNING_KEYS`.
    pub signing: Signing,
    /// `SIGNATURE_HEADER`, `TIMESTAMP_HEADER` and `SIGNATURE_WINDOW_SECONDS`.
    pub terms: Terms,
    /// `PARTITION_KEY`: the field that is the partition key.
    pub partition_key: Option<Field>,
    /// `MAX_BODY_BYTES` and `MAX_RECORDS`.
    pub bounds: Bounds,
}

/// Which datasets take records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Served {
    /// This one, whatever the path.
    One(String),
    /// The one of these that is the path's last segment.
    ByPath(BTreeSet<String>),
}

/// Where records go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A Kinesis data stream of this name or ARN.
    Kinesis(String),
    /// A Firehose delivery stream of this name.
    Firehose(String),
}

impl Target {
    /// As it was written, but for what Firehose is not asked by.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Kinesis(name) | Self::Firehose(name) => name,
        }
    }
}

/// The most records of a body. What is kept of an idempotency key, at worst every second place, has to fit an item of
/// `DynamoDB` (400 KB).
const MOST_RECORDS: usize = 50_000;

/// What stands for "no signature is checked".
const UNSIGNED: &str = "none";

impl Config {
    /// Reads the settings through `lookup`.
    ///
    /// # Errors
    /// Misconfigured, naming every missing or wrong setting at once; without a secret.
    pub fn read(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, Error> {
        let mut settings = Settings::new(lookup);
        let function = settings.or("AWS_LAMBDA_FUNCTION_NAME", "api-ingest".to_owned());
        let served = served(&mut settings);
        let target = settings.required::<String>("STREAM").and_then(|stream| target(&mut settings, stream));
        let state = settings.required("STATE");
        let signing = signing(&mut settings, served.as_ref());
        let terms = Terms {
            signature_header: settings.or("SIGNATURE_HEADER", "x-headgate-signature".to_owned()),
            timestamp_header: settings.or("TIMESTAMP_HEADER", "x-headgate-timestamp".to_owned()),
            window: Duration::from_secs(settings.or("SIGNATURE_WINDOW_SECONDS", 300)),
        };
        let partition_key = settings.optional("PARTITION_KEY");
        let bounds =
            Bounds { bytes: settings.or("MAX_BODY_BYTES", 16 << 20), records: settings.or("MAX_RECORDS", 10_000) };
        if !(1..=MOST_RECORDS).contains(&bounds.records) {
            settings.problem("MAX_RECORDS", format!("must be 1 to {MOST_RECORDS}"));
        }
        let resolved = served.zip(target).zip(state).zip(signing);
        settings.finish(resolved.map(|(((served, target), state), signing)| Self {
            function,
            served,
            target,
            state,
            signing,
            terms,
            partition_key,
            bounds,
        }))
    }

    /// The dataset that `request` is for.
    #[must_use]
    pub fn dataset(&self, request: &Request<'_>) -> Option<&str> {
        match &self.served {
            Served::One(name) => Some(name),
            Served::ByPath(names) => {
                let last = request.path.trim_end_matches('/').rsplit('/').next()?;
                names.get(last).map(String::as_str)
            }
        }
    }
}

impl Served {
    fn names(&self) -> impl Iterator<Item = &str> + Clone {
        let (one, many) = match self {
            Self::One(name) => (Some(name), None),
            Self::ByPath(names) => (None, Some(names)),
        };
        one.into_iter().chain(many.into_iter().flatten()).map(String::as_str)
    }
}

fn served<F: Fn(&str) -> Option<String>>(settings: &mut Settings<F>) -> Option<Served> {
    match (settings.optional::<String>("DATASET"), settings.optional::<String>("DATASETS")) {
        (Some(one), None) => Some(Served::One(one)),
        (None, Some(names)) => {
            let names = names.split(',').map(str::trim).filter(|name| !name.is_empty());
            let names: BTreeSet<_> = names.map(str::to_owned).collect();
            if names.is_empty() {
                settings.problem("DATASETS", "names no dataset");
            }
            Some(Served::ByPath(names))
        }
        (one, _) => {
            settings.problem(
                "DATASET",
                if one.is_some() { "set it or DATASETS, not both" } else { "not set, nor DATASETS" },
            );
            None
        }
    }
}

/// A stream by its name or ARN: `arn:aws:kinesis:…:stream/name`, `arn:aws:firehose:…:deliverystream/name`.
fn target<F: Fn(&str) -> Option<String>>(settings: &mut Settings<F>, stream: String) -> Option<Target> {
    let Some(rest) = stream.strip_prefix("arn:") else { return Some(Target::Kinesis(stream)) };
    let mut parts = rest.splitn(5, ':').skip(1);
    let (service, region) = (parts.next(), parts.next());
    let here = settings.optional::<String>("AWS_REGION");
    if let (Some(there), Some(here)) = (region, here)
        && there != here
    {
        settings.problem("STREAM", format!("is in {there}, and this function in {here}"));
    }
    match (service, parts.nth(1).and_then(|resource| resource.split_once('/'))) {
        (Some("kinesis"), Some(("stream", _))) => Some(Target::Kinesis(stream)),
        (Some("firehose"), Some(("deliverystream", name))) => Some(Target::Firehose(name.to_owned())),
        _ => {
            settings.problem("STREAM", "an ARN of neither a Kinesis data stream nor a Firehose delivery stream");
            None
        }
    }
}

fn signing<F: Fn(&str) -> Option<String>>(settings: &mut Settings<F>, served: Option<&Served>) -> Option<Signing> {
    let written: String = settings.required("SIGNING_KEYS")?;
    if written.trim() == UNSIGNED {
        return Some(Signing::Unsigned);
    }
    match Keys::parse(&written, served?.names()) {
        Ok(keys) => Some(Signing::Keys(keys)),
        Err(problem) => {
            settings.problem("SIGNING_KEYS", problem);
            None
        }
    }
}

#[cfg(test)]
mod tests;
