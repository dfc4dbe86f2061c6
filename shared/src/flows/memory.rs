//! [`Flows`] → memory, for tests: failures can be planned and calls are counted.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;

use super::{Flows, FlowsError, Result, Run};
use crate::{
    clock::Timestamp,
    faults::{Faults, Unavailable},
};

/// What is asked of the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Verb {
    /// [`Flows::runs`]
    Runs,
}

impl Unavailable for FlowsError {
    fn unavailable(flow: &str) -> Self {
        Self::Unavailable { flow: flow.to_owned(), reason: "no answer (planned failure)".to_owned() }
    }
}

/// A [`Flows`] in memory. Clones are the same service.
#[derive(Debug, Clone, Default)]
pub struct MemoryFlows {
    runs: Arc<Mutex<BTreeMap<String, Vec<Run>>>>,
    faults: Faults<Verb, FlowsError>,
}

impl MemoryFlows {
    /// The handle by which failures are planned and calls counted.
    #[must_use]
    pub fn faults(&self) -> Faults<Verb, FlowsError> {
        self.faults.clone()
    }

    /// Adds a run to a flow.
    pub fn add(&self, flow: &str, run: Run) {
        self.runs.lock().unwrap_or_else(PoisonError::into_inner).entry(flow.to_owned()).or_default().push(run);
    }
}

#[async_trait]
impl Flows for MemoryFlows {
    async fn runs(&self, flow: &str, since: Timestamp) -> Result<Vec<Run>> {
        self.faults.around(Verb::Runs, flow, || {
            let runs = self.runs.lock().unwrap_or_else(PoisonError::into_inner);
            Ok(runs.get(flow).into_iter().flatten().filter(|run| run.is_since(since)).cloned().collect())
        })
    }
}
