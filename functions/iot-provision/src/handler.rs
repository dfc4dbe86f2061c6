//! An event → an answer for a hook, or a certificate that is seen to.
//!
//! Somebody waits five seconds for a hook's answer, and any error denies without a reason: so it is answered in less,
//! whatever happens. No SDK type comes in: state, registry and topic are ports.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use headgate::{
    Error,
    clock::{Clock, SystemClock, Timestamp},
    metrics::Emitter,
    notify::{Notify, directory::DirectoryNotify},
    state::State,
    things::Things,
};
use headgate_aws::{Aws, Endpoint};
use headgate_iot::AwsThings;
use headgate_sns::SnsNotify;
use serde_json::{Value, json};

use crate::{
    Report,
    config::{Allow, Config, Topic},
    emit,
    event::{self, Asked, Hook},
    hook::{self, Allowed, Denial},
    register,
};

/// By what devices come in.
#[derive(Debug, Clone)]
pub struct Terms {
    /// `FLEET`: whose allow-list it is.
    pub fleet: String,
    /// `TEMPLATES`: the templates whose hook this is.
    pub templates: BTreeSet<String>,
    /// `CLAIMS`: the certificates that devices may show to ask; any where there are none.
    pub claims: BTreeSet<String>,
    /// `ALLOW`, `TOKEN_KEYS`: what lets a device in.
    pub allow: Allow,
    /// `SERIAL_PARAMETER`: the template's parameter with the serial number.
    pub serial_parameter: String,
    /// `TOKEN_PARAMETER`: the one with the token.
    pub token_parameter: String,
    /// `THING_NAME`: what the parameter `ThingName` becomes, with `{serial}` in it.
    pub thing_name: Option<String>,
    /// `CERTIFICATE_THING`: what the thing of a registered certificate is called, with `{certificate}` in it.
    pub certificate_thing: String,
    /// `CA_POLICIES`: the policy of those whose certificate this CA signed.
    pub authorities: BTreeMap<String, String>,
}

/// What the function works with.
#[derive(Debug, Clone)]
pub struct Ports {
    /// The allow-list.
    pub state: Arc<dyn State>,
    /// The registry.
    pub things: Arc<dyn Things>,
    /// Who is told of certificates that no CA of ours signed.
    pub notify: Arc<dyn Notify>,
    /// By what devices come in.
    pub terms: Terms,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Where metrics go.
    pub emitter: Emitter,
    /// The function's name, for them.
    pub function: String,
}

impl Ports {
    /// Makes the clients, once, before the first event.
    pub async fn open(config: Config) -> Self {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let aws = Aws::connect(Endpoint::Environment).await;
        Self {
            state: config.state.open(Arc::clone(&clock)).await,
            things: Arc::new(AwsThings::new(&aws)),
            notify: match config.topic {
                Topic::Sns(topic) => Arc::new(SnsNotify::new(&aws, &topic)),
                Topic::Directory(root) => Arc::new(DirectoryNotify::new(root)),
            },
            terms: config.terms,
            clock,
            emitter: Emitter::Stdout,
            function: config.function,
        }
    }
}

/// What a hook's answer may take: AWS IoT waits 5 s, of which a cold start and the way here take a part.
const HOOK: Duration = Duration::from_secs(3);
/// What is set aside of an invocation's time for the answer.
const MARGIN: Duration = Duration::from_millis(500);

/// Answers a hook, or sees to a certificate.
///
/// # Errors
/// Never for a hook. Of a certificate: poison where the event cannot be read, else where it must come again.
pub async fn handle(event: &[u8], deadline: Timestamp, ports: &Ports) -> Result<Value, Error> {
    let begun = ports.clock.now();
    let asked = event::read(event).inspect_err(|error| {
        ports.emitter.emit(emit::failure(&ports.function, error.code), begun);
    })?;
    let left = Duration::from_millis(u64::try_from(deadline.0.saturating_sub(begun.0)).unwrap_or_default());
    let left = left.saturating_sub(MARGIN.min(left / 5));
    let mut report = Report::default();
    let answer = match asked {
        Asked::MayProvision(hook) => Ok(answer(hook.as_ref(), begun, left.min(HOOK), ports, &mut report).await),
        Asked::Registered(registered) => {
            registered.certificate_id.clone_into(&mut report.certificate);
            let became = register::register(&registered, ports).await;
            report.became = became.as_ref().ok().copied();
            became.map(|became| json!({"certificateId": registered.certificate_id, "became": became}))
        }
    };
    report.milliseconds = ports.clock.now().0.saturating_sub(begun.0);
    tell(&report, answer.as_ref().err(), ports);
    answer
}

async fn answer(hook: Option<&Hook>, now: Timestamp, time: Duration, ports: &Ports, report: &mut Report) -> Value {
    let decided = match hook {
        None => Err(Denial::Unreadable),
        Some(hook) => {
            hook.template().clone_into(&mut report.template);
            hook.certificate_id.clone_into(&mut report.certificate);
            let deciding = hook::decide(hook, now, &*ports.state, &ports.terms);
            tokio::time::timeout(time, deciding).await.unwrap_or(Err(Denial::Unavailable))
        }
    };
    report.allowed = Some(decided.is_ok());
    match decided {
        Ok(Allowed { overrides, repeated }) => {
            report.repeated = repeated;
            json!({"allowProvisioning": true, "parameterOverrides": overrides})
        }
        Err(denial) => {
            report.denial = Some(denial);
            json!({"allowProvisioning": false, "parameterOverrides": {}})
        }
    }
}

fn tell(report: &Report, error: Option<&Error>, ports: &Ports) {
    let now = ports.clock.now();
    let logged = serde_json::to_string(report).unwrap_or_default();
    if let Some(denial) = report.denial {
        tracing::warn!(report = logged, reason = denial.as_str(), "denied");
    } else {
        tracing::info!(report = logged, "event");
    }
    ports.emitter.emit(emit::of_report(&ports.function, report), now);
    if let Some(metrics) = emit::of_denial(&ports.function, report) {
        ports.emitter.emit(metrics, now);
    }
    if let Some(error) = error {
        ports.emitter.emit(emit::failure(&ports.function, error.code), now);
    }
}

#[cfg(test)]
mod tests;
