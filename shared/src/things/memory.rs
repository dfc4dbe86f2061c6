//! [`Things`] → memory, for tests: failures can be planned and calls are counted.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;

use super::{Certificate, Result, Status, Things, ThingsError};
use crate::faults::{Faults, Unavailable};

/// What is asked of a registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Verb {
    /// [`Things::certificate`]
    Certificate,
    /// [`Things::create_thing`]
    CreateThing,
    /// [`Things::attach_policy`]
    AttachPolicy,
    /// [`Things::attach_thing`]
    AttachThing,
    /// [`Things::activate`]
    Activate,
}

impl Unavailable for ThingsError {
    fn unavailable(what: &str) -> Self {
        Self::Unavailable { what: what.to_owned(), reason: "no answer (planned failure)".to_owned() }
    }
}

/// What a registry has.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Held {
    /// Certificates by id.
    pub certificates: BTreeMap<String, Certificate>,
    /// Things by name.
    pub things: BTreeSet<String>,
    /// Policies, each with the certificate it is attached to.
    pub policies: BTreeSet<(String, String)>,
    /// Things, each with the certificate that is theirs.
    pub owners: BTreeSet<(String, String)>,
}

/// A [`Things`] in memory. Clones are the same registry.
#[derive(Debug, Clone, Default)]
pub struct MemoryThings {
    held: Arc<Mutex<Held>>,
    faults: Faults<Verb, ThingsError>,
}

impl MemoryThings {
    /// The handle by which failures are planned and calls counted.
    #[must_use]
    pub fn faults(&self) -> Faults<Verb, ThingsError> {
        self.faults.clone()
    }

    /// Registers a certificate, or changes what is known of it.
    pub fn register(&self, id: &str, ca: &str, status: Status) {
        let arn = format!("arn:aws:iot:eu-west-1:123456789012:cert/{id}");
        self.held().certificates.insert(id.to_owned(), Certificate { arn, ca: Some(ca.to_owned()), status });
    }

    /// What it has.
    #[must_use]
    pub fn all(&self) -> Held {
        self.held().clone()
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn call<T>(&self, verb: Verb, what: &str, call: impl FnOnce(&mut Held) -> Result<T>) -> Result<T> {
        self.faults.around(verb, what, || call(&mut self.held()))
    }
}

fn missing(what: &str) -> ThingsError {
    ThingsError::Refused { what: what.to_owned(), reason: "404".to_owned() }
}

#[async_trait]
impl Things for MemoryThings {
    async fn certificate(&self, id: &str) -> Result<Option<Certificate>> {
        self.call(Verb::Certificate, id, |held| Ok(held.certificates.get(id).cloned()))
    }

    async fn create_thing(&self, name: &str) -> Result<()> {
        self.call(Verb::CreateThing, name, |held| {
            held.things.insert(name.to_owned());
            Ok(())
        })
    }

    async fn attach_policy(&self, policy: &str, certificate: &Certificate) -> Result<()> {
        self.call(Verb::AttachPolicy, policy, |held| {
            held.policies.insert((policy.to_owned(), certificate.arn.clone()));
            Ok(())
        })
    }

    async fn attach_thing(&self, name: &str, certificate: &Certificate) -> Result<()> {
        self.call(Verb::AttachThing, name, |held| {
            if !held.things.contains(name) {
                return Err(missing(name));
            }
            held.owners.insert((name.to_owned(), certificate.arn.clone()));
            Ok(())
        })
    }

    async fn activate(&self, id: &str) -> Result<()> {
        self.call(Verb::Activate, id, |held| {
            let certificate = held.certificates.get_mut(id).ok_or_else(|| missing(id))?;
            certificate.status = Status::Active;
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_verb_may_be_called_again() {
        let things = MemoryThings::default();
        things.register("c", "ca", Status::Pending);
        things.faults().fail_after(2);
        let mut seen = Vec::new();
        for _ in 0..2 {
            let certificate = things.certificate("c").await.unwrap().unwrap();
            let made = things.create_thing("t").await;
            things.attach_policy("p", &certificate).await.unwrap();
            things.attach_thing("t", &certificate).await.unwrap();
            things.activate("c").await.unwrap();
            seen.push((made.is_ok(), things.all()));
        }
        assert_eq!((seen[0].0, seen[1].0), (false, true));
        assert_eq!(seen[0].1, seen[1].1);
        assert_eq!(things.certificate("c").await.unwrap().map(|it| it.status), Some(Status::Active));
        assert_eq!(things.certificate("d").await, Ok(None));
        let owner = things.certificate("c").await.unwrap().unwrap();
        assert_eq!(things.attach_thing("u", &owner).await, Err(missing("u")));
        assert_eq!(things.activate("d").await, Err(missing("d")));
    }
}
