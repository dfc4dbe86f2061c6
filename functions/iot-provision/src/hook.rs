//! A device that wants to be provisioned → whether it may, and what is written into its template.
//!
//! Whatever is wrong is a denial with a reason: an error would be one without.

use std::{collections::BTreeMap, time::Duration};

use headgate::{
    Error,
    clock::Timestamp,
    state::{Expected, State, StateError},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{config::Allow, event::Hook, handler::Terms, serial::Serial};

/// Why a device may not be provisioned, from a bounded list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Denial {
    /// The event is none of a hook.
    Unreadable,
    /// Its template is none of ours.
    UnknownTemplate,
    /// The certificate that it showed to ask is none of ours.
    UnknownClaim,
    /// It does not say its serial number.
    MissingSerial,
    /// Its serial number could not name a thing.
    InvalidSerial,
    /// It brings no token.
    MissingToken,
    /// No key of ours signed its token for its serial number.
    InvalidToken,
    /// Its token is over.
    ExpiredToken,
    /// Its serial number is not listed.
    NotListed,
    /// Its serial number is blocked.
    Blocked,
    /// It has had as many certificates as it may.
    UsedUp,
    /// The item of its serial number cannot be read.
    BadItem,
    /// The state did not answer, or not in time.
    Unavailable,
    /// The state refused: a person must change something.
    Misconfigured,
}

impl Denial {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Unreadable => "unreadable",
            Self::UnknownTemplate => "unknown_template",
            Self::UnknownClaim => "unknown_claim",
            Self::MissingSerial => "missing_serial",
            Self::InvalidSerial => "invalid_serial",
            Self::MissingToken => "missing_token",
            Self::InvalidToken => "invalid_token",
            Self::ExpiredToken => "expired_token",
            Self::NotListed => "not_listed",
            Self::Blocked => "blocked",
            Self::UsedUp => "used_up",
            Self::BadItem => "bad_item",
            Self::Unavailable => "unavailable",
            Self::Misconfigured => "misconfigured",
        }
    }

    /// Whether we are to blame, and not the device.
    pub(crate) fn is_ours(self) -> bool {
        matches!(self, Self::BadItem | Self::Unavailable | Self::Misconfigured)
    }
}

/// A device that may be provisioned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Allowed {
    /// What the template's parameters become.
    pub(crate) overrides: BTreeMap<String, String>,
    /// Whether its certificate was allowed before.
    pub(crate) repeated: bool,
}

/// What is kept of a serial number. An operator writes all of it but the certificates.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Device {
    /// How many certificates it may have in its life.
    #[serde(default = "once")]
    uses: usize,
    #[serde(default)]
    blocked: bool,
    /// What the template's parameters become.
    #[serde(default)]
    overrides: BTreeMap<String, String>,
    /// Those that it was allowed.
    #[serde(default)]
    certificates: Vec<String>,
}

fn once() -> usize {
    1
}

impl Default for Device {
    fn default() -> Self {
        Self { uses: once(), blocked: false, overrides: BTreeMap::new(), certificates: Vec::new() }
    }
}

/// The key of a serial number's item.
#[must_use]
pub fn item_key(fleet: &str, serial: &str) -> String {
    format!("provision/{fleet}/serial/{serial}")
}

/// How often another writer may be first.
const ATTEMPTS: u32 = 10;
/// For ever, in effect: an allow-list does not end.
const KEPT: Option<Duration> = None;

/// Whether the device may be provisioned. A certificate that was allowed stays so, however often it is asked for.
pub(crate) async fn decide(hook: &Hook, now: Timestamp, state: &dyn State, terms: &Terms) -> Result<Allowed, Denial> {
    let serial = admitted(hook, now, terms)?;
    let key = item_key(&terms.fleet, serial.as_str());
    for _ in 0..ATTEMPTS {
        let found = state.get(&key).await.map_err(denied)?;
        let (expected, mut device) = match found {
            Some(item) => {
                let device = Device::deserialize(&item.value).map_err(|_| Denial::BadItem)?;
                (Expected::Version(item.version), device)
            }
            None if matches!(terms.allow, Allow::Signed(_)) => (Expected::Absent, Device::default()),
            None => return Err(Denial::NotListed),
        };
        if device.blocked {
            return Err(Denial::Blocked);
        }
        let allowed = |device: &Device, repeated| Allowed { overrides: overrides(device, &serial, terms), repeated };
        if device.certificates.contains(&hook.certificate_id) {
            return Ok(allowed(&device, true));
        }
        if device.certificates.len() >= device.uses {
            return Err(Denial::UsedUp);
        }
        device.certificates.push(hook.certificate_id.clone());
        let value: Value = serde_json::to_value(&device).map_err(|_| Denial::BadItem)?;
        match state.put_if(&key, value, expected, KEPT).await {
            Ok(_) => return Ok(allowed(&device, false)),
            Err(StateError::Changed { .. }) => {}
            Err(error) => return Err(denied(error)),
        }
    }
    Err(Denial::Unavailable)
}

/// What is known without asking anybody.
fn admitted(hook: &Hook, now: Timestamp, terms: &Terms) -> Result<Serial, Denial> {
    if !terms.templates.contains(hook.template()) {
        return Err(Denial::UnknownTemplate);
    }
    let known = |claim: &String| terms.claims.contains(claim);
    if !terms.claims.is_empty() && !hook.claim_certificate_id.as_ref().is_some_and(known) {
        return Err(Denial::UnknownClaim);
    }
    let serial = hook.parameter(&terms.serial_parameter).ok_or(Denial::MissingSerial)?;
    let serial = Serial::new(serial).ok_or(Denial::InvalidSerial)?;
    if let Allow::Signed(keys) = &terms.allow {
        let token = hook.parameter(&terms.token_parameter).ok_or(Denial::MissingToken)?;
        keys.check(token, serial.as_str(), now)?;
    }
    Ok(serial)
}

fn overrides(device: &Device, serial: &Serial, terms: &Terms) -> BTreeMap<String, String> {
    let mut overrides = device.overrides.clone();
    // A device does not name its own thing.
    let name = terms.thing_name.iter().map(|name| ("ThingName".to_owned(), name.replace("{serial}", serial.as_str())));
    for (parameter, value) in name {
        overrides.entry(parameter).or_insert(value);
    }
    overrides
}

fn denied(error: StateError) -> Denial {
    let error = Error::from(error);
    tracing::error!(class = ?error.class, code = error.code.as_str(), "the state: {error}");
    match error.class {
        headgate::Class::Misconfigured => Denial::Misconfigured,
        headgate::Class::Retry | headgate::Class::Poison => Denial::Unavailable,
    }
}
