//! Events from the bytes to the answer, and what state, registry and subscribers then have.

use std::sync::Mutex;

use headgate::{
    Class, Code,
    faults::Unavailable,
    notify::memory::MemoryNotify,
    state::{Expected, StateError, memory::MemoryState},
    things::{Status, memory::MemoryThings},
};

use super::*;

mod admission;
mod registration;

/// 2026-11-25T09:31:00Z
const NOW: i64 = 1_795_599_060_000;
const TEMPLATE: &str = "arn:aws:iot:eu-west-1:123456789012:provisioningtemplate/fleet";

/// A clock that goes with the runtime's, which stands until it is moved.
#[derive(Debug, Clone, Copy)]
struct RuntimeClock(tokio::time::Instant);

impl Clock for RuntimeClock {
    fn now(&self) -> Timestamp {
        Timestamp(NOW).plus(self.0.elapsed())
    }
}

/// A certificate's or a CA's id.
fn id(digit: char) -> String {
    digit.to_string().repeat(64)
}

#[derive(Debug, Clone)]
struct World {
    state: MemoryState,
    things: MemoryThings,
    notify: MemoryNotify,
    clock: Arc<dyn Clock>,
    terms: Terms,
}

impl World {
    fn new() -> Self {
        let clock: Arc<dyn Clock> = Arc::new(RuntimeClock(tokio::time::Instant::now()));
        let terms = Terms {
            fleet: "ovens".to_owned(),
            templates: BTreeSet::from(["fleet".to_owned()]),
            claims: BTreeSet::new(),
            allow: Allow::Listed,
            serial_parameter: "SerialNumber".to_owned(),
            token_parameter: "Token".to_owned(),
            thing_name: Some("oven-{serial}".to_owned()),
            certificate_thing: "oven-{certificate}".to_owned(),
            authorities: BTreeMap::from([(id('f'), "devices".to_owned())]),
        };
        Self {
            state: MemoryState::new(Arc::clone(&clock)),
            things: MemoryThings::default(),
            notify: MemoryNotify::default(),
            clock,
            terms,
        }
    }

    fn ports(&self) -> Ports {
        Ports {
            state: Arc::new(self.state.clone()),
            things: Arc::new(self.things.clone()),
            notify: Arc::new(self.notify.clone()),
            terms: self.terms.clone(),
            clock: Arc::clone(&self.clock),
            emitter: Emitter::Memory(Arc::new(Mutex::new(Vec::new()))),
            function: "iot-provision".to_owned(),
        }
    }

    async fn list(&self, serial: &str, item: Value) {
        let key = hook::item_key("ovens", serial);
        self.state.put_if(&key, item, Expected::Any, None).await.unwrap();
    }

    async fn deliver(&self, event: &Value) -> Result<Value, Error> {
        handle(event.to_string().as_bytes(), self.clock.now().plus(Duration::from_secs(30)), &self.ports()).await
    }

    /// Why a hook is denied; `None` where it is not.
    async fn denial(&self, event: &Value) -> Option<Denial> {
        let asked = event::read(event.to_string().as_bytes()).unwrap();
        let Asked::MayProvision(hook) = asked else { panic!("{event}") };
        let mut report = Report::default();
        answer(hook.as_ref(), self.clock.now(), HOOK, &self.ports(), &mut report).await;
        report.denial
    }
}

fn hook(serial: &str, certificate: char) -> Value {
    json!({
        "claimCertificateId": id('c'), "certificateId": id(certificate), "certificatePem": "-----BEGIN CERTIFICATE-----",
        "templateArn": TEMPLATE, "clientId": "221a6d10-9c7f-42f1-9153-e52e6fc869c1",
        "parameters": {"SerialNumber": serial, "ThingName": "forged"},
    })
}

fn registered(certificate: char, ca: char) -> Value {
    json!({
        "certificateId": id(certificate), "caCertificateId": id(ca), "timestamp": NOW,
        "certificateStatus": "PENDING_ACTIVATION", "awsAccountId": "123456789012",
        "certificateRegistrationTimestamp": NOW.to_string(),
    })
}
