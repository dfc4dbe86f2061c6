//! `iot-provision` with a small fleet: who comes in, and what becomes of certificates.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};

use headgate::{
    Error,
    clock::{ManualClock, Timestamp},
    metrics::{Emitter, Metrics},
    notify::memory::MemoryNotify,
    state::{Expected, State, memory::MemoryState},
    things::{Status, memory::MemoryThings},
};
use iot_provision::{
    config::Allow,
    handler::{Ports, Terms, handle},
    item_key,
};
use serde_json::{Value, json};

/// 2026-11-25T09:31:00Z
const NOW: Timestamp = Timestamp(1_795_599_060_000);

/// The function, and all that it writes to.
pub struct Provision {
    ports: Ports,
    state: MemoryState,
    things: MemoryThings,
    notify: MemoryNotify,
}

fn id(digit: char) -> String {
    digit.to_string().repeat(64)
}

impl Provision {
    /// The instance that serves the fleet, before anybody came in.
    pub async fn new() -> Self {
        let clock = Arc::new(ManualClock::new(NOW));
        let (state, things, notify) =
            (MemoryState::new(clock.clone()), MemoryThings::default(), MemoryNotify::default());
        for (serial, item) in [
            ("A-1", json!({})),
            ("A-2", json!({"uses": 3, "overrides": {"DeviceLocation": "hall 4", "ThingName": "oven-two"}})),
            ("A-3", json!({"blocked": true})),
            ("A-4", json!({"certificates": [id('0')]})),
            ("A-5", json!({"uses": -1})),
        ] {
            state.put_if(&item_key("ovens", serial), item, Expected::Absent, None).await.unwrap();
        }
        for (certificate, ca, status) in
            [('a', 'f', Status::Pending), ('b', 'e', Status::Pending), ('d', 'f', Status::Barred)]
        {
            things.register(&id(certificate), &id(ca), status);
        }
        let terms = Terms {
            fleet: "ovens".to_owned(),
            templates: BTreeSet::from(["fleet".to_owned()]),
            claims: BTreeSet::from([id('c')]),
            allow: Allow::Listed,
            serial_parameter: "SerialNumber".to_owned(),
            token_parameter: "Token".to_owned(),
            thing_name: Some("oven-{serial}".to_owned()),
            certificate_thing: "oven-{certificate}".to_owned(),
            authorities: BTreeMap::from([(id('f'), "ovens".to_owned())]),
        };
        let ports = Ports {
            state: Arc::new(state.clone()),
            things: Arc::new(things.clone()),
            notify: Arc::new(notify.clone()),
            terms,
            clock,
            emitter: Emitter::Memory(Arc::new(Mutex::new(Vec::new()))),
            function: "iot-provision".to_owned(),
        };
        Self { ports, state, things, notify }
    }

    /// The function's answer to one event.
    pub async fn deliver(&self, event: &Value) -> Result<Value, Error> {
        handle(event.to_string().as_bytes(), Timestamp(NOW.0 + 30_000), &self.ports).await
    }

    /// What all of it came to.
    pub async fn seen(&self) -> Value {
        let mut allowed = BTreeMap::new();
        for serial in ["A-1", "A-2", "A-3", "A-4", "A-5", "Z-9"] {
            let item = self.state.get(&item_key("ovens", serial)).await.unwrap();
            let certificates = item.map(|item| item.value["certificates"].clone()).unwrap_or_default();
            if let Value::Array(certificates) = certificates {
                allowed.insert(serial, certificates.iter().map(short).collect::<Vec<_>>());
            }
        }
        let held = self.things.all();
        let active = held.certificates.iter().filter(|(_, certificate)| certificate.status == Status::Active);
        let told = self.notify.published().into_iter().map(|notice| {
            json!({"subject": notice.subject, "message": serde_json::from_str::<Value>(&notice.body).unwrap()})
        });
        json!({
            "allowed": allowed, "active": active.map(|(id, _)| short(&json!(id))).collect::<Vec<_>>(),
            "things": held.things.len(), "policies": held.policies.len(), "owners": held.owners.len(),
            "told": told.collect::<Vec<_>>(),
        })
    }

    /// What was emitted, a line each.
    pub fn metrics(&self) -> Vec<Value> {
        let Emitter::Memory(seen) = &self.ports.emitter else { return Vec::new() };
        let line = |metrics: &Metrics| {
            let mut line = Vec::new();
            metrics.emit(NOW, &mut line).unwrap();
            let mut line: Value = serde_json::from_slice(&line).unwrap();
            line.as_object_mut()
                .unwrap()
                .retain(|name, value| !["_aws", "Function"].contains(&&**name) && *value != json!(0));
            line
        };
        seen.lock().unwrap().iter().map(line).collect()
    }
}

/// The first digits of an id.
fn short(id: &Value) -> String {
    id.as_str().unwrap_or_default().chars().take(4).collect()
}
