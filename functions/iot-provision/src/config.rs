//! Settings → which devices come in, and what they become.
//!
//! Two steps: text is looked up, then resolved; nothing here is optional that must be there. Secrets are read here and
//! shown nowhere.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    str::FromStr,
};

use headgate::{Error, config::Settings};
use headgate_aws::state::Place;

use crate::{event::is_id, handler::Terms, token::Keys};

/// The function's settings, resolved.
#[derive(Debug, Clone)]
pub struct Config {
    /// `AWS_LAMBDA_FUNCTION_NAME`: whose metrics these are.
    pub function: String,
    /// `STATE`: `dynamodb://table` or a directory.
    pub state: Place,
    /// `NOTIFY`: who is told of certificates that no CA of ours signed.
    pub topic: Topic,
    /// By what devices come in.
    pub terms: Terms,
}

/// Who is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Topic {
    /// An SNS topic, by its ARN.
    Sns(String),
    /// Files under a local directory.
    Directory(PathBuf),
}

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

/// What lets a device in.
#[derive(Debug, Clone)]
pub enum Allow {
    /// Its serial number is an item of the state.
    Listed,
    /// It brings a token that one of these keys signed for its serial number.
    Signed(Keys),
}

impl Config {
    /// Reads the settings through `lookup`.
    ///
    /// # Errors
    /// Misconfigured, naming every missing or wrong setting at once; without a secret.
    pub fn read(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, Error> {
        let mut settings = Settings::new(lookup);
        let function = settings.or("AWS_LAMBDA_FUNCTION_NAME", "iot-provision".to_owned());
        let (state, topic) = (settings.required("STATE"), settings.required("NOTIFY"));
        let allow = allow(&mut settings);
        let fleet = settings.or("FLEET", "devices".to_owned());
        if !fleet.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)) {
            settings.problem("FLEET", "may have ASCII letters, digits, `-` and `_`");
        }
        let templates: BTreeSet<String> = list(&mut settings, "TEMPLATES").into_iter().collect();
        let claims: BTreeSet<String> = list(&mut settings, "CLAIMS").into_iter().collect();
        if let Some(other) = claims.iter().find(|claim| !is_id(claim)) {
            settings.problem("CLAIMS", format!("`{other}` is no certificate's id: 64 hexadecimal digits"));
        }
        let authorities = authorities(&mut settings);
        if templates.is_empty() && authorities.is_empty() {
            settings.problem("TEMPLATES", "not set, nor CA_POLICIES: nobody could come in");
        }
        let serial_parameter = settings.or("SERIAL_PARAMETER", "SerialNumber".to_owned());
        let token_parameter = settings.or("TOKEN_PARAMETER", "Token".to_owned());
        let thing_name = named(&mut settings, "THING_NAME", "{serial}");
        let certificate_thing = named(&mut settings, "CERTIFICATE_THING", "{certificate}");
        let there = state.zip(topic).zip(allow);
        settings.finish(there.map(|((state, topic), allow)| Self {
            function,
            state,
            topic,
            terms: Terms {
                fleet,
                templates,
                claims,
                allow,
                serial_parameter,
                token_parameter,
                thing_name,
                certificate_thing: certificate_thing.unwrap_or_else(|| "{certificate}".to_owned()),
                authorities,
            },
        }))
    }
}

/// Texts with a comma between them.
fn list<F: Fn(&str) -> Option<String>>(settings: &mut Settings<F>, name: &str) -> Vec<String> {
    let text: String = settings.or(name, String::new());
    text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect()
}

fn allow<F: Fn(&str) -> Option<String>>(settings: &mut Settings<F>) -> Option<Allow> {
    match settings.required::<String>("ALLOW")?.as_str() {
        "listed" => Some(Allow::Listed),
        "signed" => settings.required("TOKEN_KEYS").map(Allow::Signed),
        _ => {
            settings.problem("ALLOW", "must be `listed` or `signed`");
            None
        }
    }
}

/// `<id of a CA certificate>=<policy>`, with a comma between them.
fn authorities<F: Fn(&str) -> Option<String>>(settings: &mut Settings<F>) -> BTreeMap<String, String> {
    let mut authorities = BTreeMap::new();
    for pair in list(settings, "CA_POLICIES") {
        match pair.split_once('=') {
            Some((id, policy)) if is_id(id) && !policy.is_empty() => {
                authorities.insert(id.to_owned(), policy.to_owned());
            }
            _ => settings.problem("CA_POLICIES", format!("`{pair}` is not `<id of a CA certificate>=<policy>`")),
        }
    }
    authorities
}

/// A thing's name with a place for what tells it from others.
fn named<F: Fn(&str) -> Option<String>>(
    settings: &mut Settings<F>,
    name: &'static str,
    place: &'static str,
) -> Option<String> {
    let pattern: String = settings.optional(name)?;
    let rest = pattern.replacen(place, "", 1);
    let plain = rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || b":_-".contains(&byte));
    if rest.len() == pattern.len() || !plain {
        settings.problem(name, format!("must have {place} once, and beside it letters, digits, `:`, `_`, `-`"));
    }
    Some(pattern)
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
        let id = "0a".repeat(32);
        let authorities = format!("{id}=devices , ");
        let config = read(&[
            ("STATE", "dynamodb://state"),
            ("NOTIFY", "arn:aws:sns:eu-west-1:123456789012:alerts"),
            ("ALLOW", "signed"),
            ("TOKEN_KEYS", "a key of sixteen bytes"),
            ("TEMPLATES", "fleet,ovens"),
            ("CLAIMS", &id),
            ("CA_POLICIES", &authorities),
            ("THING_NAME", "oven-{serial}"),
        ])
        .unwrap();
        let Terms { fleet, templates, claims, allow, thing_name, certificate_thing, authorities, .. } = config.terms;
        assert_eq!((fleet.as_str(), templates.len(), claims), ("devices", 2, BTreeSet::from([id.clone()])));
        assert!(matches!(allow, Allow::Signed(_)));
        assert_eq!((thing_name.as_deref(), certificate_thing.as_str()), (Some("oven-{serial}"), "{certificate}"));
        assert_eq!(authorities, BTreeMap::from([(id, "devices".to_owned())]));
    }

    #[test]
    fn all_problems_are_told_at_once() {
        let told = read(&[
            ("NOTIFY", "arn:aws:sqs:eu-west-1:1:q"),
            ("ALLOW", "all"),
            ("FLEET", "a/b"),
            ("CLAIMS", "x"),
            ("CA_POLICIES", "x=y"),
            ("THING_NAME", "oven"),
        ])
        .unwrap_err();
        for problem in [
            "STATE: not set",
            "NOTIFY: an ARN of another service",
            "ALLOW: must be `listed` or `signed`",
            "FLEET: may have",
            "CLAIMS: `x` is no",
            "CA_POLICIES: `x=y` is not",
            "TEMPLATES: not set, nor CA_POLICIES",
            "THING_NAME: must have {serial} once",
        ] {
            assert!(told.contains(problem), "{problem}: {told}");
        }
        let told = read(&[("ALLOW", "signed"), ("TOKEN_KEYS", "short"), ("TEMPLATES", "x")]).unwrap_err();
        assert!(told.contains("TOKEN_KEYS: each key must") && !told.contains("short"), "{told}");
    }
}
