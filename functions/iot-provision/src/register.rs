//! A certificate that was registered just in time → a thing with a policy, and the certificate active; or left as it is.
//!
//! It becomes active last, so that what is active is whole, and whatever breaks off is done by the next event: AWS IoT
//! sends one whenever a certificate that is not active is shown.

use std::time::Duration;

use headgate::{
    Code, Error,
    notify::{Notice, subject},
    quarantine::Identity,
    state::{Expected, StateError},
    things::{Certificate, Status},
};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{event::Registered, handler::Ports};

/// What became of a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Became {
    /// It is active now, with its thing and its policy.
    Activated,
    /// It was active before.
    ActiveBefore,
    /// No CA of ours signed it: left inactive, and people are told.
    UnknownCa,
    /// Somebody barred it: left so.
    Barred,
    /// The event is not of one that waits to be activated.
    NotPending,
    /// The registry does not have it any more.
    Gone,
}

/// The status of one that waits (AWS IoT Core Developer Guide, "Just-in-time registration").
const PENDING: &str = "PENDING_ACTIVATION";

/// Sees to the certificate.
///
/// # Errors
/// Retry or misconfigured: the event must come again, and it is as before or further on.
pub(crate) async fn register(registered: &Registered, ports: &Ports) -> Result<Became, Error> {
    if registered.certificate_status != PENDING {
        return Ok(Became::NotPending);
    }
    let id = &registered.certificate_id;
    let Some(policy) = ports.terms.authorities.get(&registered.ca_certificate_id) else {
        return stranger(registered, "its CA is none of those that are set", ports).await;
    };
    // What the event says, anybody may have said who can invoke this function.
    let Some(certificate) = ports.things.certificate(id).await? else { return Ok(Became::Gone) };
    if certificate.ca.as_ref() != Some(&registered.ca_certificate_id) {
        return stranger(registered, "the registry names another CA than the event", ports).await;
    }
    match certificate.status {
        Status::Active => Ok(Became::ActiveBefore),
        Status::Barred => Ok(Became::Barred),
        Status::Pending => {
            admit(id, &certificate, policy, ports).await?;
            Ok(Became::Activated)
        }
    }
}

async fn admit(id: &str, certificate: &Certificate, policy: &str, ports: &Ports) -> Result<(), Error> {
    let thing = ports.terms.certificate_thing.replace("{certificate}", id);
    ports.things.create_thing(&thing).await?;
    ports.things.attach_policy(policy, certificate).await?;
    ports.things.attach_thing(&thing, certificate).await?;
    ports.things.activate(id).await?;
    Ok(())
}

/// What is kept of a certificate that people were told of.
#[derive(Debug, Serialize, Deserialize)]
struct Told {
    told: bool,
    /// Until then somebody is at it.
    until: i64,
}

/// A device that is turned away shows its certificate again and again: people are told once a day.
const QUIET: Duration = Duration::from_hours(24);
/// Longer than a publication takes, and shorter than Lambda waits before it delivers an event again.
const LEASE: Duration = Duration::from_secs(30);

async fn stranger(registered: &Registered, why: &str, ports: &Ports) -> Result<Became, Error> {
    let id = &registered.certificate_id;
    tracing::warn!(certificate = id, ca = registered.ca_certificate_id, "left inactive: {why}");
    let key = format!("provision/{}/stranger/{id}", ports.terms.fleet);
    let now = ports.clock.now();
    let found = ports.state.get(&key).await?;
    let known = found.as_ref().and_then(|item| Told::deserialize(&item.value).ok());
    match known {
        Some(Told { told: true, .. }) => return Ok(Became::UnknownCa),
        Some(Told { told: false, until }) if now.0 < until => return Err(under_way(&key)),
        _ => {}
    }
    let put = async |told: Told, expected| {
        let value = serde_json::to_value(told).map_err(|error| Error::retry(Code::Internal, error.to_string()))?;
        ports.state.put_if(&key, value, expected, Some(QUIET)).await.map_err(|error| match error {
            StateError::Changed { .. } => under_way(&key),
            error => error.into(),
        })
    };
    let expected = found.map_or(Expected::Absent, |item| Expected::Version(item.version));
    let claimed = put(Told { told: false, until: now.plus(LEASE).0 }, expected).await?;
    ports.notify.publish(&notice(registered, why, now.0)).await?;
    put(Told { told: true, until: now.0 }, Expected::Version(claimed)).await?;
    Ok(Became::UnknownCa)
}

fn under_way(key: &str) -> Error {
    Error::retry(Code::Contended, format!("{key}: another invocation is telling it"))
}

fn notice(registered: &Registered, why: &str, now: i64) -> Notice {
    let Registered { certificate_id, ca_certificate_id, aws_account_id, .. } = registered;
    let day = (now / 86_400_000).to_string();
    Notice {
        subject: subject("certificate left inactive: unknown CA"),
        body: json!({"certificate": certificate_id, "ca": ca_certificate_id, "account": aws_account_id, "why": why})
            .to_string(),
        attributes: vec![("event", "unknown_ca".to_owned())],
        group: "unknown_ca".to_owned(),
        deduplication: Identity::of(&["unknown_ca", certificate_id, &day]).to_string(),
    }
}
