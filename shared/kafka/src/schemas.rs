//! Schema ids → compiled schemas, each asked for once.
//!
//! Where they come from is a [`Registry`]'s business: a folder, a service, or one after the other.

mod confluent;
mod folder;

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use headgate::{
    Code, Error,
    clock::{Clock, Timestamp},
    decode::{Refusal, registry::SchemaId},
    registry::Registry,
};

pub use confluent::{Confluent, Login};
pub use folder::Folder;

use crate::avro::Schema;

/// The most schemas that are kept; a topic has a few.
const MOST: usize = 1_000;
/// How long a schema that nobody has stays unknown before it is asked for again.
const UNKNOWN: Duration = Duration::from_secs(30);

/// What is known of a schema.
type Entry = Result<Arc<Schema>, Refusal>;

/// The schemas, and where to ask for more.
#[derive(Debug)]
pub struct Schemas {
    registries: Vec<Arc<dyn Registry>>,
    clock: Arc<dyn Clock>,
    cache: Mutex<HashMap<SchemaId, (Entry, Timestamp)>>,
}

/// Schemas that are at hand.
#[derive(Debug, Default)]
pub struct Known(HashMap<SchemaId, Entry>);

impl Known {
    /// The schema, or why the records that were written with it are refused.
    pub(crate) fn get(&self, id: SchemaId) -> Result<&Schema, Refusal> {
        match self.0.get(&id) {
            Some(Ok(schema)) => Ok(schema),
            Some(Err(refusal)) => Err(refusal.clone()),
            None => Err(unknown(id)),
        }
    }
}

fn unknown(id: SchemaId) -> Refusal {
    Refusal { code: Code::UnknownSchema, reason: format!("schema {id}: no registry has it").into() }
}

impl Schemas {
    /// No schemas yet; the registries are asked in this order.
    #[must_use]
    pub fn new(registries: Vec<Arc<dyn Registry>>, clock: Arc<dyn Clock>) -> Self {
        Self { registries, clock, cache: Mutex::default() }
    }

    /// Finds these schemas.
    ///
    /// # Errors
    /// As the registries'; then nothing is known of the schema, and no record may be refused for want of it.
    pub async fn find(&self, ids: BTreeSet<SchemaId>) -> Result<Known, Error> {
        let mut known = Known::default();
        for id in ids {
            let entry = match self.cached(id) {
                Some(entry) => entry,
                None => self.ask(id).await?,
            };
            known.0.insert(id, entry);
        }
        Ok(known)
    }

    fn cached(&self, id: SchemaId) -> Option<Entry> {
        let cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        let (entry, until) = cache.get(&id)?;
        (entry.is_ok() || self.clock.now() < *until).then(|| entry.clone())
    }

    async fn ask(&self, id: SchemaId) -> Result<Entry, Error> {
        if self.registries.is_empty() {
            let reason = format!("schema {id}: there is no registry to ask, and no folder of schemas").into();
            return Ok(Err(Refusal { code: Code::UnknownSchema, reason }));
        }
        let mut entry = Err(unknown(id));
        for registry in &self.registries {
            match registry.schema(id).await {
                Ok(None) => {}
                Ok(Some(text)) => {
                    let invalid = |reason: String| Refusal {
                        code: Code::InvalidSchema,
                        reason: format!("schema {id}: {reason}").into(),
                    };
                    entry = Schema::parse(&text.schema, &text.references).map(Arc::new).map_err(invalid);
                    break;
                }
                Err(Error { class: headgate::Class::Poison, code, message }) => {
                    entry = Err(Refusal { code, reason: message.into() });
                    break;
                }
                Err(error) => return Err(error),
            }
        }
        let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        if cache.len() >= MOST {
            cache.clear();
        }
        cache.insert(id, (entry.clone(), self.clock.now().plus(UNKNOWN)));
        Ok(entry)
    }
}
