//! Settings → the configuration, or every problem at once.

use serde_json::json;

use super::*;

const SECRET: &str = "a secret of the sender";

fn read(given: &[(&str, &str)]) -> Result<Config, String> {
    let lookup = |name: &str| given.iter().find(|(given, _)| *given == name).map(|(_, text)| (*text).to_owned());
    Config::read(lookup).map_err(|error| error.message)
}

const LEAST: [(&str, &str); 4] =
    [("DATASET", "orders"), ("STREAM", "ingest"), ("STATE", "dynamodb://state"), ("SIGNING_KEYS", SECRET)];

fn with(name: &'static str, value: &'static str) -> Result<Config, String> {
    let others = LEAST.into_iter().filter(|(given, _)| *given != name);
    read(&others.chain([(name, value)]).collect::<Vec<_>>())
}

#[test]
fn the_least_is_four_settings() {
    let config = read(&LEAST).unwrap();
    assert_eq!(config.function, "api-ingest");
    assert_eq!(config.served, Served::One("orders".to_owned()));
    assert_eq!(config.target, Target::Kinesis("ingest".to_owned()));
    assert_eq!(config.bounds, Bounds { bytes: 16 << 20, records: 10_000 });
    assert_eq!(config.terms.window, Duration::from_mins(5));
    assert!(matches!(config.signing, Signing::Keys(_)));
    assert!(!format!("{config:?}").contains(SECRET));
    assert!(matches!(with("SIGNING_KEYS", "none").unwrap().signing, Signing::Unsigned));
}

#[test]
fn streams_are_told_by_their_arn() {
    let kinesis = "arn:aws:kinesis:eu-central-1:111122223333:stream/ingest";
    assert_eq!(with("STREAM", kinesis).unwrap().target, Target::Kinesis(kinesis.to_owned()));
    let firehose = "arn:aws:firehose:eu-central-1:111122223333:deliverystream/ingest";
    assert_eq!(with("STREAM", firehose).unwrap().target, Target::Firehose("ingest".to_owned()));
    let elsewhere = [&LEAST[..1], &LEAST[2..], &[("STREAM", firehose), ("AWS_REGION", "us-east-1")]].concat();
    let problem = "settings: STREAM: is in eu-central-1, and this function in us-east-1";
    assert_eq!(read(&elsewhere).unwrap_err(), problem);
    let problem = with("STREAM", "arn:aws:sqs:eu-central-1:111122223333:ingest").unwrap_err();
    assert_eq!(problem, "settings: STREAM: an ARN of neither a Kinesis data stream nor a Firehose delivery stream");
}

#[test]
fn the_dataset_may_be_in_the_path() {
    let at = |config: &Config, path: &str| {
        let event = json!({"rawPath": path, "requestContext": {"http": {"method": "POST"}}}).to_string();
        config.dataset(&headgate::event::http::read(event.as_bytes()).unwrap()).map(str::to_owned)
    };
    let by_path = read(&[&LEAST[1..], &[("DATASETS", "orders, returns")]].concat()).unwrap();
    assert_eq!(at(&by_path, "/v1/orders").as_deref(), Some("orders"));
    assert_eq!(at(&by_path, "/returns/").as_deref(), Some("returns"));
    assert_eq!((at(&by_path, "/"), at(&by_path, "/orders/x")), (None, None));
    assert_eq!(at(&read(&LEAST).unwrap(), "/any").as_deref(), Some("orders"));
}

#[test]
fn all_problems_are_told_at_once_and_no_secret() {
    assert_eq!(
        read(&[("SIGNING_KEYS", "short"), ("MAX_RECORDS", "0"), ("SIGNATURE_WINDOW_SECONDS", "-1")]).unwrap_err(),
        "settings: DATASET: not set, nor DATASETS; STREAM: not set; STATE: not set; \
         SIGNATURE_WINDOW_SECONDS: invalid digit found in string; MAX_RECORDS: must be 1 to 50000"
    );
    assert_eq!(with("SIGNING_KEYS", "secret").unwrap_err(), "settings: SIGNING_KEYS: key 1 is shorter than 16 bytes");
    assert_eq!(
        with("SIGNING_KEYS", "a secret of the sender,returns:a secret of another").unwrap_err(),
        "settings: SIGNING_KEYS: key 2 has a `:` and begins with none of the datasets served"
    );
    let none = read(&[&LEAST[1..], &[("DATASETS", " , ")]].concat()).unwrap_err();
    assert_eq!(none, "settings: DATASETS: names no dataset");
    let both = [&LEAST[..], &[("DATASETS", "returns")]].concat();
    assert_eq!(read(&both).unwrap_err(), "settings: DATASET: set it or DATASETS, not both");
}
